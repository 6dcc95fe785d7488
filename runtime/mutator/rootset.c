/* SPDX-License-Identifier: MIT */
/* rootset.c -- memory outside the heap that holds pointers into it
 *
 * Any thread adds and removes; the collector gathers; all under the set's lock,
 * so that a root is never read after its removal returned.
 *
 * Tested by tests/unit/rootset.c, tests/api/root.c and tests/stress/roots.c. */
#include "mutator/rootset.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "os/block.h"
#include "os/self.h"

#include <errno.h>

enum { WORD = sizeof(void *) };

void rootset_init(struct rootset *set, bool data_segments)
{
  *set = (struct rootset){.data_segments = data_segments};
  lock_init(&set->lock, RANK_roots);
}

void rootset_destroy(struct rootset *set)
{
  block_free(set->roots);
  lock_destroy(&set->lock);
}

/* The index of the root that starts at `start`, or count. */
static size_t find(const struct rootset *set, uintptr_t start)
{
  size_t i = 0;
  while (i < set->count && set->roots[i].start != start)
    i++;
  return i;
}

/* Words that straddle the ends are not whole, and hold no pointer. */
static bool gather_root(const struct arena *arena, struct grey *grey,
                        const struct root *root)
{
  struct packet *packet = grey_packet(grey);
  if (!packet)
    return false;
  bool complete =
      gather(arena, grey, &packet, root->start, align_down(root->end, WORD));
  if (packet->count)
    grey_hand_over(grey, &grey->raw, packet);
  else
    grey_recycle(grey, packet);
  return complete;
}

/* With the lock.  false: there are no packets; nothing is changed then. */
static bool log_root(const struct rootset *set, const struct arena *arena,
                     struct grey *grey, const struct root *root)
{
  return !set->logging || gather_root(arena, grey, root);
}

static bool make_room(struct rootset *set)
{
  if (set->count < set->capacity)
    return true;
  size_t capacity = set->capacity ? 2 * set->capacity : 16;
  struct root *roots = block_resize(set->roots, capacity * sizeof *roots);
  if (!roots)
    return false;
  set->roots = roots;
  set->capacity = capacity;
  return true;
}

int rootset_add(struct rootset *set, const struct arena *arena,
                struct grey *grey, uintptr_t start, size_t bytes)
{
  struct root root = {start, start + bytes};
  int error = 0;
  lock_acquire(&set->lock);
  if (find(set, start) < set->count) {
    error = EEXIST;
  } else if (!make_room(set) || !log_root(set, arena, grey, &root)) {
    error = ENOMEM;
  } else {
    CHAOS("root-logged");
    set->roots[set->count++] = root;
    STORE_RELAXED(&set->bytes, set->bytes + bytes);
  }
  lock_release(&set->lock);
  return error;
}

int rootset_remove(struct rootset *set, const struct arena *arena,
                   struct grey *grey, uintptr_t start)
{
  int error = 0;
  lock_acquire(&set->lock);
  size_t i = find(set, start);
  if (i == set->count) {
    error = ENOENT;
  } else if (!log_root(set, arena, grey, &set->roots[i])) {
    error = ENOMEM;
  } else {
    struct root *root = &set->roots[i];
    CHAOS("root-logged");
    STORE_RELAXED(&set->bytes, set->bytes - (root->end - root->start));
    *root = set->roots[--set->count];
  }
  lock_release(&set->lock);
  return error;
}

void rootset_log(struct rootset *set, bool logging)
{
  lock_acquire(&set->lock);
  set->logging = logging;
  lock_release(&set->lock);
}

void rootset_revive(struct rootset *set)
{
  lock_renew(&set->lock);
  set->logging = false;
}

struct segments {
  const struct arena *arena;
  struct grey *grey;
  uint64_t bytes;
  bool complete;
};

static void gather_segment(uintptr_t start, uintptr_t end, void *context)
{
  struct segments *segments = context;
  struct root root = {align_up(start, WORD), end};
  segments->bytes += end - start;
  if (!gather_root(segments->arena, segments->grey, &root))
    segments->complete = false;
}

uint64_t rootset_gather(struct rootset *set, const struct arena *arena,
                        struct grey *grey, bool *complete)
{
  struct segments segments = {arena, grey, 0, true};
  CHAOS("roots-not-gathered");
  lock_acquire(&set->lock);
  if (set->data_segments)
    self_data_segments(gather_segment, &segments);
  for (size_t i = 0; i < set->count; i++)
    gather_segment(set->roots[i].start, set->roots[i].end, &segments);
  lock_release(&set->lock);
  *complete = segments.complete;
  return segments.bytes;
}
