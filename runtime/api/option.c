/* SPDX-License-Identifier: MIT */
/* option.c -- what a heap is opened with: options, then the environment
 *
 * Tested by tests/unit/option.c and tests/api/heap.c. */
#include "api/option.h"

#include "base/check.h"
#include "os/machine.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS_MAX = 1024 };
#define RESERVE_LEAST ((size_t)8 << 20)

bool option_parse_count(const char *text, uint64_t max, uint64_t *count)
{
  char *end;
  if (*text < '0' || *text > '9')
    return false;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (*end || errno == ERANGE || value > max)
    return false;
  *count = value;
  return true;
}

bool option_parse_percent(const char *text, int *percent)
{
  uint64_t value;
  if (strcmp(text, "off") == 0) {
    *percent = -1;
    return true;
  }
  if (!option_parse_count(text, INT_MAX, &value))
    return false;
  *percent = (int)value;
  return true;
}

static bool parse_unit(const char *text, unsigned *shift)
{
  static const struct {
    const char *name;
    unsigned shift;
  } units[] = {{"", 0},     {"B", 0},    {"KiB", 10},
               {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(text, units[i].name) == 0) {
      *shift = units[i].shift;
      return true;
    }
  return false;
}

bool option_parse_bytes(const char *text, int64_t *bytes)
{
  char *end;
  unsigned shift;
  if (strcmp(text, "off") == 0 || strcmp(text, "auto") == 0) {
    *bytes = *text == 'o' ? INT64_MAX : machine_memory_limit();
    return true;
  }
  if (*text < '0' || *text > '9')
    return false;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno == ERANGE || !parse_unit(end, &shift) ||
      value > (unsigned long long)INT64_MAX >> shift)
    return false;
  *bytes = (int64_t)(value << shift);
  return true;
}

bool option_parse_assist(const char *text, struct assist_rule *rule)
{
  static const char capped[] = "capped:";
  int64_t bytes;
  uint64_t microseconds;
  char digits[32];
  if (strcmp(text, "full") == 0 || strcmp(text, "exempt") == 0) {
    *rule = (struct assist_rule){.policy = *text == 'f' ? DUSK_ASSIST_FULL
                                                        : DUSK_ASSIST_EXEMPT};
    return true;
  }
  if (strncmp(text, capped, sizeof capped - 1) != 0)
    return false;
  text += sizeof capped - 1;
  size_t length = strlen(text);
  struct assist_rule made = {.policy = DUSK_ASSIST_CAPPED};
  if (length > 2 && length < sizeof digits &&
      strcmp(text + length - 2, "us") == 0) {
    memcpy(digits, text, length - 2);
    digits[length - 2] = '\0';
    if (!option_parse_count(digits, UINT32_MAX, &microseconds))
      return false;
    made.cap.microseconds = microseconds;
  } else if (*text >= '0' && *text <= '9' && option_parse_bytes(text, &bytes)) {
    made.cap.bytes = (uint64_t)bytes;
  }
  if (!made.cap.bytes && !made.cap.microseconds)
    return false;
  *rule = made;
  return true;
}

bool option_parse_wall(const char *text, uint64_t *bytes)
{
  int64_t value;
  if (strcmp(text, "auto") == 0 || !option_parse_bytes(text, &value))
    return false;
  *bytes = value == INT64_MAX ? UINT64_MAX : (uint64_t)value;
  return true;
}

static void complain_of_value(const char *name, const char *text,
                              const char *wanted)
{
  complain("%s=%s is ignored: it is not %s", name, text, wanted);
}

/* One "key=value" of DUSK_DEBUG. */
static void parse_debug_item(char *item, struct debug_options *debug)
{
  char *value = strchr(item, '=');
  uint64_t *to = NULL;
  char *text = NULL;
  if (value)
    *value++ = '\0';
#define DEBUG_OPTION(key, otherwise, meaning)                                  \
  if (strcmp(item, #key) == 0)                                                 \
    to = &debug->key;
#define DEBUG_TEXT(key, meaning)                                               \
  if (strcmp(item, #key) == 0)                                                 \
    text = debug->key;
#include "collect/debug.def"
#undef DEBUG_TEXT
#undef DEBUG_OPTION
  if (text && value && *value)
    strcpy(text, value); /* no longer than all of DUSK_DEBUG */
  else if (text)
    complain("DUSK_DEBUG: %s= is ignored: nothing follows", item);
  else if (!to)
    complain("DUSK_DEBUG: '%s' is ignored: there is no such key", item);
  else if (!value || !option_parse_count(value, INT64_MAX / 1000000, to))
    complain("DUSK_DEBUG: %s=%s is ignored: it is not a number", item,
             value ? value : "");
}

void option_parse_debug(const char *text, struct debug_options *debug)
{
  char copy[DEBUG_TEXT_BYTES];
  char *rest = NULL;
  if (strlen(text) >= sizeof copy) {
    complain("DUSK_DEBUG is ignored: it is longer than %zu characters",
             sizeof copy - 1);
    return;
  }
  strcpy(copy, text);
  for (char *item = strtok_r(copy, ",", &rest); item;
       item = strtok_r(NULL, ",", &rest))
    parse_debug_item(item, debug);
}

static void read_workers(const char *name, unsigned *workers)
{
  uint64_t value;
  const char *text = getenv(name);
  if (!text)
    return;
  if (option_parse_count(text, WORKERS_MAX, &value))
    *workers = (unsigned)value;
  else
    complain_of_value(name, text, "a number from 0 to 1024");
}

static void read_environment(struct collector_setup *setup,
                             struct debug_options *debug)
{
  const char *text;
  if ((text = getenv("DUSK_GCPERCENT")) &&
      !option_parse_percent(text, &setup->gc_percent))
    complain_of_value("DUSK_GCPERCENT", text, "a number of percent, or off");
  if ((text = getenv("DUSK_MEMLIMIT")) &&
      !option_parse_bytes(text, &setup->memory_limit))
    complain_of_value("DUSK_MEMLIMIT", text,
                      "a number of bytes (KiB, MiB, GiB, TiB), off or auto");
  if ((text = getenv("DUSK_POLICY")) &&
      !pacer_policy_parse(text, &setup->policy))
    complain_of_value("DUSK_POLICY", text, "go, dusk or balance");
  read_workers("DUSK_WORKERS", &setup->workers);
  read_workers("DUSK_IDLE_WORKERS", &setup->idle_workers);
  if ((text = getenv("DUSK_ASSIST")) &&
      !option_parse_assist(text, &setup->assist_rule))
    complain_of_value("DUSK_ASSIST", text,
                      "full, exempt, or capped:N with N bytes (KiB, MiB) or "
                      "microseconds (us), not 0");
  if ((text = getenv("DUSK_WALL")) &&
      !option_parse_wall(text, &setup->wall_bytes))
    complain_of_value("DUSK_WALL", text,
                      "a number of bytes (KiB, MiB, GiB, TiB), or off");
  if ((text = getenv("DUSK_DEBUG")))
    option_parse_debug(text, debug);
}

_Static_assert((int)DUSK_POLICY_GO == (int)PACER_GO &&
                   (int)DUSK_POLICY_DUSK == (int)PACER_DUSK &&
                   (int)DUSK_POLICY_BALANCE == (int)PACER_BALANCE,
               "the public policies are the pacer's");

/* What a program built with version 0.1 passes. */
#define SIZE_0_1 offsetof(dusk_options, policy)

/* Fields that the caller's version does not have are 0.  false: the size is
 * that of no version. */
static bool copy_options(dusk_options *copy, const dusk_options *options)
{
  size_t size = options->struct_size;
  if (size != SIZE_0_1 && size != sizeof *options)
    return false;
  memset(copy, 0, sizeof *copy);
  memcpy(copy, options, size);
  return true;
}

static bool triggers_are_valid(unsigned low, unsigned high)
{
  return low <= 100 && high <= 100 && (!low || !high || low <= high);
}

static bool options_are_valid(const dusk_options *options)
{
  const unsigned known =
      DUSK_ROOTS_DATA_SEGMENTS | DUSK_NO_ENV | DUSK_NO_IDLE_WORKERS;
  return !(options->flags & ~known) && options->gc_percent >= -1 &&
         options->memory_limit >= 0 && options->workers <= WORKERS_MAX &&
         (!options->reserve_bytes || options->reserve_bytes >= RESERVE_LEAST) &&
         options->reserve_bytes <= SIZE_MAX / 4 &&
         (unsigned)options->policy <= DUSK_POLICY_BALANCE &&
         triggers_are_valid(options->trigger_low, options->trigger_high);
}

int option_resolve(const dusk_options *given, struct collector_setup *setup,
                   struct debug_options *debug)
{
  dusk_options options = DUSK_OPTIONS_INIT;
  if (given && (!copy_options(&options, given) || !options_are_valid(&options)))
    return EINVAL;
  *setup = (struct collector_setup){
      .reserve_bytes = options.reserve_bytes,
      .gc_percent = options.gc_percent,
      .memory_limit =
          options.memory_limit ? options.memory_limit : machine_memory_limit(),
      .policy = (enum pacer_policy)options.policy,
      .trigger_low = options.trigger_low,
      .trigger_high = options.trigger_high,
      .wall_bytes = options.wall_bytes,
      .workers = options.workers,
      .idle_workers = options.flags & DUSK_NO_IDLE_WORKERS ? 0 : WORKERS_MAX,
      .data_segments = options.flags & DUSK_ROOTS_DATA_SEGMENTS,
  };
  *debug = (struct debug_options){
#define DEBUG_OPTION(key, otherwise, meaning) .key = (otherwise),
#define DEBUG_TEXT(key, meaning) .key = "",
#include "collect/debug.def"
#undef DEBUG_TEXT
#undef DEBUG_OPTION
  };
  if (!(options.flags & DUSK_NO_ENV))
    read_environment(setup, debug);
  setup->slow_ms = debug->slowsafepoint;
  return 0;
}

const char *option_trace(const dusk_options *options)
{
  const char *name = getenv("DUSK_TRACE");
  bool reads = !options || !(options->flags & DUSK_NO_ENV);
  return reads && name && *name ? name : NULL;
}
