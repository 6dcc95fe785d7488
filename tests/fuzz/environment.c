/* SPDX-License-Identifier: MIT */
/* environment.c -- lines as values of DUSK_* variables
 *
 * The n-th line is the value of the n-th variable; an empty one leaves it out.
 * Whatever they say, a heap could be opened with what comes of it. */
#include "fuzz.h"

#include "api/option.h"
#include "base/compiler.h"

#include <string.h>

const char *const fuzz_name = "environment";
const unsigned fuzz_runs = 20000;

enum { TEXT_MAX = 2048 };

static const char *const names[] = {
    "DUSK_DEBUG",   "DUSK_GCPERCENT",    "DUSK_MEMLIMIT", "DUSK_POLICY",
    "DUSK_WORKERS", "DUSK_IDLE_WORKERS", "DUSK_ASSIST",   "DUSK_WALL",
};
enum { NAMES = sizeof names / sizeof *names };

static void set_variables(char *text)
{
  for (size_t i = 0; i < NAMES; i++) {
    char *end = text ? strchr(text, '\n') : NULL;
    if (end)
      *end++ = '\0';
    if (text && *text)
      setenv(names[i], text, 1);
    else
      unsetenv(names[i]);
    text = end;
  }
}

static void expect_sane(const struct collector_setup *setup)
{
  FUZZ_EXPECT(setup->gc_percent >= -1);
  FUZZ_EXPECT(setup->memory_limit >= 0);
  FUZZ_EXPECT(setup->workers <= 1024 && setup->idle_workers <= 1024);
  FUZZ_EXPECT((unsigned)setup->policy <= PACER_BALANCE);
  const struct assist_rule *rule = &setup->assist_rule;
  FUZZ_EXPECT((unsigned)rule->policy <= DUSK_ASSIST_EXEMPT ||
              rule->policy == DUSK_ASSIST_CAPPED);
  if (rule->policy == DUSK_ASSIST_CAPPED)
    FUZZ_EXPECT(rule->cap.bytes || rule->cap.microseconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char text[TEXT_MAX];
  struct collector_setup setup;
  struct debug_options debug;
  if (size >= sizeof text)
    return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  set_variables(text);
  FUZZ_EXPECT(option_resolve(NULL, &setup, &debug) == 0);
  expect_sane(&setup);
#define DEBUG_OPTION(key, otherwise, meaning)                                  \
  FUZZ_EXPECT(debug.key <= INT64_MAX / 1000000);
#define DEBUG_TEXT(key, meaning)                                               \
  FUZZ_EXPECT(memchr(debug.key, 0, sizeof debug.key) != NULL);
#include "collect/debug.def"
#undef DEBUG_TEXT
#undef DEBUG_OPTION
  return 0;
}
