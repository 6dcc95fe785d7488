/* SPDX-License-Identifier: MIT */
/* play.c -- threads of the library and of a test, as steps on one pthread
 *
 * Fills the library's tables: base/steps.h, os/task.h, and vm_system.map, so
 * that all memory lies at the same addresses in each run. */
#include "play.h"

#include "base/steps.h"
#include "os/self.h"
#include "os/task.h"
#include "os/vm.h"
#include "stage.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
  /* What one who is led may wait in vain before it counts as stuck. */
  PATIENCE = 200,
  CLOCK_NS = 1000,
  PROCESSORS = 2,
};
#define STEPS_MAX UINT64_C(1000000)

struct stage stage;

/* ---- memory ---- */

/* Far from where the system puts what has no address of its own. */
#define MAP_BASE UINT64_C(0x200000000000)

static uintptr_t next_map;

static void *map_in_order(size_t bytes, bool usable)
{
  int access = usable ? PROT_READ | PROT_WRITE : PROT_NONE;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
              (usable ? 0 : MAP_NORESERVE);
  void *start = mmap((void *)next_map, bytes, access, flags, -1, 0);
  if (start != (void *)next_map)
    play_fail("no memory at %#lx: an earlier run has left some there",
              (unsigned long)next_map);
  next_map += bytes;
  return start;
}

/* ---- passing ---- */

static void pass_to(unsigned next)
{
  struct actor *from = stage_actor();
  if (next == stage.now)
    return;
  stage.now = next;
  stage.end.changes++;
  fiber_pass(&from->fiber, &stage.actors[next].fiber);
}

/* The one who is led goes back to the body. */
static void stop_leading(bool is_there)
{
  stage.is_there = is_there;
  stage.led = 0;
  pass_to(0);
}

static bool is_led(void)
{
  return stage.led && stage.led == stage.now;
}

static void visit(const char *point)
{
  report_step(point);
  if (is_led() && stage.until && strcmp(point, stage.until) == 0)
    stop_leading(true);
  else if (stage.play.order != PLAY_SCRIPT)
    pass_to(order_at_point());
}

static void yield(void)
{
  report_step("yield");
  if (!is_led())
    pass_to(order_at_yield());
  else if (!stage.patience--)
    stop_leading(false);
}

/* One who is led and waits for a time has waited. */
static bool waits_alone(struct actor *actor)
{
  if (actor->until_ns == PLAY_FOREVER || !stage.patience)
    return false;
  stage.patience--;
  if (stage.now_ns < actor->until_ns)
    stage.now_ns = actor->until_ns;
  return true;
}

static bool wait(const void *on, const char *what, uint64_t ns)
{
  struct actor *actor = stage_actor();
  report_step(what);
  actor->on = on;
  actor->is_late = false;
  actor->until_ns =
      ns > PLAY_FOREVER - stage.now_ns ? PLAY_FOREVER : stage.now_ns + ns;
  if (is_led() && waits_alone(actor))
    return false;
  actor->state = ACTOR_WAITS;
  if (is_led())
    stop_leading(false);
  else
    pass_to(order_at_wait());
  return !actor->is_late;
}

static void wake(const void *on)
{
  for (unsigned i = 0; i < stage.count; i++) {
    struct actor *actor = &stage.actors[i];
    if (actor->state == ACTOR_WAITS && actor->on == on)
      actor->state = ACTOR_READY;
  }
}

static uint64_t tell_time(void)
{
  stage_actor()->used_ns += CLOCK_NS;
  return stage.now_ns += CLOCK_NS;
}

static uint64_t tell_used(void)
{
  return stage_actor()->used_ns += CLOCK_NS;
}

static pthread_t tell_self(void)
{
  return (pthread_t)(stage.now + 1);
}

static void tell_stack(uintptr_t *low, uintptr_t *high)
{
  *low = stage_actor()->fiber.stack_low;
  *high = stage_actor()->fiber.stack_high;
}

static void **tell_word(void)
{
  return &stage_actor()->word;
}

/* ---- beginning and ending ---- */

static void actor_main(void *argument)
{
  struct actor *actor = argument;
  if (actor->task)
    actor->task(actor->argument);
  else
    actor->body(actor->argument);
  self_end();
  report_step("end");
  actor->state = ACTOR_ENDED;
  wake(actor);
  if (actor == &stage.actors[0])
    fiber_pass(&actor->fiber, &stage.outside);
  else if (is_led())
    stop_leading(false);
  else
    pass_to(order_at_wait());
}

static struct actor *add_actor(const char *name)
{
  if (stage.count == ACTORS_MAX)
    play_fail("more than %d threads", ACTORS_MAX);
  struct actor *actor = &stage.actors[stage.count++];
  *actor = (struct actor){.state = ACTOR_READY, .at = "begin"};
  snprintf(actor->name, sizeof actor->name, "%s", name);
  actor->number = order_number();
  fiber_make(&actor->fiber, map_in_order(STACK_BYTES, true), STACK_BYTES,
             actor_main, actor);
  return actor;
}

static int start_task(pthread_t *task, void *(*body)(void *), void *argument)
{
  char name[24];
  snprintf(name, sizeof name, "task-%u", stage.count);
  struct actor *actor = add_actor(name);
  actor->task = body;
  actor->argument = argument;
  *task = (pthread_t)stage.count;
  visit("start");
  return 0;
}

unsigned play_start(const char *name, void (*body)(void *argument),
                    void *argument)
{
  struct actor *actor = add_actor(name);
  unsigned number = stage.count - 1;
  actor->body = body;
  actor->argument = argument;
  visit("start");
  return number;
}

void play_join(unsigned thread)
{
  const struct actor *actor = &stage.actors[thread];
  while (actor->state != ACTOR_ENDED)
    wait(actor, "join", PLAY_FOREVER);
}

static void join_task(pthread_t task)
{
  play_join((unsigned)task - 1);
}

void play_name(unsigned thread, const char *name)
{
  snprintf(stage.actors[thread].name, sizeof stage.actors[thread].name, "%s",
           name);
}

unsigned play_started(void)
{
  return stage.count - 1;
}

void play_point(const char *name)
{
  visit(name);
}

void play_yield(void)
{
  yield();
}

/* ---- a script ---- */

bool play_until(unsigned thread, const char *point)
{
  struct actor *actor = &stage.actors[thread];
  if (stage.play.order != PLAY_SCRIPT || stage.now != 0)
    play_fail("only the body of a script leads");
  if (actor->state == ACTOR_ENDED)
    return false;
  if (actor->state == ACTOR_WAITS && actor->until_ns != PLAY_FOREVER) {
    if (stage.now_ns < actor->until_ns)
      stage.now_ns = actor->until_ns;
    actor->state = ACTOR_READY;
    actor->is_late = true;
  }
  if (actor->state == ACTOR_WAITS)
    return false;
  stage.led = thread;
  stage.until = point;
  stage.patience = PATIENCE;
  pass_to(thread);
  return stage.is_there;
}

void play_must(unsigned thread, const char *point)
{
  if (!play_until(thread, point))
    play_fail("%s does not get to %s: it is at %s", stage.actors[thread].name,
              point, stage.actors[thread].at);
}

/* ---- the whole ---- */

static const struct steps steps = {
    .visit = visit,
    .yield = yield,
    .wait = wait,
    .wake = wake,
    .now = tell_time,
    .used = tell_used,
    .self = tell_self,
    .stack = tell_stack,
    .word = tell_word,
};

/* All but the first `kept` must have ended. */
static void clear_stage(void)
{
  for (unsigned i = 0; i < stage.count; i++) {
    struct actor *actor = &stage.actors[i];
    if (actor->state != ACTOR_ENDED)
      play_fail("%s has not ended", actor->name);
    munmap((void *)actor->fiber.stack_low, STACK_BYTES);
  }
}

struct play_end play_run(const struct play *play, void (*body)(void *argument),
                         void *argument)
{
  struct steps table = steps;
  struct vm_table vm = vm_system;
  struct task_table task = task_system;
  memset(&stage, 0, offsetof(struct stage, kept));
  stage.play = *play;
  if (!stage.play.most_steps)
    stage.play.most_steps = STEPS_MAX;
  table.processors = play->processors ? play->processors : PROCESSORS;
  next_map = MAP_BASE;
  report_begin();
  order_begin();
  steps_table = &table;
  vm_system.map = map_in_order;
  task_system = (struct task_table){.start = start_task, .join = join_task};
  struct actor *first = add_actor("body");
  first->body = body;
  first->argument = argument;
  fiber_adopt(&stage.outside);
  fiber_pass(&stage.outside, &first->fiber);
  steps_table = NULL;
  vm_system = vm;
  task_system = task;
  clear_stage();
  report_end();
  return stage.end;
}
