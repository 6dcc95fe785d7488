/* SPDX-License-Identifier: MIT */
/* budget.c -- heaps that share one number of bytes
 *
 * There is no thread of the budget's own: whoever changes it, and each driver
 * at the end of a cycle, makes all shares anew.  That takes the lock of the
 * budget and then, one after the other, those of its members' pacers; so it
 * must be called with none of them.
 *
 * A member whose share shrinks below what it holds is asked for a cycle, if
 * that could free something; at the end of it the driver gives back what is
 * free, and then the others are raised.
 *
 * LIFE  A heap's `budget` changes under its member_lock.  Who holds that lock
 * and finds a budget there may use it: it cannot be closed before the heap has
 * left.
 *
 * COST  a microsecond for each member at the end of each cycle.
 * TESTED  tests/api/budget.c; the arithmetic by tests/unit/budget.c */
#include "collect/budget.h"

#include "collect/cycle.h"
#include "collect/memory.h"
#include "collect/pacing.h"
#include "heap/scavenge.h"
#include "os/clock.h"
#include "os/vm.h"
#include "pace/budget.h"

#include <errno.h>

/* Less than this is not worth a cycle. */
static const uint64_t worth_bytes = UINT64_C(1) << 20;

static size_t mapped_bytes(void)
{
  size_t unit = vm_page_size();
  return (sizeof(struct dusk_budget) + unit - 1) / unit * unit;
}

struct dusk_budget *budget_open(int64_t bytes)
{
  struct dusk_budget *budget = vm_map(mapped_bytes());
  if (!budget)
    return NULL;
  lock_init(&budget->lock, RANK_budget);
  budget->bytes = bytes;
  return budget;
}

/* What a member can tell of itself. */
struct account {
  struct pacer_memory memory;
  struct balance balance;
  enum pacer_policy policy;
  uint64_t marked;
  uint64_t allocated; /* since the last cycle, bytes */
  uint64_t idle_ns;   /* since then */
};

static struct account account_of(struct dusk_heap *heap, uint64_t now)
{
  struct pacing *pacing = &heap->collector.pacing;
  lock_acquire(&pacing->lock);
  uint64_t live = flow_live(&heap->collector.arena.flow);
  struct account account = {
      .memory = memory_limited(&heap->collector),
      .balance = pacing->pacer.balance,
      .policy = pacing->pacer.policy,
      .marked = pacing->pacer.marked,
      .allocated =
          live > pacing->pacer.marked ? live - pacing->pacer.marked : 0,
      .idle_ns = now > pacing->ended_ns ? now - pacing->ended_ns : 0,
  };
  lock_release(&pacing->lock);
  return account;
}

/* What a cycle and a release could not free. */
static uint64_t floor_of(const struct account *account)
{
  const struct pacer_memory *memory = &account->memory;
  uint64_t in_heap = memory->heap_free + memory->heap_alloc;
  uint64_t beside =
      memory->mapped_ready > in_heap ? memory->mapped_ready - in_heap : 0;
  uint64_t floor = beside + account->marked;
  return floor < memory->mapped_ready ? floor : memory->mapped_ready;
}

/* The new share holds; what the heap has beyond it, it is asked to give up.
 * With the budget's lock. */
static void tell(struct dusk_heap *heap, const struct account *account,
                 uint64_t limit)
{
  uint64_t held = account->memory.mapped_ready;
  pacing_set_budget_limit(&heap->collector,
                          limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
  if (held > limit &&
      account->allocated + account->memory.heap_free >= worth_bytes)
    cycle_ask(&heap->collector, false);
}

/* With the budget's lock. */
static void divide_locked(struct dusk_budget *budget)
{
  struct account accounts[BUDGET_HEAPS_MAX];
  struct budget_share shares[BUDGET_HEAPS_MAX];
  uint64_t now = clock_now();
  bool square_root = true;
  for (unsigned i = 0; i < budget->count; i++) {
    accounts[i] = account_of(budget->heaps[i], now);
    square_root &= accounts[i].policy == PACER_BALANCE &&
                   balance_is_known(&accounts[i].balance);
  }
  for (unsigned i = 0; i < budget->count; i++) {
    const struct account *account = &accounts[i];
    shares[i] = (struct budget_share){
        .floor = floor_of(account),
        .held = account->memory.mapped_ready,
        .weight = budget_weight(&account->balance, square_root, account->marked,
                                account->allocated, account->idle_ns),
    };
  }
  budget_divide(shares, budget->count, (uint64_t)budget->bytes);
  for (unsigned i = 0; i < budget->count; i++)
    tell(budget->heaps[i], &accounts[i], shares[i].limit);
}

static void divide(struct dusk_budget *budget)
{
  lock_acquire(&budget->lock);
  divide_locked(budget);
  lock_release(&budget->lock);
}

unsigned budget_close(struct dusk_budget *budget)
{
  lock_acquire(&budget->lock);
  unsigned count = budget->count;
  lock_release(&budget->lock);
  if (count)
    return count;
  lock_destroy(&budget->lock);
  vm_unmap(budget, mapped_bytes());
  return 0;
}

int64_t budget_set(struct dusk_budget *budget, int64_t bytes)
{
  lock_acquire(&budget->lock);
  int64_t old = budget->bytes;
  if (bytes >= 0) {
    budget->bytes = bytes;
    divide_locked(budget);
  }
  lock_release(&budget->lock);
  return old;
}

/* With both locks. */
static int join_locked(struct dusk_budget *budget, struct dusk_heap *heap)
{
  if (heap->budget)
    return EBUSY;
  if (budget->count == BUDGET_HEAPS_MAX)
    return ENOSPC;
  budget->heaps[budget->count++] = heap;
  heap->budget = budget;
  divide_locked(budget);
  return 0;
}

int budget_join(struct dusk_budget *budget, struct dusk_heap *heap)
{
  lock_acquire(&heap->member_lock);
  lock_acquire(&budget->lock);
  int error = join_locked(budget, heap);
  lock_release(&budget->lock);
  lock_release(&heap->member_lock);
  return error;
}

/* With both locks. */
static void leave_locked(struct dusk_budget *budget, struct dusk_heap *heap)
{
  unsigned i = 0;
  while (budget->heaps[i] != heap)
    i++;
  budget->heaps[i] = budget->heaps[--budget->count];
  heap->budget = NULL;
  pacing_set_budget_limit(&heap->collector, PACER_NO_LIMIT);
  divide_locked(budget);
}

bool budget_leave(struct dusk_heap *heap)
{
  lock_acquire(&heap->member_lock);
  struct dusk_budget *budget = heap->budget;
  if (budget) {
    lock_acquire(&budget->lock);
    leave_locked(budget, heap);
    lock_release(&budget->lock);
  }
  lock_release(&heap->member_lock);
  return budget != NULL;
}

static bool is_over(struct collector *collector)
{
  struct pacing *pacing = &collector->pacing;
  lock_acquire(&pacing->lock);
  bool over = memory_limited(collector).mapped_ready >
              (uint64_t)pacing->pacer.memory_limit;
  lock_release(&pacing->lock);
  return over;
}

void budget_settle(struct dusk_heap *heap)
{
  lock_acquire(&heap->member_lock);
  struct dusk_budget *budget = heap->budget;
  if (budget) {
    divide(budget);
    if (is_over(&heap->collector) && scavenge_all(&heap->collector.arena))
      divide(budget);
  }
  lock_release(&heap->member_lock);
}
