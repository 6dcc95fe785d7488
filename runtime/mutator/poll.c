/* SPDX-License-Identifier: MIT */
/* poll.c -- serving handshakes, and the regions in which others serve
 *
 * Runs on mutators at their safepoints; poll_serve_outside() on the collector.
 * A service takes no lock that anybody holds for long and waits for nobody.
 *
 * ORDERING
 *   round    acquire  pairs with registry_post()
 *   served   release  in registry_acknowledge()
 *   state    the thread releases OUTSIDE after saving its registers; the
 *            collector acquires with its CAS to SERVED, works, and releases
 *            OUTSIDE again; the thread acquires with its CAS to IN_HEAP. */
#include "mutator/poll.h"

#include "base/chaos.h"
#include "base/check.h"
#include "base/steps.h"
#include "base/sums.h"
#include "mutator/checking.h"
#include "os/tools.h"

/* One service; true: done. */
static bool serve(struct registry *registry, struct dusk_thread *thread,
                  const struct stack_view *stack)
{
  handshake_step *step = registry->step;
  STORE_RELAXED(&thread->abi.poll, 0);
  CHAOS("serving");
  if (!step(thread, stack)) {
    STORE_RELAXED(&thread->abi.poll, 1);
    return false;
  }
  registry_acknowledge(registry, thread);
  return true;
}

/* Seldom: a record is broken the less often the longer a thread lives.  A
 * reader that asked for the name would have the system open a file, with the
 * registry's lock held. */
static NOINLINE void note_name(struct slow_name *slow)
{
  struct slow_name now;
  self_name((char *)now.words);
  for (unsigned i = 0; i < sizeof now.words / sizeof *now.words; i++)
    STORE_RELAXED(&slow->words[i], now.words[i]);
}

/* The thread has seen the round, so it sees when that was posted; and it owes
 * it, so there is no later one.  A thread that joined since then is asked from
 * its joining on. */
static void note_answer(struct dusk_thread *thread, uint64_t now_ns)
{
  uint64_t asked = max_u64(thread->registry->posted_ns, thread->joined_ns);
  uint64_t ns = subtract_saturate(now_ns, asked);
  if (UNLIKELY(timings_answer(&thread->timings, ns)))
    note_name(&thread->slow_name);
}

NOINLINE void poll_serve(struct dusk_thread *thread)
{
  struct registry *registry = thread->registry;
  uint64_t round = LOAD_ACQUIRE(&registry->round); /* with registry_post() */
  if (thread->served == round)
    return; /* leaves poll alone: the next round may be setting it right now */
  CHAOS("round-seen");
  uintptr_t registers[SELF_REGISTERS];
  struct stack_view stack = {.words = registers, .count = SELF_REGISTERS};
  struct service service = registry_begin_service(registry);
  note_answer(thread, service.start_ns);
  stack.fake = tool_fake_stack();
  if (checking_is_on(thread))
    checking_settle(thread);
  stack.sp = self_save(registers);
  serve(registry, thread, &stack);
  registry_end_service(registry, thread, service);
  poll_scrub(thread);
}

READS_AMBIGUOUS_WORDS
static void copy_words(uintptr_t *to, uintptr_t from, size_t count)
{
  for (size_t i = 0; i < count; i++)
    to[i] = ((const volatile uintptr_t *)from)[i];
}

NOINLINE void poll_go_outside(struct dusk_thread *thread, uintptr_t sp)
{
  poll_check(thread);
  if (checking_is_on(thread))
    checking_settle(thread);
  poll_scrub(thread);
  uintptr_t here = self_save(thread->outside_words);
  size_t frames = (sp - here) / sizeof(uintptr_t);
  if (frames > OUTSIDE_WORDS - SELF_REGISTERS)
    PANIC("the frames that begin a blocking region have %zu words", frames);
  copy_words(thread->outside_words + SELF_REGISTERS, here, frames);
  thread->outside_count = SELF_REGISTERS + (uint32_t)frames;
  thread->outside_sp = sp;
  if (UNLIKELY(thread->registry->framed || thread->framed))
    thread->standing.frame_count =
        unwind_frames(thread->standing.frames, STANDING_FRAMES);
  thread->outside_fake = tool_fake_stack();
  ADD_RELAXED(&thread->registry->outside, 1);
  /* Pairs with the CAS in poll_serve_outside(). */
  STORE_RELEASE(&thread->state, THREAD_OUTSIDE);
  CHAOS("outside");
}

void poll_come_back(struct dusk_thread *thread)
{
  uint32_t state = THREAD_OUTSIDE;
  struct service service = {0};
  CHAOS("coming-back");
  /* Pairs with the release in poll_serve_outside(). */
  while (!CAS_ACQUIRE(&thread->state, &state, THREAD_IN_HEAP)) {
    if (!service.start_ns)
      service = registry_begin_service(thread->registry);
    steps_yield(); /* a service takes microseconds */
    state = THREAD_OUTSIDE;
  }
  SUB_RELAXED(&thread->registry->outside, 1);
  if (service.start_ns)
    registry_end_service(thread->registry, thread, service);
  poll_check(thread);
}

bool poll_hold_outside(struct dusk_thread *thread)
{
  uint32_t state = THREAD_OUTSIDE;
  /* Pairs with the release in poll_go_outside(). */
  return CAS_ACQUIRE(&thread->state, &state, THREAD_SERVED);
}

void poll_let_go_outside(struct dusk_thread *thread)
{
  /* Pairs with the CAS in poll_come_back(). */
  STORE_RELEASE(&thread->state, THREAD_OUTSIDE);
}

bool poll_serve_outside(struct registry *registry, struct dusk_thread *thread)
{
  uint32_t state = THREAD_OUTSIDE;
  /* Pairs with the release in poll_go_outside(). */
  if (!CAS_ACQUIRE(&thread->state, &state, THREAD_SERVED))
    return false;
  CHAOS("served-outside");
  bool done = true;
  if (thread->served != LOAD_RELAXED(&registry->round)) {
    struct stack_view stack = {.sp = thread->outside_sp,
                               .words = thread->outside_words,
                               .count = thread->outside_count,
                               .fake = thread->outside_fake};
    done = serve(registry, thread, &stack);
  }
  CHAOS("serves-outside");
  /* Pairs with the CAS in poll_come_back(). */
  STORE_RELEASE(&thread->state, THREAD_OUTSIDE);
  return done;
}
