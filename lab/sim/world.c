/* SPDX-License-Identifier: MIT */
/* world.c -- programs that exist only as rates
 *
 * The world is ideal: marking and allocation share the processors without loss,
 * each at its rate, and what the pacer asks of assists is what it gets.  Times
 * and bytes are rounded down to integers where a clock or a counter would;
 * where exactly is part of the recipe, because the golden rows show every byte.
 * So is the order of the floating-point operations; products that are added to
 * something stand in a statement of their own, so that no compiler fuses the
 * two.
 *
 * ALWAYS TRUE
 *
 *   .sizes   No size is above SIM_BYTES_MAX where a step begins, and a step
 * adds less than four times that: sums of sizes do not wrap. .ends    A cycle
 * takes at most steps_max steps.
 *
 * TESTED  tests/sim/pacer.c   whole programs, against the rows of Go's pacer
 *         tests/sim/world.c   rates that make no sense, and the jump */
#include "world.h"

enum { STEP_NS = 500000, STACK_BLOCK_BYTES = 2048 };

/* Bytes in a step of one processor, per KiB and ms. */
static const double step_bytes = 512;

/* Workers take this much of the processors; the rest of the marking is done by
 * assists. */
static const double background_share = 0.25;

/* Idle processors mark besides, and are never all of the rest. */
static const double idle_max = 0.75;

/* What survives the first cycle; later ones follow from it by growth. */
static const uint64_t first_survivors_bytes = 256 * 1024;

static const double rate_min = 0.0001;
static const double rate_max = 0x1p60;

/* More than an hour of marking. */
static const unsigned steps_max = 8000000;

/* Nothing in the heap's statistics but the heap: the limit is a limit on it. */
static const struct pacer_memory no_memory = {0};

/* The rates of a cycle, in their ranges. */
struct cycle {
  double alloc;
  double scan;
  double growth;
  double scannable;
  uint64_t stack;
  uint64_t jump;
  double idle;
};

static double at_least(double low, double value)
{
  return value < low ? low : value;
}

/* Of bytes or ns.  .sizes: what is too large comes out as too large. */
static uint64_t whole(double value)
{
  return value < 0x1p61 ? (uint64_t)value : UINT64_C(1) << 61;
}

static bool are_usable(const struct sim_rates *r)
{
  return r->alloc <= rate_max && r->scan <= rate_max && r->growth <= rate_max &&
         r->scannable <= rate_max && r->stack <= rate_max &&
         r->jump <= rate_max && r->idle <= rate_max; /* not a number: false */
}

static struct cycle clamp(const struct sim_rates *rates)
{
  double blocks = at_least(0, rates->stack) / STACK_BLOCK_BYTES;
  return (struct cycle){
      .alloc = at_least(rate_min, rates->alloc),
      .scan = at_least(rate_min, rates->scan),
      .growth = at_least(rate_min, rates->growth),
      .scannable = rates->scannable > 1 ? 1 : at_least(0, rates->scannable),
      .stack = (uint64_t)blocks * STACK_BLOCK_BYTES,
      .jump = whole(at_least(0, rates->jump)),
      .idle = rates->idle > idle_max ? idle_max : at_least(0, rates->idle),
  };
}

static void revise(struct sim_world *world, uint64_t live, uint64_t scannable)
{
  pacer_revise(&world->pacer, &no_memory, live, scannable, world->done);
}

static void allocate(struct sim_world *world, const struct cycle *cycle,
                     uint64_t allocated)
{
  world->born_black += allocated;
  revise(world, world->pacer.live + allocated,
         world->pacer.scannable +
             (uint64_t)((double)allocated * cycle->scannable));
}

/* The program allocates up to the trigger, and the cycle begins there. */
static enum sim_error begin_cycle(struct sim_world *world,
                                  const struct cycle *cycle)
{
  struct pacer *p = &world->pacer;
  uint64_t live = pacer_trigger(p, &no_memory, NULL);
  if (live == PACER_NO_TRIGGER)
    return SIM_NEVER;
  if (live < p->marked)
    live = p->marked;
  if (live > SIM_BYTES_MAX)
    return SIM_TOO_LARGE;
  uint64_t allocated = live - p->marked;
  double program = cycle->alloc * step_bytes * world->cores * (1 - cycle->idle);
  uint64_t scannable =
      p->scannable + (uint64_t)((double)allocated * cycle->scannable);

  world->done = (struct pacer_work){0};
  world->assist_ns = world->idle_ns = world->duration_ns = 0;
  world->quiet_ns = whole((double)allocated * STEP_NS / program);
  pacer_start(p, live, scannable, cycle->stack, world->globals);
  revise(world, live, scannable);
  return SIM_FINE;
}

static uint64_t work_left(const struct sim_world *world)
{
  return world->left.globals + world->left.stack + world->left.heap;
}

/* What the cycle will find: what was born black in the last one has died. */
static enum sim_error plan_survivors(struct sim_world *world,
                                     const struct cycle *cycle)
{
  if (world->pacer.marked < world->born_black)
    return SIM_IMPOSSIBLE;
  uint64_t before = world->pacer.marked - world->born_black;
  world->survivors = world->cycles == 0 ? first_survivors_bytes
                                        : whole((double)before * cycle->growth);
  if (world->survivors > SIM_BYTES_MAX)
    return SIM_TOO_LARGE;
  world->born_black = 0;
  world->left = (struct pacer_work){
      .heap = (uint64_t)((double)world->survivors * cycle->scannable),
      .stack = cycle->stack,
      .globals = world->globals,
  };
  world->jump = cycle->jump;
  world->jump_at = work_left(world) / 2;
  return SIM_FINE;
}

/* The share of the processors that marks, assists included. */
static double utilization(const struct sim_world *world,
                          const struct cycle *cycle)
{
  double ratio = pacer_assist_work_per_byte(&world->pacer);
  double owed = ratio * cycle->alloc;
  return at_least(background_share, owed / (owed + cycle->scan) - cycle->idle);
}

static uint64_t take(uint64_t *left, uint64_t *done, uint64_t at_most)
{
  uint64_t taken = *left < at_most ? *left : at_most;
  *left -= taken;
  *done += taken;
  return at_most - taken;
}

/* A step of marking; the last one, and the last one before a jump, are as short
 * as their work. */
static void step(struct sim_world *world, const struct cycle *cycle)
{
  double marking = utilization(world, cycle);
  double program_share = 1 - marking - cycle->idle;
  double scan_bytes =
      cycle->scan * step_bytes * world->cores * (marking + cycle->idle);
  double program = cycle->alloc * step_bytes;
  uint64_t elapsed_ns = STEP_NS;
  uint64_t allocated = whole(program * world->cores * program_share);

  uint64_t can_scan = whole(scan_bytes);
  uint64_t left = work_left(world) - (world->jump ? world->jump_at : 0);
  if (left < can_scan) {
    can_scan = left;
    elapsed_ns = (uint64_t)((double)left * STEP_NS / scan_bytes);
    allocated = whole(program * (double)elapsed_ns / STEP_NS * world->cores *
                      program_share);
  }
  can_scan = take(&world->left.globals, &world->done.globals, can_scan);
  can_scan = take(&world->left.stack, &world->done.stack, can_scan);
  take(&world->left.heap, &world->done.heap, can_scan);

  double assisting = marking - background_share;
  world->assist_ns += (uint64_t)((double)elapsed_ns * world->cores * assisting);
  world->idle_ns += (uint64_t)((double)elapsed_ns * world->cores * cycle->idle);
  world->duration_ns += elapsed_ns;
  allocate(world, cycle, allocated);
}

static enum sim_error mark(struct sim_world *world, const struct cycle *cycle)
{
  for (unsigned steps = 0; steps < steps_max; steps++) {
    if (world->jump && work_left(world) <= world->jump_at) {
      uint64_t jump = world->jump;
      world->jump = 0;
      allocate(world, cycle, jump);
    }
    if (world->pacer.live > SIM_BYTES_MAX)
      return SIM_TOO_LARGE;
    if (work_left(world) == 0)
      return SIM_FINE;
    step(world, cycle);
  }
  return SIM_ENDLESS; /* .ends */
}

/* Marking that took no time took no more of it than workers do. */
static double share_marked(const struct sim_world *world)
{
  if (world->duration_ns == 0)
    return background_share;
  double assists =
      (double)world->assist_ns / (double)(world->duration_ns * world->cores);
  return assists + background_share;
}

static void note(const struct sim_world *world, struct sim_row *row)
{
  const struct pacer *p = &world->pacer;
  *row = (struct sim_row){
      .cycle = world->cycles + 1,
      .utilization = share_marked(world),
      .live = p->marked,
      .trigger = p->triggered,
      .peak = p->live,
      .goal = pacer_goal(p, &no_memory),
  };
}

static void end_cycle(struct sim_world *world)
{
  struct pacer *p = &world->pacer;
  uint64_t marked = world->survivors + world->born_black;
  pacer_end(p, &(struct pacer_cycle){
                   .assist_ns = world->assist_ns,
                   .idle_ns = world->idle_ns,
                   .duration_ns = world->duration_ns,
                   .interval_ns = world->quiet_ns + world->duration_ns,
                   .processors = world->cores,
                   .marked = marked,
                   .done = world->done,
               });
  pacer_commit(p, marked, false);
  world->cycles++;
}

void sim_world_init(struct sim_world *world, const struct sim_setup *setup)
{
  *world = (struct sim_world){.cores = setup->cores, .globals = setup->globals};
  pacer_init(&world->pacer, setup->gc_percent, setup->memory_limit);
  pacer_set_policy(&world->pacer, setup->policy);
  pacer_set_bounds(&world->pacer, setup->trigger_low, setup->trigger_high);
  pacer_commit(&world->pacer, 0, true);
}

enum sim_error sim_world_cycle(struct sim_world *world,
                               const struct sim_rates *rates,
                               struct sim_row *row)
{
  if (!are_usable(rates))
    return SIM_TOO_LARGE;
  struct cycle cycle = clamp(rates);
  enum sim_error error = begin_cycle(world, &cycle);
  if (!error)
    error = plan_survivors(world, &cycle);
  if (!error)
    error = mark(world, &cycle);
  if (error)
    return error;
  note(world, row);
  end_cycle(world);
  return row->utilization >= 0 && row->utilization <= 1 ? SIM_FINE
                                                        : SIM_IMPOSSIBLE;
}

const char *sim_error_text(enum sim_error error)
{
  static const char *const texts[] = {
      [SIM_FINE] = "all is well",
      [SIM_NEVER] = "no cycle ever begins: gc-percent and memory-limit set "
                    "no goal within 2^60 bytes",
      [SIM_TOO_LARGE] = "a rate or a size is beyond 2^60",
      [SIM_ENDLESS] = "marking does not end within an hour: it is too slow for "
                      "what there is to scan",
      [SIM_IMPOSSIBLE] = "a share came out below 0 or above 1",
  };
  return texts[error];
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
