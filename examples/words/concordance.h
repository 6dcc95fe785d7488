/* SPDX-License-Identifier: MIT */
/* concordance.h -- every word of some text, and where it stands
 *
 *   tables[shard] --> table --> slots --> word --> place --> place --> ...
 *                                          |         |
 *                                         text     file name
 *
 * Everything that an arrow points to is an object on the heap.  The first
 * pointers, tables[], lie outside it and are registered as a root.
 *
 * WHO     Any attached thread may add and look up, many at a time.
 *
 * LOCKS   Looking up takes none.  A new word takes its shard's; while a shard
 *         grows, its old table stays whole, so whoever reads it reads on.
 *         Nobody counts such readers, and nobody decides when the old table
 *         may go: it is garbage once the last of them has left it.
 *
 * ALWAYS  A word that was found once is found ever after, at the same address.
 *         Whoever reads a count of n finds at least n places.
 *         The places of one file come last place first. */
#ifndef WORDS_CONCORDANCE_H
#define WORDS_CONCORDANCE_H

#include <dusk.h>

#include <pthread.h>
#include <stdatomic.h>

/* Enough that two threads seldom want the same lock.  A power of two. */
#define SHARDS 64

/* One occurrence of a word.  Never changes once it can be reached. */
struct place {
  struct place *next;
  char *file;      /* a leaf object, shared by all places of the file */
  uint64_t line;   /* from 1 */
  uint64_t offset; /* of the word, from the start of the file */
};

struct word {
  char *text;           /* a leaf object, with a 0 at its end */
  struct place *places; /* newest first; added to by dusk_cas() */
  uint64_t hash;
  atomic_uint_least64_t count; /* of places; raised after the place is in */
};

struct concordance {
  dusk_heap *heap;
  dusk_kind array; /* pointers and nothing else, as many as you like */
  dusk_kind table;
  dusk_kind word;
  dusk_kind place;
  void *tables[SHARDS];          /* the root; NULL: no word yet */
  pthread_mutex_t locks[SHARDS]; /* one a shard: guards adding to its table */
};

/* Sets up an empty concordance.  The caller's memory, which stays where it is
 * until concordance_destroy().  0 or an errno value. */
int concordance_init(struct concordance *book, dusk_heap *heap);
void concordance_destroy(struct concordance *book);

/* The word `text`, which need not end in 0; NULL: never added. */
struct word *concordance_find(const struct concordance *book, const char *text,
                              size_t length);

/* The same, but adds the word if it is new.  NULL: out of memory. */
struct word *concordance_intern(struct concordance *book, dusk_thread *thread,
                                const char *text, size_t length);

/* Adds a place to a word.  0 or ENOMEM. */
int concordance_add_place(struct concordance *book, dusk_thread *thread,
                          struct word *word, char *file, uint64_t line,
                          uint64_t offset);

/* Where a walk over all words has come to; start with zeroes. */
struct concordance_walk {
  size_t shard;
  size_t slot;
};

/* The next word of a walk; NULL: that was all.  A walk meets every word that
 * was there when it began, if no words are added. */
struct word *concordance_next(const struct concordance *book,
                              struct concordance_walk *walk);

/* Some word; NULL: found none.  `random` decides which. */
struct word *concordance_pick(const struct concordance *book, uint64_t random);

#endif
