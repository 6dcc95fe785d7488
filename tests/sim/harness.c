/* SPDX-License-Identifier: MIT */
/* harness.c -- programs that exist only as rates
 *
 * The world is ideal: marking and allocation share eight processors without
 * loss, each at its rate, and what the pacer asks of assists is what it gets.
 * Times and bytes are rounded down to integers where a clock or a counter
 * would; where exactly is part of the recipe, because the golden rows show
 * every byte.  So is the order of the floating-point operations; products that
 * are added to something stand in a statement of their own, so that no compiler
 * fuses the two. */
#include "harness.h"

#include "pace/pacer.h"

#include <check.h>
#include <math.h>

enum { PROCESSORS = 8, STEP_NS = 500000, STACK_BLOCK_BYTES = 2048 };

/* Bytes in a step of one processor, per KiB and ms. */
static const double step_bytes = 512;

/* Workers take this much of the processors; the rest of the marking is done by
 * assists. */
static const double background_share = 0.25;

/* What survives the first cycle; later ones follow from it by growth. */
static const uint64_t first_survivors_bytes = 256 * 1024;

/* Nothing in the heap's statistics but the heap: the limit is a limit on it. */
static const struct pacer_memory no_memory = {0};

/* What a program does in one cycle. */
struct cycle {
  double allocation_rate;
  double scan_rate;
  double growth;
  double scannable;
  uint64_t stack;
  uint64_t globals;
};

struct world {
  struct pacer pacer;
  struct pacer_work done;
  struct pacer_work left;
  uint64_t assist_ns;
  uint64_t duration_ns;
  uint64_t quiet_ns;   /* before the cycle, when nothing marked */
  uint64_t born_black; /* bytes allocated while this cycle marked */
  uint64_t survivors;  /* bytes that live on, besides those */
};

static double at_least(double low, double value)
{
  return value < low ? low : value;
}

static double draw(const struct sim_stream *stream, unsigned n)
{
  return stream->base + (stream->change ? stream->change(n) : 0);
}

static struct cycle draw_cycle(const struct sim_program *program, unsigned n)
{
  double scannable = draw(&program->scannable, n);
  double blocks = at_least(0, draw(&program->stack, n)) / STACK_BLOCK_BYTES;
  return (struct cycle){
      .allocation_rate = at_least(0.0001, draw(&program->allocations, n)),
      .scan_rate = at_least(0.0001, program->scan_rate),
      .growth = at_least(0.0001, draw(&program->growth, n)),
      .scannable = scannable > 1 ? 1 : at_least(0, scannable),
      .stack = (uint64_t)blocks * STACK_BLOCK_BYTES,
      .globals = program->globals,
  };
}

static void revise(struct world *world, uint64_t live, uint64_t scannable)
{
  pacer_revise(&world->pacer, &no_memory, live, scannable, world->done);
}

/* The program allocates up to the trigger, and the cycle begins there. */
static void begin_cycle(struct world *world, const struct cycle *cycle)
{
  struct pacer *p = &world->pacer;
  uint64_t live = pacer_trigger(p, &no_memory, NULL);
  if (live < p->marked)
    live = p->marked;
  uint64_t allocated = live - p->marked;
  double program = cycle->allocation_rate * step_bytes * PROCESSORS;
  uint64_t scannable =
      p->scannable + (uint64_t)((double)allocated * cycle->scannable);

  world->done = (struct pacer_work){0};
  world->assist_ns = world->duration_ns = 0;
  world->quiet_ns = (uint64_t)((double)allocated * STEP_NS / program);
  pacer_start(p, live, scannable, cycle->stack, cycle->globals);
  revise(world, live, scannable);
}

/* What the cycle will find: what was born black in the last one has died. */
static void plan_survivors(struct world *world, const struct cycle *cycle,
                           bool first)
{
  uint64_t before = world->pacer.marked - world->born_black;
  ck_assert_uint_ge(world->pacer.marked, world->born_black);
  world->survivors = first ? first_survivors_bytes
                           : (uint64_t)((double)before * cycle->growth);
  world->born_black = 0;
  world->left = (struct pacer_work){
      .heap = (uint64_t)((double)world->survivors * cycle->scannable),
      .stack = cycle->stack,
      .globals = cycle->globals,
  };
}

/* The share of the processors that marks, assists included. */
static double utilization(const struct world *world, const struct cycle *cycle)
{
  double ratio = pacer_assist_work_per_byte(&world->pacer);
  double owed = ratio * cycle->allocation_rate;
  return at_least(background_share, owed / (owed + cycle->scan_rate));
}

static uint64_t take(uint64_t *left, uint64_t *done, uint64_t at_most)
{
  uint64_t taken = *left < at_most ? *left : at_most;
  *left -= taken;
  *done += taken;
  return at_most - taken;
}

static uint64_t work_left(const struct world *world)
{
  return world->left.globals + world->left.stack + world->left.heap;
}

/* A step of marking; the last one is as short as its work. */
static void step(struct world *world, const struct cycle *cycle)
{
  double marking = utilization(world, cycle);
  double scan_bytes = cycle->scan_rate * step_bytes * PROCESSORS * marking;
  double program = cycle->allocation_rate * step_bytes;
  uint64_t elapsed_ns = STEP_NS;
  uint64_t allocated = (uint64_t)(program * PROCESSORS * (1 - marking));

  uint64_t can_scan = (uint64_t)scan_bytes;
  uint64_t left = work_left(world);
  if (left < can_scan) {
    elapsed_ns = (uint64_t)((double)left * STEP_NS / scan_bytes);
    allocated = (uint64_t)(program * (double)elapsed_ns / STEP_NS * PROCESSORS *
                           (1 - marking));
  }
  can_scan = take(&world->left.globals, &world->done.globals, can_scan);
  can_scan = take(&world->left.stack, &world->done.stack, can_scan);
  take(&world->left.heap, &world->done.heap, can_scan);

  double assisting = marking - background_share;
  world->assist_ns += (uint64_t)((double)elapsed_ns * PROCESSORS * assisting);
  world->duration_ns += elapsed_ns;
  world->born_black += allocated;
  revise(world, world->pacer.live + allocated,
         world->pacer.scannable +
             (uint64_t)((double)allocated * cycle->scannable));
}

static struct sim_row note(const struct world *world, unsigned cycle)
{
  const struct pacer *p = &world->pacer;
  double assists =
      (double)world->assist_ns / (double)(world->duration_ns * PROCESSORS);
  struct sim_row row = {
      .cycle = cycle,
      .utilization = assists + background_share,
      .live = p->marked,
      .trigger = p->triggered,
      .peak = p->live,
      .goal = pacer_goal(p, &no_memory),
  };
  ck_assert_double_ge(row.utilization, 0);
  ck_assert_double_le(row.utilization, 1);
  return row;
}

static void end_cycle(struct world *world)
{
  struct pacer *p = &world->pacer;
  uint64_t marked = world->survivors + world->born_black;
  pacer_end(p, &(struct pacer_cycle){
                   .assist_ns = world->assist_ns,
                   .duration_ns = world->duration_ns,
                   .interval_ns = world->quiet_ns + world->duration_ns,
                   .processors = PROCESSORS,
                   .marked = marked,
                   .done = world->done,
               });
  pacer_commit(p, marked, false);
}

void sim_run(const struct sim_program *program, struct sim_row *rows)
{
  struct world world = {0};
  pacer_init(&world.pacer, program->gc_percent, program->memory_limit);
  for (unsigned i = 0; i < program->cycles; i++) {
    struct cycle cycle = draw_cycle(program, i);
    begin_cycle(&world, &cycle);
    plan_survivors(&world, &cycle, i == 0);
    while (work_left(&world) > 0)
      step(&world, &cycle);
    rows[i] = note(&world, i + 1);
    end_cycle(&world);
  }
}

double sim_goal_ratio(const struct sim_row *row)
{
  return (double)row->peak / (double)row->goal;
}

double sim_trigger_ratio(const struct sim_row *row)
{
  return (double)(row->trigger - row->live) / (double)(row->goal - row->live);
}

int64_t sim_runway(const struct sim_row *row)
{
  return (int64_t)(row->goal - row->trigger);
}

double sim_ramp(double height, unsigned length, unsigned cycle)
{
  return height * (cycle < length ? cycle : length) / length;
}

double sim_oscillate(double height, unsigned period, unsigned cycle)
{
  const double turn = 6.28318530717958647692;
  return height * sin(turn * (cycle % period) / period);
}
