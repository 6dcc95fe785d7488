/* SPDX-License-Identifier: MIT */
/* program.c -- settings by name, and a run from them
 *
 * TESTED  tests/lab/sim.sh, tests/sim/pacer.c */
#include "program.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A heap that doubles at first, then grows less and less, and from the
 * thirteenth cycle on not at all. */
static const struct {
  const char *name;
  const char *by_default;
} streams[SIM_STREAMS] = {
    [SIM_ALLOC] = {"alloc", "33"},
    [SIM_SCAN] = {"scan", "1024"},
    [SIM_GROWTH] = {"growth", "2 + ramp(-1,12)"},
    [SIM_SCANNABLE] = {"scannable", "1"},
    [SIM_STACK] = {"stack", "8192"},
    [SIM_JUMP] = {"jump", "0"},
    [SIM_IDLE] = {"idle", "0"},
};

static bool say(struct sim_message *message, const char *format, ...)
    PRINTF_LIKE(2, 3);

static bool say(struct sim_message *message, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message->text, sizeof message->text, format, arguments);
  va_end(arguments);
  return false;
}

void sim_program_init(struct sim_program *program)
{
  *program = (struct sim_program){
      .setup = {.gc_percent = 100,
                .memory_limit = PACER_NO_LIMIT,
                .cores = 8,
                .globals = 32 << 10},
      .cycles = 50,
  };
}

void sim_program_clear(struct sim_program *program)
{
  for (unsigned i = 0; i < SIM_STREAMS; i++) {
    expr_free(program->streams[i]);
    free(program->where[i]);
  }
  *program = (struct sim_program){0};
}

/* ---- settings that hold for all cycles: what was expected, unless it is fine
 */

static bool whole(const char *text, double least, double most, double *value)
{
  struct expr_error ignored;
  return expr_number(text, value, &ignored) && *value >= least &&
         *value <= most && *value == floor(*value);
}

static const char *set_policy(struct sim_program *program, const char *text)
{
  if (!pacer_policy_parse(text, &program->setup.policy))
    return "'go', 'dusk' or 'balance'";
  return NULL;
}

static const char *set_bound(unsigned *bound, const char *text)
{
  double value;
  if (!whole(text, 0, 100, &value))
    return "percent of the way from live to goal, 0 to 100";
  *bound = (unsigned)value;
  return NULL;
}

static const char *set_low(struct sim_program *program, const char *text)
{
  return set_bound(&program->setup.trigger_low, text);
}

static const char *set_high(struct sim_program *program, const char *text)
{
  return set_bound(&program->setup.trigger_high, text);
}

/* Go's -1 is off too. */
static const char *set_percent(struct sim_program *program, const char *text)
{
  double value = PACER_OFF;
  if (strcmp(text, "off") != 0 && !whole(text, INT_MIN, INT_MAX, &value))
    return "a whole number, or 'off'";
  program->setup.gc_percent = value < 0 ? PACER_OFF : (int)value;
  return NULL;
}

/* The largest number of 63 bits is Go's way to say off. */
static const char *set_limit(struct sim_program *program, const char *text)
{
  double value = 0x1p63;
  if (strcmp(text, "off") != 0 && !whole(text, 0, 0x1p63, &value))
    return "bytes (a whole number, or with KiB, MiB, GiB, TiB), or 'off'";
  program->setup.memory_limit =
      value < 0x1p63 ? (int64_t)value : PACER_NO_LIMIT;
  return NULL;
}

static const char *set_cores(struct sim_program *program, const char *text)
{
  double value;
  if (!whole(text, 1, SIM_CORES_MAX, &value))
    return "a whole number from 1 to 4096";
  program->setup.cores = (unsigned)value;
  return NULL;
}

static const char *set_globals(struct sim_program *program, const char *text)
{
  double value;
  if (!whole(text, 0, SIM_BYTES_MAX, &value))
    return "bytes: a whole number, or with KiB, MiB, GiB, TiB";
  program->setup.globals = (uint64_t)value;
  return NULL;
}

static const char *set_cycles(struct sim_program *program, const char *text)
{
  double value;
  if (!whole(text, 1, SIM_CYCLES_MAX, &value))
    return "a whole number from 1 to 1000000";
  program->cycles = (unsigned)value;
  return NULL;
}

static const struct {
  const char *name;
  const char *(*set)(struct sim_program *program, const char *text);
} constants[] = {
    {"policy", set_policy},      {"trigger-low", set_low},
    {"trigger-high", set_high},  {"gc-percent", set_percent},
    {"memory-limit", set_limit}, {"cores", set_cores},
    {"globals", set_globals},    {"cycles", set_cycles},
};

enum { CONSTANTS = sizeof constants / sizeof constants[0] };

/* ---- by name ---- */

const char *sim_setting_name(unsigned i)
{
  if (i < CONSTANTS)
    return constants[i].name;
  return i - CONSTANTS < SIM_STREAMS ? streams[i - CONSTANTS].name : NULL;
}

static bool set_stream(struct sim_program *program, unsigned i,
                       const char *value, const char *where, const char *folder,
                       struct sim_message *message)
{
  struct expr_error error;
  struct expr *expr = expr_parse(value, folder, &error);
  if (!expr)
    return say(message, "%.256s: %s", where, error.text);
  expr_free(program->streams[i]);
  program->streams[i] = expr;
  free(program->where[i]);
  program->where[i] = strdup(where);
  return true;
}

bool sim_program_set(struct sim_program *program, const char *name,
                     const char *value, const char *where, const char *folder,
                     struct sim_message *message)
{
  for (unsigned i = 0; i < SIM_STREAMS; i++)
    if (strcmp(streams[i].name, name) == 0)
      return set_stream(program, i, value, where, folder, message);
  for (unsigned i = 0; i < CONSTANTS; i++) {
    if (strcmp(constants[i].name, name) != 0)
      continue;
    const char *expected = constants[i].set(program, value);
    return !expected || say(message, "%.256s: expected %s, and found '%s'",
                            where, expected, expr_excerpt(value, 0).text);
  }
  return say(message, "%.256s: there is no setting '%s'", where,
             expr_excerpt(name, 0).text);
}

/* ---- a run ---- */

static const char *place(const struct sim_program *program, unsigned i)
{
  return program->where[i] ? program->where[i] : streams[i].name;
}

static bool draw(struct sim_program *program, unsigned cycle, double *values,
                 struct sim_message *message)
{
  for (unsigned i = 0; i < SIM_STREAMS; i++) {
    struct expr_error error;
    if (!expr_draw(program->streams[i], &values[i], &error))
      return say(message, "%.256s: %s", place(program, i), error.text);
    if (!isfinite(values[i]))
      return say(message, "%.256s: is no finite number in cycle %u",
                 place(program, i), cycle);
  }
  return true;
}

static bool complete(struct sim_program *program, struct sim_message *message)
{
  for (unsigned i = 0; i < SIM_STREAMS; i++) {
    struct expr_error error;
    if (!program->streams[i])
      program->streams[i] = expr_parse(streams[i].by_default, NULL, &error);
    if (!program->streams[i])
      return say(message, "%s: %s", streams[i].name, error.text);
  }
  return true;
}

bool sim_program_run(struct sim_program *program, struct sim_row *rows,
                     struct sim_message *message)
{
  struct sim_world world;
  if (!complete(program, message))
    return false;
  sim_world_init(&world, &program->setup);
  for (unsigned i = 0; i < program->cycles; i++) {
    double values[SIM_STREAMS];
    if (!draw(program, i + 1, values, message))
      return false;
    struct sim_rates rates = {
        .alloc = values[SIM_ALLOC],
        .scan = values[SIM_SCAN],
        .growth = values[SIM_GROWTH],
        .scannable = values[SIM_SCANNABLE],
        .stack = values[SIM_STACK],
        .jump = values[SIM_JUMP],
        .idle = values[SIM_IDLE],
    };
    enum sim_error error = sim_world_cycle(&world, &rates, &rows[i]);
    if (error)
      return say(message, "cycle %u: %s", i + 1, sim_error_text(error));
  }
  return true;
}
