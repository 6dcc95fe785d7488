/* SPDX-License-Identifier: MIT */
/* labels.c -- which objects can be reached from one place alone
 *
 * In a halt, after marking: only what is marked is alive.
 *
 * Tested by tests/unit/labels.c. */
#include "inspect/labels.h"

#include "base/bits.h"
#include "os/vm.h"

static size_t table_bytes(const struct labels *labels)
{
  return align_up(labels->granules * sizeof *labels->table + 1, vm_page_size());
}

/* An object is pushed at most twice, and has a granule at least. */
static size_t work_bytes(const struct labels *labels)
{
  return align_up(2 * labels->granules * sizeof *labels->work + 1,
                  vm_page_size());
}

bool labels_open(struct labels *labels, const struct arena *arena,
                 struct roles roles)
{
  *labels = (struct labels){
      .arena = arena,
      .roles = roles,
      .granules = (size_t)arena->end * PAGE_GRANULES,
  };
  labels->table = vm_map(table_bytes(labels));
  labels->work = vm_map(work_bytes(labels));
  if (labels->table && labels->work)
    return true;
  labels_close(labels);
  return false;
}

void labels_close(struct labels *labels)
{
  if (labels->table)
    vm_unmap(labels->table, table_bytes(labels));
  if (labels->work)
    vm_unmap(labels->work, work_bytes(labels));
  labels->table = NULL;
  labels->work = NULL;
}

bool labels_find(const struct labels *labels, uintptr_t word,
                 struct thing *thing)
{
  return thing_find(labels->arena, word, thing) &&
         thing_is_marked(thing, labels->roles);
}

static void reach(struct labels *labels, const struct thing *thing,
                  uint32_t label)
{
  uint32_t *now = &labels->table[thing->granule];
  if (*now == label || *now == LABEL_MANY ||
      (labels->except && labels_of(labels->except, thing)))
    return;
  *now = *now ? LABEL_MANY : label;
  labels->work[labels->count++] = thing->start;
}

static void visit_slot(void *context, const struct thing *holder,
                       uintptr_t slot, bool precise)
{
  struct labels *labels = context;
  struct thing thing;
  if ((precise || !labels->precise_only) &&
      labels_find(labels, thing_word(slot), &thing))
    reach(labels, &thing, labels_of(labels, holder));
}

void labels_spread(struct labels *labels, const struct thing *thing,
                   uint32_t label)
{
  struct thing next;
  reach(labels, thing, label);
  while (labels->count)
    if (labels_find(labels, labels->work[--labels->count], &next))
      thing_slots(&next, visit_slot, labels);
}
