/* SPDX-License-Identifier: MIT */
/* scavtrace.c -- DUSK_DEBUG=scavtrace=1: a line when memory was returned
 *
 *   scav X KiB work (bg), Y KiB work (eager), Z KiB now, U% util (forced)
 *
 * in Go's form: X and Y were returned since the last line, in the background
 * and by threads that made the heap grow; Z is free and returned at the moment;
 * U is the part of the pages which hold memory that is in use.  "(forced)" says
 * that dusk_release_memory() has returned some as well.
 *
 * Runs on the driver, after a cycle.  Tested by tests/unit/scavtrace.c. */
#include "report/scavtrace.h"

#include "heap/scavenge.h"
#include "os/file.h"

#include <stdio.h>
#include <unistd.h>

static unsigned long long kib(uint64_t bytes)
{
  return bytes >> 10;
}

size_t scavtrace_format(char line[SCAVTRACE_LINE],
                        const struct scavenged *since,
                        const struct pages_figures *pages)
{
  uint64_t held = pages->committed - pages->released;
  int length =
      snprintf(line, SCAVTRACE_LINE,
               "scav %llu KiB work (bg), %llu KiB work (eager), %llu KiB now, "
               "%llu%% util%s\n",
               kib(since->bytes[SCAVENGE_BACKGROUND]),
               kib(since->bytes[SCAVENGE_EAGER]), kib(pages->released),
               (unsigned long long)(held ? pages->in_use * 100 / held : 0),
               since->bytes[SCAVENGE_ASKED] ? " (forced)" : "");
  return length < SCAVTRACE_LINE ? (size_t)length : SCAVTRACE_LINE - 1;
}

void scavtrace_print(struct dusk_heap *heap)
{
  struct arena *arena = &heap->collector.arena;
  struct scavenged now = scavenge_read(arena);
  struct scavenged since;
  uint64_t bytes = 0;
  for (unsigned by = 0; by < SCAVENGE_BYS; by++) {
    since.bytes[by] = now.bytes[by] - heap->scavenged.bytes[by];
    since.ns[by] = now.ns[by] - heap->scavenged.ns[by];
    bytes += since.bytes[by];
  }
  if (!bytes)
    return;
  heap->scavenged = now;
  char line[SCAVTRACE_LINE];
  struct pages_figures pages = pages_read(arena);
  size_t length = scavtrace_format(line, &since, &pages);
  file_write(STDERR_FILENO, line, length); /* no matter if it is refused */
}
