/* SPDX-License-Identifier: MIT */
/* programs.c -- the simulated programs
 *
 * Scenarios of Go's pacer that need no random numbers.  Most of them double
 * their heap at first, then less and less, until from the thirteenth cycle on
 * it stays as it is; what is watched is how soon and how well the pacing comes
 * to rest. */
#include "programs.h"

#include "pace/pacer.h"

#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

/* ---- streams ---- */

static double grow_to_128_mib(unsigned cycle)
{
  return sim_ramp(128.0 * MIB, 8, cycle);
}

/* The 52nd cycle is the first to see a step; the blip is seen by the 51st
 * alone. */
static double step_of_66(unsigned cycle)
{
  return cycle > 50 ? 66 : 0;
}

static double step_of_330(unsigned cycle)
{
  return cycle > 50 ? 330 : 0;
}

static double blip_of_half(unsigned cycle)
{
  return cycle == 50 ? 0.5 : 0;
}

static double wave_of_13(unsigned cycle)
{
  return sim_oscillate(13, 8, cycle);
}

/* A heap that grows at first, less and less, and then not at all. */
static double fall_in_3(unsigned cycle)
{
  return sim_ramp(-1, 3, cycle);
}

static double fall_in_8(unsigned cycle)
{
  return sim_ramp(-1, 8, cycle);
}

static double fall_in_12(unsigned cycle)
{
  return sim_ramp(-1, 12, cycle);
}

static double fall_by_2(unsigned cycle)
{
  return sim_ramp(-2, 12, cycle);
}

static double fall_by_2_5(unsigned cycle)
{
  return sim_ramp(-2.5, 12, cycle);
}

static double fall_by_3(unsigned cycle)
{
  return sim_ramp(-3, 12, cycle);
}

/* ---- programs ---- */

static const struct sim_program programs[] = {
    {
        .name = "Steady",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "SteadyBigStacks",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 132},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 2048, .change = grow_to_128_mib},
    },
    {
        .name = "SteadyBigGlobals",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 128 * MIB,
        .scan_rate = 1024,
        .allocations = {.base = 132},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "StepAlloc",
        .cycles = 100,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33, .change = step_of_66},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "HeavyStepAlloc",
        .cycles = 100,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33, .change = step_of_330},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "StepScannableFrac",
        .cycles = 100,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 128},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 0.2, .change = blip_of_half},
        .stack = {.base = 8192},
    },
    {
        .name = "OscAlloc",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 67, .change = wave_of_13},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "SmallHeapSlowAlloc",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 2048,
        .allocations = {.base = 1},
        .growth = {.base = 2, .change = fall_in_3},
        .scannable = {.base = 0.01},
        .stack = {.base = 8192},
    },
    {
        .name = "MediumHeapSlowAlloc",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 2048,
        .allocations = {.base = 1},
        .growth = {.base = 2, .change = fall_in_8},
        .scannable = {.base = 0.01},
        .stack = {.base = 8192},
    },
    {
        .name = "LargeHeapSlowAlloc",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = PACER_NO_LIMIT,
        .globals = 32 * KIB,
        .scan_rate = 2048,
        .allocations = {.base = 1},
        .growth = {.base = 4, .change = fall_by_3},
        .scannable = {.base = 0.01},
        .stack = {.base = 8192},
    },
    {
        .name = "SteadyMemoryLimit",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = 512 * MIB,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "SteadyMemoryLimitNoGCPercent",
        .cycles = 50,
        .gc_percent = PACER_OFF,
        .memory_limit = 512 * MIB,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33},
        .growth = {.base = 2, .change = fall_in_12},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "ExceedMemoryLimit",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = 512 * MIB,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33},
        .growth = {.base = 3.5, .change = fall_by_2_5},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "ExceedMemoryLimitNoGCPercent",
        .cycles = 50,
        .gc_percent = PACER_OFF,
        .memory_limit = 512 * MIB,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33},
        .growth = {.base = 3.5, .change = fall_by_2_5},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "MaintainMemoryLimit",
        .cycles = 50,
        .gc_percent = 100,
        .memory_limit = 512 * MIB,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33},
        .growth = {.base = 3, .change = fall_by_2},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
    {
        .name = "MaintainMemoryLimitNoGCPercent",
        .cycles = 50,
        .gc_percent = PACER_OFF,
        .memory_limit = 512 * MIB,
        .globals = 32 * KIB,
        .scan_rate = 1024,
        .allocations = {.base = 33},
        .growth = {.base = 3, .change = fall_by_2},
        .scannable = {.base = 1},
        .stack = {.base = 8192},
    },
};

const struct sim_program *sim_program_named(const char *name)
{
  for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
    if (strcmp(programs[i].name, name) == 0)
      return &programs[i];
  }
  return NULL;
}
