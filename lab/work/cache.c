/* SPDX-License-Identifier: MIT */
/* cache.c -- a server that answers requests from a cache
 *
 * Threads take requests for keys, some much more often than others, look each
 * up in a hash table with a list of the least recently used, and answer with a
 * copy of part of the value.  A miss makes the value, which is of a size that
 * depends on the key, and evicts others until all fit.  Old objects die, as in
 * real caches and against the generational hypothesis.  The table is in shards,
 * each behind a lock; nothing is allocated under a lock. */
#include "work.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS, KEYS, CAPACITY, OPERATIONS, SECONDS, SEED };
enum { SHARDS = 16, ANSWER_MAX = 1024 };

/* Pointers first: the kind's bitmap names the first four words. */
struct entry {
  struct entry *chain; /* the next in its bucket */
  struct entry *newer; /* the list from the least recently used */
  struct entry *older;
  uint64_t *value; /* a leaf; sealed at both ends */
  uint64_t key;
  uint64_t bytes; /* of the value */
};

enum { ENTRY_POINTERS = 4 };

/* In libc's memory, all of it one root. */
struct shard {
  struct entry **buckets; /* an object */
  struct entry *newest;
  struct entry *oldest;
  uint64_t bytes; /* of all values in it */
  uint64_t hits;
  uint64_t misses;
  pthread_mutex_t lock;
};

struct cache {
  struct shard *shards;
  dusk_kind entry;
  uint64_t bucket_count; /* in each shard; a power of two */
  uint64_t shard_capacity;
  double log_keys;
};

static uint64_t key_hash(uint64_t key)
{
  uint64_t hash = (key + 1) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ (hash >> 29);
}

/* 64 bytes to 16 KiB, each doubling as likely as the next: most values are
 * small and most bytes are in large ones. */
static uint64_t key_bytes(uint64_t key)
{
  uint64_t hash = key_hash(~key);
  uint64_t least = UINT64_C(64) << (hash & 7);
  return (least + (hash >> 8) % least) & ~UINT64_C(7);
}

/* Key k is asked for in proportion to 1 / (k + 1), nearly: Zipf's law. */
static uint64_t cache_pick(const struct cache *cache,
                           struct measure_random *random)
{
  double unit = (double)(measure_random_next(random) >> 11) * 0x1p-53;
  return (uint64_t)exp(unit * cache->log_keys) - 1;
}

static void value_check(const uint64_t *value, uint64_t key, uint64_t bytes)
{
  uint64_t seal = key_hash(key);
  if (DUSK_UNLIKELY(value[0] != seal || value[bytes / 8 - 1] != ~seal))
    work_fail("cache: a value is not what was stored", 0);
}

static struct entry *entry_make(const struct cache *cache, dusk_thread *thread,
                                uint64_t key)
{
  uint64_t bytes = key_bytes(key);
  uint64_t *value = work_alloc(thread, DUSK_LEAF, bytes);
  for (uint64_t i = 0; i < bytes / 8; i++)
    value[i] = key + i;
  value[0] = key_hash(key);
  value[bytes / 8 - 1] = ~value[0];
  struct entry *entry = work_new(thread, cache->entry);
  dusk_init(thread, &entry->value, value);
  entry->key = key;
  entry->bytes = bytes;
  return entry;
}

/* ---- a shard, with its lock held ---------------------------------------- */

static struct entry **shard_bucket_locked(const struct cache *cache,
                                          struct shard *shard, uint64_t key)
{
  return &shard->buckets[key_hash(key) / SHARDS & (cache->bucket_count - 1)];
}

static struct entry *shard_find_locked(const struct cache *cache,
                                       struct shard *shard, uint64_t key)
{
  struct entry *entry = dusk_load(shard_bucket_locked(cache, shard, key));
  while (entry && entry->key != key)
    entry = dusk_load(&entry->chain);
  return entry;
}

static void shard_unlink_locked(struct shard *shard, dusk_thread *thread,
                                struct entry *entry)
{
  struct entry *newer = dusk_load(&entry->newer);
  struct entry *older = dusk_load(&entry->older);
  dusk_store(thread, newer ? &newer->older : &shard->newest, older);
  dusk_store(thread, older ? &older->newer : &shard->oldest, newer);
}

static void shard_link_newest_locked(struct shard *shard, dusk_thread *thread,
                                     struct entry *entry)
{
  struct entry *newest = dusk_load(&shard->newest);
  dusk_store(thread, &entry->newer, NULL);
  dusk_store(thread, &entry->older, newest);
  dusk_store(thread, newest ? &newest->newer : &shard->oldest, entry);
  dusk_store(thread, &shard->newest, entry);
}

static void shard_evict_locked(const struct cache *cache, struct shard *shard,
                               dusk_thread *thread)
{
  struct entry *entry = dusk_load(&shard->oldest);
  value_check(dusk_load(&entry->value), entry->key, entry->bytes);
  shard_unlink_locked(shard, thread, entry);
  struct entry **link = shard_bucket_locked(cache, shard, entry->key);
  while (dusk_load(link) != entry) {
    struct entry *before = dusk_load(link);
    if (!before)
      work_fail("cache: an entry is not in its bucket", 0);
    link = &before->chain;
  }
  dusk_store(thread, link, dusk_load(&entry->chain));
  shard->bytes -= entry->bytes;
}

/* Another thread may have added the key meanwhile: then its entry stays. */
static void shard_add_locked(const struct cache *cache, struct shard *shard,
                             dusk_thread *thread, struct entry *entry)
{
  if (shard_find_locked(cache, shard, entry->key))
    return;
  struct entry **bucket = shard_bucket_locked(cache, shard, entry->key);
  dusk_store(thread, &entry->chain, dusk_load(bucket));
  dusk_store(thread, bucket, entry);
  shard_link_newest_locked(shard, thread, entry);
  shard->bytes += entry->bytes;
  while (shard->bytes > cache->shard_capacity)
    shard_evict_locked(cache, shard, thread);
}

/* ---- requests ----------------------------------------------------------- */

/* The value of the key, from the cache or made for it. */
static uint64_t *cache_get(const struct cache *cache, dusk_thread *thread,
                           uint64_t key)
{
  struct shard *shard = &cache->shards[key_hash(key) % SHARDS];
  dusk_mutex_lock(thread, &shard->lock);
  struct entry *entry = shard_find_locked(cache, shard, key);
  if (entry) {
    shard_unlink_locked(shard, thread, entry);
    shard_link_newest_locked(shard, thread, entry);
    shard->hits++;
  } else {
    shard->misses++;
  }
  pthread_mutex_unlock(&shard->lock);
  if (entry)
    return dusk_load(&entry->value);
  entry = entry_make(cache, thread, key);
  uint64_t *value = dusk_load(&entry->value);
  dusk_mutex_lock(thread, &shard->lock);
  shard_add_locked(cache, shard, thread, entry);
  pthread_mutex_unlock(&shard->lock);
  return value;
}

static void cache_step(struct worker *worker)
{
  const struct cache *cache = worker->crew->data;
  uint64_t key = cache_pick(cache, &worker->random);
  uint64_t bytes = key_bytes(key);
  const uint64_t *value = cache_get(cache, worker->thread, key);
  value_check(value, key, bytes);
  uint64_t part = bytes < ANSWER_MAX ? bytes : ANSWER_MAX;
  uint64_t *answer = work_alloc(worker->thread, DUSK_LEAF, part);
  memcpy(answer, value, part);
  measure_keep(answer);
}

/* The cache is full when the clock starts: the most wanted keys first. */
static void cache_prepare(struct worker *worker)
{
  const struct cache *cache = worker->crew->data;
  uint64_t room = cache->shard_capacity * SHARDS / worker->crew->threads;
  uint64_t keys = (uint64_t)(exp(cache->log_keys) + 0.5);
  for (uint64_t key = worker->index, filled = 0; filled < room && key < keys;
       key += worker->crew->threads) {
    cache_get(cache, worker->thread, key);
    filled += key_bytes(key);
  }
}

static void cache_open(struct cache *cache, dusk_heap *heap,
                       dusk_thread *thread, const uint64_t *values)
{
  cache->entry = work_kind(heap, "entry", sizeof(struct entry), ENTRY_POINTERS);
  cache->shard_capacity = values[CAPACITY] / SHARDS;
  cache->log_keys = log((double)values[KEYS]);
  cache->bucket_count = 64;
  /* About 2900 bytes are a value's mean. */
  while (cache->bucket_count * 2900 < cache->shard_capacity)
    cache->bucket_count *= 2;
  cache->shards = calloc(SHARDS, sizeof *cache->shards);
  int error = cache->shards ? dusk_root_add(heap, cache->shards,
                                            SHARDS * sizeof *cache->shards)
                            : ENOMEM;
  if (error)
    work_fail("cache: cannot make the shards", error);
  dusk_kind table = work_kind(heap, "buckets", 0, 0);
  for (unsigned i = 0; i < SHARDS; i++) {
    struct shard *shard = &cache->shards[i];
    pthread_mutex_init(&shard->lock, NULL);
    dusk_store(thread, &shard->buckets,
               work_alloc(thread, table,
                          cache->bucket_count * sizeof *shard->buckets));
  }
}

/* Every entry is in the list and in its bucket, and whole.  Returns the hit
 * ratio. */
static double cache_verify(const struct cache *cache, dusk_thread *thread)
{
  uint64_t hits = 0;
  uint64_t misses = 0;
  for (unsigned i = 0; i < SHARDS; i++) {
    struct shard *shard = &cache->shards[i];
    uint64_t bytes = 0;
    for (struct entry *entry = dusk_load(&shard->oldest); entry;
         entry = dusk_load(&entry->newer)) {
      value_check(dusk_load(&entry->value), entry->key, entry->bytes);
      if (shard_find_locked(cache, shard, entry->key) != entry)
        work_fail("cache: an entry cannot be found", 0);
      bytes += entry->bytes;
      dusk_safepoint(thread);
    }
    if (bytes != shard->bytes)
      work_fail("cache: entries are lost", 0);
    hits += shard->hits;
    misses += shard->misses;
  }
  return (double)hits / (double)(hits + misses);
}

static void cache_run(const uint64_t *values)
{
  dusk_heap *heap = work_open();
  dusk_thread *thread;
  int error = dusk_attach(heap, &thread);
  if (error)
    work_fail("cannot attach", error);
  struct cache cache;
  cache_open(&cache, heap, thread, values);
  struct crew crew = {.heap = heap,
                      .data = &cache,
                      .prepare = cache_prepare,
                      .step = cache_step,
                      .threads = (unsigned)values[THREADS],
                      .seed = values[SEED],
                      .operations = values[OPERATIONS],
                      .seconds = values[SECONDS]};
  crew_run(&crew, thread);
  measure_figure("hits", 100 * cache_verify(&cache, thread), "%");
  dusk_detach(thread);
  dusk_root_remove(heap, cache.shards);
  dusk_heap_close(heap);
  free(cache.shards);
}

static const struct work_option cache_options[] = {
    [THREADS] = {"threads", "threads that answer", 4, 4, 1, WORK_THREADS_MAX,
                 false},
    [KEYS] = {"keys", "different keys", 200000, 20000, 2, UINT32_MAX, false},
    [CAPACITY] = {"capacity", "bytes of values that are kept", 64 << 20,
                  8 << 20, 1 << 20, UINT64_C(1) << 37, false},
    [OPERATIONS] = {"operations", "requests to answer", 1500000, 100000, 1,
                    UINT64_C(1) << 40, false},
    [SECONDS] = {"seconds", "work so long, and count (0: --operations)", 0, 0,
                 0, 86400, false},
    [SEED] = {"seed", "of the random numbers", 1, 1, 0, UINT32_MAX, false},
    {.name = NULL}};

const struct work work_cache = {
    "cache", "a server: requests answered from a cache that evicts",
    cache_options, cache_run};
