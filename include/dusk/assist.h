/* SPDX-License-Identifier: MIT */
/* assist.h -- how much of the collector's work a thread does itself
 *
 * While a cycle marks, a thread pays for what it allocates: from the work that
 * background workers have done in advance, and else by marking, an assist.
 * That keeps the heap near its goal, and makes some allocations slow.  A thread
 * that must answer quickly may pay less, and leave the rest to the workers;
 * then the heap grows further over its goal, up to the hard wall. */
#ifndef DUSK_ASSIST_H
#define DUSK_ASSIST_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  DUSK_ASSIST_FULL,   /* pays all that it owes */
  DUSK_ASSIST_CAPPED, /* pays at most the cap at a time, the rest later */
  DUSK_ASSIST_EXEMPT, /* never marks: the workers pay */
} dusk_assist;

/* The most that a capped thread marks in one allocation, whichever is reached
 * first; 0: no such cap. */
typedef struct {
  uint64_t bytes;        /* of objects read for marking */
  uint64_t microseconds; /* looked at every 4 KiB of that */
} dusk_assist_cap;

/* Chooses what a thread pays, from its next allocation on.  A new thread begins
 * with what DUSK_ASSIST says, or with DUSK_ASSIST_FULL.
 *
 * The attached pthread.  `cap` counts for DUSK_ASSIST_CAPPED alone.  Returns 0;
 * EINVAL: the policy is unknown, or capped with both caps 0, or the handle is
 * NULL, detached or foreign (and then a line on stderr says which). */
DUSK_API int dusk_set_assist(dusk_thread *thread, dusk_assist policy,
                             dusk_assist_cap cap);

/* Times of assists, in buckets: bucket 0 is below 1024 ns; then there are four
 * to each doubling; the last is 2^30 ns and more. */
#define DUSK_ASSIST_BUCKETS 82

/* Where bucket number `bucket` begins, ns. */
static inline uint64_t dusk_assist_bucket_ns(unsigned bucket)
{
  return bucket == 0
             ? 0
             : (uint64_t)(4 + (bucket - 1) % 4) << ((bucket - 1) / 4 + 8);
}

/* Bytes of work are bytes of objects read for marking; times are ns. */
typedef struct {
  size_t struct_size;     /* sizeof(dusk_assist_stats), set by the caller */
  uint64_t assists;       /* allocations that marked */
  uint64_t total_ns;      /* the time that they marked */
  uint64_t longest_ns;    /* of one */
  uint64_t marked_bytes;  /* their work */
  uint64_t pool_bytes;    /* work taken from what workers did in advance */
  uint64_t charged_bytes; /* work left to the workers: debts of exempt threads,
                             and of capped ones beyond what they may owe */
  uint64_t debt_bytes;    /* allocated and not paid for, as of the last time
                             that the thread paid */
  uint64_t asides;        /* times that it let the collector have its processor,
                             the heap being over its goal */
  uint64_t aside_ns;
  uint64_t walls; /* times that it waited at the hard wall */
  uint64_t wall_ns;
  uint64_t histogram[DUSK_ASSIST_BUCKETS]; /* of the assists' times */
} dusk_assist_stats;

#define DUSK_ASSIST_STATS_INIT                                                 \
  {                                                                            \
    .struct_size = sizeof(dusk_assist_stats)                                   \
  }

/* Reads what a thread has paid since it attached.
 *
 * Any thread, as long as `thread` stays attached; stops nobody.  Fills as many
 * fields as out->struct_size has room for.  Returns 0, or EINVAL: an argument
 * is NULL, or struct_size is too small for the size itself and one field. */
DUSK_API int dusk_read_assist(const dusk_thread *thread,
                              dusk_assist_stats *out);

/* The same for all threads of a heap, those that have left included; debt_bytes
 * is that of the threads here.  Any thread. */
DUSK_API int dusk_read_heap_assist(dusk_heap *heap, dusk_assist_stats *out);

#ifdef __cplusplus
}
#endif

#endif
