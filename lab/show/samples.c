/* SPDX-License-Identifier: MIT */
/* samples.c -- what a program's heaps wrote about themselves; see samples.h */
#include "samples.h"

#include "value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than any record has fields; what a later version adds beyond is cut. */
enum { WORDS_MAX = 48 };

const char *const samples_kind_names[SAMPLES_KINDS] = {
    "service", "assist", "aside", "wall", "collect"};

/* A line that is being read, and where to say what is wrong with it. */
struct line {
  const char *path;
  unsigned long number;
  char *words[WORDS_MAX];
  size_t count;
  char *message;
  size_t message_size;
};

static bool line_complain(const struct line *line, const char *what,
                          const char *field)
{
  snprintf(line->message, line->message_size, "%s:%lu: %s: %s '%s'", line->path,
           line->number, line->words[0], what, field);
  return false;
}

static void line_split(struct line *line, char *text)
{
  line->count = 0;
  for (char *rest = text, *word;
       line->count < WORDS_MAX && (word = strsep(&rest, " \t\r\n"));)
    if (*word)
      line->words[line->count++] = word;
}

/* Reads the numbers from word `first` on into the fields of a record, each at
 * its offset in `into`. */
struct field {
  const char *name;
  size_t offset;
};

static bool line_read_fields(const struct line *line, size_t first,
                             const struct field *fields, size_t count,
                             void *into)
{
  for (size_t i = 0; i < count; i++) {
    uint64_t *value = (uint64_t *)(void *)((char *)into + fields[i].offset);
    if (first + i >= line->count)
      return line_complain(line, "there is no field", fields[i].name);
    if (!value_read_number(line->words[first + i], 0, UINT64_MAX, value))
      return line_complain(line, "not a number in field", fields[i].name);
  }
  return true;
}

/* Makes room for one more element and returns it, zeroed; NULL: no memory. */
static void *array_add(void *array, size_t *count, size_t size)
{
  void **elements = array;
  if (!(*count & (*count - 1))) {
    void *larger = realloc(*elements, (*count ? *count * 2 : 1) * size);
    if (!larger)
      return NULL;
    *elements = larger;
  }
  return memset((char *)*elements + (*count)++ * size, 0, size);
}

static struct samples_heap *samples_find(struct samples *samples,
                                         const char *id)
{
  /* The last ones are the ones that still write. */
  for (size_t i = samples->heap_count; i-- > 0;)
    if (!strcmp(samples->heaps[i].id, id))
      return &samples->heaps[i];
  struct samples_heap *heap =
      array_add(&samples->heaps, &samples->heap_count, sizeof *heap);
  if (heap) {
    snprintf(heap->id, sizeof heap->id, "%s", id);
    heap->memory_limit = UINT64_MAX;
    heap->gc_percent = 100;
  }
  return heap;
}

static bool heap_take_setting(struct samples_heap *heap, const char *name,
                              const char *value)
{
  static const struct field numbers[] = {
      {"opened_ns", offsetof(struct samples_heap, opened_ns)},
      {"processors", offsetof(struct samples_heap, processors)},
      {"workers", offsetof(struct samples_heap, workers)}};
  if (!strcmp(name, "version"))
    return !strcmp(value, "1");
  if (!strcmp(name, "policy")) {
    snprintf(heap->policy, sizeof heap->policy, "%s", value);
    return true;
  }
  if (!strcmp(name, "memory_limit"))
    return value_read_limit(value, &heap->memory_limit);
  if (!strcmp(name, "gc_percent")) {
    int percent = -1;
    bool good = !strcmp(value, "-1") || value_read_percent(value, &percent);
    heap->gc_percent = percent;
    return good;
  }
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    if (!strcmp(name, numbers[i].name))
      return value_read_number(
          value, 0, UINT64_MAX,
          (uint64_t *)(void *)((char *)heap + numbers[i].offset));
  return true; /* of a later version */
}

static bool take_heap(struct line *line, struct samples_heap *heap)
{
  for (size_t i = 2; i < line->count; i++) {
    char *value = strchr(line->words[i], '=');
    if (!value)
      return line_complain(line, "not NAME=VALUE:", line->words[i]);
    *value++ = '\0';
    if (!heap_take_setting(heap, line->words[i], value)) {
      value[-1] = '=';
      return line_complain(line, "cannot read", line->words[i]);
    }
  }
  return true;
}

static bool no_memory(const struct line *line)
{
  return line_complain(line, "no memory for", "the record");
}

static bool take_cycle(struct line *line, struct samples_heap *heap)
{
  static const struct field fields[] = {
#define SAMPLES_FIELD(name) {#name, offsetof(struct samples_cycle, name)},
      SAMPLES_CYCLE_FIELDS(SAMPLES_FIELD)
#undef SAMPLES_FIELD
  };
  struct samples_cycle cycle;
  if (!line_read_fields(line, 2, fields, sizeof fields / sizeof fields[0],
                        &cycle))
    return false;
  struct samples_cycle *place =
      array_add(&heap->cycles, &heap->cycle_count, sizeof *place);
  if (!place)
    return no_memory(line);
  *place = cycle;
  return true;
}

/* A kind that a later version adds is a record that this one does not know. */
static bool take_delay(struct line *line, struct samples_heap *heap)
{
  static const struct field thread = {"thread",
                                      offsetof(struct samples_delay, thread)};
  static const struct field times[] = {
      {"start_ns", offsetof(struct samples_delay, start_ns)},
      {"duration_ns", offsetof(struct samples_delay, duration_ns)}};
  struct samples_delay delay = {0};
  if (!line_read_fields(line, 2, &thread, 1, &delay))
    return false;
  if (line->count < 4)
    return line_complain(line, "there is no field", "kind");
  unsigned kind = 0;
  while (kind < SAMPLES_KINDS &&
         strcmp(line->words[3], samples_kind_names[kind]))
    kind++;
  if (kind == SAMPLES_KINDS)
    return true;
  delay.kind = (enum samples_delay_kind)kind;
  if (!line_read_fields(line, 4, times, 2, &delay))
    return false;
  struct samples_delay *place =
      array_add(&heap->delays, &heap->delay_count, sizeof *place);
  if (!place)
    return no_memory(line);
  *place = delay;
  return true;
}

static bool take_lost(struct line *line, struct samples_heap *heap)
{
  static const struct field field = {"count", 0};
  uint64_t count;
  if (!line_read_fields(line, 2, &field, 1, &count))
    return false;
  heap->lost += count;
  return true;
}

/* A thread has a line for each time that it was looked at: the last counts. */
static bool take_thread(struct line *line, struct samples_heap *heap)
{
#define THREAD_FIELD(name)                                                     \
  {                                                                            \
#name, offsetof(struct samples_thread, name)                               \
  }
  static const struct field fields[] = {THREAD_FIELD(thread),
                                        THREAD_FIELD(attached_ns),
                                        THREAD_FIELD(detached_ns),
                                        THREAD_FIELD(assists),
                                        THREAD_FIELD(assist_ns),
                                        THREAD_FIELD(assist_bytes),
                                        THREAD_FIELD(longest_assist_ns),
                                        THREAD_FIELD(allocated_bytes),
                                        THREAD_FIELD(cpu_ns)};
#undef THREAD_FIELD
  struct samples_thread thread;
  if (!line_read_fields(line, 2, fields, sizeof fields / sizeof fields[0],
                        &thread))
    return false;
  for (size_t i = 0; i < heap->thread_count; i++) {
    if (heap->threads[i].thread == thread.thread) {
      heap->threads[i] = thread;
      return true;
    }
  }
  struct samples_thread *place =
      array_add(&heap->threads, &heap->thread_count, sizeof *place);
  if (!place)
    return no_memory(line);
  *place = thread;
  return true;
}

static bool take_close(struct line *line, struct samples_heap *heap)
{
  static const struct field fields[] = {
      {"closed_ns", offsetof(struct samples_heap, closed_ns)},
      {"total_alloc", offsetof(struct samples_heap, total_alloc)},
      {"mallocs", offsetof(struct samples_heap, mallocs)}};
  static const struct field costs[] = {
      {"gc_cpu_ns", offsetof(struct samples_heap, gc_cpu_ns)},
      {"process_cpu_ns", offsetof(struct samples_heap, process_cpu_ns)}};
  /* Between them is num_gc, which the cycles say as well. */
  return line_read_fields(line, 2, fields, 3, heap) &&
         line_read_fields(line, 6, costs, 2, heap);
}

static bool samples_take_line(struct samples *samples, struct line *line)
{
  static const struct {
    const char *type;
    bool (*take)(struct line *line, struct samples_heap *heap);
  } records[] = {{"heap", take_heap},     {"cycle", take_cycle},
                 {"delay", take_delay},   {"lost", take_lost},
                 {"thread", take_thread}, {"close", take_close}};
  if (!line->count)
    return true;
  for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
    if (strcmp(line->words[0], records[i].type))
      continue;
    if (line->count < 2)
      return line_complain(line, "there is no field", "heap");
    struct samples_heap *heap = samples_find(samples, line->words[1]);
    return heap ? records[i].take(line, heap) : no_memory(line);
  }
  return true;
}

static bool samples_read_lines(struct samples *samples, FILE *file,
                               struct line *line)
{
  char *text = NULL;
  size_t size = 0;
  bool good = true;
  for (ssize_t length; good && (length = getline(&text, &size, file)) > 0;) {
    if (text[length - 1] != '\n')
      break;
    line->number++;
    line_split(line, text);
    good = samples_take_line(samples, line);
  }
  free(text);
  if (good && ferror(file)) {
    snprintf(line->message, line->message_size, "%s: %s", line->path,
             strerror(errno));
    good = false;
  }
  return good;
}

bool samples_read(const char *path, struct samples *samples, char *message,
                  size_t message_size)
{
  *samples = (struct samples){0};
  FILE *file = fopen(path, "re");
  if (!file) {
    snprintf(message, message_size, "%s: %s", path, strerror(errno));
    return false;
  }
  struct line line = {
      .path = path, .message = message, .message_size = message_size};
  bool good = samples_read_lines(samples, file, &line);
  fclose(file);
  if (!good)
    samples_free(samples);
  return good;
}

void samples_free(struct samples *samples)
{
  for (size_t i = 0; i < samples->heap_count; i++) {
    free(samples->heaps[i].cycles);
    free(samples->heaps[i].delays);
    free(samples->heaps[i].threads);
  }
  free(samples->heaps);
  *samples = (struct samples){0};
}

uint64_t samples_heap_end(const struct samples_heap *heap)
{
  uint64_t end = heap->closed_ns ? heap->closed_ns : heap->opened_ns;
  if (heap->closed_ns)
    return end;
  for (size_t i = 0; i < heap->cycle_count; i++)
    if (heap->cycles[i].swept_ns > end)
      end = heap->cycles[i].swept_ns;
  for (size_t i = 0; i < heap->delay_count; i++)
    if (heap->delays[i].start_ns + heap->delays[i].duration_ns > end)
      end = heap->delays[i].start_ns + heap->delays[i].duration_ns;
  for (size_t i = 0; i < heap->thread_count; i++)
    if (heap->threads[i].detached_ns > end)
      end = heap->threads[i].detached_ns;
  return end;
}

static int compare_doubles(const void *left, const void *right)
{
  double a = *(const double *)left;
  double b = *(const double *)right;
  return (a > b) - (a < b);
}

double samples_percentile(double *values, size_t count, double part)
{
  if (!count)
    return NAN;
  qsort(values, count, sizeof *values, compare_doubles);
  double rank = ceil(part * (double)count);
  size_t index = rank < 1 ? 0 : (size_t)rank - 1;
  return values[index < count ? index : count - 1];
}

double samples_median(double *values, size_t count)
{
  if (!count)
    return NAN;
  qsort(values, count, sizeof *values, compare_doubles);
  return count % 2 ? values[count / 2]
                   : (values[count / 2 - 1] + values[count / 2]) / 2;
}
