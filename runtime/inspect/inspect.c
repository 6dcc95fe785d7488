/* SPDX-License-Identifier: MIT */
/* inspect.c -- what the driver looks at between marking and the end of a cycle
 *
 * Runs on the driver.  Nothing here is on the path of a program that runs
 * without debug options.
 *
 * Reports are written while the threads stand: what they tell of is still
 * there.  They name functions, which may ask the dynamic linker; a program that
 * comes to a safepoint inside a library's constructor, with the linker's lock,
 * would wait for a report that waits for it. */
#include "inspect/inspect.h"

#include "base/check.h"
#include "inspect/checkmark.h"
#include "inspect/halt.h"

#include <stdlib.h>

void inspect_open(struct dusk_heap *heap)
{
  struct registry *registry = &heap->collector.registry;
  if (heap->debug.checkmark) {
    registry->scrubs = true;
    registry->framed = true;
  }
}

void inspect_begin(struct dusk_heap *heap)
{
  STORE_RELAXED(&heap->joined_before,
                LOAD_RELAXED(&heap->collector.registry.joined));
}

/* false: a mistake was found, and said. */
static bool check_marks(struct dusk_heap *heap)
{
  struct remark remark;
  if (!remark_open(&remark, heap, heap->joined_before)) {
    complain("checkmark: no memory for it: this cycle is not checked");
    return true;
  }
  remark_run(&remark);
  bool good = checkmark_report(&remark);
  remark_close(&remark);
  return good;
}

void inspect_cycle(struct dusk_heap *heap)
{
  struct halt halt;
  bool good = true;
  if (!heap->debug.checkmark)
    return;
  halt_begin(heap, &halt);
  if (heap->debug.checkmark)
    good = check_marks(heap);
  if (!good)
    abort();
  halt_end(heap, &halt);
}
