/* SPDX-License-Identifier: MIT */
/* report.c -- the top words, the places of one, the counters of the heap
 *
 * Runs when nothing is added any more, on one attached thread.  Writing to a
 * pipe waits for its reader, so report_line() does it in a blocking region; and
 * a blocking region touches no heap object, so it formats before. */
#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  PLACES_SHOWN = 8,
  BEFORE = 32, /* bytes of a line shown before the word */
  AFTER = 40,  /* from the word's start on */
};

void report_line(dusk_thread *thread, const char *format, ...)
{
  char line[PATH_MAX + 256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  dusk_blocking_begin(thread);
  puts(line);
  dusk_blocking_end(thread);
}

static uint64_t word_count(const struct word *word)
{
  return atomic_load_explicit(&word->count, memory_order_relaxed);
}

static bool word_before(const struct word *a, const struct word *b)
{
  if (word_count(a) != word_count(b))
    return word_count(a) > word_count(b);
  return strcmp(dusk_load(&a->text), dusk_load(&b->text)) < 0;
}

/* Puts `word` where it belongs among the `count` first words in `best`, which
 * holds at most `top`. */
static size_t best_add(dusk_thread *thread, struct word **best, size_t count,
                       size_t top, struct word *word)
{
  size_t i = count;
  while (i > 0 && word_before(word, dusk_load(&best[i - 1])))
    i--;
  if (i == top)
    return count;
  if (count < top)
    count++;
  dusk_copy(thread, &best[i + 1], &best[i], count - i - 1);
  dusk_store(thread, &best[i], word);
  return count;
}

int report_top(const struct concordance *book, dusk_thread *thread, size_t top)
{
  struct concordance_walk walk = {0};
  struct word **best = dusk_alloc(thread, book->array, top * sizeof(*best));
  struct word *word;
  size_t count = 0;
  if (!best)
    return ENOMEM;
  while ((word = concordance_next(book, &walk))) {
    count = best_add(thread, best, count, top, word);
    dusk_safepoint(thread);
  }
  for (size_t i = 0; i < count; i++) {
    word = dusk_load(&best[i]);
    report_line(thread, "%9" PRIu64 " %s", word_count(word),
                (char *)dusk_load(&word->text));
  }
  return 0;
}

static bool place_before(const struct place *a, const struct place *b)
{
  const char *file = dusk_load(&a->file);
  const char *other = dusk_load(&b->file);
  int order = file == other ? 0 : strcmp(file, other);
  return order ? order < 0 : a->offset < b->offset;
}

/* Finds the first places of a word by file and offset; their order in the list
 * is that of the threads.  `first` is on the caller's stack: plain stores. */
static size_t places_first(dusk_thread *thread, const struct word *word,
                           const struct place **first)
{
  size_t count = 0;
  for (const struct place *place = dusk_load(&word->places); place;
       place = dusk_load(&place->next)) {
    dusk_safepoint(thread);
    size_t i = count;
    while (i > 0 && place_before(place, first[i - 1]))
      i--;
    if (i == PLACES_SHOWN)
      continue;
    if (count < PLACES_SHOWN)
      count++;
    memmove(&first[i + 1], &first[i], (count - i - 1) * sizeof(*first));
    first[i] = place;
  }
  return count;
}

/* The bytes around a word.  Of these, [start, end) is its line, or as much of
 * the line as there is room for. */
struct context {
  char bytes[BEFORE + AFTER + 1];
  size_t start;
  size_t word;
  size_t end;
};

/* In a blocking region.  A file that is gone or shorter now: no bytes. */
static size_t context_read_blocking(struct context *context, const char *path,
                                    uint64_t offset)
{
  context->word = offset < BEFORE ? (size_t)offset : BEFORE;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  ssize_t got = pread(file, context->bytes, context->word + AFTER + 1,
                      (off_t)(offset - context->word));
  close(file);
  return got < 0 ? 0 : (size_t)got;
}

/* In UTF-8, any byte of a letter but its first. */
static bool is_inside_letter(char c)
{
  return ((unsigned char)c & 0xc0) == 0x80;
}

static void context_cut(struct context *context, size_t length)
{
  char *bytes = context->bytes;
  size_t word = context->word < length ? context->word : length;
  size_t start = word;
  size_t end = word;
  while (start > 0 && bytes[start - 1] != '\n')
    start--;
  while (end < length && end < word + AFTER && bytes[end] != '\n')
    end++;
  while (start < word && is_inside_letter(bytes[start]))
    start++;
  while (end > word && end < length && is_inside_letter(bytes[end]))
    end--;
  for (size_t i = start; i < end; i++)
    if (iscntrl((unsigned char)bytes[i]))
      bytes[i] = ' ';
  context->start = start;
  context->word = word;
  context->end = end;
}

/* One line of the concordance: the words stand below one another. */
static void place_print(dusk_thread *thread, const struct place *place)
{
  struct context context;
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s", (char *)dusk_load(&place->file));
  uint64_t offset = place->offset;
  dusk_blocking_begin(thread);
  size_t length = context_read_blocking(&context, path, offset);
  dusk_blocking_end(thread);
  context_cut(&context, length);
  report_line(thread, "%*.*s%-*.*s  %s:%" PRIu64 "", BEFORE,
              (int)(context.word - context.start),
              context.bytes + context.start, AFTER,
              (int)(context.end - context.word), context.bytes + context.word,
              path, place->line);
}

void report_word(const struct concordance *book, dusk_thread *thread,
                 const char *text)
{
  const struct word *word = concordance_find(book, text, strlen(text));
  const struct place *first[PLACES_SHOWN];
  size_t count = word ? places_first(thread, word, first) : 0;
  report_line(thread, "\"%s\": %" PRIu64 " in all", text,
              word ? word_count(word) : 0);
  for (size_t i = 0; i < count; i++)
    place_print(thread, first[i]);
}

static int number_compare(const void *a, const void *b)
{
  const uint64_t *x = a;
  const uint64_t *y = b;
  return (*x > *y) - (*x < *y);
}

void report_heap(dusk_heap *heap, dusk_thread *thread)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  report_line(thread,
              "heap    %.1f MiB in %" PRIu64
              " objects, goal %.1f MiB, from the system "
              "%.1f MiB",
              mib(stats.heap_alloc), stats.heap_objects, mib(stats.next_gc),
              mib(stats.sys));
  report_line(thread,
              "made    %.1f MiB in %" PRIu64 " objects, of which %" PRIu64
              " are freed",
              mib(stats.total_alloc), stats.mallocs, stats.frees);
  report_line(thread, "cycles  %" PRIu64 ", in %.2f %% of the processors' time",
              stats.num_gc, 100 * stats.gc_cpu_fraction);
  size_t count =
      stats.num_gc < DUSK_PAUSES ? (size_t)stats.num_gc : DUSK_PAUSES;
  if (count == 0)
    return;
  qsort(stats.pause_ns, count, sizeof(stats.pause_ns[0]), number_compare);
  report_line(
      thread,
      "pauses  the longest of each of the last %zu cycles: median %.1f us, "
      "worst %.1f us",
      count, (double)stats.pause_ns[count / 2] / 1e3,
      (double)stats.pause_ns[count - 1] / 1e3);
}
