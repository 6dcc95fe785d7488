/* SPDX-License-Identifier: MIT */
/* trace.c -- DUSK_TRACE: what a traced program's file says adds up
 *
 * dusk(7), "The trace file". */
#include "api.h"

enum {
  CYCLES = 3, /* more than these */
  CYCLES_MAX = 20000,
  DELAYS_MAX = 200000,
  THREADS = 3,
};

struct cycle {
  uint64_t start, swept, pause, assist;
  uint64_t longest_service; /* among the delays that began in it */
};

/* The whole file, summed up. */
static struct {
  unsigned heaps, closes, cycles, threads;
  struct cycle cycle[CYCLES_MAX];
  uint64_t lost;
  unsigned delays;
  struct {
    char kind[16];
    uint64_t start, duration;
  } delay[DELAYS_MAX];
  uint64_t pauses, assist_ns;                  /* of the cycles */
  uint64_t assist_delays;                      /* of the delays */
  uint64_t assists, thread_assist, thread_sum; /* of the threads */
  uint64_t total_alloc, mallocs, num_gc;       /* of the close */
} file;

static void read_cycle(const char *text)
{
  unsigned long long f[24];
  int used, count = 0;
  for (; count < 24 && sscanf(text, "%llu%n", &f[count], &used) == 1; count++)
    text += used;
  ck_assert_int_eq(count, 24);
  ck_assert_str_eq(text, "\n");
  ck_assert_uint_lt(file.cycles, CYCLES_MAX);
  ck_assert_uint_eq(f[0], file.cycles + 1);
  ck_assert_uint_le(f[1], 1);
  ck_assert(f[2] <= f[3] && f[3] <= f[4] && f[4] <= f[5]); /* the times */
  ck_assert(f[8] <= f[7]);         /* marked, of the live at the end */
  ck_assert(f[7] - f[8] <= f[20]); /* the pages hold what is live */
  ck_assert(f[21] <= f[22] && f[22] <= f[23]); /* released, heap_sys, sys */
  struct cycle *cycle = &file.cycle[file.cycles++];
  *cycle = (struct cycle){.start = f[2],
                          .swept = f[5],
                          .pause = f[11] > f[12] ? f[11] : f[12],
                          .assist = f[13]};
  file.pauses += cycle->pause;
  file.assist_ns += cycle->assist;
}

static void read_delay(const char *text)
{
  unsigned long long thread, start, duration;
  char kind[16], end;
  ck_assert_int_eq(sscanf(text, "%llu %15s %llu %llu%c", &thread, kind, &start,
                          &duration, &end),
                   5);
  ck_assert(end == '\n' && thread >= 1 && thread <= THREADS + 1);
  ck_assert_uint_lt(file.delays, DELAYS_MAX);
  strcpy(file.delay[file.delays].kind, kind);
  file.delay[file.delays].start = start;
  file.delay[file.delays++].duration = duration;
  if (strcmp(kind, "assist") == 0) {
    file.assist_delays += duration;
    file.assists++;
  }
}

static void read_thread(const char *text)
{
  unsigned long long f[9];
  char end;
  ck_assert_int_eq(
      sscanf(text, "%llu %llu %llu %llu %llu %llu %llu %llu %llu%c", &f[0],
             &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7], &f[8], &end),
      10);
  ck_assert(end == '\n' && f[1] <= f[2] && f[6] <= f[4]);
  file.threads++;
  file.thread_assist += f[4];
  file.thread_sum += f[7];
}

static void read_line(const char *text)
{
  unsigned long long process, heap, closed, count;
  unsigned long long total, mallocs, num_gc;
  char type[16];
  int used = 0;
  ck_assert_int_eq(
      sscanf(text, "%15s %llu:%llu %n", type, &process, &heap, &used), 3);
  ck_assert_uint_eq(process, (unsigned long long)getpid());
  ck_assert_uint_eq(heap, 1);
  ck_assert_uint_eq(file.closes, 0); /* nothing comes behind it */
  text += used;
  if (strcmp(type, "heap") == 0) {
    file.heaps++;
  } else if (strcmp(type, "cycle") == 0) {
    read_cycle(text);
  } else if (strcmp(type, "delay") == 0) {
    read_delay(text);
  } else if (strcmp(type, "thread") == 0) {
    read_thread(text);
  } else if (strcmp(type, "lost") == 0) {
    ck_assert_int_eq(sscanf(text, "%llu", &count), 1);
    file.lost += count;
  } else {
    ck_assert_str_eq(type, "close");
    ck_assert_int_eq(
        sscanf(text, "%llu %llu %llu %llu", &closed, &total, &mallocs, &num_gc),
        4);
    file.closes++;
    file.total_alloc = total;
    file.mallocs = mallocs;
    file.num_gc = num_gc;
  }
  ck_assert_uint_eq(file.heaps, 1); /* it comes first */
}

static void read_file(const char *name)
{
  char line[4096];
  FILE *stream = fopen(name, "r");
  ck_assert_ptr_nonnull(stream);
  while (fgets(line, sizeof line, stream))
    read_line(line);
  fclose(stream);
  ck_assert_uint_eq(file.closes, 1);
}

/* The longest service that began in each cycle. */
static void find_services(void)
{
  for (unsigned d = 0; d < file.delays; d++) {
    if (strcmp(file.delay[d].kind, "service") != 0)
      continue;
    uint64_t start = file.delay[d].start, ns = file.delay[d].duration;
    unsigned c = 0;
    while (c < file.cycles &&
           !(start >= file.cycle[c].start && start <= file.cycle[c].swept))
      c++;
    ck_assert_msg(c < file.cycles, "a service outside of all cycles");
    if (ns > file.cycle[c].longest_service)
      file.cycle[c].longest_service = ns;
  }
}

/* ---- programs ---- */

struct cell {
  struct cell *next;
  uint64_t words[7];
};

static uint64_t cycles(dusk_heap *heap)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats.num_gc;
}

/* A list that lives, and much that does not: cycles begin by themselves; the
 * fewer, the longer a loaded machine takes for one. */
static void *allocate(void *argument)
{
  dusk_thread *thread = api_attach(argument);
  struct cell *list = NULL;
  do
    for (int i = 0; i < 200000; i++) {
      struct cell *cell = api_alloc(thread, DUSK_CONSERVATIVE, sizeof *cell);
      dusk_init(thread, &cell->next, i % 4 ? NULL : list);
      if (i % 4 == 0)
        list = i % 80000 ? cell : NULL;
    }
  while (cycles(argument) <= CYCLES);
  api_keep(list);
  dusk_detach(thread);
  return NULL;
}

START_TEST(a_traced_program_adds_up)
{
  static dusk_memstats stats;
  char name[] = "/tmp/dusk-trace.XXXXXX";
  close(mkstemp(name));
  setenv("DUSK_TRACE", name, 1);
  dusk_heap *heap = api_open_with(NULL);
  dusk_thread *thread = api_attach(heap);
  dusk_set_gc_percent(heap, 50);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    threads[i] = api_start(allocate, heap);
  dusk_blocking_begin(thread);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  dusk_blocking_end(thread);
  dusk_collect(thread);
  dusk_detach(thread);
  dusk_set_gc_percent(heap, -1); /* no cycle after the reading */
  dusk_read_memstats(heap, &stats);
  dusk_heap_close(heap);
  read_file(name);
  unlink(name);

  ck_assert_uint_eq(file.lost, 0);
  ck_assert_uint_eq(file.threads, THREADS + 1);
  ck_assert_uint_eq(file.cycles, stats.num_gc);
  ck_assert_uint_eq(file.num_gc, stats.num_gc);
  ck_assert_uint_gt(file.cycles, CYCLES);
  ck_assert_uint_eq(file.pauses, stats.pause_total_ns);
  ck_assert_uint_eq(file.total_alloc, stats.total_alloc);
  ck_assert_uint_eq(file.thread_sum, stats.total_alloc);
  ck_assert_uint_eq(file.mallocs, stats.mallocs);
  ck_assert_uint_eq(file.assist_delays, file.assist_ns);
  ck_assert_uint_eq(file.thread_assist, file.assist_ns);
  find_services();
  for (unsigned c = 0; c < file.cycles; c++)
    ck_assert_uint_eq(file.cycle[c].longest_service, file.cycle[c].pause);
}
END_TEST

START_TEST(who_asks_for_no_environment_is_not_traced)
{
  char name[] = "/tmp/dusk-trace.XXXXXX";
  close(mkstemp(name));
  setenv("DUSK_TRACE", name, 1);
  dusk_heap *heap = api_open();
  api_close(heap, api_attach(heap));
  FILE *stream = fopen(name, "r");
  ck_assert_ptr_nonnull(stream);
  ck_assert_int_eq(fgetc(stream), EOF);
  fclose(stream);
  unlink(name);
}
END_TEST

/* Goes on, whatever becomes of its trace. */
static int run_traced_to(const void *name)
{
  setenv("DUSK_TRACE", name, 1);
  dusk_heap *heap = api_open_with(NULL);
  dusk_thread *thread = api_attach(heap);
  dusk_collect(thread);
  dusk_collect(thread);
  api_close(heap, thread);
  return 0;
}

START_TEST(a_trace_that_fails_is_one_line)
{
  static const char *const names[] = {"/nonexistent/trace", "/dev/full"};
  struct api_child child;
  api_fork(&child, run_traced_to, names[_i]);
  api_assert_one_line(&child, "DUSK_TRACE");
}
END_TEST

START_TEST(an_empty_name_is_none)
{
  struct api_child child;
  api_fork(&child, run_traced_to, "");
  api_assert_silent(&child);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("trace");
  TCase *cases = api_case(suite, "trace");
  tcase_add_test(cases, a_traced_program_adds_up);
  tcase_add_test(cases, who_asks_for_no_environment_is_not_traced);
  tcase_add_loop_test(cases, a_trace_that_fails_is_one_line, 0, 2);
  tcase_add_test(cases, an_empty_name_is_none);
  return api_run(suite);
}
