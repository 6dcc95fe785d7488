/* SPDX-License-Identifier: MIT */
/* trees.c -- binary trees, the well-known benchmark game, in threads
 *
 *   trees [DEPTH [THREADS]]      10 and 1 if not given
 *
 * Builds and drops many perfect binary trees of each depth 4, 6, ... DEPTH
 * while one tree of depth DEPTH lives on.  Every thread is attached and takes
 * one depth after the other: all cost about the same.  What is printed does
 * not depend on the number of threads. */
#include <dusk.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  DEPTH_MIN = 4,
  DEPTH_MAX = 30,
  ROWS_MAX = (DEPTH_MAX - DEPTH_MIN) / 2 + 1,
  THREADS_MAX = 256
};

struct node { /* 16 bytes, both words pointers */
  struct node *left;
  struct node *right;
};

/* What the threads share.  No pointers to objects: it needs no root. */
struct forest {
  dusk_heap *heap;
  dusk_kind kind;
  int depth;
  int rows;              /* how many depths 4, 6, ... there are up to `depth` */
  atomic_int next;       /* the next row that no thread has taken */
  long checks[ROWS_MAX]; /* by row; written by the thread that took the row */
};

static _Noreturn void die(const char *what, int error)
{
  fprintf(stderr, "trees: %s: %s\n", what, strerror(error));
  exit(1);
}

/* The locals keep the children alive while their parent is allocated. */
static struct node *tree_build(dusk_thread *thread, dusk_kind kind, int depth)
{
  struct node *left = depth ? tree_build(thread, kind, depth - 1) : NULL;
  struct node *right = depth ? tree_build(thread, kind, depth - 1) : NULL;
  struct node *node = dusk_new(thread, kind);
  if (!node)
    die("cannot allocate a node", errno);
  dusk_init(thread, &node->left, left);
  dusk_init(thread, &node->right, right);
  return node;
}

/* The number of nodes.  It allocates nothing, so it asks for safepoints. */
static long tree_count(dusk_thread *thread, const struct node *node)
{
  dusk_safepoint(thread);
  if (!dusk_load(&node->left))
    return 1;
  return 1 + tree_count(thread, dusk_load(&node->left)) +
         tree_count(thread, dusk_load(&node->right));
}

/* How many trees of a row's depth are built: the deeper, the fewer. */
static long row_trees(const struct forest *forest, int row)
{
  return 1L << (forest->depth - 2 * row);
}

static void *forest_run(void *argument)
{
  struct forest *forest = argument;
  dusk_thread *thread;
  int error = dusk_attach(forest->heap, &thread);
  if (error)
    die("cannot attach a thread", error);
  int row;
  while ((row = atomic_fetch_add(&forest->next, 1)) < forest->rows) {
    long check = 0;
    for (long i = row_trees(forest, row); i > 0; i--)
      check += tree_count(
          thread, tree_build(thread, forest->kind, DEPTH_MIN + 2 * row));
    forest->checks[row] = check;
  }
  dusk_detach(thread);
  return NULL;
}

/* Runs the rows in `count` threads.  The caller is attached, and in a blocking
 * region: it waits. */
static void forest_run_threads(struct forest *forest, int count)
{
  pthread_t ids[THREADS_MAX];
  for (int i = 0; i < count; i++) {
    int error = pthread_create(&ids[i], NULL, forest_run, forest);
    if (error)
      die("cannot start a thread", error);
  }
  for (int i = 0; i < count; i++)
    pthread_join(ids[i], NULL);
  for (int row = 0; row < forest->rows; row++)
    printf("%ld\t trees of depth %d\t check: %ld\n", row_trees(forest, row),
           DEPTH_MIN + 2 * row, forest->checks[row]);
}

static void forest_open(struct forest *forest, dusk_thread **thread)
{
  static const uint64_t pointers = 1 << 0 | 1 << 1;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "node";
  spec.size = sizeof(struct node);
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  int error = dusk_heap_open(NULL, &forest->heap);
  if (!error)
    error = dusk_kind_define(forest->heap, &spec, &forest->kind);
  if (!error)
    error = dusk_attach(forest->heap, thread);
  if (error)
    die("cannot set up a heap", error);
}

/* An argument, from `low` to `high`; `missing` if it is not there. */
static int argument_read(const char *text, int low, int high, int missing)
{
  if (!text)
    return missing;
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno || end == text || *end || value < low || value > high) {
    fprintf(stderr,
            "trees: '%s' is not a number from %d to %d\n"
            "usage: trees [DEPTH [THREADS]]\n",
            text, low, high);
    exit(2);
  }
  return (int)value;
}

int main(int argc, char **argv)
{
  if (argc > 3) {
    fputs("usage: trees [DEPTH [THREADS]]\n", stderr);
    return 2;
  }
  const char *none = NULL;
  int depth = argument_read(argc > 1 ? argv[1] : none, 1, DEPTH_MAX, 10);
  int threads = argument_read(argc > 2 ? argv[2] : none, 1, THREADS_MAX, 1);
  struct forest forest = {.depth = depth < 6 ? 6 : depth};
  forest.rows = (forest.depth - DEPTH_MIN) / 2 + 1;
  dusk_thread *thread;
  forest_open(&forest, &thread);

  int stretch = forest.depth + 1;
  long count = tree_count(thread, tree_build(thread, forest.kind, stretch));
  struct node *lasting = tree_build(thread, forest.kind, forest.depth);

  /* Printing may block too; `lasting` is on the stack and stays alive. */
  dusk_blocking_begin(thread);
  printf("stretch tree of depth %d\t check: %ld\n", stretch, count);
  forest_run_threads(&forest, threads);
  dusk_blocking_end(thread);

  count = tree_count(thread, lasting);
  dusk_detach(thread);
  printf("long lived tree of depth %d\t check: %ld\n", forest.depth, count);
  dusk_heap_close(forest.heap);
  return 0;
}
