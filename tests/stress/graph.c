/* SPDX-License-Identifier: MIT */
/* graph.c -- random graphs of all kinds and sizes, rewired by several threads
 *
 * Each actor holds objects in a table of its own, a registered root, and knows
 * which ones they must be.  All actors share one array, which hangs from
 * another root, and through it each other's objects.  They make objects that
 * point to those they know, walk along pointers, store into whatever they come
 * by with each form of the barrier, and forget.
 *
 *   table (root, own) ---> objects ---> objects ...
 *   shared (root) ---> array ---> objects of all actors ---> ...
 *
 * Memory stays bounded by epochs.  An object of one epoch only ever points to
 * objects of the same one or of later ones; an actor that sees a new epoch
 * forgets all that is older than the last one.  So whatever its pointers do,
 * garbage cannot hang on. */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>

enum {
  TABLE = 400,
  SHARED_WORDS = 1001,
  STEPS = 12,                  /* of a walk, at most */
  EPOCH_WORDS = (8 << 20) / 8, /* allocated by all actors before the next */
};

static void *shared; /* registered root: a WORDS object, never NULL */
static uint64_t epoch_now;
static uint64_t epoch_words; /* allocated in this epoch, about */

struct builder {
  struct actor *actor;
  void *table[TABLE]; /* registered root, stored to by this actor alone */
  struct seal seals[TABLE];
  uint8_t epoch; /* as this actor has seen it */
};

/* Epochs */

static uint8_t epoch_read(void)
{
  return (uint8_t)__atomic_load_n(&epoch_now, __ATOMIC_RELAXED);
}

static bool epoch_reaches(uint8_t from, uint8_t to)
{
  return (int8_t)(uint8_t)(to - from) >= 0;
}

static void forget(struct builder *b, size_t entry)
{
  dusk_store(b->actor->thread, &b->table[entry], NULL);
}

static void *make(struct builder *b, enum shape shape, size_t words)
{
  __atomic_fetch_add(&epoch_words, words, __ATOMIC_RELAXED);
  return stress_make(b->actor, shape, words, b->epoch);
}

/* A new array, with some of what was in the old one, or nothing. */
static void replace_shared(struct builder *b, bool keep)
{
  dusk_thread *thread = b->actor->thread;
  void **fresh = make(b, WORDS, SHARED_WORDS);
  void **old = dusk_load(&shared);
  stress_verify(b->actor, old);
  if (keep)
    dusk_copy(thread, fresh + 1, old + 1, SHARED_WORDS / 2);
  dusk_store(thread, &shared, fresh);
}

static void follow_epoch(struct builder *b)
{
  struct actor *actor = b->actor;
  uint64_t words = __atomic_load_n(&epoch_words, __ATOMIC_RELAXED);
  if (words > EPOCH_WORDS &&
      __atomic_compare_exchange_n(&epoch_words, &words, 0, false,
                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    __atomic_fetch_add(&epoch_now, 1, __ATOMIC_RELAXED);
    b->epoch = epoch_read();
    replace_shared(b, false);
  }
  b->epoch = epoch_read();
  for (size_t i = 0; i < TABLE; i++)
    if (b->table[i] &&
        !epoch_reaches((uint8_t)(b->epoch - 1), seal_epoch(b->seals[i]))) {
      stress_verify_as(actor, dusk_load(&b->table[i]), b->seals[i]);
      forget(b, i);
    }
}

/* Finding objects */

static void remember(struct builder *b, void *object)
{
  size_t entry = random_below(&b->actor->random, TABLE);
  b->seals[entry] = stress_verify(b->actor, object);
  dusk_store(b->actor->thread, &b->table[entry], object);
}

static void *from_table(struct builder *b)
{
  size_t entry = random_below(&b->actor->random, TABLE);
  void *object = dusk_load(&b->table[entry]);
  if (object)
    stress_verify_as(b->actor, object, b->seals[entry]);
  return object;
}

static void **shared_slot(struct builder *b)
{
  void **array = dusk_load(&shared);
  stress_verify(b->actor, array);
  return &array[1 + random_below(&b->actor->random, SHARED_WORDS - 1)];
}

/* The start of an object that a WORDS slot points into. */
static void *find_start(const void *word)
{
  void *start = dusk_base_of(stress.heap, word);
  if (!start)
    stress_fail("%p points into no object", word);
  return start;
}

static void *from_shared(struct builder *b)
{
  void *word = dusk_load(shared_slot(b));
  return word ? find_start(word) : NULL;
}

/* One step along a random pointer; NULL: there is none. */
static void *step(struct builder *b, void *object, struct seal seal)
{
  size_t words = seal_words(seal);
  switch (seal_shape(seal)) {
  case LEAF:
    return NULL;
  case PAIRS:
    if (!pairs_count(words))
      return NULL;
    return pairs_load(b->actor, object,
                      random_below(&b->actor->random, pairs_count(words)));
  default:
    break;
  }
  void *word = dusk_load((void **)object + 1 +
                         random_below(&b->actor->random, words - 1));
  return word && seal_shape(seal) == WORDS ? find_start(word) : word;
}

/* The object at the end of a random walk; NULL: it started nowhere. */
static void *walk(struct builder *b)
{
  struct random *random = &b->actor->random;
  void *object = random_below(random, 3) ? from_table(b) : from_shared(b);
  if (!object)
    return NULL;
  for (uint64_t steps = random_below(random, STEPS); steps > 0; steps--) {
    void *next = step(b, object, stress_verify(b->actor, object));
    if (!next)
      break;
    object = next;
  }
  stress_verify(b->actor, object);
  return object;
}

/* An object that one of `epoch` may point to; NULL: none at hand. */
static void *find_target(struct builder *b, uint8_t epoch)
{
  for (int tries = 0; tries < 3; tries++) {
    void *object = walk(b);
    if (object &&
        epoch_reaches(epoch, seal_epoch(stress_verify(b->actor, object))))
      return object;
  }
  return NULL;
}

/* Making objects */

/* The slots that a new object of `words` words gets filled, in order. */
static size_t filled_slots(size_t words)
{
  return words - 1 < 6 ? words - 1 : 6;
}

static void *inside(struct builder *b, enum shape shape, void *target)
{
  if (shape != WORDS || !target)
    return target;
  size_t bytes = seal_words(stress_verify(b->actor, target)) * 8;
  return (char *)target + random_below(&b->actor->random, bytes);
}

/* Targets are found first: between making an object and filling it there is
 * no safepoint. */
static void make_object(struct builder *b)
{
  enum shape shape = stress_pick_shape(b->actor);
  size_t words = shape == CELL ? CELL_WORDS : stress_pick_words(b->actor);
  void *targets[6];
  size_t count = shape == LEAF    ? 0
                 : shape == PAIRS ? pairs_count(words)
                                  : filled_slots(words);
  count = count < 6 ? count : 6;
  for (size_t i = 0; i < count; i++)
    targets[i] = find_target(b, b->epoch);
  void **object = make(b, shape, words);
  for (size_t i = 0; i < count; i++) {
    if (!targets[i])
      continue;
    if (shape == PAIRS)
      pairs_init(b->actor, object, i, targets[i]);
    else
      dusk_init(b->actor->thread, &object[1 + i], inside(b, shape, targets[i]));
  }
  remember(b, object);
}

/* Rewiring */

static bool is_mutable(struct seal seal)
{
  return seal_shape(seal) == WORDS || seal_shape(seal) == CELL ||
         seal_shape(seal) == RECORD;
}

/* Words of one may be stored into the other: by what they may point to, and
 * whether to an object's start. */
static bool may_copy(struct seal from, struct seal to)
{
  return is_mutable(from) && is_mutable(to) &&
         (seal_shape(from) == WORDS) == (seal_shape(to) == WORDS) &&
         epoch_reaches(seal_epoch(to), seal_epoch(from));
}

static void copy_words(struct builder *b, void **to, struct seal to_seal)
{
  struct random *random = &b->actor->random;
  void **from = random_below(random, 3) ? walk(b) : to;
  if (!from)
    return;
  struct seal from_seal = stress_verify(b->actor, from);
  if (!may_copy(from_seal, to_seal))
    return;
  size_t from_at = 1 + random_below(random, seal_words(from_seal) - 1);
  size_t to_at = 1 + random_below(random, seal_words(to_seal) - 1);
  size_t most = seal_words(from_seal) - from_at;
  if (most > seal_words(to_seal) - to_at)
    most = seal_words(to_seal) - to_at;
  dusk_copy(b->actor->thread, to + to_at, from + from_at,
            random_below(random, most + 1));
}

static void clear_words(struct builder *b, void **object, size_t words)
{
  size_t at = 1 + random_below(&b->actor->random, words - 1);
  dusk_clear(b->actor->thread, object + at,
             random_below(&b->actor->random, words - at + 1));
}

static void rewire(struct builder *b)
{
  dusk_thread *thread = b->actor->thread;
  void **object = walk(b);
  if (!object)
    return;
  struct seal seal = stress_verify(b->actor, object);
  if (!is_mutable(seal))
    return;
  size_t words = seal_words(seal);
  void **slot = object + 1 + random_below(&b->actor->random, words - 1);
  void *target = inside(b, seal_shape(seal), find_target(b, seal_epoch(seal)));
  switch (random_below(&b->actor->random, 6)) {
  case 0:
    dusk_exchange(thread, slot, target);
    break;
  case 1:
    dusk_cas(thread, slot, dusk_load(slot), target);
    break;
  case 2:
    copy_words(b, object, seal);
    break;
  case 3:
    clear_words(b, object, words);
    break;
  default:
    dusk_store(thread, slot, target);
    break;
  }
}

/* Giving to the others, and taking. */
static void trade(struct builder *b)
{
  void **slot = shared_slot(b);
  void *gift = inside(b, WORDS, from_table(b));
  void *taken = dusk_exchange(b->actor->thread, slot, gift);
  if (taken)
    remember(b, find_start(taken));
}

/* Waiting, collecting, asking */

static void pause_a_little(struct builder *b)
{
  struct random *random = &b->actor->random;
  switch (random_below(random, 8)) {
  case 0:
    dusk_collect(b->actor->thread);
    break;
  case 1:
    replace_shared(b, true);
    break;
  default:
    stress_nap(b->actor, (unsigned)random_below(random, 300));
    break;
  }
}

static void operate(struct builder *b)
{
  uint64_t dice = random_below(&b->actor->random, 1000);
  if (dice < 350)
    make_object(b);
  else if (dice < 800)
    rewire(b);
  else if (dice < 900)
    trade(b);
  else if (dice < 960)
    forget(b, random_below(&b->actor->random, TABLE));
  else if (dice < 998)
    dusk_safepoint(b->actor->thread);
  else
    pause_a_little(b);
}

static void build(struct actor *actor)
{
  struct builder *b = calloc(1, sizeof(*b));
  if (!b)
    stress_fail("no memory for an actor");
  b->actor = actor;
  b->epoch = epoch_read();
  stress_expect(dusk_root_add(stress.heap, b->table, sizeof(b->table)),
                "dusk_root_add");
  /* The first one to come makes the array, the others' are dropped. */
  int error = dusk_root_add(stress.heap, &shared, sizeof(shared));
  stress_expect(error == EEXIST ? 0 : error, "dusk_root_add");
  dusk_cas(actor->thread, &shared, NULL, make(b, WORDS, SHARED_WORDS));
  while (!stress_is_over()) {
    for (int i = 0; i < 50; i++)
      operate(b);
    follow_epoch(b);
  }
  for (size_t i = 0; i < TABLE; i++)
    if (b->table[i])
      stress_verify_as(actor, dusk_load(&b->table[i]), b->seals[i]);
  stress_expect(dusk_root_remove(stress.heap, b->table), "dusk_root_remove");
  free(b);
}

int main(int argc, char **argv)
{
  return stress_run(argc, argv, "graph", build);
}
