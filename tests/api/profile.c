/* SPDX-License-Identifier: MIT */
/* profile.c -- the heap profile and the lifetime profile, read back
 *
 * <dusk/profile.h>.  What is planted are functions that allocate known amounts;
 * what is sampled of them is within five standard deviations, which for n
 * samples is five times their square root. */
#include "pprof.h"

#include <fcntl.h>
#include <math.h>

#define NOINLINE __attribute__((noinline))

enum { RATE = 16 * 1024 };

static dusk_heap *heap;
static dusk_thread *thread;
static dusk_kind node_kind;
static char file_name[] = "/tmp/dusk-profile.XXXXXX";

static void set_up(void)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "node";
  spec.scan = DUSK_SCAN_CONSERVATIVE;
  spec.size = 64;
  heap = api_open_manual();
  thread = api_attach(heap);
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &node_kind), 0);
  ck_assert_int_eq(dusk_set_profile_rate(heap, RATE), 0);
  int file = mkstemp(file_name);
  ck_assert_int_ge(file, 0);
  close(file);
}

static void tear_down(void)
{
  unlink(file_name);
  api_close(heap, thread);
}

static void read_with(int (*write)(dusk_heap *heap, int fd),
                      struct read_profile *p)
{
  int file = open(file_name, O_WRONLY | O_TRUNC);
  ck_assert_int_ge(file, 0);
  ck_assert_int_eq(write(heap, file), 0);
  close(file);
  pprof_read(p, file_name);
}

/* Five standard deviations of what `bytes` in samples of RATE can be off. */
static void check_bytes(uint64_t found, uint64_t bytes)
{
  double samples = (double)bytes / RATE;
  double error = 5 * sqrt(samples + 1) * RATE;
  ck_assert_msg(fabs((double)found - (double)bytes) < error,
                "%llu bytes, and not %llu", (unsigned long long)found,
                (unsigned long long)bytes);
}

/* Without libunwind a stack is one frame, and that one has no name here. */
static bool has_stacks(const struct read_profile *p)
{
  return p->sample_count && p->samples[0].depth > 1;
}

/* ---- who allocates ---- */

static NOINLINE void plant_many(size_t bytes)
{
  for (; bytes >= 64; bytes -= 64)
    api_keep(dusk_new(thread, node_kind));
  api_keep(&bytes); /* no tail call */
}

static NOINLINE void plant_large(unsigned count)
{
  for (; count > 0; count--)
    api_keep(api_alloc(thread, DUSK_LEAF, MIB(1)));
  api_keep(&count);
}

static NOINLINE void plant_few(size_t bytes)
{
  for (; bytes >= 256; bytes -= 256)
    api_keep(api_alloc(thread, DUSK_LEAF, 250));
  api_keep(&bytes);
}

START_TEST(sites_have_their_shares)
{
  struct read_profile p;
  plant_many(MIB(30));
  plant_few(MIB(10));
  plant_large(20);
  read_with(dusk_write_heap_profile, &p);
  if (has_stacks(&p)) {
    check_bytes(pprof_sum(&p, "alloc_space", "plant_many", NULL), MIB(30));
    check_bytes(pprof_sum(&p, "alloc_space", "plant_few", NULL), MIB(10));
    ck_assert_uint_eq(pprof_sum(&p, "alloc_space", "plant_large", NULL),
                      MIB(20));
    ck_assert_uint_eq(pprof_sum(&p, "alloc_objects", "plant_large", NULL), 20);
    ck_assert_uint_eq(pprof_sum(&p, "alloc_space", "main", NULL),
                      pprof_sum(&p, "alloc_space", NULL, NULL));
  }
  check_bytes(pprof_sum(&p, "alloc_space", NULL, "node"), MIB(30));
  check_bytes(pprof_sum(&p, "alloc_space", NULL, "leaf"), MIB(30));
  ck_assert_uint_eq(pprof_sum(&p, "alloc_space", NULL, NULL),
                    pprof_sum(&p, "inuse_space", NULL, NULL));
  pprof_free(&p);
}
END_TEST

START_TEST(sizes_are_labels)
{
  struct read_profile p;
  plant_many(MIB(4));
  plant_few(MIB(4));
  read_with(dusk_write_heap_profile, &p);
  unsigned objects = pprof_type(&p, "alloc_objects");
  unsigned space = pprof_type(&p, "alloc_space");
  for (size_t i = 0; i < p.sample_count; i++) {
    const struct read_sample *sample = &p.samples[i];
    ck_assert(sample->bytes == 64 || sample->bytes == 256);
    ck_assert(text_is(&p, sample->kind, sample->bytes == 64 ? "node" : "leaf"));
    double expected = (double)sample->values[objects] * (double)sample->bytes;
    ck_assert_double_eq_tol((double)sample->values[space], expected, 256);
  }
  pprof_free(&p);
}
END_TEST

START_TEST(at_rate_1_each_object_is_counted)
{
  struct read_profile p;
  ck_assert_int_eq(dusk_set_profile_rate(heap, 1), RATE);
  plant_many(64 * 12345);
  plant_few(256 * 777);
  read_with(dusk_write_heap_profile, &p);
  ck_assert_uint_eq(pprof_sum(&p, "alloc_objects", NULL, "node"), 12345);
  ck_assert_uint_eq(pprof_sum(&p, "alloc_space", NULL, "node"), 64 * 12345);
  ck_assert_uint_eq(pprof_sum(&p, "inuse_objects", NULL, "leaf"), 777);
  ck_assert_uint_eq(p.period, 1);
  pprof_free(&p);
}
END_TEST

/* ---- what is in use ---- */

static void *kept[4096];

static NOINLINE void plant_kept(size_t bytes)
{
  size_t each = bytes / 4096;
  for (int i = 0; i < 4096; i++)
    dusk_store(thread, &kept[i], api_alloc(thread, DUSK_LEAF, each));
  api_keep(kept);
}

START_TEST(in_use_is_what_the_last_cycle_left)
{
  struct read_profile p;
  dusk_memstats stats;
  ck_assert_int_eq(dusk_root_add(heap, kept, sizeof kept), 0);
  plant_kept(MIB(32));
  plant_many(MIB(20));
  api_collect_all(thread);
  plant_few(MIB(20)); /* after the last cycle: nothing is known of it */
  read_with(dusk_write_heap_profile, &p);
  check_bytes(pprof_sum(&p, "alloc_space", NULL, NULL), MIB(52));
  ck_assert_uint_lt(pprof_sum(&p, "inuse_space", NULL, "node"), KIB(64));
  check_bytes(pprof_sum(&p, "inuse_space", NULL, "leaf"), MIB(32));
  pprof_free(&p);
  api_collect_all(thread);
  dusk_read_memstats(heap, &stats);
  read_with(dusk_write_heap_profile, &p);
  check_bytes(pprof_sum(&p, "inuse_space", NULL, NULL), stats.heap_alloc);
  check_bytes(pprof_sum(&p, "alloc_space", NULL, NULL), MIB(72));
  ck_assert_uint_gt(stats.buck_hash_sys, 0);
  pprof_free(&p);
  memset(kept, 0, sizeof kept);
  dusk_root_remove(heap, kept);
}
END_TEST

/* ---- how long it lives ---- */

START_TEST(who_dies_young_comes_first)
{
  struct read_profile p;
  ck_assert_int_eq(dusk_root_add(heap, kept, sizeof kept), 0);
  for (int i = 0; i < 6; i++) {
    plant_kept(MIB(16)); /* lives for a cycle or two */
    plant_many(MIB(20)); /* for none */
    dusk_collect(thread);
  }
  read_with(dusk_write_lifetime_profile, &p);
  ck_assert(text_is(&p, p.shown, "died_young_space"));
  check_bytes(pprof_sum(&p, "died_young_space", NULL, "node"), 6 * MIB(20));
  ck_assert_uint_lt(pprof_sum(&p, "died_young_space", NULL, "leaf"), MIB(1));
  check_bytes(pprof_sum(&p, "died_space", NULL, "leaf"), 5 * MIB(16));
  uint64_t died = pprof_sum(&p, "died_objects", NULL, "leaf");
  ck_assert_uint_ge(pprof_sum(&p, "cycles", NULL, "leaf"), died * 9 / 10);
  uint64_t most = 0;
  const struct read_sample *first = NULL;
  unsigned type = pprof_type(&p, "died_young_space");
  for (size_t i = 0; i < p.sample_count; i++)
    if (p.samples[i].values[type] > most) {
      first = &p.samples[i];
      most = first->values[type];
    }
  ck_assert_ptr_nonnull(first);
  ck_assert(text_is(&p, first->survived, "0"));
  ck_assert(!has_stacks(&p) || pprof_is_in(&p, first, "plant_many"));
  pprof_free(&p);
  memset(kept, 0, sizeof kept);
  dusk_root_remove(heap, kept);
}
END_TEST

/* ---- the form ---- */

START_TEST(the_head_says_what_it_is)
{
  struct read_profile p;
  static const char *const types[] = {"alloc_objects", "alloc_space",
                                      "inuse_objects", "inuse_space"};
  plant_many(MIB(1));
  read_with(dusk_write_heap_profile, &p);
  ck_assert_uint_eq(p.type_count, 4);
  for (unsigned i = 0; i < 4; i++) {
    ck_assert(text_is(&p, p.types[i], types[i]));
    ck_assert(text_is(&p, p.units[i], i % 2 ? "bytes" : "count"));
  }
  ck_assert(text_is(&p, p.shown, "inuse_space"));
  ck_assert(text_is(&p, p.period_type, "space"));
  ck_assert(text_is(&p, p.period_unit, "bytes"));
  ck_assert_uint_eq(p.period, RATE);
  ck_assert_uint_gt(p.time_nanos, UINT64_C(1) << 60); /* since 2006 */
  pprof_free(&p);
}
END_TEST

START_TEST(each_address_is_in_its_file)
{
  struct read_profile p;
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  ck_assert_int_gt(length, 0);
  self[length] = '\0';
  plant_many(MIB(1));
  read_with(dusk_write_heap_profile, &p);
  ck_assert_uint_gt(p.mapping_count, 1);
  ck_assert(text_is(&p, p.mappings[0].file, self)); /* the program first */
  ck_assert_uint_gt(p.location_count, 0);
  for (size_t i = 1; i <= p.location_count; i++) {
    uint64_t mapping = p.locations[i][1];
    ck_assert_uint_le(mapping, p.mapping_count);
    ck_assert_uint_gt(mapping, 0);
    ck_assert_uint_ge(p.locations[i][0], p.mappings[mapping - 1].start);
    ck_assert_uint_lt(p.locations[i][0], p.mappings[mapping - 1].limit);
  }
  pprof_free(&p);
}
END_TEST

/* ---- switching ---- */

START_TEST(off_it_costs_no_table)
{
  struct read_profile p;
  dusk_memstats stats;
  dusk_heap *other = api_open_manual();
  dusk_thread *mine = api_attach(other);
  ck_assert_int_eq(dusk_set_profile_rate(other, -1), 0);
  for (int i = 0; i < 100000; i++)
    api_alloc(mine, DUSK_LEAF, 1000);
  dusk_read_memstats(other, &stats);
  ck_assert_uint_eq(stats.buck_hash_sys, 0);
  int file = open(file_name, O_WRONLY | O_TRUNC);
  ck_assert_int_eq(dusk_write_heap_profile(other, file), 0);
  close(file);
  pprof_read(&p, file_name);
  ck_assert_uint_eq(p.sample_count, 0);
  ck_assert_uint_eq(p.type_count, 4);
  pprof_free(&p);
  api_close(other, mine);
}
END_TEST

START_TEST(what_was_sampled_is_kept_when_it_is_off)
{
  struct read_profile p;
  plant_many(MIB(8));
  ck_assert_int_eq(dusk_set_profile_rate(heap, 0), RATE);
  plant_many(MIB(8));
  read_with(dusk_write_heap_profile, &p);
  check_bytes(pprof_sum(&p, "alloc_space", NULL, NULL), MIB(8));
  pprof_free(&p);
  ck_assert_int_eq(dusk_set_profile_rate(heap, RATE), 0);
  plant_many(MIB(8));
  read_with(dusk_write_heap_profile, &p);
  check_bytes(pprof_sum(&p, "alloc_space", NULL, NULL), MIB(16));
  pprof_free(&p);
}
END_TEST

START_TEST(what_is_asked_wrongly_is_refused)
{
  ck_assert_int_eq(dusk_set_profile_rate(NULL, 1), -1);
  ck_assert_int_eq(dusk_write_heap_profile(NULL, 1), EINVAL);
  ck_assert_int_eq(dusk_write_lifetime_profile(NULL, 1), EINVAL);
}
END_TEST

/* ---- files that do not take it ---- */

START_TEST(a_file_that_does_not_take_it_is_an_error)
{
  struct read_profile p;
  int ends[2];
  plant_many(MIB(4));
  int closed = open("/dev/null", O_WRONLY);
  close(closed);
  int full = open("/dev/full", O_WRONLY);
  errno = ERANGE;
  ck_assert_int_eq(dusk_write_heap_profile(heap, closed), EIO);
  ck_assert_int_eq(dusk_write_lifetime_profile(heap, -1), EIO);
  ck_assert(full < 0 || dusk_write_heap_profile(heap, full) == EIO);
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(dusk_write_heap_profile(heap, ends[0]), EIO);
  close(ends[0]); /* and SIGPIPE does not end the program */
  ck_assert_int_eq(dusk_write_heap_profile(heap, ends[1]), EIO);
  close(ends[1]);
  ck_assert_int_eq(errno, ERANGE);
  plant_many(MIB(4)); /* and it goes on */
  read_with(dusk_write_heap_profile, &p);
  check_bytes(pprof_sum(&p, "alloc_space", NULL, NULL), MIB(8));
  pprof_free(&p);
}
END_TEST

/* ---- threads ---- */

static bool stop;

static void *write_on(void *argument)
{
  int null = open("/dev/null", O_WRONLY);
  (void)argument;
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    api_check(dusk_write_heap_profile(heap, null) == 0);
    api_check(dusk_write_lifetime_profile(heap, null) == 0);
  }
  close(null);
  return NULL;
}

static void *allocate_on(void *argument)
{
  dusk_thread *mine = api_attach(heap);
  for (int i = 0; i < 300000; i++)
    api_alloc(mine, DUSK_LEAF, 100);
  dusk_detach(mine);
  return argument;
}

START_TEST(threads_allocate_while_others_write)
{
  struct read_profile p;
  pthread_t writers[2], allocators[2];
  dusk_set_gc_percent(heap, 100);
  for (int i = 0; i < 2; i++) {
    writers[i] = api_start(write_on, NULL);
    allocators[i] = api_start(allocate_on, NULL);
  }
  dusk_blocking_begin(thread);
  for (int i = 0; i < 2; i++)
    pthread_join(allocators[i], NULL);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < 2; i++)
    pthread_join(writers[i], NULL);
  dusk_blocking_end(thread);
  dusk_collect(thread);
  read_with(dusk_write_heap_profile, &p);
  check_bytes(pprof_sum(&p, "alloc_space", NULL, NULL), 2 * 300000 * 112);
  pprof_free(&p);
}
END_TEST

/* The child has what the parent had, and goes on by itself. */
static int check_child(const void *argument)
{
  struct read_profile p;
  (void)argument;
  plant_many(MIB(8));
  read_with(dusk_write_heap_profile, &p);
  uint64_t now = pprof_sum(&p, "alloc_space", NULL, NULL);
  return now > MIB(13) && now < MIB(19) ? 0 : 1;
}

START_TEST(the_child_of_a_fork_has_a_profile)
{
  struct api_child child;
  plant_many(MIB(8));
  api_fork(&child, check_child, NULL);
  ck_assert_msg(child.exit_code == 0, "%s", child.text);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("profile");
  TCase *cases = api_case(suite, "profile");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, sites_have_their_shares);
  tcase_add_test(cases, sizes_are_labels);
  tcase_add_test(cases, at_rate_1_each_object_is_counted);
  tcase_add_test(cases, in_use_is_what_the_last_cycle_left);
  tcase_add_test(cases, who_dies_young_comes_first);
  tcase_add_test(cases, the_head_says_what_it_is);
  tcase_add_test(cases, each_address_is_in_its_file);
  tcase_add_test(cases, off_it_costs_no_table);
  tcase_add_test(cases, what_was_sampled_is_kept_when_it_is_off);
  tcase_add_test(cases, what_is_asked_wrongly_is_refused);
  tcase_add_test(cases, a_file_that_does_not_take_it_is_an_error);
  tcase_add_test(cases, threads_allocate_while_others_write);
  tcase_add_test(cases, the_child_of_a_fork_has_a_profile);
  return api_run(suite);
}
