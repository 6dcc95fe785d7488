/* SPDX-License-Identifier: MIT */
/* report.c -- the steps of a play, and what is said when it goes wrong
 *
 * DUSK_STEPS_TRACE=1 in the environment prints each step. */
#include "stage.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_SHOWN = 40 };

static const char *const order_names[] = {
    [PLAY_RANDOM] = "random",
    [PLAY_PRIORITIES] = "priorities",
    [PLAY_BYTES] = "bytes",
    [PLAY_SCRIPT] = "script",
};

static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
enum { FATAL_COUNT = sizeof fatal / sizeof *fatal };
static struct sigaction kept[FATAL_COUNT];

static void print_where(void)
{
  for (unsigned i = 0; i < stage.count; i++) {
    const struct actor *actor = &stage.actors[i];
    const char *does = i == stage.now                    ? "runs, at"
                       : actor->state == ACTOR_ENDED     ? "has ended, at"
                       : actor->state == ACTOR_READY     ? "could run, at"
                       : actor->until_ns == PLAY_FOREVER ? "waits, at"
                                                         : "sleeps, at";
    fprintf(stderr, "  %2u %-12s %s %s\n", i, actor->name, does, actor->at);
  }
}

static void print_report(void)
{
  uint64_t from =
      stage.end.steps > STEPS_SHOWN ? stage.end.steps - STEPS_SHOWN : 0;
  fprintf(stderr, "steps: order %s, seed %llu, step %llu; the last ones:\n",
          order_names[stage.play.order], (unsigned long long)stage.play.seed,
          (unsigned long long)stage.end.steps);
  for (uint64_t i = from; i < stage.end.steps; i++) {
    const struct step *step = &stage.kept[i % STEPS_KEPT];
    fprintf(stderr, "  %llu %s %s\n", (unsigned long long)i,
            stage.actors[step->who].name, step->point);
  }
  fprintf(stderr, "steps: where everybody is:\n");
  print_where();
  if (stage.play.order == PLAY_RANDOM || stage.play.order == PLAY_PRIORITIES)
    fprintf(stderr, "steps: again: DUSK_STEPS_ORDER=%s DUSK_STEPS_SEED=%llu\n",
            order_names[stage.play.order], (unsigned long long)stage.play.seed);
}

static void restore_actions(void)
{
  for (unsigned i = 0; i < FATAL_COUNT; i++)
    sigaction(fatal[i], &kept[i], NULL);
}

static void report_signal(int number)
{
  restore_actions();
  print_report();
  raise(number);
}

void report_begin(void)
{
  struct sigaction action = {.sa_handler = report_signal,
                             .sa_flags = (int)SA_NODEFER};
  const char *trace = getenv("DUSK_STEPS_TRACE");
  stage.prints = trace && *trace == '1';
  stage.end.hash = UINT64_C(0xcbf29ce484222325);
  for (unsigned i = 0; i < FATAL_COUNT; i++)
    sigaction(fatal[i], &action, &kept[i]);
}

void report_end(void)
{
  restore_actions();
}

/* FNV-1a (Fowler, Noll, Vo) over who and where. */
static uint64_t hash_step(uint64_t hash, unsigned who, const char *point)
{
  hash = (hash ^ who) * UINT64_C(0x100000001b3);
  for (; *point; point++)
    hash = (hash ^ (unsigned char)*point) * UINT64_C(0x100000001b3);
  return hash;
}

void report_step(const char *point)
{
  struct stage *s = &stage;
  s->actors[s->now].at = point;
  s->kept[s->end.steps % STEPS_KEPT] = (struct step){s->now, point};
  s->end.hash = hash_step(s->end.hash, s->now, point);
  if (s->prints)
    fprintf(stderr, "step %llu %s %s\n", (unsigned long long)s->end.steps,
            s->actors[s->now].name, point);
  if (++s->end.steps >= s->play.most_steps)
    play_fail("does not end");
}

void play_fail(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  fprintf(stderr, "steps: %s: ", stage.actors[stage.now].name);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  abort();
}
