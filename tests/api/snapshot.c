/* SPDX-License-Identifier: MIT */
/* snapshot.c -- tests of dusk_write_snapshot(): objects, edges and roots that
 * were planted are in it, what is dead is not, the program goes on meanwhile,
 * and a failure is an answer */
#include "graph.h"

#include <signal.h>
#include <sys/resource.h>

enum { LEAF_BYTES = 5000, ARRAY_WORDS = 40, OTHERS = 3, ROUNDS = 4 };

static void *root[3];
static dusk_kind pair_kind, traced_kind, gone_kind;

static void trace_second(void *object, size_t bytes, dusk_tracer *tracer,
                         void *context)
{
  (void)bytes;
  (void)context;
  dusk_trace(tracer, (void *const *)object + 1);
}

static void define_kinds(dusk_heap *heap)
{
  static const uint64_t both = 3;
  dusk_kind_spec spec = {.struct_size = sizeof spec,
                         .name = "pair",
                         .size = 16,
                         .scan = DUSK_SCAN_LAYOUT,
                         .pointers = &both};
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &pair_kind), 0);
  spec.name = "gone";
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &gone_kind), 0);
  spec = (dusk_kind_spec){.struct_size = sizeof spec,
                          .name = "a \"traced\" \xff\n\xc3\xa9",
                          .scan = DUSK_SCAN_TRACE,
                          .trace = trace_second};
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &traced_kind), 0);
}

/* On a thread that ends: no word of it stays on a stack that is read.
 *
 *   root[1] -> array[7] -> pair (+0 itself, +8 traced) -> [1] -> leaf */
static void *plant(void *argument)
{
  dusk_thread *thread = api_attach(argument);
  api_alloc(thread, gone_kind, 16);
  void **array =
      api_alloc(thread, DUSK_CONSERVATIVE, ARRAY_WORDS * sizeof(void *));
  void **pair = api_alloc(thread, pair_kind, 16);
  void **traced = api_alloc(thread, traced_kind, 64);
  char *leaf = api_alloc(thread, DUSK_LEAF, LEAF_BYTES);
  dusk_init(thread, &traced[0], pair); /* not for the collector to see */
  dusk_init(thread, &traced[1], leaf);
  dusk_init(thread, &pair[0], pair);
  dusk_init(thread, &pair[1], traced);
  dusk_init(thread, &array[7], (char *)pair + 9);
  array[8] = (void *)1;
  dusk_store(thread, &root[1], array);
  dusk_detach(thread);
  return NULL;
}

static dusk_heap *open_planted(void)
{
  dusk_heap *heap = api_open_manual();
  define_kinds(heap);
  ck_assert_int_eq(dusk_root_add(heap, root, sizeof root), 0);
  pthread_join(api_start(plant, heap), NULL);
  return heap;
}

static void close_planted(dusk_heap *heap)
{
  dusk_root_remove(heap, root);
  dusk_heap_close(heap);
}

static void check_planted(const struct graph *graph)
{
  size_t array = graph_find(graph, "conservative");
  size_t pair = graph_find(graph, "pair");
  size_t traced =
      graph_find(graph, "a \\u0022traced\\u0022 \\u00ff\\u000a\xc3\xa9");
  size_t leaf = graph_find(graph, "leaf");
  size_t from = graph_find(graph, "(roots)");
  ck_assert_uint_eq(graph->node[from].edges, 1);
  from = graph->edge[graph->node[from].first].to;
  ck_assert_int_eq(strncmp(graph->node[from].text, "root ", 5), 0);
  ck_assert_uint_eq(graph->node[from].edges, 1);
  ck_assert(graph_has_element(graph, from, 1, array));
  ck_assert(graph_has_element(graph, array, 7, pair));
  ck_assert_uint_eq(graph->node[array].edges, 1);
  ck_assert(graph_has_field(graph, pair, "+0", pair));
  ck_assert(graph_has_field(graph, pair, "+8", traced));
  ck_assert_uint_eq(graph->node[pair].edges, 2);
  ck_assert(graph_has_element(graph, traced, 1, leaf));
  ck_assert_uint_eq(graph->node[traced].edges, 1);
  ck_assert_uint_eq(graph->node[leaf].edges, 0);
  ck_assert_uint_ge(graph->node[leaf].bytes, LEAF_BYTES);
  ck_assert_uint_eq(graph->node[pair].bytes, 16);
}

static void check_roots(const struct graph *graph)
{
  size_t top = graph_find(graph, "(GC roots)");
  ck_assert_uint_eq(graph_edges(graph, 0, top), 1);
  ck_assert(
      graph_has_element(graph, top, 1 + 1, graph_find(graph, "(threads)")));
  ck_assert_uint_eq(graph_edges(graph, top, graph_find(graph, "(roots)")), 1);
  ck_assert_uint_eq(
      graph_edges(graph, top, graph_find(graph, "(data segments)")), 1);
  ck_assert_uint_eq(graph_edges(graph, top, graph_find(graph, "(not reached)")),
                    1);
  bool *reached = calloc(graph->nodes, sizeof *reached);
  ck_assert_ptr_nonnull(reached);
  graph_reach(graph, 0, graph->nodes, reached);
  for (size_t i = 0; i < graph->nodes; i++)
    ck_assert_msg(reached[i], "node %zu, '%s', hangs from nothing", i,
                  graph->node[i].text);
  free(reached);
}

START_TEST(test_what_was_planted_is_in_it)
{
  struct graph graph;
  dusk_heap *heap = open_planted();
  graph_take(&graph, heap);
  check_planted(&graph);
  check_roots(&graph);
  size_t strays = graph_find(&graph, "(not reached)");
  ck_assert_uint_eq(graph.node[strays].edges, 0);
  graph_free(&graph);
  close_planted(heap);
}
END_TEST

START_TEST(test_what_is_dead_is_not_in_it)
{
  struct graph graph;
  size_t found;
  dusk_heap *heap = open_planted();
  graph_take(&graph, heap);
  ck_assert_uint_eq(graph_named(&graph, "gone", &found), 0);
  size_t bytes = 0;
  for (size_t i = 0; i < graph.nodes; i++)
    bytes += graph.node[i].bytes;
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_eq(bytes, stats.heap_alloc);
  graph_free(&graph);
  close_planted(heap);
}
END_TEST

START_TEST(test_an_object_keeps_its_id)
{
  struct graph first, second;
  dusk_heap *heap = open_planted();
  dusk_thread *thread = api_attach(heap);
  graph_take(&first, heap);
  dusk_store(thread, &root[0], api_alloc(thread, gone_kind, 16));
  graph_take(&second, heap);
  ck_assert_uint_eq(first.node[graph_find(&first, "pair")].id,
                    second.node[graph_find(&second, "pair")].id);
  ck_assert_uint_eq(first.node[graph_find(&first, "leaf")].id,
                    second.node[graph_find(&second, "leaf")].id);
  ck_assert_uint_ne(second.node[graph_find(&second, "gone")].id,
                    second.node[graph_find(&second, "pair")].id);
  dusk_detach(thread);
  graph_free(&first);
  graph_free(&second);
  close_planted(heap);
}
END_TEST

START_TEST(test_every_id_is_another)
{
  struct graph graph;
  dusk_heap *heap = open_planted();
  graph_take(&graph, heap);
  for (size_t i = 0; i < graph.nodes; i++)
    for (size_t j = 0; j < i; j++)
      ck_assert_uint_ne(graph.node[i].id, graph.node[j].id);
  graph_free(&graph);
  close_planted(heap);
}
END_TEST

START_TEST(test_a_variable_holds_its_object)
{
  struct graph graph;
  dusk_heap *heap = open_planted();
  dusk_thread *thread = api_attach(heap);
  void *volatile mine = api_alloc(thread, gone_kind, 16);
  graph_take(&graph, heap);
  size_t object = graph_find(&graph, "gone");
  size_t threads = graph_find(&graph, "(threads)");
  bool *reached = calloc(graph.nodes, sizeof *reached);
  ck_assert_ptr_nonnull(reached);
  graph_reach(&graph, threads, graph_find(&graph, "(roots)"), reached);
  ck_assert(reached[object]);
  free(reached);
  api_keep(mine);
  dusk_detach(thread);
  graph_free(&graph);
  close_planted(heap);
}
END_TEST

static void *in_the_data_segment[2];

START_TEST(test_data_segments_are_read)
{
  struct graph graph;
  dusk_options options = api_options();
  options.gc_percent = -1;
  options.flags |= DUSK_ROOTS_DATA_SEGMENTS;
  dusk_heap *heap = api_open_with(&options);
  dusk_thread *thread = api_attach(heap);
  define_kinds(heap);
  dusk_store(thread, &in_the_data_segment[1], api_alloc(thread, gone_kind, 16));
  graph_take(&graph, heap);
  size_t object = graph_find(&graph, "gone");
  size_t data = graph_find(&graph, "(data segments)");
  ck_assert_uint_gt(graph.node[data].edges, 0);
  bool found = false;
  for (size_t i = 0; i < graph.node[data].edges; i++) {
    size_t segment = graph.edge[graph.node[data].first + i].to;
    found |= graph_has_field(&graph, segment,
                             "in_the_data_segment+8 (snapshot)", object) ||
             graph_edges(&graph, segment, object) > 0;
  }
  ck_assert(found);
  dusk_store(thread, &in_the_data_segment[1], NULL);
  graph_free(&graph);
  api_close(heap, thread);
}
END_TEST

/* ---- while the program runs ---- */

struct busy {
  dusk_heap *heap;
  bool stop;
  uint64_t rounds;
};

static void *be_busy(void *argument)
{
  struct busy *busy = argument;
  dusk_thread *thread = api_attach(busy->heap);
  void *volatile last = NULL; /* of a list, which ends now and then */
  unsigned length = 0;        /* its own: `rounds` is everybody's */
  while (!__atomic_load_n(&busy->stop, __ATOMIC_RELAXED)) {
    void **object = api_alloc(thread, gone_kind, 16);
    dusk_init(thread, &object[0], last);
    dusk_store(thread, &root[2], object);
    __atomic_add_fetch(&busy->rounds, 1, __ATOMIC_RELAXED);
    last = ++length % 64 ? object : NULL;
  }
  dusk_detach(thread);
  return NULL;
}

/* Busy threads add objects; what was planted is as it was. */
START_TEST(test_the_program_goes_on)
{
  dusk_heap *heap = open_planted();
  struct busy busy = {.heap = heap};
  pthread_t others[OTHERS];
  dusk_set_gc_percent(heap, 100);
  for (int i = 0; i < OTHERS; i++)
    others[i] = api_start(be_busy, &busy);
  for (int i = 0; i < ROUNDS; i++) {
    struct graph graph;
    uint64_t before = __atomic_load_n(&busy.rounds, __ATOMIC_RELAXED);
    graph_take(&graph, heap);
    check_roots(&graph);
    size_t pair = graph_find(&graph, "pair");
    size_t array = graph_find(&graph, "conservative");
    ck_assert(graph_has_element(&graph, array, 7, pair));
    graph_free(&graph);
    while (__atomic_load_n(&busy.rounds, __ATOMIC_RELAXED) == before)
      api_sleep_us(100);
  }
  __atomic_store_n(&busy.stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < OTHERS; i++)
    pthread_join(others[i], NULL);
  close_planted(heap);
}
END_TEST

static void *take_one(void *heap)
{
  struct graph graph;
  graph_take(&graph, heap);
  check_planted(&graph);
  graph_free(&graph);
  return NULL;
}

START_TEST(test_several_ask_at_once)
{
  pthread_t askers[OTHERS];
  dusk_heap *heap = open_planted();
  for (int i = 0; i < OTHERS; i++)
    askers[i] = api_start(take_one, heap);
  for (int i = 0; i < OTHERS; i++)
    pthread_join(askers[i], NULL);
  close_planted(heap);
}
END_TEST

/* Both heaps' cycles can run while the thread waits for one. */
START_TEST(test_who_is_attached_to_two_heaps_may_ask)
{
  dusk_heap *heap = open_planted();
  dusk_heap *other = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  dusk_thread *second = api_attach(other);
  take_one(heap);
  dusk_blocking_begin(thread);
  take_one(heap);
  dusk_blocking_end(thread);
  dusk_collect(second);
  dusk_collect(thread);
  dusk_detach(second);
  dusk_detach(thread);
  dusk_heap_close(other);
  close_planted(heap);
}
END_TEST

/* ---- what the program must not notice ---- */

static int handled;

static void handle(int number)
{
  (void)number;
  __atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

static void handle_fork(void)
{
  __atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

/* ThreadSanitizer wants an ordinary fork: os/child.c. */
#if defined(__SANITIZE_THREAD__)
enum { ORDINARY = 1 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { ORDINARY = 1 };
#else
enum { ORDINARY = 0 };
#endif
#else
enum { ORDINARY = 0 };
#endif

START_TEST(test_the_copy_is_no_child_that_the_program_meets)
{
  dusk_heap *heap = open_planted();
  struct sigaction action = {.sa_handler = handle};
  if (ORDINARY)
    return;
  ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
  ck_assert_int_eq(pthread_atfork(handle_fork, handle_fork, handle_fork), 0);
  take_one(heap);
  ck_assert_int_eq(__atomic_load_n(&handled, __ATOMIC_RELAXED), 0);
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
  close_planted(heap);
}
END_TEST

START_TEST(test_no_copy_is_left)
{
  dusk_heap *heap = open_planted();
  take_one(heap);
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
  ck_assert_int_eq(errno, ECHILD);
  close_planted(heap);
}
END_TEST

/* ---- failures ---- */

START_TEST(test_what_cannot_be_written_is_an_error)
{
  int ends[2];
  dusk_heap *heap = open_planted();
  dusk_thread *thread = api_attach(heap);
  int full = open("/dev/full", O_WRONLY);
  errno = 77;
  ck_assert_int_eq(dusk_write_snapshot(heap, -1), EIO);
  ck_assert_int_eq(errno, 77);
  if (full >= 0)
    ck_assert_int_eq(dusk_write_snapshot(heap, full), EIO);
  ck_assert_int_eq(pipe(ends), 0);
  close(ends[0]); /* a SIGPIPE would end the test */
  ck_assert_int_eq(dusk_write_snapshot(heap, ends[1]), EIO);
  close(ends[1]);
  ck_assert_int_eq(dusk_write_snapshot(heap, ends[1]), EIO);
  int read_only = open("/dev/null", O_RDONLY);
  ck_assert_int_ge(read_only, 0);
  ck_assert_int_eq(dusk_write_snapshot(heap, read_only), EIO);
  close(read_only);
  ck_assert_int_eq(dusk_write_snapshot(NULL, 1), EINVAL);
  api_alloc(thread, pair_kind, 16);
  dusk_collect(thread);
  dusk_detach(thread);
  take_one(heap);
  close_planted(heap);
}
END_TEST

static int fail_at_file_limit(const void *argument)
{
  (void)argument;
  dusk_heap *heap = open_planted();
  FILE *file = tmpfile();
  struct rlimit limit = {4096, 4096};
  signal(SIGXFSZ, SIG_DFL);
  if (!file || setrlimit(RLIMIT_FSIZE, &limit))
    return 2;
  if (dusk_write_snapshot(heap, fileno(file)) != EIO)
    return 3;
  close_planted(heap);
  return 0;
}

START_TEST(test_a_file_that_may_not_grow_is_an_error)
{
  struct api_child child;
  api_fork(&child, fail_at_file_limit, NULL);
  api_assert_silent(&child);
}
END_TEST

/* In the child of a fork, where the collector's threads are new. */
START_TEST(test_the_child_of_a_fork_can_ask)
{
  dusk_heap *heap = open_planted();
  if (ORDINARY)
    return;
  take_one(heap);
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    int null = open("/dev/null", O_WRONLY);
    int error = dusk_write_snapshot(heap, null);
    _exit(error);
  }
  int status;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_int_eq(status, 0);
  close_planted(heap);
}
END_TEST

static void ask_too_early(dusk_heap *heap, dusk_pressure level, void *context)
{
  (void)level;
  __atomic_store_n((int *)context, dusk_write_snapshot(heap, 1),
                   __ATOMIC_RELAXED);
}

static int ask_wrongly(const void *argument)
{
  (void)argument;
  int error = -1;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_on_pressure(heap, ask_too_early, &error);
  dusk_set_memory_limit(heap, (int64_t)MIB(4));
  for (int i = 0; i < 64; i++) {
    dusk_store(thread, &root[0], api_alloc(thread, DUSK_LEAF, MIB(4)));
    dusk_collect(thread);
    if (__atomic_load_n(&error, __ATOMIC_RELAXED) != -1)
      break;
  }
  dusk_on_pressure(heap, NULL, NULL);
  api_close(heap, thread);
  return __atomic_load_n(&error, __ATOMIC_RELAXED) == EINVAL ? 0 : 2;
}

START_TEST(test_the_collector_itself_may_not_ask)
{
  struct api_child child;
  api_fork(&child, ask_wrongly, NULL);
  ck_assert_msg(child.exit_code == 0, "exit %d: %s", child.exit_code,
                child.text);
  ck_assert_uint_ge(api_lines_with(child.text, "may not wait for it"), 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("snapshot");
  TCase *tests = api_case(suite, "snapshot");
  tcase_add_test(tests, test_what_was_planted_is_in_it);
  tcase_add_test(tests, test_what_is_dead_is_not_in_it);
  tcase_add_test(tests, test_an_object_keeps_its_id);
  tcase_add_test(tests, test_every_id_is_another);
  tcase_add_test(tests, test_a_variable_holds_its_object);
  tcase_add_test(tests, test_data_segments_are_read);
  tcase_add_test(tests, test_the_program_goes_on);
  tcase_add_test(tests, test_several_ask_at_once);
  tcase_add_test(tests, test_who_is_attached_to_two_heaps_may_ask);
  tcase_add_test(tests, test_the_copy_is_no_child_that_the_program_meets);
  tcase_add_test(tests, test_no_copy_is_left);
  tcase_add_test(tests, test_what_cannot_be_written_is_an_error);
  tcase_add_test(tests, test_a_file_that_may_not_grow_is_an_error);
  tcase_add_test(tests, test_the_child_of_a_fork_can_ask);
  tcase_add_test(tests, test_the_collector_itself_may_not_ask);
  return api_run(suite);
}
