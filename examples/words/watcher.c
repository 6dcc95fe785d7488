/* SPDX-License-Identifier: MIT */
/* watcher.c -- holds the concordance to what its header promises
 *
 * Remembers words on its stack, where nothing else needs to know of them, and
 * asks for them again after the tables have grown. */
#include "watcher.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum {
  KEPT = 64,
  PLACES_WALKED = 1000,    /* of a word that stands in more */
  LOOKUPS_A_TURN = 256,    /* then it sleeps, */
  TURN_SLEEP_NS = 1000000, /* so that it leaves the processors to others */
};

/* Walks the places of a word that is said to have `count`. */
static bool places_are_sound(dusk_thread *thread, const struct word *word,
                             uint64_t count)
{
  const struct place *place = dusk_load(&word->places);
  for (uint64_t i = 0; i < count && i < PLACES_WALKED; i++) {
    if (!place)
      return false;
    const struct place *next = dusk_load(&place->next);
    if (next && dusk_load(&next->file) == dusk_load(&place->file) &&
        next->offset >= place->offset)
      return false;
    place = next;
    dusk_safepoint(thread);
  }
  return true;
}

/* Whether `word`, once counted `count` times, is found and has its places. */
static bool word_is_sound(const struct concordance *book, dusk_thread *thread,
                          const struct word *word, uint64_t count)
{
  /* Acquired before the places are walked: there are at least that many. */
  uint64_t now = atomic_load_explicit(&word->count, memory_order_acquire);
  const char *text = dusk_load(&word->text);
  return concordance_find(book, text, strlen(text)) == word && now >= count &&
         places_are_sound(thread, word, now);
}

/* xorshift64* (Vigna 2016). */
static uint64_t random_next(uint64_t *state)
{
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static void watcher_sleep(dusk_thread *thread)
{
  const struct timespec time = {.tv_nsec = TURN_SLEEP_NS};
  dusk_blocking_begin(thread);
  nanosleep(&time, NULL);
  dusk_blocking_end(thread);
}

static void watcher_watch(struct watcher *watcher, dusk_thread *thread)
{
  struct word *kept[KEPT] = {NULL};
  uint64_t counts[KEPT] = {0};
  uint64_t random = 1;
  while (!atomic_load(&watcher->stop)) {
    for (int turn = 0; turn < LOOKUPS_A_TURN; turn++) {
      size_t i = random_next(&random) % KEPT;
      if (kept[i]) {
        watcher->lookups++;
        watcher->wrong +=
            !word_is_sound(watcher->book, thread, kept[i], counts[i]);
      }
      kept[i] = concordance_pick(watcher->book, random_next(&random));
      counts[i] = kept[i] ? atomic_load(&kept[i]->count) : 0;
    }
    watcher_sleep(thread);
  }
}

static void *watcher_run(void *argument)
{
  struct watcher *watcher = argument;
  dusk_thread *thread;
  watcher->error = dusk_attach(watcher->book->heap, &thread);
  if (watcher->error)
    return NULL;
  watcher_watch(watcher, thread);
  dusk_detach(thread);
  return NULL;
}

int watcher_start(struct watcher *watcher)
{
  return pthread_create(&watcher->id, NULL, watcher_run, watcher);
}

int watcher_end(struct watcher *watcher, dusk_thread *thread)
{
  atomic_store(&watcher->stop, true);
  dusk_blocking_begin(thread);
  pthread_join(watcher->id, NULL);
  dusk_blocking_end(thread);
  return watcher->error;
}
