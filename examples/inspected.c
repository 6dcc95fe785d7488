/* SPDX-License-Identifier: MIT */
/* inspected.c -- a program with an inspector: look at it in a browser
 *
 *   inspected [PORT [SECONDS]]
 *
 * Prints the page's address, and then does what a server does all day: some
 * threads take requests, which die young, and keep what they found in a cache,
 * in which it lives for a while.  Ends after SECONDS, or when it is told to. */
#include <dusk.h>
#include <dusk/inspector.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, CACHED = 5000, WORDS_PER_REQUEST = 60 };

struct word {
  struct word *next;
  char text[40];
};

struct page {
  struct word *words;
  size_t number;
};

struct server {
  dusk_heap *heap;
  bool stop; /* atomic */
};

static void *must(void *object)
{
  if (!object) {
    perror("inspected");
    exit(1);
  }
  return object;
}

/* Functions of their own in the machine code too, so that a profile has them. */
#define OWN __attribute__((noinline))

static OWN struct word *read_word(dusk_thread *thread, unsigned number,
                                  struct word *next)
{
  struct word *word =
      must(dusk_alloc(thread, DUSK_CONSERVATIVE, sizeof *word));
  snprintf(word->text, sizeof word->text, "word %u", number);
  dusk_init(thread, &word->next, next);
  return word;
}

static OWN struct page *render_page(dusk_thread *thread, size_t number)
{
  struct page *page = must(dusk_alloc(thread, DUSK_CONSERVATIVE, sizeof *page));
  page->number = number;
  for (unsigned i = 0; i < WORDS_PER_REQUEST; i++) {
    struct word *first = page->words;
    dusk_store(thread, &page->words, read_word(thread, i, first));
  }
  return page;
}

static OWN size_t compress_page(dusk_thread *thread, const struct page *page)
{
  char *buffer = must(dusk_alloc(thread, DUSK_LEAF, 8192));
  size_t length = 0;
  for (const struct word *word = page->words; word; word = word->next) {
    size_t bytes = strlen(word->text);
    memcpy(buffer + length, word->text, bytes);
    length += bytes;
  }
  return length;
}

static void *serve(void *argument)
{
  struct server *server = argument;
  dusk_thread *thread;
  if (dusk_attach(server->heap, &thread))
    exit(1);
  struct page **cache =
      must(dusk_alloc(thread, DUSK_CONSERVATIVE, CACHED * sizeof *cache));
  unsigned random = (unsigned)(uintptr_t)&thread;
  while (!__atomic_load_n(&server->stop, __ATOMIC_RELAXED)) {
    for (int i = 0; i < 20; i++) {
      random = random * 1103515245 + 12345;
      size_t number = random / 65536 % CACHED;
      struct page *page = render_page(thread, number);
      compress_page(thread, page);
      if (number % 3 == 0)
        dusk_store(thread, &cache[number], page);
    }
    dusk_blocking_begin(thread); /* the next requests are not there yet */
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    dusk_blocking_end(thread);
  }
  dusk_detach(thread);
  return NULL;
}

int main(int count, char **words)
{
  struct server server = {.heap = NULL};
  pthread_t threads[THREADS];
  dusk_inspector *inspector;
  dusk_inspector_options options = DUSK_INSPECTOR_OPTIONS_INIT;
  if (count > 1)
    options.port = (unsigned)strtoul(words[1], NULL, 10);
  unsigned seconds = count > 2 ? (unsigned)strtoul(words[2], NULL, 10) : 0;
  if (dusk_heap_open(NULL, &server.heap) ||
      dusk_inspector_start(server.heap, &options, &inspector))
    return 1;
  printf("http://127.0.0.1:%u/\n", dusk_inspector_port(inspector));
  fflush(stdout);
  for (int i = 0; i < THREADS; i++) {
    if (pthread_create(&threads[i], NULL, serve, &server))
      return 1;
  }
  if (seconds)
    sleep(seconds);
  else
    pause();
  __atomic_store_n(&server.stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  dusk_inspector_stop(inspector);
  dusk_heap_close(server.heap);
  return 0;
}
