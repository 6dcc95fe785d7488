/* SPDX-License-Identifier: MIT */
/* lock.c -- mutexes with a rank */
#include "base/lock.h"

#include "base/check.h"
#include "base/steps.h"

static const char *const rank_names[] = {
#define X(name) #name,
    LOCK_RANKS(X)
#undef X
};

/* Bit r: the thread holds a lock of rank r.  Kept in checked builds only. */
static _Thread_local unsigned held_ranks;

void lock_init(struct lock *lock, enum lock_rank rank)
{
  pthread_mutex_init(&lock->mutex, NULL);
  lock->rank = rank;
}

void lock_destroy(struct lock *lock)
{
  pthread_mutex_destroy(&lock->mutex);
}

static void check_order(const struct lock *lock)
{
  if (DUSK_CHECKS && held_ranks >> lock->rank) {
    unsigned highest = 31u - (unsigned)__builtin_clz(held_ranks);
    PANIC("lock order: took '%s' while holding '%s'", rank_names[lock->rank],
          rank_names[highest]);
  }
}

/* Of fibers on one pthread no one may block in the system. */
static void acquire_by_steps(const struct steps *steps, struct lock *lock)
{
  steps->visit(rank_names[lock->rank]);
  while (pthread_mutex_trylock(&lock->mutex) != 0)
    steps->wait(lock, rank_names[lock->rank], UINT64_MAX);
}

void lock_acquire(struct lock *lock)
{
  check_order(lock);
  if (steps_taken())
    acquire_by_steps(steps_taken(), lock);
  else
    pthread_mutex_lock(&lock->mutex);
  if (DUSK_CHECKS)
    held_ranks |= 1u << lock->rank;
}

bool lock_try(struct lock *lock)
{
  check_order(lock);
  if (pthread_mutex_trylock(&lock->mutex) != 0)
    return false;
  if (DUSK_CHECKS)
    held_ranks |= 1u << lock->rank;
  return true;
}

void lock_release(struct lock *lock)
{
  if (DUSK_CHECKS)
    held_ranks &= ~(1u << lock->rank);
  pthread_mutex_unlock(&lock->mutex);
  if (steps_taken())
    steps_taken()->wake(lock);
}

unsigned lock_swap_held(unsigned held)
{
  unsigned before = held_ranks;
  held_ranks = held;
  return before;
}

void lock_seize(struct lock *lock)
{
  pthread_mutex_lock(&lock->mutex);
}

void lock_give_back(struct lock *lock)
{
  pthread_mutex_unlock(&lock->mutex);
}

void lock_renew(struct lock *lock)
{
  lock_init(lock, lock->rank);
}

bool lock_rank_is_held(enum lock_rank rank)
{
  return !DUSK_CHECKS || held_ranks & (1u << rank);
}
