/* SPDX-License-Identifier: MIT */
/* words.c -- a concordance of a large text, built by threads on one heap
 *
 *   words [OPTION]... [FILE or DIRECTORY]...
 *
 * Readers take one file after the other and add each word and its place to a
 * table that all of them share.  A watcher looks words up meanwhile, without
 * a lock, and checks what it finds.  The main thread shows how far they are,
 * and prints the result.
 *
 *   words/concordance.c   the table: what is on the heap, and how it grows
 *   words/reader.c        files and the threads that read them
 *   words/watcher.c       looks words up while the table grows
 *   words/report.c        what is printed
 *
 * Start with concordance.h. */
#include "words/concordance.h"
#include "words/reader.h"
#include "words/report.h"
#include "words/watcher.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 256, TOP_MAX = 10000 };

struct options {
  unsigned threads;
  unsigned top;
  const char *word;
  bool set_gc_percent;
  int gc_percent;
  bool quiet;
  char **paths; /* ends in NULL */
};

static void usage_print(FILE *to)
{
  fputs("usage: words [OPTION]... [FILE or DIRECTORY]...\n"
        "Counts the words of all files given, or below the directories given;\n"
        "without any, of /usr/include.\n"
        "\n"
        "  -t, --threads N      read with N threads (one a processor)\n"
        "  -n, --top N          show the N most frequent words (10)\n"
        "  -w, --word W         show the first places of the word W\n"
        "  -g, --gc-percent N   let the heap grow by N percent over what is\n"
        "                       live (100); off: do not collect\n"
        "  -q, --quiet          show no progress and no figures\n"
        "  -h, --help           show this text\n",
        to);
}

/* `error` is an errno value, or 0: `what` says it all. */
static _Noreturn void die(const char *what, int error)
{
  fprintf(stderr, "words: %s%s%s\n", what, error ? ": " : "",
          error ? strerror(error) : "");
  exit(1);
}

static int number_read(const char *option, const char *text, int low, int high)
{
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno || end == text || *end || value < low || value > high) {
    fprintf(stderr, "words: %s: '%s' is not a number from %d to %d\n", option,
            text, low, high);
    exit(2);
  }
  return (int)value;
}

static void options_take(struct options *options, int option, const char *text)
{
  switch (option) {
  case 't':
    options->threads = (unsigned)number_read("--threads", text, 1, THREADS_MAX);
    break;
  case 'n':
    options->top = (unsigned)number_read("--top", text, 0, TOP_MAX);
    break;
  case 'w':
    options->word = text;
    break;
  case 'g':
    options->set_gc_percent = true;
    options->gc_percent = strcmp(text, "off") == 0
                              ? -1
                              : number_read("--gc-percent", text, 0, INT_MAX);
    break;
  case 'q':
    options->quiet = true;
    break;
  case 'h':
    usage_print(stdout);
    exit(0);
  default: /* getopt_long() has said what is wrong */
    fputs("Try 'words --help'.\n", stderr);
    exit(2);
  }
}

static struct options options_read(int argc, char **argv)
{
  static const struct option known[] = {
      {"threads", required_argument, NULL, 't'},
      {"top", required_argument, NULL, 'n'},
      {"word", required_argument, NULL, 'w'},
      {"gc-percent", required_argument, NULL, 'g'},
      {"quiet", no_argument, NULL, 'q'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0}};
  static char *everything[] = {"/usr/include", NULL};
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  struct options options = {.threads = 4, .top = 10};
  if (processors > 0 && processors <= THREADS_MAX)
    options.threads = (unsigned)processors;
  int option;
  while ((option = getopt_long(argc, argv, "t:n:w:g:qh", known, NULL)) != -1)
    options_take(&options, option, optarg);
  options.paths = optind < argc ? argv + optind : everything;
  return options;
}

static double seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Over the last one; `end` wipes it away. */
static void progress_print(struct reading *reading, bool end)
{
  if (end) {
    fputs("\r\033[K", stderr);
    return;
  }
  dusk_memstats stats;
  dusk_read_memstats(reading->book->heap, &stats);
  fprintf(stderr,
          "\r%zu of %zu files, %.1f MiB read, heap %.1f MiB, %" PRIu64
          " cycles\033[K",
          atomic_load(&reading->files_done), reading->files->count,
          mib(atomic_load(&reading->bytes_done)), mib(stats.heap_alloc),
          stats.num_gc);
}

/* Waits until all readers have ended; shows how far they are. */
static void readers_wait(struct reading *reading, dusk_thread *thread,
                         bool progress)
{
  dusk_mutex_lock(thread, &reading->lock);
  while (reading->running) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += 100000000;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    dusk_cond_timedwait(thread, &reading->ended, &reading->lock, &deadline);
    if (!progress)
      continue;
    dusk_blocking_begin(thread);
    progress_print(reading, reading->running == 0);
    dusk_blocking_end(thread);
  }
  pthread_mutex_unlock(&reading->lock);
}

/* Runs the readers to their end.  The caller's stack holds `reading` and the
 * file names meanwhile. */
static void readers_run(struct reading *reading, dusk_thread *thread,
                        const struct options *options)
{
  pthread_t ids[THREADS_MAX];
  for (unsigned i = 0; i < options->threads; i++) {
    int error = pthread_create(&ids[i], NULL, reader_run, reading);
    if (error)
      die("cannot start a reader", error);
  }
  readers_wait(reading, thread, !options->quiet && isatty(STDERR_FILENO));
  dusk_blocking_begin(thread);
  for (unsigned i = 0; i < options->threads; i++)
    pthread_join(ids[i], NULL);
  dusk_blocking_end(thread);
  if (reading->error)
    die("a reader gave up", reading->error);
}

static void files_gather(struct file_list *files, dusk_thread *thread,
                         char **paths)
{
  for (; *paths; paths++) {
    int error = file_list_add_tree(files, thread, *paths);
    if (error)
      die(*paths, error);
  }
  if (files->count == 0)
    die("there are no files to read", 0);
}

/* Whether all that the readers added is there; *different: how many words. */
static bool book_is_complete(const struct reading *reading, dusk_thread *thread,
                             uint64_t *different)
{
  struct concordance_walk walk = {0};
  const struct word *word;
  uint64_t places = 0;
  for (*different = 0; (word = concordance_next(reading->book, &walk));
       ++*different) {
    places += atomic_load(&word->count);
    dusk_safepoint(thread);
  }
  return places == reading->words;
}

/* Prints the results.  Exits if there is something wrong with them. */
static void words_report(struct reading *reading, const struct watcher *watcher,
                         dusk_thread *thread, const struct options *options,
                         double seconds)
{
  uint64_t different;
  if (!book_is_complete(reading, thread, &different))
    die("words are lost", 0);
  if (!options->quiet)
    report_line(thread,
                "%zu files, %.1f MiB: %" PRIu64 " words, %" PRIu64
                " different; %.2f s, %u readers",
                reading->files->count, mib(atomic_load(&reading->bytes_done)),
                reading->words, different, seconds, options->threads);
  if (report_top(reading->book, thread, options->top))
    die("cannot sort the words", ENOMEM);
  if (options->word)
    report_word(reading->book, thread, options->word);
  if (!options->quiet) {
    report_heap(reading->book->heap, thread);
    report_line(thread,
                "looked up %" PRIu64 " words while it grew, %" PRIu64 " wrong",
                watcher->lookups, watcher->wrong);
  }
  if (watcher->wrong)
    die("look-ups were wrong", 0);
}

static void words_run(struct concordance *book, dusk_thread *thread,
                      const struct options *options)
{
  double begin = seconds_now();
  struct file_list files = {.array = book->array};
  files_gather(&files, thread, options->paths);
  struct reading reading = {.book = book,
                            .files = &files,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .ended = PTHREAD_COND_INITIALIZER,
                            .running = options->threads};
  struct watcher watcher = {.book = book};
  int error = watcher_start(&watcher);
  if (error)
    die("cannot start the watcher", error);
  readers_run(&reading, thread, options);
  error = watcher_end(&watcher, thread);
  if (error)
    die("cannot attach the watcher", error);
  words_report(&reading, &watcher, thread, options, seconds_now() - begin);
}

int main(int argc, char **argv)
{
  /* Not on the stack: its tables are a root of their own. */
  static struct concordance book;
  struct options options = options_read(argc, argv);
  dusk_heap *heap;
  dusk_thread *thread;
  int error = dusk_heap_open(NULL, &heap);
  if (!error)
    error = dusk_attach(heap, &thread);
  if (!error)
    error = concordance_init(&book, heap);
  if (error)
    die("cannot set up a heap", error);
  if (options.set_gc_percent) /* after the environment, so that it wins */
    dusk_set_gc_percent(heap, options.gc_percent);
  words_run(&book, thread, &options);
  concordance_destroy(&book);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}
