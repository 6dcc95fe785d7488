/* SPDX-License-Identifier: MIT */
/* sites.c -- what was allocated where, and how long it lived
 *
 * Tested by tests/unit/profile.c. */
#include "heap/sites.h"

#include "base/atomic.h"
#include "base/bits.h"
#include "os/vm.h"

enum { SITES_MAX = 1 << 20, BUCKETS = 1 << 14 };
#define BUCKETS_BYTES (BUCKETS * sizeof(uint32_t))
#define TABLE_BYTES align_up(SITES_MAX * sizeof(struct site), vm_page_size())

/* Memory for the table is asked for in pieces. */
#define PIECE_BYTES ((size_t)64 << 10)

bool sites_open(struct sites *sites)
{
  *sites = (struct sites){
      .table = vm_reserve(TABLE_BYTES, vm_page_size()),
      .buckets = vm_map(BUCKETS_BYTES),
      .count = 1,
  };
  if (sites->table && sites->buckets)
    return true;
  sites_close(sites);
  return false;
}

void sites_close(struct sites *sites)
{
  if (sites->table)
    vm_unmap(sites->table, TABLE_BYTES);
  if (sites->buckets)
    vm_unmap(sites->buckets, BUCKETS_BYTES);
  *sites = (struct sites){0};
}

static size_t usable_bytes(uint32_t pieces)
{
  size_t bytes = pieces * align_up(PIECE_BYTES, vm_page_size());
  return bytes < TABLE_BYTES ? bytes : TABLE_BYTES;
}

static bool has_room(struct sites *sites)
{
  size_t needed = (sites->count + 1) * sizeof(struct site);
  size_t from = usable_bytes(sites->usable);
  size_t to = usable_bytes(sites->usable + 1);
  if (sites->count == SITES_MAX)
    return false;
  if (needed <= from)
    return true;
  if (!vm_commit((char *)sites->table + from, to - from))
    return false;
  STORE_RELAXED(&sites->usable, sites->usable + 1);
  return true;
}

static uint32_t *bucket_of(struct sites *sites, uint32_t stack, uint32_t kind,
                           uint64_t bytes)
{
  uint64_t hash = ((uint64_t)stack << 16 ^ kind ^ bytes << 24) *
                  UINT64_C(0x9e3779b97f4a7c15);
  return &sites->buckets[(hash >> 32) % BUCKETS];
}

uint32_t sites_find(struct sites *sites, uint32_t stack, uint32_t kind,
                    uint64_t bytes)
{
  uint32_t *bucket = bucket_of(sites, stack, kind, bytes);
  for (uint32_t i = *bucket; i; i = sites->table[i].below) {
    const struct site *site = &sites->table[i];
    if (site->stack == stack && site->kind == kind && site->bytes == bytes)
      return i;
  }
  if (!has_room(sites))
    return 0;
  uint32_t made = sites->count;
  sites->table[made] = (struct site){
      .stack = stack, .kind = kind, .bytes = bytes, .below = *bucket};
  *bucket = made;
  STORE_RELAXED(&sites->count, made + 1);
  return made;
}

uint32_t site_age_cycles(unsigned age)
{
  return age ? UINT32_C(1) << (age - 1) : 0;
}

void site_add_death(struct site *site, double weight, uint32_t cycles)
{
  unsigned age = 0;
  while (age + 1 < SITE_AGES && cycles >= site_age_cycles(age + 1))
    age++;
  site->died[age] += weight;
  site->cycles += weight * cycles;
}

double site_died(const struct site *site)
{
  double died = 0;
  for (unsigned age = 0; age < SITE_AGES; age++)
    died += site->died[age];
  return died;
}

uint64_t sites_bytes(const struct sites *sites)
{
  return sites->table
             ? usable_bytes(LOAD_RELAXED(&sites->usable)) + BUCKETS_BYTES
             : 0;
}
