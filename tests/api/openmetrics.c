/* SPDX-License-Identifier: MIT */
/* openmetrics.c -- the text form of metrics, read by the book
 *
 * The reader here knows the OpenMetrics 1.0 text and nothing of the writer: it
 * accepts no line whose form the standard does not have, no family twice or in
 * two places, and no sample that its family's type has no room for.  Of the
 * older form it knows how that differs. */
#include "api.h"

#include <ctype.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>

enum { FAMILIES_MAX = 256, NAME_MAX_BYTES = 128 };

enum form { OPENMETRICS, PROMETHEUS };

struct family {
  char name[NAME_MAX_BYTES];
  char type[16];
  char unit[32];
  char help[256];
  char label[64]; /* the heap's */
  char thread[64];
  double value; /* of a counter or gauge */
  unsigned samples;
  /* Of a histogram. */
  unsigned buckets;
  double bound; /* the last */
  double cumulated;
  double count;
  double sum;
};

struct page {
  enum form form;
  struct family families[FAMILIES_MAX];
  size_t count;
  bool ended;
};

static const char *line_now; /* for what a failure says */
static jmp_buf *refusal;     /* not NULL: a failure goes there */

#define rule(condition)                                                        \
  do {                                                                         \
    if (!(condition))                                                          \
      refuse(#condition);                                                      \
  } while (0)

static void refuse(const char *condition)
{
  if (refusal)
    longjmp(*refusal, 1);
  ck_abort_msg("\"%s\" breaks: %s", line_now, condition);
}

/* Words */

static bool is_name_char(char c, bool first)
{
  return isalpha((unsigned char)c) || c == '_' || c == ':' ||
         (!first && isdigit((unsigned char)c));
}

/* Takes a name off the line. */
static void take_name(char **at, char name[NAME_MAX_BYTES])
{
  size_t length = 0;
  while (is_name_char((*at)[length], length == 0))
    length++;
  rule(length > 0 && length < NAME_MAX_BYTES);
  memcpy(name, *at, length);
  name[length] = '\0';
  *at += length;
}

static void take_char(char **at, char c)
{
  rule(**at == c);
  ++*at;
}

static void take_quoted(char **at, char *value, size_t room)
{
  size_t length = 0;
  take_char(at, '"');
  for (; **at != '"'; ++*at) {
    rule((unsigned char)**at >= ' ');
    if (**at == '\\') {
      ++*at;
      rule(**at == '"' || **at == '\\' || **at == 'n');
    }
    rule(length < room - 1);
    value[length++] = **at;
  }
  value[length] = '\0';
  take_char(at, '"');
}

/* A number in the C locale's form, whatever the program's is. */
static double take_number(const char *text)
{
  if (!strcmp(text, "+Inf"))
    return INFINITY;
  rule(*text && strspn(text, "0123456789.eE+-") == strlen(text));
  char *end;
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t old = uselocale(c);
  double number = strtod(text, &end);
  uselocale(old);
  freelocale(c);
  rule(!*end);
  return number;
}

/* Families */

static bool is_type(const struct family *family, const char *type)
{
  return !strcmp(family->type, type);
}

static struct family *last(struct page *page)
{
  return page->count ? &page->families[page->count - 1] : NULL;
}

static struct family *family_of(struct page *page, const char *name)
{
  struct family *family = last(page);
  if (family && !strcmp(family->name, name))
    return family;
  for (size_t i = 0; i < page->count; i++)
    rule(strcmp(page->families[i].name, name) != 0); /* in one place */
  rule(page->count < FAMILIES_MAX);
  family = &page->families[page->count++];
  strcpy(family->name, name);
  family->bound = -INFINITY;
  return family;
}

static void once(char *field, size_t room, const char *text)
{
  rule(!*field);
  rule(*text && strlen(text) < room);
  strcpy(field, text);
}

static void check_unit(const struct family *family)
{
  size_t name = strlen(family->name), unit = strlen(family->unit);
  rule(name > unit + 1 && family->name[name - unit - 1] == '_');
  rule(!strcmp(family->name + name - unit, family->unit));
}

static bool ends_with(const char *name, const char *suffix)
{
  size_t length = strlen(name), end = strlen(suffix);
  return length >= end && !strcmp(name + length - end, suffix);
}

static void read_description(struct page *page, char *line)
{
  char keyword[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
  char *at = line + 2;
  take_name(&at, keyword);
  take_char(&at, ' ');
  take_name(&at, name);
  take_char(&at, ' ');
  if (page->form == PROMETHEUS && ends_with(name, "_total"))
    name[strlen(name) - strlen("_total")] = '\0';
  struct family *family = family_of(page, name);
  rule(!family->samples);
  if (!strcmp(keyword, "TYPE")) {
    once(family->type, sizeof family->type, at);
    rule(is_type(family, "counter") || is_type(family, "gauge") ||
         is_type(family, "histogram"));
    rule(page->form == PROMETHEUS || !ends_with(name, "_total"));
  } else if (!strcmp(keyword, "HELP")) {
    once(family->help, sizeof family->help, at);
    rule(!strpbrk(at, "\\\""));
  } else {
    rule(!strcmp(keyword, "UNIT") && page->form == OPENMETRICS);
    once(family->unit, sizeof family->unit, at);
    check_unit(family);
  }
}

/* Samples */

static void read_labels(char **at, struct family *family, char bound[32])
{
  char heap[64] = "";
  take_char(at, '{');
  for (bool first = true; **at != '}'; first = false) {
    char label[NAME_MAX_BYTES];
    if (!first)
      take_char(at, ',');
    take_name(at, label);
    take_char(at, '=');
    if (!strcmp(label, "heap"))
      take_quoted(at, heap, sizeof heap);
    else if (!strcmp(label, "le"))
      take_quoted(at, bound, 32);
    else {
      rule(!strcmp(label, "name"));
      take_quoted(at, family->thread, sizeof family->thread);
    }
  }
  take_char(at, '}');
  rule(*heap);
  rule(!family->samples || !strcmp(family->label, heap));
  strcpy(family->label, heap);
}

static void read_bucket(struct family *family, const char *bound, double value)
{
  double le = take_number(bound);
  rule(le > family->bound && value >= family->cumulated);
  rule(value == floor(value));
  rule(isnan(family->count));
  family->bound = le;
  family->cumulated = value;
  family->buckets++;
}

static void read_histogram(struct family *family, const char *suffix,
                           const char *bound, double value)
{
  if (!family->samples)
    family->count = family->sum = NAN;
  if (!strcmp(suffix, "_bucket")) {
    read_bucket(family, bound, value);
    return;
  }
  rule(!*bound);
  rule(isinf(family->bound));
  if (!strcmp(suffix, "_count")) {
    rule(isnan(family->count) && value == family->cumulated);
    family->count = value;
  } else {
    rule(!strcmp(suffix, "_sum") && isnan(family->sum));
    rule(value >= 0);
    family->sum = value;
  }
}

static void read_sample(struct page *page, char *line)
{
  struct family *family = last(page);
  char name[NAME_MAX_BYTES], bound[32] = "";
  char *at = line;
  rule(family && *family->type && *family->help);
  take_name(&at, name);
  rule(!strncmp(name, family->name, strlen(family->name)));
  const char *suffix = name + strlen(family->name);
  read_labels(&at, family, bound);
  take_char(&at, ' ');
  double value = take_number(at);
  if (is_type(family, "histogram"))
    read_histogram(family, suffix, bound, value);
  else {
    rule(!strcmp(suffix, is_type(family, "counter") ? "_total" : ""));
    rule(!*bound && !family->samples);
    rule(!is_type(family, "counter") || (value >= 0 && isfinite(value)));
    family->value = value;
  }
  family->samples++;
}

static void check_whole(const struct page *page)
{
  line_now = "(the text)";
  rule(page->ended == (page->form == OPENMETRICS));
  for (size_t i = 0; i < page->count; i++) {
    const struct family *family = &page->families[i];
    line_now = family->name;
    rule(family->samples > 0);
    if (is_type(family, "histogram"))
      rule(!isnan(family->count) && !isnan(family->sum));
  }
}

static void parse(struct page *page, char *text, enum form form)
{
  *page = (struct page){.form = form};
  rule(!*text || ends_with(text, "\n"));
  for (char *end; *text; text = end + 1) {
    end = strchr(text, '\n');
    *end = '\0';
    line_now = text;
    rule(!page->ended); /* nothing follows it */
    if (!strcmp(text, "# EOF"))
      page->ended = true;
    else if (!strncmp(text, "# ", 2))
      read_description(page, text);
    else
      read_sample(page, text);
  }
  check_whole(page);
}

static struct family *find(struct page *page, const char *name)
{
  for (size_t i = 0; i < page->count; i++)
    if (!strcmp(page->families[i].name, name))
      return &page->families[i];
  ck_abort_msg("no family %s", name);
}

/* What the heap writes. */
static void read_heap(dusk_heap *heap, struct page *page, enum form form)
{
  static char text[1 << 18];
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  int fd = fileno(file);
  ck_assert_int_eq(form == OPENMETRICS ? dusk_write_openmetrics(heap, fd)
                                       : dusk_write_prometheus(heap, fd),
                   0);
  rewind(file);
  size_t length = fread(text, 1, sizeof text - 1, file);
  ck_assert_uint_lt(length, sizeof text - 1);
  text[length] = '\0';
  ck_assert_uint_eq(strlen(text), length);
  fclose(file);
  parse(page, text, form);
}

static struct page page;

/* The reader itself must be able to say no. */

static bool accepts(const char *line)
{
  static char text[1000];
  static jmp_buf jump;
  strcpy(text, line);
  refusal = &jump;
  if (setjmp(jump))
    return false;
  parse(&page, text, OPENMETRICS);
  return true;
}

START_TEST(the_reader_refuses_what_is_wrong)
{
#define HEAD "# TYPE a_x gauge\n# UNIT a_x x\n# HELP a_x A.\n"
#define HISTOGRAM "# TYPE h histogram\n# HELP h H.\n"
  static const struct {
    const char *text;
    bool good;
  } texts[] = {
      {HEAD "a_x{heap=\"1\"} 5\n# EOF\n", true},
      {HEAD "a_x{heap=\"1\"} 5\n", false},
      {HEAD "a_x{heap=\"1\"} 5\n# EOF\n\n", false},
      {HEAD "a_x{heap=\"1\"} 5\n# EOF", false},
      {HEAD "a_x{heap=\"1\"} 5,5\n# EOF\n", false},
      {HEAD "a_x_total{heap=\"1\"} 5\n# EOF\n", false},
      {HEAD "a_x{heap=\"1\"} 5\na_x{heap=\"1\"} 5\n# EOF\n", false},
      {HEAD "# EOF\n", false},
      {"a_x{heap=\"1\"} 5\n# EOF\n", false},
      {HEAD "# HELP a_x A.\na_x{heap=\"1\"} 5\n# EOF\n", false},
      {"# TYPE a_x gauge\n# UNIT a_x y\n# HELP a_x A.\na_x{heap=\"1\"} 5\n"
       "# EOF\n",
       false},
      {HISTOGRAM "h_bucket{heap=\"1\",le=\"1.0\"} 1\n"
                 "h_bucket{heap=\"1\",le=\"+Inf\"} 2\nh_count{heap=\"1\"} 2\n"
                 "h_sum{heap=\"1\"} 3\n# EOF\n",
       true},
      {HISTOGRAM "h_bucket{heap=\"1\",le=\"1.0\"} 3\n"
                 "h_bucket{heap=\"1\",le=\"+Inf\"} 2\nh_count{heap=\"1\"} 2\n"
                 "h_sum{heap=\"1\"} 3\n# EOF\n",
       false},
      {HISTOGRAM "h_bucket{heap=\"1\",le=\"1.0\"} 2\nh_count{heap=\"1\"} 2\n"
                 "h_sum{heap=\"1\"} 3\n# EOF\n",
       false},
      {HISTOGRAM "h_bucket{heap=\"1\",le=\"+Inf\"} 2\nh_count{heap=\"1\"} 1\n"
                 "h_sum{heap=\"1\"} 3\n# EOF\n",
       false},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    ck_assert_msg(accepts(texts[i].text) == texts[i].good, "%s", texts[i].text);
  refusal = NULL;
}
END_TEST

/* All there is, in both forms */

/* The name that the guide promises. */
static void text_name(const char *metric, char name[NAME_MAX_BYTES])
{
  if (!strncmp(metric, "/dusk", 5))
    metric += 5;
  snprintf(name, NAME_MAX_BYTES, "dusk%s", metric);
  for (; *name; name++)
    if (!isalnum((unsigned char)*name))
      *name = '_';
}

START_TEST(each_metric_is_a_family)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  while (api_cycles(heap) < 3)
    api_alloc(thread, DUSK_CONSERVATIVE, 1000);
  read_heap(heap, &page, (enum form)_i);
  size_t count;
  const dusk_metric *metrics = dusk_metrics_all(&count);
  ck_assert_uint_eq(page.count, count);
  for (size_t i = 0; i < count; i++) {
    char name[NAME_MAX_BYTES];
    text_name(metrics[i].name, name);
    const struct family *family = find(&page, name);
    ck_assert_str_eq(family->help, metrics[i].meaning);
    ck_assert_str_eq(family->type, metrics[i].kind == DUSK_METRIC_HISTOGRAM
                                       ? "histogram"
                                   : metrics[i].is_cumulative ? "counter"
                                                              : "gauge");
    if (_i == OPENMETRICS && metrics[i].kind != DUSK_METRIC_TEXT)
      ck_assert_str_ne(family->unit, "");
  }
  api_close(heap, thread);
}
END_TEST

START_TEST(the_values_are_those_that_are_read)
{
  enum { CYCLES = 7, OBJECTS = 1000 };
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < OBJECTS; i++)
    api_alloc(thread, DUSK_LEAF, 100);
  for (int i = 0; i < CYCLES; i++)
    dusk_collect(thread);
  static dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  read_heap(heap, &page, OPENMETRICS);
  ck_assert_double_eq(find(&page, "dusk_gc_cycles_forced_gc_cycles")->value,
                      CYCLES);
  ck_assert_double_eq(find(&page, "dusk_gc_heap_allocs_objects")->value,
                      OBJECTS);
  ck_assert_double_eq(find(&page, "dusk_memory_classes_total_bytes")->value,
                      (double)stats.sys);
  ck_assert(isinf(find(&page, "dusk_gc_gogc_percent")->value));
  const struct family *sizes = find(&page, "dusk_gc_heap_allocs_by_size_bytes");
  ck_assert_double_eq(sizes->count, OBJECTS);
  ck_assert_double_eq(sizes->sum, (double)stats.total_alloc);
  ck_assert_uint_eq(sizes->buckets, DUSK_SIZE_CLASSES + 1);
  const struct family *copies = find(&page, "dusk_stacks_copy_seconds");
  ck_assert_double_eq(copies->count, CYCLES);
  ck_assert_double_gt(copies->sum, 0);
  api_close(heap, thread);
}
END_TEST

START_TEST(heaps_are_told_apart)
{
  dusk_heap *heaps[2] = {api_open(), api_open()};
  char first[64];
  read_heap(heaps[0], &page, OPENMETRICS);
  strcpy(first, page.families[0].label);
  for (size_t i = 0; i < page.count; i++)
    ck_assert_str_eq(page.families[i].label, first);
  read_heap(heaps[1], &page, OPENMETRICS);
  ck_assert_str_ne(page.families[0].label, first);
  dusk_heap_close(heaps[0]);
  dusk_heap_close(heaps[1]);
}
END_TEST

/* What a thread is called, and the locale's point */

static bool is_slow; /* atomic: the thread is attached, and has its name */

static void *be_slow(void *argument)
{
  dusk_heap *heap = argument;
  dusk_thread *thread = api_attach(heap);
  pthread_setname_np(pthread_self(), "a\"b\\c\nd\xc3\xa4");
  __atomic_store_n(&is_slow, true, __ATOMIC_RELEASE);
  while (!api_cycles(heap)) {
    api_sleep_us(20000);
    dusk_safepoint(thread);
  }
  dusk_detach(thread);
  return NULL;
}

START_TEST(a_strange_name_is_escaped)
{
  dusk_heap *heap = api_open_manual();
  pthread_t slow = api_start(be_slow, heap);
  dusk_thread *thread = api_attach(heap);
  while (!__atomic_load_n(&is_slow, __ATOMIC_ACQUIRE))
    api_sleep_us(1000);
  dusk_collect(thread);
  dusk_detach(thread);
  pthread_join(slow, NULL);
  read_heap(heap, &page, OPENMETRICS);
  const struct family *family =
      find(&page, "dusk_safepoint_slowest_thread_name");
  ck_assert_str_eq(family->thread, "a\"b\\c?d??");
  ck_assert_double_eq(family->value, 1);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(the_programs_locale_does_not_matter)
{
  static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    setlocale(LC_ALL, names[i]); /* or it is not there, and stays */
  dusk_heap *heap = api_open();
  read_heap(heap, &page, OPENMETRICS);
  dusk_heap_close(heap);
}
END_TEST

/* What cannot be written */

START_TEST(an_error_is_told_and_the_program_goes_on)
{
  dusk_heap *heap = api_open();
  ck_assert_int_eq(dusk_write_openmetrics(NULL, 1), EINVAL);
  ck_assert_int_eq(dusk_write_prometheus(NULL, 1), EINVAL);
  ck_assert_int_eq(dusk_write_openmetrics(heap, -1), EIO);
  int full = open("/dev/full", O_WRONLY);
  if (full >= 0) {
    ck_assert_int_eq(dusk_write_openmetrics(heap, full), EIO);
    close(full);
  }
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  close(ends[0]);
  ck_assert_int_eq(dusk_write_prometheus(heap, ends[1]), EIO); /* no SIGPIPE */
  close(ends[1]);
  ck_assert_int_eq(dusk_write_openmetrics(heap, ends[1]), EIO);
  read_heap(heap, &page, OPENMETRICS);
  dusk_heap_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("openmetrics");
  TCase *reader = api_case(suite, "reader");
  tcase_add_test(reader, the_reader_refuses_what_is_wrong);

  TCase *text = api_case(suite, "text");
  tcase_add_loop_test(text, each_metric_is_a_family, OPENMETRICS,
                      PROMETHEUS + 1);
  tcase_add_test(text, the_values_are_those_that_are_read);
  tcase_add_test(text, heaps_are_told_apart);
  tcase_add_test(text, a_strange_name_is_escaped);
  tcase_add_test(text, the_programs_locale_does_not_matter);
  tcase_add_test(text, an_error_is_told_and_the_program_goes_on);
  return api_run(suite);
}
