/* SPDX-License-Identifier: MIT */
/* unwind.c -- stacks as program counters, and their names
 *
 * unwind_here() runs on any thread, for a sampled allocation; unwind_thread()
 * on whoever reports a thread that does not reach a safepoint; its handler on
 * that thread.  Nothing is allocated on the C heap, because a thread that does
 * not answer may be inside malloc.
 *
 * libunwind locks (with signals blocked) and asks the dynamic linker, which
 * locks too, so a handler may wait for a thread that loads a library.  It then
 * answers late, after its asker has gone.  What keeps that harmless:
 *
 *   request.state   a number for each request, and where that one is:
 *
 *     ASKED ---handler---> WRITING ---handler---> ANSWERED
 *       +------asker-----> WITHDRAWN
 *
 *   Both ways out of ASKED are a compare-and-swap on the whole word, so one of
 *   them happens, and a handler that comes back with the stack of an earlier
 *   request finds another word and leaves.  It unwinds into its own frame
 *   first: WRITING lasts for a copy of at most 64 words, and an asker that
 *   finds it waits for its end, however late.
 *
 * ORDERING   The store of ASKED, release, pairs with the handler's load and
 * swap: it sees for whom the request is, and writes the answer after the last
 * asker has read the one before.  The store of ANSWERED, release, pairs with
 * the asker's load: it sees the answer.
 *
 * LOCKS   request.mutex, held for the whole of unwind_thread(), takes no other
 * lock of ours inside.
 *
 * A FORK waits until nobody is inside libunwind, and lets nobody in meanwhile:
 * each side says what it does before it looks at the other (sequentially
 * consistent).  A handler that interrupts a thread inside goes on, as the one
 * who forks may be waiting for that thread.  unwind_thread() and unwind_name()
 * need no such care: their callers hold a registry's lock, which a fork takes.
 *
 * Tested by tests/unit/unwind.c, with late answers among others.
 */
#include "os/unwind.h"

#include "base/steps.h"

#include "base/atomic.h"
#include "os/clock.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#if HAVE_LIBUNWIND

#define UNW_LOCAL_ONLY
#include <libunwind.h>

/* Enough to see where a thread hangs; each costs the handler a word of a stack
 * that may be small. */
enum { ANSWER_MAX = 64 };

static const uint64_t answer_wait_ns = 100 * 1000 * 1000;
static const uint64_t answer_poll_ns = 200 * 1000;

enum phase { ASKED, WRITING, ANSWERED, WITHDRAWN, PHASES };

static struct {
  pthread_mutex_t mutex; /* who asks */
  uint64_t state;        /* number * PHASES + phase; see above */
  pthread_t thread;      /* who is asked; written by the asker before ASKED */
  unsigned count;        /* the answer; written by the handler in WRITING */
  uintptr_t pcs[ANSWER_MAX];
} request = {.mutex = PTHREAD_MUTEX_INITIALIZER, .state = WITHDRAWN};

static pthread_once_t libunwind_ready = PTHREAD_ONCE_INIT;

static uint32_t threads_inside; /* atomic */
static uint32_t is_shut;        /* atomic */
static const uint64_t door_ns = 20 * 1000;

/* Of the calling thread; initial-exec: a handler must not be the one that makes
 * it. */
static _Thread_local unsigned depth __attribute__((tls_model("initial-exec")));

static void enter(void)
{
  if (depth++)
    return;
  for (;;) {
    __atomic_fetch_add(&threads_inside, 1, __ATOMIC_SEQ_CST); /* unwind_shut */
    if (!__atomic_load_n(&is_shut, __ATOMIC_SEQ_CST))
      return;
    SUB_RELEASE(&threads_inside, 1); /* with unwind_shut() */
    while (LOAD_RELAXED(&is_shut))
      clock_sleep(door_ns);
  }
}

static void leave(void)
{
  if (--depth == 0)
    SUB_RELEASE(&threads_inside, 1); /* with unwind_shut() */
}

void unwind_shut(void)
{
  depth++;
  __atomic_store_n(&is_shut, 1, __ATOMIC_SEQ_CST); /* with enter() */
  while (__atomic_load_n(&threads_inside, __ATOMIC_SEQ_CST))
    clock_sleep(door_ns);
}

void unwind_reopen(void)
{
  STORE_RELEASE(&is_shut, 0); /* with enter() */
  depth--;
}

void unwind_reopen_in_child(void)
{
  threads_inside = 0;
  unwind_reopen();
}

/* libunwind sets itself up at its first use, which should not be in a handler;
 * and ThreadSanitizer does not see that it locks when it does. */
static void set_up_libunwind(void)
{
  unw_context_t context;
  unw_cursor_t cursor;
  if (unw_getcontext(&context) == 0)
    unw_init_local(&cursor, &context);
}

/* The frames outside of the cursor's. */
static unsigned walk(unw_cursor_t *cursor, uintptr_t *pcs, unsigned capacity)
{
  unsigned count = 0;
  unw_word_t pc;
  while (count < capacity && unw_step(cursor) > 0 &&
         unw_get_reg(cursor, UNW_REG_IP, &pc) == 0 && pc)
    pcs[count++] = (uintptr_t)pc;
  return count;
}

static NOINLINE unsigned walk_slowly(uintptr_t *pcs, unsigned capacity)
{
  unw_context_t context;
  unw_cursor_t cursor;
  if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0)
    return 0;
  unsigned count = walk(&cursor, pcs, 1); /* the caller of this function */
  return count ? walk(&cursor, pcs, capacity) : 0;
}

/* unw_backtrace() remembers how to leave each function that it has seen, and so
 * takes some 20 ns a frame where a cursor takes 2 us: the difference, for who
 * asks at each allocation.  Its first frame is this function's.  What it
 * remembers it throws away when the thread ends, too late for
 * ThreadSanitizer. */
NOINLINE unsigned unwind_here(uintptr_t *pcs, unsigned capacity)
{
  enum { ONCE = 64 };
  void *frames[ONCE + 1];
  int saved = errno;
  unsigned count = 0;
  enter();
  pthread_once(&libunwind_ready, set_up_libunwind);
  unsigned wanted = capacity < ONCE ? capacity : (unsigned)ONCE;
  if (THREAD_SANITIZER) {
    count = walk_slowly(pcs, wanted);
  } else {
    int found = unw_backtrace(frames, (int)wanted + 1);
    for (; (int)count + 1 < found && frames[count + 1]; count++)
      pcs[count] = (uintptr_t)frames[count + 1];
  }
  leave();
  errno = saved;
  return count;
}

unsigned unwind_frames(struct frame *frames, unsigned capacity)
{
  int saved = errno;
  unsigned count = 0;
  unw_context_t context;
  unw_cursor_t cursor;
  unw_word_t pc, sp;
  enter();
  pthread_once(&libunwind_ready, set_up_libunwind);
  if (unw_getcontext(&context) == 0 && unw_init_local(&cursor, &context) == 0)
    while (count < capacity && unw_step(&cursor) > 0 &&
           unw_get_reg(&cursor, UNW_REG_IP, &pc) == 0 && pc &&
           unw_get_reg(&cursor, UNW_REG_SP, &sp) == 0)
      frames[count++] = (struct frame){(uintptr_t)pc, (uintptr_t)sp};
  leave();
  errno = saved;
  return count;
}

/* The stack that a signal handler interrupted, from the place that its context
 * tells of.  ThreadSanitizer may run the handler later, when the thread has
 * left that place; then it is the stack below the handler that counts. */
unsigned unwind_interrupted(void *context, uintptr_t *pcs, unsigned capacity)
{
  unw_cursor_t cursor;
  unw_word_t pc;
  unsigned count = 0;
  if (THREAD_SANITIZER)
    return unwind_here(pcs, capacity);
  enter();
  if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) == 0 &&
      unw_get_reg(&cursor, UNW_REG_IP, &pc) == 0) {
    pcs[0] = (uintptr_t)pc;
    count = 1 + walk(&cursor, pcs + 1, capacity - 1);
  }
  leave();
  return count;
}

static void answer(int signal_number, siginfo_t *info, void *context)
{
  (void)signal_number;
  (void)info;
  int saved = errno;
  uintptr_t pcs[ANSWER_MAX];
  /* Pairs with the release in ask(): request.thread is this request's. */
  uint64_t asked = LOAD_ACQUIRE(&request.state);
  if (asked % PHASES == ASKED &&
      pthread_equal(LOAD_RELAXED(&request.thread), pthread_self())) {
    unsigned count = unwind_interrupted(context, pcs, ANSWER_MAX);
    uint64_t expected = asked;
    /* Pairs with the release in ask(): the answer before has been read. */
    if (CAS_ACQUIRE(&request.state, &expected, asked + WRITING)) {
      memcpy(request.pcs, pcs, count * sizeof *pcs);
      request.count = count;
      /* Pairs with the acquire in await_answer(). */
      STORE_RELEASE(&request.state, asked + ANSWERED);
    }
  }
  errno = saved;
}

/* false: the program uses the signal. */
static bool action_install(struct sigaction *before)
{
  struct sigaction ours = {.sa_sigaction = answer,
                           .sa_flags = SA_RESTART | SA_SIGINFO};
  sigfillset(&ours.sa_mask);
  return sigaction(SIGURG, NULL, before) == 0 &&
         !(before->sa_flags & SA_SIGINFO) &&
         (before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN) &&
         sigaction(SIGURG, &ours, NULL) == 0;
}

/* Putting an ignoring action back also discards a signal that is still
 * pending, in a thread that blocks it.  A program that has begun to use the
 * signal meanwhile keeps its action. */
static void action_remove(const struct sigaction *before)
{
  struct sigaction now;
  if (sigaction(SIGURG, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
      now.sa_sigaction == answer)
    sigaction(SIGURG, before, NULL);
}

/* From the deadline on, the request is withdrawn as soon as nobody is writing
 * the answer. */
static bool await_answer(uint64_t asked, uint64_t deadline)
{
  /* Pairs with the release in answer(). */
  while (LOAD_ACQUIRE(&request.state) != asked + ANSWERED) {
    uint64_t expected = asked;
    if (clock_now() >= deadline &&
        CAS_ACQUIRE(&request.state, &expected, asked + WITHDRAWN))
      return false;
    clock_sleep(answer_poll_ns);
  }
  return true;
}

static unsigned ask(pthread_t thread, uintptr_t *pcs, unsigned capacity)
{
  uint64_t last = LOAD_RELAXED(&request.state);
  uint64_t asked = last - last % PHASES + PHASES + ASKED;
  STORE_RELAXED(&request.thread, thread);
  /* Pairs with the acquires in answer(). */
  STORE_RELEASE(&request.state, asked);
  bool sent = pthread_kill(thread, SIGURG) == 0;
  if (!await_answer(asked, sent ? clock_now() + answer_wait_ns : 0))
    return 0;
  unsigned count = request.count < capacity ? request.count : capacity;
  memcpy(pcs, request.pcs, count * sizeof *pcs);
  return count;
}

unsigned unwind_thread(pthread_t thread, uintptr_t *pcs, unsigned capacity)
{
  if (steps_taken())
    return 0; /* what it names is no pthread */
  int saved = errno;
  unsigned count = 0;
  struct sigaction before;
  pthread_once(&libunwind_ready, set_up_libunwind);
  pthread_mutex_lock(&request.mutex);
  if (action_install(&before)) {
    count = ask(thread, pcs, capacity);
    action_remove(&before);
  }
  pthread_mutex_unlock(&request.mutex);
  errno = saved;
  return count;
}

/* The function that the call before pc stands in, from the symbol table of its
 * file: this knows static functions too.  In a stripped file libunwind names
 * the last function before pc that still has a name, however far away; the
 * bounds from the unwind tables, which nobody strips, tell. */
static bool name_function(uintptr_t pc, char *name, size_t size,
                          uintptr_t *offset)
{
  unw_context_t context;
  unw_cursor_t cursor;
  unw_word_t from_start;
  unw_proc_info_t bounds;
  if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0 ||
      unw_set_reg(&cursor, UNW_REG_IP, pc) != 0)
    return false;
  int error = unw_get_proc_name(&cursor, name, size, &from_start);
  if (error != 0 && error != -UNW_ENOMEM) /* that is a name cut short */
    return false;
  *offset = (uintptr_t)from_start;
  return unw_get_proc_info(&cursor, &bounds) != 0 ||
         pc - from_start >= bounds.start_ip;
}

#else

void unwind_shut(void) {}

void unwind_reopen(void) {}

void unwind_reopen_in_child(void) {}

unsigned unwind_here(uintptr_t *pcs, unsigned capacity)
{
  (void)pcs;
  (void)capacity;
  return 0;
}

unsigned unwind_interrupted(void *context, uintptr_t *pcs, unsigned capacity)
{
  (void)context;
  (void)pcs;
  (void)capacity;
  return 0;
}

unsigned unwind_frames(struct frame *frames, unsigned capacity)
{
  (void)frames;
  (void)capacity;
  return 0;
}

unsigned unwind_thread(pthread_t thread, uintptr_t *pcs, unsigned capacity)
{
  (void)thread;
  (void)pcs;
  (void)capacity;
  return 0;
}

/* From the dynamic symbols: what libraries export, little of a program. */
static bool name_function(uintptr_t pc, char *name, size_t size,
                          uintptr_t *offset)
{
  Dl_info symbol;
  if (!dladdr((void *)(pc - 1), &symbol) || !symbol.dli_sname)
    return false;
  snprintf(name, size, "%s", symbol.dli_sname);
  *offset = pc - (uintptr_t)symbol.dli_saddr;
  return true;
}

#endif

/* Frames of ours below the program's, at most. */
enum { OUR_FRAMES = 8, PROGRAM_FRAMES = 64 };

unsigned unwind_program(uintptr_t caller, uintptr_t *pcs, unsigned capacity)
{
  uintptr_t all[OUR_FRAMES + PROGRAM_FRAMES];
  unsigned wanted = capacity < PROGRAM_FRAMES ? capacity : PROGRAM_FRAMES;
  unsigned count = unwind_here(all, OUR_FRAMES + wanted);
  unsigned first = 0;
  while (caller && first < count && all[first] != caller)
    first++;
  if (first == count)
    first = 0; /* not found: too much is better than nothing */
  unsigned kept = count - first < wanted ? count - first : wanted;
  for (unsigned i = 0; i < kept; i++)
    pcs[i] = all[first + i];
  return kept;
}

void unwind_name(uintptr_t pc, char *name, size_t size)
{
  int saved = errno;
  Dl_info object;
  char function[128];
  uintptr_t offset;
  /* pc itself may be behind the last instruction of a function or file. */
  if (!dladdr((void *)(pc - 1), &object) || !object.dli_fname) {
    snprintf(name, size, "0x%" PRIxPTR, pc);
  } else {
    const char *slash = strrchr(object.dli_fname, '/');
    const char *library = slash ? slash + 1 : object.dli_fname;
    if (!name_function(pc, function, sizeof function, &offset)) {
      function[0] = '\0';
      offset = pc - (uintptr_t)object.dli_fbase;
    }
    snprintf(name, size, "%s+0x%" PRIxPTR " (%s)", function, offset, library);
  }
  errno = saved;
}
