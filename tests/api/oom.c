/* SPDX-License-Identifier: MIT */
/* oom.c -- memory that is exhausted is an answer, and the heap works on
 *
 * Twice: the heap's own reservation is small, or the process may have no more
 * address space (setrlimit). */
#include "api.h"

#include <sys/resource.h>

/* Sanitizers make each object many times as dear. */
enum { RESERVE_MIB = SANITIZED ? 16 : 64 };

static dusk_heap *open_small(int gc_percent)
{
  dusk_options options = api_options();
  options.reserve_bytes = MIB(RESERVE_MIB);
  options.gc_percent = gc_percent;
  return api_open_with(&options);
}

/* Fills the heap with a list; returns its bytes, and ENOMEM in errno. */
static __attribute__((noinline)) size_t fill(dusk_thread *thread, size_t bytes)
{
  size_t total = 0;
  void **list = NULL;
  for (;;) {
    errno = 0;
    void **node = dusk_alloc(thread, DUSK_CONSERVATIVE, bytes);
    if (!node)
      break;
    api_check(node[0] == NULL);
    dusk_init(thread, node, list);
    node[1] = (void *)~(uintptr_t)node;
    list = node;
    total += bytes;
  }
  ck_assert_int_eq(errno, ENOMEM);
  /* All that was made before is whole.  The list is taken apart, so that one
   * stale word keeps one node. */
  size_t found = 0;
  while (list) {
    void **next = dusk_load(list);
    api_check(list[1] == (void *)~(uintptr_t)list);
    dusk_store(thread, list, NULL);
    list = next;
    found += bytes;
  }
  ck_assert_uint_eq(found, total);
  return total;
}

static const size_t node_sizes[] = {16, 64, 1000, 5000, 32768, 40000, 1 << 20};

enum { NODE_SIZES = sizeof(node_sizes) / sizeof(node_sizes[0]) };

/* The reservation is used up to a part that metadata may explain, and again
 * and again. */
START_TEST(a_full_heap_says_so_and_works_on)
{
  size_t bytes = node_sizes[_i % NODE_SIZES];
  dusk_heap *heap = open_small(_i < NODE_SIZES ? 100 : -1);
  dusk_thread *thread = api_attach(heap);
  for (int round = 0; round < 3; round++) {
    size_t total = fill(thread, bytes);
    ck_assert_uint_ge(total, MIB(RESERVE_MIB) * 3 / 4);
    ck_assert_uint_le(total, MIB(RESERVE_MIB));
    api_scrub_stack();
  }
  api_close(heap, thread);
}
END_TEST

/* Sizes change while the heap is full: no kind of memory is stuck. */
START_TEST(a_full_heap_serves_other_sizes_afterwards)
{
  dusk_heap *heap = open_small(100);
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < NODE_SIZES; i++) {
    ck_assert_uint_ge(fill(thread, node_sizes[(i * 3) % NODE_SIZES]),
                      MIB(RESERVE_MIB) / 2);
    api_scrub_stack();
  }
  api_close(heap, thread);
}
END_TEST

START_TEST(a_refusal_counts_nothing)
{
  dusk_heap *heap = open_small(-1);
  dusk_thread *thread = api_attach(heap);
  void **list = NULL;
  for (void **node; (node = dusk_alloc(thread, DUSK_CONSERVATIVE, 65536));) {
    dusk_init(thread, node, list);
    list = node;
  }
  dusk_memstats before, after;
  dusk_read_memstats(heap, &before);
  for (int i = 0; i < 5; i++)
    ck_assert_ptr_null(dusk_alloc(thread, DUSK_LEAF, 65536));
  dusk_read_memstats(heap, &after);
  ck_assert_uint_eq(after.mallocs, before.mallocs);
  ck_assert_uint_eq(after.total_alloc, before.total_alloc);
  ck_assert_uint_eq(after.heap_inuse, before.heap_inuse);
  ck_assert_uint_le(after.heap_sys, MIB(RESERVE_MIB));
  api_keep(list);
  api_close(heap, thread);
}
END_TEST

/* Automatic collection is off, and garbage alone fills the heap. */
START_TEST(garbage_never_exhausts_a_heap)
{
  dusk_heap *heap = open_small(-1);
  dusk_thread *thread = api_attach(heap);
  for (size_t done = 0; done < MIB(RESERVE_MIB) * 8; done += 1024)
    memset(api_alloc(thread, DUSK_LEAF, 1024), 1, 1024);
  for (size_t done = 0; done < MIB(RESERVE_MIB) * 8; done += 100000)
    memset(api_alloc(thread, DUSK_LEAF, 100000), 1, 100000);
  ck_assert_uint_ge(api_cycles(heap), 4);
  api_close(heap, thread);
}
END_TEST

struct filler {
  dusk_heap *heap;
  bool failed_once;
};

static void *fill_and_drop(void *argument)
{
  struct filler *filler = argument;
  dusk_thread *thread = api_attach(filler->heap);
  for (int round = 0; round < 5; round++) {
    fill(thread, node_sizes[1 + round]);
    filler->failed_once = true;
    api_scrub_stack();
  }
  dusk_detach(thread);
  return NULL;
}

START_TEST(many_threads_exhaust_a_heap_together)
{
  enum { THREADS = 4 };
  dusk_heap *heap = open_small(100);
  struct filler fillers[THREADS];
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    fillers[i] = (struct filler){.heap = heap};
    threads[i] = api_start(fill_and_drop, &fillers[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    ck_assert(fillers[i].failed_once);
  }
  dusk_thread *thread = api_attach(heap);
  ck_assert_uint_ge(fill(thread, 4096), MIB(RESERVE_MIB) * 3 / 4);
  api_close(heap, thread);
}
END_TEST

/* Address space */

static size_t address_space_bytes(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void limit_address_space(size_t more)
{
  struct rlimit limit;
  ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
  limit.rlim_cur = address_space_bytes() + more;
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

static int run_in_little_space(const void *argument)
{
  size_t space = *(const size_t *)argument;
  limit_address_space(space);
  dusk_options options = api_options();
  dusk_heap *heap = api_open_with(&options);
  dusk_thread *thread = api_attach(heap);
  for (int round = 0; round < 3; round++) {
    ck_assert_uint_ge(fill(thread, 1000), space / 8);
    api_scrub_stack();
  }
  api_close(heap, thread);
  return 0;
}

START_TEST(little_address_space_is_a_smaller_heap_and_a_line)
{
  static const size_t spaces[] = {MIB(128), MIB(300), MIB(1000)};
  static struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, run_in_little_space, &spaces[_i]);
  api_assert_one_line(&child, "dusk: ");
}
END_TEST

static int open_in_no_space(const void *unused)
{
  (void)unused;
  limit_address_space(0);
  dusk_options options = api_options();
  dusk_heap *const untouched = (dusk_heap *)&untouched;
  dusk_heap *heap = untouched;
  int error = dusk_heap_open(&options, &heap);
  return error != ENOMEM || heap != untouched;
}

START_TEST(no_address_space_is_no_heap)
{
  static struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, open_in_no_space, NULL);
  ck_assert_msg(child.exit_code == 0, "exit %d: %s", child.exit_code,
                child.text);
}
END_TEST

/* Attaching asks for memory: it may be refused, and the heap works on. */
static int attach_in_no_space(const void *unused)
{
  (void)unused;
  dusk_heap *heaps[64];
  dusk_options options = api_options();
  options.reserve_bytes = MIB(8);
  for (int i = 0; i < 64; i++)
    heaps[i] = api_open_with(&options);
  limit_address_space(MIB(20));
  dusk_thread *threads[64];
  int attached = 0;
  int error = 0;
  while (attached < 64 &&
         !(error = dusk_attach(heaps[attached], &threads[attached])))
    attached++;
  if (error != ENOMEM || attached == 0)
    return 1;
  for (int i = 0; i < attached; i++) {
    for (int j = 0; j < 1000; j++)
      if (!dusk_alloc(threads[i], DUSK_LEAF, 64))
        return 2;
    dusk_detach(threads[i]);
  }
  return 0;
}

START_TEST(no_space_for_a_thread_is_an_answer)
{
  static struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, attach_in_no_space, NULL);
  api_assert_silent(&child);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("oom");
  TCase *reservation = api_case(suite, "reservation");
  tcase_add_loop_test(reservation, a_full_heap_says_so_and_works_on, 0,
                      2 * NODE_SIZES);
  tcase_add_test(reservation, a_full_heap_serves_other_sizes_afterwards);
  tcase_add_test(reservation, a_refusal_counts_nothing);
  tcase_add_test(reservation, garbage_never_exhausts_a_heap);
  tcase_add_test(reservation, many_threads_exhaust_a_heap_together);

  TCase *space = api_case(suite, "address space");
  tcase_add_loop_test(space, little_address_space_is_a_smaller_heap_and_a_line,
                      0, 3);
  tcase_add_test(space, no_address_space_is_no_heap);
  tcase_add_test(space, no_space_for_a_thread_is_an_answer);
  return api_run(suite);
}
