/* SPDX-License-Identifier: MIT */
/* options.c -- bytes as a dusk_options struct of any size
 *
 * What is accepted is within the bounds that dusk/heap.h names; nothing is read
 * beyond struct_size. */
#include "fuzz.h"

#include "api/option.h"

#include <errno.h>
#include <string.h>

const char *const fuzz_name = "options";
const unsigned fuzz_runs = 50000;

static void expect_bounds(const dusk_options *options,
                          const struct collector_setup *setup)
{
  FUZZ_EXPECT(options->gc_percent >= -1 && options->memory_limit >= 0);
  FUZZ_EXPECT(options->workers <= 1024);
  FUZZ_EXPECT(!options->reserve_bytes || options->reserve_bytes >= (size_t)8
                                                                       << 20);
  FUZZ_EXPECT(setup->gc_percent == options->gc_percent);
  FUZZ_EXPECT(setup->workers == options->workers);
  FUZZ_EXPECT(setup->trigger_low <= 100 && setup->trigger_high <= 100);
  FUZZ_EXPECT(!setup->trigger_low || !setup->trigger_high ||
              setup->trigger_low <= setup->trigger_high);
  FUZZ_EXPECT((unsigned)setup->policy <= PACER_BALANCE);
  FUZZ_EXPECT(setup->memory_limit >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct collector_setup setup;
  struct debug_options debug;
  if (size < sizeof(size_t))
    return 0;
  size_t says;
  memcpy(&says, data, sizeof says);
  if (says > size) /* a caller must own what it says */
    says = size;
  dusk_options *options = malloc(size);
  if (!options)
    return 0;
  memcpy(options, data, size);
  memcpy(options, &says, sizeof says);
  int error = option_resolve(options, &setup, &debug);
  FUZZ_EXPECT(error == 0 || error == EINVAL);
  if (!error) {
    dusk_options whole = {0};
    memcpy(&whole, options, says);
    if (whole.flags & DUSK_NO_ENV)
      expect_bounds(&whole, &setup);
  }
  free(options);
  return 0;
}
