/* SPDX-License-Identifier: MIT */
/* Test of dusk/budget.h: heaps that share memory, one growing while another
 * shrinks, and bad input. */
#include "api.h"

enum { BUDGET_MIB = 96, SLACK_MIB = 16 };

static uint64_t held(dusk_heap *heap)
{
  static dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats.sys - stats.heap_released;
}

static dusk_budget *open_budget(size_t bytes)
{
  dusk_budget *budget = NULL;
  ck_assert_int_eq(dusk_budget_open((int64_t)bytes, &budget), 0);
  ck_assert_ptr_nonnull(budget);
  return budget;
}

/* A list of leaves of 4 KiB, which `keep` is the head of; 1: a step longer. */
struct list {
  dusk_heap *heap;
  dusk_thread *thread;
  void **head; /* a root */
};

static void list_open(struct list *list, dusk_policy policy)
{
  dusk_options options = api_options();
  options.policy = policy;
  list->heap = api_open_with(&options);
  list->thread = api_attach(list->heap);
  list->head = NULL;
  ck_assert_int_eq(dusk_root_add(list->heap, &list->head, sizeof list->head),
                   0);
}

static void list_grow(struct list *list, size_t bytes)
{
  for (size_t done = 0; done < bytes; done += KIB(4)) {
    void **node = api_alloc(list->thread, DUSK_CONSERVATIVE, KIB(4));
    dusk_init(list->thread, node, list->head);
    dusk_store(list->thread, &list->head, node);
  }
}

static void churn(struct list *list, size_t bytes)
{
  for (size_t done = 0; done < bytes; done += KIB(4))
    api_alloc(list->thread, DUSK_CONSERVATIVE, KIB(4));
}

static void list_close(struct list *list)
{
  dusk_root_remove(list->heap, &list->head);
  api_close(list->heap, list->thread);
}

/* ---- sharing ---- */

static void expect_within(const struct list *a, const struct list *b)
{
  uint64_t sum = held(a->heap) + held(b->heap);
  ck_assert_msg(sum <= MIB(BUDGET_MIB + SLACK_MIB), "%ju MiB + %ju MiB",
                (uintmax_t)held(a->heap) >> 20, (uintmax_t)held(b->heap) >> 20);
}

/* The idle one sits in a blocking region, as an idle program does; each heap
 * alone would take all of the budget. */
static void grow_and_shrink(dusk_policy policy)
{
  dusk_budget *budget = open_budget(MIB(BUDGET_MIB));
  struct list a, b;
  list_open(&a, policy);
  list_open(&b, policy);
  ck_assert_int_eq(dusk_budget_join(budget, a.heap), 0);
  ck_assert_int_eq(dusk_budget_join(budget, b.heap), 0);
  struct list *busy = &a, *idle = &b;
  for (unsigned turn = 0; turn < 4; turn++) {
    dusk_blocking_begin(idle->thread);
    for (unsigned mib = 0; mib < 50; mib++) {
      list_grow(busy, MIB(1));
      churn(busy, MIB(3));
      expect_within(&a, &b);
    }
    dusk_blocking_end(idle->thread);
    dusk_store(busy->thread, &busy->head, NULL); /* garbage, of an idle heap */
    struct list *was_busy = busy;
    busy = idle;
    idle = was_busy;
  }
  list_close(&a);
  list_close(&b);
  dusk_budget_close(budget);
}

START_TEST(one_heap_grows_while_the_other_shrinks)
{
  grow_and_shrink(_i == 0   ? DUSK_POLICY_GO
                  : _i == 1 ? DUSK_POLICY_DUSK
                            : DUSK_POLICY_BALANCE);
}
END_TEST

/* Without a cycle that somebody asks it for, it would keep all of its garbage
 * for ever. */
START_TEST(an_idle_heap_gives_way_to_a_busy_one)
{
  dusk_budget *budget = open_budget(MIB(BUDGET_MIB));
  struct list idle, busy;
  list_open(&idle, DUSK_POLICY_GO);
  list_open(&busy, DUSK_POLICY_GO);
  dusk_set_gc_percent(idle.heap, -1);
  ck_assert_int_eq(dusk_budget_join(budget, idle.heap), 0);
  list_grow(&idle, MIB(60));
  dusk_store(idle.thread, &idle.head, NULL);
  uint64_t before = held(idle.heap);
  dusk_blocking_begin(idle.thread);
  ck_assert_int_eq(dusk_budget_join(budget, busy.heap), 0);
  list_grow(&busy, MIB(50));
  while (held(idle.heap) > before / 2) {
    churn(&busy, MIB(8));
    api_sleep_us(1000);
  }
  dusk_blocking_end(idle.thread);
  list_close(&idle);
  list_close(&busy);
  dusk_budget_close(budget);
}
END_TEST

START_TEST(a_smaller_budget_holds_at_once)
{
  dusk_budget *budget = open_budget(MIB(512));
  struct list list;
  list_open(&list, DUSK_POLICY_GO);
  dusk_set_gc_percent(list.heap, -1);
  ck_assert_int_eq(dusk_budget_join(budget, list.heap), 0);
  churn(&list, MIB(100));
  ck_assert_int_eq(dusk_budget_set(budget, -1), (int64_t)MIB(512));
  ck_assert_int_eq(dusk_budget_set(budget, (int64_t)MIB(32)),
                   (int64_t)MIB(512));
  ck_assert_int_eq(dusk_budget_set(budget, -5), (int64_t)MIB(32));
  dusk_blocking_begin(list.thread);
  while (held(list.heap) > MIB(32 + SLACK_MIB))
    api_sleep_us(1000);
  dusk_blocking_end(list.thread);
  list_close(&list);
  dusk_budget_close(budget);
}
END_TEST

START_TEST(a_heap_that_leaves_has_its_own_limit_again)
{
  dusk_budget *budget = open_budget(MIB(16));
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  static dusk_memstats stats;
  dusk_set_memory_limit(heap, (int64_t)MIB(1000));
  ck_assert_int_eq(dusk_budget_join(budget, heap), 0);
  ck_assert_int_eq(dusk_set_memory_limit(heap, -1), (int64_t)MIB(1000));
  dusk_set_gc_percent(heap, -1);
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_le(stats.next_gc, MIB(16));
  ck_assert_int_eq(dusk_budget_leave(heap), 0);
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_gt(stats.next_gc, MIB(900));
  ck_assert_int_eq(dusk_budget_leave(heap), EINVAL);
  api_close(heap, thread);
  dusk_budget_close(budget);
}
END_TEST

/* ---- heaps that come and go ---- */

struct visitor {
  dusk_budget *budget;
  unsigned rounds;
};

static void *come_and_go(void *argument)
{
  const struct visitor *visitor = argument;
  for (unsigned i = 0; i < visitor->rounds; i++) {
    struct list list;
    list_open(&list, (dusk_policy)(i % 3));
    api_check(dusk_budget_join(visitor->budget, list.heap) == 0);
    list_grow(&list, MIB(2));
    churn(&list, MIB(20));
    if (i % 2)
      api_check(dusk_budget_leave(list.heap) == 0);
    list_close(&list); /* leaves */
  }
  return NULL;
}

START_TEST(heaps_may_come_and_go_at_any_time)
{
  enum { VISITORS = 3 };
  struct visitor visitor = {open_budget(MIB(64)), SANITIZED ? 4 : 20};
  pthread_t threads[VISITORS];
  for (int i = 0; i < VISITORS; i++)
    threads[i] = api_start(come_and_go, &visitor);
  for (int i = 0; i < 200; i++)
    dusk_budget_set(visitor.budget, (int64_t)MIB(32 + i % 64));
  for (int i = 0; i < VISITORS; i++)
    pthread_join(threads[i], NULL);
  dusk_budget_close(visitor.budget);
}
END_TEST

/* ---- bad input ---- */

START_TEST(mistakes_have_answers)
{
  dusk_budget *budget = NULL;
  ck_assert_int_eq(dusk_budget_open(-1, &budget), EINVAL);
  ck_assert_int_eq(dusk_budget_open(1, NULL), EINVAL);
  ck_assert_ptr_null(budget);
  budget = open_budget(0);
  dusk_budget *other = open_budget(MIB(64));
  dusk_heap *heap = api_open();
  ck_assert_int_eq(dusk_budget_join(NULL, heap), EINVAL);
  ck_assert_int_eq(dusk_budget_join(budget, NULL), EINVAL);
  ck_assert_int_eq(dusk_budget_leave(NULL), EINVAL);
  ck_assert_int_eq(dusk_budget_leave(heap), EINVAL);
  ck_assert_int_eq(dusk_budget_join(budget, heap), 0);
  ck_assert_int_eq(dusk_budget_join(budget, heap), EBUSY);
  ck_assert_int_eq(dusk_budget_join(other, heap), EBUSY);
  ck_assert_int_eq(dusk_budget_set(NULL, 1), -1);
  dusk_heap_close(heap);
  dusk_budget_close(budget);
  dusk_budget_close(other);
  dusk_budget_close(NULL);
}
END_TEST

static int close_with_a_heap(const void *unused)
{
  (void)unused;
  dusk_budget *budget = NULL;
  dusk_heap *heap = NULL;
  dusk_options options = api_options();
  if (dusk_budget_open(1 << 30, &budget) || dusk_heap_open(&options, &heap) ||
      dusk_budget_join(budget, heap))
    return 1;
  dusk_budget_close(budget);
  if (dusk_budget_set(budget, -1) != 1 << 30) /* it is still there */
    return 2;
  dusk_heap_close(heap);
  dusk_budget_close(budget);
  return 0;
}

START_TEST(a_budget_with_heaps_stays_open)
{
  struct api_child child;
  api_fork(&child, close_with_a_heap, NULL);
  api_assert_one_line(&child, "dusk_budget_close: 1 heap is still in budget");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("budget");
  TCase *tests = api_case(suite, "budget");
  tcase_add_loop_test(tests, one_heap_grows_while_the_other_shrinks, 0, 3);
  tcase_add_test(tests, an_idle_heap_gives_way_to_a_busy_one);
  tcase_add_test(tests, a_smaller_budget_holds_at_once);
  tcase_add_test(tests, a_heap_that_leaves_has_its_own_limit_again);
  tcase_add_test(tests, heaps_may_come_and_go_at_any_time);
  tcase_add_test(tests, mistakes_have_answers);
  tcase_add_test(tests, a_budget_with_heaps_stays_open);
  return api_run(suite);
}
