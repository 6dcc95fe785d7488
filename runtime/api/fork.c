/* SPDX-License-Identifier: MIT */
/* fork.c -- what a fork finds, and what its child makes of it
 *
 *   before       the forking thread takes every lock of every heap and budget,
 *                so that what they guard is whole at the fork
 *   the parent   gives them back, and goes on as if nothing had been
 *   the child    makes each heap whole of which only this thread is left
 *                (collect/revive.c), and drops the parent's traces
 *
 * ORDER  Rank after rank, and of each rank the locks of all heaps.  Who holds
 * a lock waits at most for one of a higher rank, of which the forking thread
 * has none yet: so it gets each in turn.  Nobody waits for a handshake, a cycle
 * or the program with a lock in his hands; so a thread in the heap may fork,
 * though others wait for its safepoint.  The locks of the central lists are
 * left out: there are thousands, and the child makes the lists anew.  Last come
 * what os/ has for the whole process: nobody has that and waits for a lock.
 *
 * The handlers are registered before main(), as those of a C library's malloc
 * would be: so ours take their locks after all that the program's own take, and
 * are the first to work in the child.  Were it the other way round, a thread
 * that allocates with a lock of the program in its hands would wait for us, and
 * we, through the program's handler, for it.
 *
 * WHO MAY FORK  Any thread, attached or not, in a blocking region or not, and
 * the functions that dusk_on_exhausted() and dusk_on_pressure() set.  Not a
 * kind's trace function: its caller is inside the grey set; nor a signal
 * handler that has interrupted the library, in the middle of a call.
 *
 * COST  Without a heap nothing.  fork() with a heap of 1 GiB of small objects,
 * and the child that goes on: doc/guide.md has the figures.
 *
 * Tested by tests/api/fork.c and, with a thread at each point of
 * base/chaos.def, tests/api/forkpoints.c. */
#include "api/fork.h"

#include "base/check.h"
#include "collect/revive.h"
#include "inspect/inspect.h"
#include "os/child.h"
#include "os/fence.h"
#include "os/unwind.h"
#include "report/profilefile.h"
#include "report/recorder.h"
#include "report/trace.h"

/* What is open, guarded by `lock`. */
static struct {
  struct lock lock; /* RANK_process */
  struct dusk_heap *heaps;
  struct dusk_budget *budgets;
  int error; /* of registering; set before main() */
} process;

static _Thread_local const struct dusk_heap *driven; /* by this thread */

/* Each rank is here, so that the compiler asks about a new one.  NULL: the heap
 * has none, or it is not for this place. */
static struct lock *lock_of(struct dusk_heap *heap, enum lock_rank rank)
{
  struct collector *collector = &heap->collector;
  switch (rank) {
  case RANK_process:
  case RANK_budget:
  case RANK_central:
    return NULL;
  case RANK_member:
    return &heap->member_lock;
  case RANK_control:
    return &collector->pacing.lock;
  case RANK_trace:
    return trace_lock(heap);
  case RANK_registry:
    return &collector->registry.lock;
  case RANK_roots:
    return &collector->roots.lock;
  case RANK_kinds:
    return &collector->arena.kinds.lock;
  case RANK_pages:
    return &collector->arena.pages.lock;
  case RANK_grey:
    return &collector->grey.lock;
  case RANK_history:
    return &heap->history.lock;
  case RANK_calls:
    return &heap->calls_lock;
  case RANK_profile:
    return &collector->arena.profile.folding;
  case RANK_samples:
    return &collector->arena.profile.lock;
  }
  return NULL;
}

static void for_budgets(void (*act)(struct lock *lock))
{
  for (struct dusk_budget *b = process.budgets; b; b = b->next_open)
    act(&b->lock);
}

enum {
#define X(name) +1
  RANKS = 0 LOCK_RANKS(X)
#undef X
};

/* ORDER.  With the lock of the list. */
static void for_locks(void (*act)(struct lock *lock))
{
  for (unsigned rank = 0; rank < RANKS; rank++) {
    if (rank == RANK_budget)
      for_budgets(act);
    for (struct dusk_heap *heap = process.heaps; heap; heap = heap->next_open) {
      struct lock *lock = lock_of(heap, (enum lock_rank)rank);
      if (lock)
        act(lock);
    }
  }
}

/* Of a child that only looks at memory there is nothing to make whole. */
static void before_fork(void)
{
  if (child_begins())
    return;
  lock_seize(&process.lock);
  for_locks(lock_seize);
  fence_hold();
  unwind_shut();
}

static void in_parent(void)
{
  if (child_begins())
    return;
  unwind_reopen();
  fence_let_go();
  for_locks(lock_give_back);
  lock_give_back(&process.lock);
}

/* A heap that somebody was opening or closing is in no list, and lost: who did
 * it has vanished. */
static void in_child(void)
{
  if (child_begins())
    return;
  bool everywhere = fence_let(true); /* the dead may be filled */
  unwind_reopen_in_child();
  fence_renew();
  lock_renew(&process.lock);
  for_budgets(lock_renew);
  for (struct dusk_heap *heap = process.heaps; heap; heap = heap->next_open) {
    trace_drop(heap);
    profilefile_drop(heap);
    recorder_drop(heap);
    heap->has_driver = driven == heap;
    revive_heap(heap);
    inspect_revive(heap);
  }
  fence_let(everywhere);
}

static __attribute__((constructor)) void register_handlers(void)
{
  lock_init(&process.lock, RANK_process);
  process.error = pthread_atfork(before_fork, in_parent, in_child);
}

int fork_is_handled(void)
{
  return process.error;
}

void fork_for_heaps(void (*act)(struct dusk_heap *heap))
{
  lock_acquire(&process.lock);
  for (struct dusk_heap *heap = process.heaps; heap; heap = heap->next_open)
    act(heap);
  lock_release(&process.lock);
}

void fork_add_heap(struct dusk_heap *heap)
{
  lock_acquire(&process.lock);
  heap->next_open = process.heaps;
  process.heaps = heap;
  lock_release(&process.lock);
}

void fork_remove_heap(struct dusk_heap *heap)
{
  struct dusk_heap **link = &process.heaps;
  lock_acquire(&process.lock);
  while (*link != heap)
    link = &(*link)->next_open;
  *link = heap->next_open;
  lock_release(&process.lock);
}

void fork_add_budget(struct dusk_budget *budget)
{
  lock_acquire(&process.lock);
  budget->next_open = process.budgets;
  process.budgets = budget;
  lock_release(&process.lock);
}

unsigned fork_close_budget(struct dusk_budget *budget)
{
  struct dusk_budget **link = &process.budgets;
  lock_acquire(&process.lock);
  while (*link != budget)
    link = &(*link)->next_open;
  struct dusk_budget *next = budget->next_open;
  unsigned heaps = budget_close(budget);
  if (!heaps)
    *link = next;
  lock_release(&process.lock);
  return heaps;
}

void fork_note_driver(const struct dusk_heap *heap)
{
  driven = heap;
}
