/* SPDX-License-Identifier: MIT */
/* concordance.c -- a hash table that is read while it grows
 *
 * Open addressing: a slot is NULL or a word, and a word is where its hash says
 * or in one of the slots after, with no NULL between.  Nothing is ever taken
 * out.  A table three quarters full is copied into one of twice the size; the
 * words themselves stay what they are.
 *
 * The order in which things become visible is all that readers rely on: an
 * object is filled first and stored where others find it last.  dusk_store()
 * and dusk_cas() release, dusk_load() sees what was released. */
#include "concordance.h"

#include <errno.h>
#include <string.h>

enum { SLOTS_FIRST = 64 };

struct table {
  struct word **slots; /* mask + 1 of them; at least one stays NULL */
  uint64_t mask;       /* never changes */
  uint64_t used;       /* guarded by the shard's lock */
};

/* FNV-1a.  Bits of the upper half choose the shard, the lower ones the slot. */
static uint64_t text_hash(const char *text, size_t length)
{
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static size_t shard_of(uint64_t hash)
{
  return (size_t)(hash >> 32) % SHARDS;
}

static bool word_is(const struct word *word, uint64_t hash, const char *text,
                    size_t length)
{
  if (word->hash != hash)
    return false;
  const char *own = dusk_load(&word->text);
  return strncmp(own, text, length) == 0 && !own[length];
}

/* `text` is not on the heap: it lies still while we allocate, and needs no
 * root. */
static struct word *word_new(const struct concordance *book,
                             dusk_thread *thread, uint64_t hash,
                             const char *text, size_t length)
{
  char *own = dusk_alloc(thread, DUSK_LEAF, length + 1);
  if (!own)
    return NULL;
  memcpy(own, text, length); /* the last byte is 0 already */
  struct word *word = dusk_new(thread, book->word);
  if (!word)
    return NULL;
  dusk_init(thread, &word->text, own);
  word->hash = hash;
  return word;
}

static struct table *table_new(const struct concordance *book,
                               dusk_thread *thread, size_t capacity)
{
  struct word **slots =
      dusk_alloc(thread, book->array, capacity * sizeof(*slots));
  struct table *table = slots ? dusk_new(thread, book->table) : NULL;
  if (!table)
    return NULL;
  dusk_init(thread, &table->slots, slots);
  table->mask = capacity - 1;
  return table;
}

static struct word *table_find(const struct table *table, uint64_t hash,
                               const char *text, size_t length)
{
  struct word **slots = dusk_load(&table->slots);
  for (uint64_t i = hash;; i++) {
    struct word *word = dusk_load(&slots[i & table->mask]);
    if (!word || word_is(word, hash, text, length))
      return word;
  }
}

/* Puts in a word that is not there yet.  The slots may have been allocated
 * long ago, and others read them: dusk_store(), not dusk_init(). */
static void table_put_locked(struct table *table, dusk_thread *thread,
                             struct word *word)
{
  struct word **slots = dusk_load(&table->slots);
  uint64_t i = word->hash;
  while (dusk_load(&slots[i & table->mask]))
    i++;
  dusk_store(thread, &slots[i & table->mask], word);
  table->used++;
}

/* A table of twice the size with the words of `old`, which may be NULL. */
static struct table *table_grow_locked(const struct concordance *book,
                                       dusk_thread *thread,
                                       const struct table *old)
{
  size_t capacity = old ? old->mask + 1 : 0;
  struct table *table =
      table_new(book, thread, capacity ? 2 * capacity : SLOTS_FIRST);
  if (!table || !old)
    return table;
  struct word **slots = dusk_load(&old->slots);
  for (size_t i = 0; i < capacity; i++) {
    struct word *word = dusk_load(&slots[i]);
    if (word)
      table_put_locked(table, thread, word);
    dusk_safepoint(thread); /* the loop may be long and allocates nothing */
  }
  return table;
}

static struct word *shard_intern_locked(struct concordance *book,
                                        dusk_thread *thread, uint64_t hash,
                                        const char *text, size_t length)
{
  void **root = &book->tables[shard_of(hash)];
  struct table *table = dusk_load(root);
  /* Another thread may have added it since we looked without the lock. */
  struct word *word = table ? table_find(table, hash, text, length) : NULL;
  if (word)
    return word;
  if (!table || table->used >= (table->mask + 1) / 4 * 3) {
    table = table_grow_locked(book, thread, table);
    if (!table)
      return NULL;
    dusk_store(thread, root, table);
  }
  word = word_new(book, thread, hash, text, length);
  if (word)
    table_put_locked(table, thread, word);
  return word;
}

static int kind_define(dusk_heap *heap, const char *name, size_t size,
                       uint64_t pointers, dusk_kind *kind)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = name;
  spec.size = size;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  spec.period = size ? 0 : 1;
  return dusk_kind_define(heap, &spec, kind);
}

int concordance_init(struct concordance *book, dusk_heap *heap)
{
  memset(book, 0, sizeof(*book));
  book->heap = heap;
  int error = kind_define(heap, "array", 0, 1 << 0, &book->array);
  if (!error)
    error =
        kind_define(heap, "table", sizeof(struct table), 1 << 0, &book->table);
  if (!error)
    error = kind_define(heap, "word", sizeof(struct word), 1 << 0 | 1 << 1,
                        &book->word);
  if (!error)
    error = kind_define(heap, "place", sizeof(struct place), 1 << 0 | 1 << 1,
                        &book->place);
  for (size_t i = 0; i < SHARDS && !error; i++)
    error = pthread_mutex_init(&book->locks[i], NULL);
  if (!error)
    error = dusk_root_add(heap, book->tables, sizeof(book->tables));
  return error;
}

void concordance_destroy(struct concordance *book)
{
  for (size_t i = 0; i < SHARDS; i++)
    pthread_mutex_destroy(&book->locks[i]);
  dusk_root_remove(book->heap, book->tables);
}

static struct word *book_find(const struct concordance *book, uint64_t hash,
                              const char *text, size_t length)
{
  const struct table *table = dusk_load(&book->tables[shard_of(hash)]);
  return table ? table_find(table, hash, text, length) : NULL;
}

struct word *concordance_find(const struct concordance *book, const char *text,
                              size_t length)
{
  return book_find(book, text_hash(text, length), text, length);
}

struct word *concordance_intern(struct concordance *book, dusk_thread *thread,
                                const char *text, size_t length)
{
  uint64_t hash = text_hash(text, length);
  struct word *word = book_find(book, hash, text, length);
  if (word)
    return word;
  pthread_mutex_t *lock = &book->locks[shard_of(hash)];
  dusk_mutex_lock(thread, lock);
  word = shard_intern_locked(book, thread, hash, text, length);
  pthread_mutex_unlock(lock);
  return word;
}

int concordance_add_place(struct concordance *book, dusk_thread *thread,
                          struct word *word, char *file, uint64_t line,
                          uint64_t offset)
{
  struct place *place = dusk_new(thread, book->place);
  if (!place)
    return ENOMEM;
  struct place *first = dusk_load(&word->places);
  dusk_init(thread, &place->next, first);
  dusk_init(thread, &place->file, file);
  place->line = line;
  place->offset = offset;
  while (!dusk_cas(thread, &word->places, first, place)) {
    first = dusk_load(&word->places);
    dusk_store(thread, &place->next, first); /* no longer brand-new */
  }
  /* Released after the place is in, for those who count the places. */
  atomic_fetch_add_explicit(&word->count, 1, memory_order_release);
  return 0;
}

struct word *concordance_next(const struct concordance *book,
                              struct concordance_walk *walk)
{
  for (; walk->shard < SHARDS; walk->shard++, walk->slot = 0) {
    const struct table *table = dusk_load(&book->tables[walk->shard]);
    if (!table)
      continue;
    struct word **slots = dusk_load(&table->slots);
    while (walk->slot <= table->mask) {
      struct word *word = dusk_load(&slots[walk->slot++]);
      if (word)
        return word;
    }
  }
  return NULL;
}

struct word *concordance_pick(const struct concordance *book, uint64_t random)
{
  const struct table *table = dusk_load(&book->tables[shard_of(random)]);
  if (!table)
    return NULL;
  /* At least three eighths of the slots of a grown table are taken: the first
   * word is near. */
  struct word **slots = dusk_load(&table->slots);
  struct word *word = NULL;
  for (uint64_t i = 0; i <= table->mask && !word; i++)
    word = dusk_load(&slots[(random + i) & table->mask]);
  return word;
}
