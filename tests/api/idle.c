/* SPDX-License-Identifier: MIT */
/* idle.c -- a program that stops needing memory gives it back by itself, and
 * one that needs it elsewhere gives it back first
 *
 * Resident size is what the system says it is, not what the heap counts.
 * DUSK_TEST_IDLE_MIB sets how much the heap grows to (256). */
#include "api.h"

enum {
  KEPT_PART = 20,     /* of what the heap grew to */
  POLL_SECONDS = 120, /* the test has failed, not the machine been slow */
  BLOCK_BYTES = 64 * 1024,
};

/* Bytes of this process that are in memory; 0: this system does not say. */
static uint64_t resident(void)
{
  char line[256];
  unsigned long long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmRSS: %llu", &kib) == 1)
      break;
  if (status)
    fclose(status);
  return (uint64_t)kib << 10;
}

static size_t grown_bytes(void)
{
  const char *text = getenv("DUSK_TEST_IDLE_MIB");
  return MIB(text ? strtoul(text, NULL, 10) : 256);
}

struct idler {
  dusk_heap *heap;
  dusk_thread *thread;
  void *lists[2]; /* roots: what is kept, what is dropped */
};

/* Objects of an ordinary program, linked, `bytes` of them. */
static void grow_list(struct idler *idler, int which, size_t bytes)
{
  static const size_t sizes[] = {16, 32, 48, 64, 96, 128, 256, 1024, 40000};
  uint64_t random = 7;
  for (size_t made = 0; made < bytes;) {
    size_t size = sizes[api_random(&random) % 8];
    if (api_random(&random) % 4096 == 0)
      size = sizes[8];
    void **cell = api_alloc(idler->thread, DUSK_CONSERVATIVE, size);
    memset(cell + 1, 0x5a, size - sizeof *cell);
    cell[1] = NULL;
    dusk_init(idler->thread, &cell[0], idler->lists[which]);
    dusk_store(idler->thread, &idler->lists[which], cell);
    made += size;
  }
}

/* Waits, doing nothing; true: the process came down to `bytes`. */
static bool comes_down_to(struct idler *idler, uint64_t bytes, uint64_t *seen)
{
  bool down = false;
  dusk_blocking_begin(idler->thread);
  for (int i = 0; i < POLL_SECONDS * 10 && !down; i++) {
    api_sleep_us(100 * 1000);
    *seen = resident();
    down = *seen <= bytes;
  }
  dusk_blocking_end(idler->thread);
  return down;
}

static void __attribute__((noinline)) build(struct idler *idler)
{
  size_t bytes = grown_bytes();
  grow_list(idler, 0, bytes / KEPT_PART);
  grow_list(idler, 1, bytes - bytes / KEPT_PART);
}

START_TEST(an_idle_heap_comes_down_by_itself)
{
  static struct idler idler;
  dusk_memstats stats;
  uint64_t before = resident(), seen = 0;
  if (!before || SANITIZED)
    return;
  idler.heap = api_open();
  idler.thread = api_attach(idler.heap);
  ck_assert_int_eq(dusk_root_add(idler.heap, idler.lists, sizeof idler.lists),
                   0);
  build(&idler);
  uint64_t top = resident();
  ck_assert_uint_ge(top, before + grown_bytes() * 9 / 10);
  dusk_store(idler.thread, &idler.lists[1], NULL);
  api_scrub_stack();
  /* The goal is what one more cycle will say, twice what is kept: known only
   * afterwards, and so asked for each time. */
  uint64_t goal = 2 * (grown_bytes() / KEPT_PART);
  bool down = comes_down_to(&idler, before + goal * 6 / 5, &seen);
  dusk_read_memstats(idler.heap, &stats);
  printf("resident: %llu MiB before, %llu grown, %llu idle; goal %llu, in use "
         "%llu, returned %llu, metadata %llu, %llu cycles\n",
         (unsigned long long)before >> 20, (unsigned long long)top >> 20,
         (unsigned long long)seen >> 20,
         (unsigned long long)stats.next_gc >> 20,
         (unsigned long long)stats.heap_inuse >> 20,
         (unsigned long long)stats.heap_released >> 20,
         (unsigned long long)(stats.gc_sys + stats.mspan_sys) >> 20,
         (unsigned long long)stats.num_gc);
  ck_assert_msg(down, "%llu MiB are resident, of %llu; the goal is %llu",
                (unsigned long long)seen >> 20, (unsigned long long)top >> 20,
                (unsigned long long)stats.next_gc >> 20);
  ck_assert_uint_le(seen, before + stats.next_gc * 6 / 5);
  ck_assert_uint_eq(dusk_root_remove(idler.heap, idler.lists), 0);
  api_close(idler.heap, idler.thread);
}
END_TEST

/* What was returned and is taken again reads as zero, and is counted again. */
START_TEST(memory_that_was_returned_comes_back_as_zeros)
{
  static struct idler idler;
  dusk_memstats stats;
  idler.heap = api_open_manual();
  idler.thread = api_attach(idler.heap);
  enum { BLOCKS = 256 };
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < BLOCKS; i++) {
      unsigned char *block = api_alloc(idler.thread, DUSK_LEAF, BLOCK_BYTES);
      for (size_t k = 0; k < BLOCK_BYTES; k += 512)
        api_check(block[k] == 0);
      memset(block, 0xff, BLOCK_BYTES);
    }
    api_scrub_stack();
    dusk_release_memory(idler.thread);
    dusk_read_memstats(idler.heap, &stats);
    ck_assert_uint_ge(stats.heap_released, (BLOCKS - 16) * BLOCK_BYTES);
    ck_assert_uint_le(stats.heap_released, stats.heap_idle);
  }
  api_close(idler.heap, idler.thread);
}
END_TEST

/* What is free lies in pieces, none of which will do for a large object: the
 * heap grows, and gives pieces back before it is over the limit. */
START_TEST(a_heap_at_its_limit_gives_back_what_it_grows_by)
{
  static struct idler idler;
  static void *kept[96]; /* of 768 blocks, 48 MiB */
  dusk_memstats stats;
  dusk_options options = api_options();
  options.memory_limit = (int64_t)MIB(64);
  options.gc_percent = -1;
  idler.heap = api_open_with(&options);
  idler.thread = api_attach(idler.heap);
  ck_assert_int_eq(dusk_root_add(idler.heap, kept, sizeof kept), 0);
  for (int i = 0; i < 8 * 96; i++) {
    void *block = api_alloc(idler.thread, DUSK_LEAF, BLOCK_BYTES);
    memset(block, 1, BLOCK_BYTES);
    if (i % 8 == 0)
      dusk_store(idler.thread, &kept[i / 8], block);
  }
  api_collect_all(idler.thread);
  for (int i = 0; i < 3; i++) {
    void *large = api_alloc(idler.thread, DUSK_LEAF, MIB(30));
    memset(large, 2, MIB(30));
    dusk_read_memstats(idler.heap, &stats);
    ck_assert_uint_le(stats.sys - stats.heap_released, MIB(64 + 1));
    api_keep(large);
    large = NULL;
    api_collect_all(idler.thread);
  }
  ck_assert_int_eq(dusk_root_remove(idler.heap, kept), 0);
  api_close(idler.heap, idler.thread);
}
END_TEST

/* One early cycle, and then none: a process that does nothing is left alone. */
START_TEST(an_idle_program_is_collected_early_once)
{
  static struct idler idler;
  idler.heap = api_open();
  idler.thread = api_attach(idler.heap);
  for (int i = 0; i < 40; i++)
    api_alloc(idler.thread, DUSK_LEAF, BLOCK_BYTES); /* 2.5 MiB: no cycle */
  ck_assert_uint_eq(api_cycles(idler.heap), 0);
  dusk_blocking_begin(idler.thread);
  for (int i = 0; i < POLL_SECONDS * 10 && !api_cycles(idler.heap); i++)
    api_sleep_us(100 * 1000);
  ck_assert_uint_eq(api_cycles(idler.heap), 1);
  api_sleep_us(12 * 1000 * 1000); /* twice as long as it waited */
  ck_assert_uint_eq(api_cycles(idler.heap), 1);
  dusk_blocking_end(idler.thread);
  api_close(idler.heap, idler.thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("idle");
  TCase *idle = api_case(suite, "idle");
  tcase_add_test(idle, an_idle_heap_comes_down_by_itself);
  tcase_add_test(idle, memory_that_was_returned_comes_back_as_zeros);
  tcase_add_test(idle, a_heap_at_its_limit_gives_back_what_it_grows_by);
  tcase_add_test(idle, an_idle_program_is_collected_early_once);
  return api_run(suite);
}
