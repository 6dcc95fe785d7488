/* SPDX-License-Identifier: MIT */
/* race.c -- mutators that do one thing at a time, and a cycle that is led */
#include "race.h"

#include "collect/cycle.h"

#include <string.h>

enum { RACERS = 8, SERVE_TIMES = 40 };

struct race race;
static struct racer racers[RACERS];
static unsigned count;

static const uintptr_t seal = UINT64_C(0x5EA15EA15EA15EA1);

/* ---- beginning and ending ---- */

void race_open(void)
{
  dusk_options options = DUSK_OPTIONS_INIT;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  uint64_t pointers = 3;
  memset(&race, 0, sizeof race);
  memset(racers, 0, sizeof racers);
  count = 0;
  options.flags = DUSK_NO_ENV | DUSK_NO_IDLE_WORKERS;
  options.workers = 1;
  options.gc_percent = -1;
  options.reserve_bytes = (size_t)16 << 20;
  spec.size = sizeof(struct pair);
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  if (dusk_heap_open(&options, &race.heap) ||
      dusk_kind_define(race.heap, &spec, &race.pair) ||
      dusk_root_add(race.heap, race.roots, sizeof race.roots))
    play_fail("no heap");
  race.driver = play_started();
  play_name(race.driver, "driver");
  play_name(race.driver - 1, "scavenger");
}

/* What earlier acts left below on the stack must keep nothing alive. */
static NOINLINE void scrub(void)
{
  char below[4096];
  memset(below, 0, sizeof below);
  __asm__ volatile("" : : "r"(below) : "memory"); /* it is not in vain */
}

static void live(void *argument)
{
  struct racer *racer = argument;
  void *volatile hold[RACE_HOLDS] = {0};
  racer->hold = hold;
  while (!racer->leaves) {
    race_act *act = racer->act;
    racer->act = NULL;
    scrub();
    if (act)
      act(racer);
    else
      play_yield();
    play_point("ready");
  }
  racer->hold = NULL;
}

struct racer *race_stranger(const char *name)
{
  struct racer *racer = &racers[count++];
  racer->fiber = play_start(name, live, racer);
  play_must(racer->fiber, "ready");
  return racer;
}

struct racer *race_thread(const char *name)
{
  struct racer *racer = race_stranger(name);
  race_do(racer, race_attach);
  return racer;
}

void race_close(void)
{
  for (unsigned i = 0; i < count; i++) {
    if (racers[i].thread)
      racers[i].act = race_detach;
    racers[i].leaves = !racers[i].thread;
  }
  for (unsigned i = 0; i < count; i++)
    play_join(racers[i].fiber);
  dusk_heap_close(race.heap);
}

/* ---- leading ---- */

void race_do(struct racer *racer, race_act *act)
{
  racer->act = act;
  play_must(racer->fiber, "ready");
}

void race_to(struct racer *racer, race_act *act, const char *point)
{
  racer->act = act;
  play_must(racer->fiber, point);
}

bool race_on(struct racer *racer)
{
  return play_until(racer->fiber, "ready");
}

void race_serve(struct racer *racer)
{
  race_do(racer, race_safepoint);
}

void race_ask(void)
{
  cycle_ask(&race.heap->collector, true);
}

bool race_try_post(void)
{
  return play_until(race.driver, "round-posted");
}

void race_post(void)
{
  play_must(race.driver, "round-posted");
}

void race_serve_all_but(const struct racer *except)
{
  for (unsigned i = 0; i < count; i++)
    if (&racers[i] != except && racers[i].thread)
      race_serve(&racers[i]);
}

static bool is_over(void)
{
  const struct collector *collector = &race.heap->collector;
  return LOAD_ACQUIRE(&collector->finished) == /* with cycle_finish() */
         LOAD_RELAXED(&collector->wanted);
}

void race_finish_cycle(void)
{
  for (unsigned i = 0; i < SERVE_TIMES && !is_over(); i++) {
    play_until(race.driver, "round-posted");
    race_serve_all_but(NULL);
  }
  if (!is_over())
    play_fail("the cycle does not end");
}

/* ---- acts ---- */

void race_safepoint(struct racer *racer)
{
  dusk_safepoint(racer->thread);
}

void race_attach(struct racer *racer)
{
  if (dusk_attach(race.heap, &racer->thread))
    play_fail("cannot attach");
}

void race_detach(struct racer *racer)
{
  dusk_thread *thread = racer->thread;
  racer->hold[0] = racer->hold[1] = NULL;
  dusk_detach(thread);
  racer->thread = NULL;
  racer->leaves = true;
}

void race_drop(struct racer *racer)
{
  racer->hold[0] = racer->hold[1] = NULL;
}

NOINLINE struct pair *race_new(struct racer *racer)
{
  struct pair *pair = dusk_new(racer->thread, race.pair);
  if (!pair)
    play_fail("no memory");
  pair->seal = seal;
  return pair;
}

void race_make_hidden(struct racer *racer)
{
  race_hide(0, race_new(racer));
}

void race_make(struct racer *racer)
{
  racer->hold[0] = race_new(racer);
}

void race_make_root(struct racer *racer)
{
  racer->hold[0] = race_new(racer);
  dusk_store(racer->thread, &race.roots[0], racer->hold[0]);
}

struct pair *race_hidden(unsigned i)
{
  return (struct pair *)~race.hidden[i];
}

void race_hide(unsigned i, const void *object)
{
  race.hidden[i] = ~(uintptr_t)object;
}

void race_expect(unsigned i, const char *what)
{
  const struct pair *pair = race_hidden(i);
  if (!dusk_size_of(race.heap, pair) || pair->seal != seal)
    play_fail("%s is lost", what);
}
