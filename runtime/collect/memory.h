/* SPDX-License-Identifier: MIT */
/* memory.h -- all that a heap has from the system, in one reading
 *
 * MemStats and the memory limit count the same memory: both are made here. */
#ifndef DUSK_COLLECT_MEMORY_H
#define DUSK_COLLECT_MEMORY_H

#include "collect/collector.h"

/* Bytes.  The tables are counted as far as they describe pages that were made
 * ready: the rest is address space. */
struct memory {
  struct pages_figures pages;
  uint64_t spans;        /* descriptors of ready pages */
  uint64_t spans_in_use; /* of those, of pages in spans */
  uint64_t caches;       /* thread records ever made */
  uint64_t caches_in_use;
  uint64_t collector; /* mark bits, page map, packets of grey objects */
  uint64_t profile;   /* tables of the heap profile */
  uint64_t other;     /* the heap itself, and its central lists */
};

/* Any thread; takes the page heap's lock for a moment. */
struct memory memory_read(struct collector *collector);

/* Of that, what is no page of the heap; and what the program has declared. */
uint64_t memory_beside_pages(const struct collector *collector,
                             const struct memory *memory);

/* What the memory limit limits: pages that hold memory, and all beside them. */
struct pacer_memory memory_limited(struct collector *collector);

#endif
