/* SPDX-License-Identifier: MIT */
/* checkmark.c -- DUSK_DEBUG=checkmark=1: has the collector found everything?
 *
 * Compares the collector's marks with what the second marker reached.  What is
 * marked and was not reached is garbage that died while the cycle ran, and is
 * nobody's mistake.
 *
 * Tested by tests/unit/checkmark.c. */
#include "inspect/checkmark.h"

#include "base/check.h"

static void report_missed(struct remark *remark, const struct finding *finding)
{
  struct thing thing;
  char text[256];
  if (!thing_find(remark->arena, finding->word, &thing))
    return;
  thing_print(&thing, text, sizeof text);
  complain("checkmark: object %s can be reached and is not marked", text);
  thing_print_origin(remark->arena, thing.start, "  ");
}

static void report_dangling(struct remark *remark,
                            const struct finding *finding)
{
  struct thing thing;
  char text[256];
  if (!thing_find(remark->arena, finding->word, &thing)) {
    complain("checkmark: a pointer slot holds 0x%zx, in free memory of the "
             "heap",
             (size_t)finding->word);
    return;
  }
  thing_print(&thing, text, sizeof text);
  if (thing.start != finding->word)
    complain("checkmark: a pointer slot holds 0x%zx, which is %zu bytes into "
             "object %s, not its start",
             (size_t)finding->word, (size_t)(finding->word - thing.start),
             text);
  else
    complain("checkmark: a pointer slot holds 0x%zx, which is free: once "
             "object %s",
             (size_t)finding->word, text);
}

bool checkmark_report(struct remark *remark)
{
  for (unsigned i = 0; i < remark->findings; i++) {
    const struct finding *finding = &remark->finding[i];
    if (finding->fault == REMARK_MISSED)
      report_missed(remark, finding);
    else
      report_dangling(remark, finding);
    remark_print_path(remark, finding->slot);
  }
  return remark->findings == 0;
}
