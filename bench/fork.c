/* SPDX-License-Identifier: MIT */
/* fork.c -- what fork() costs a program with a large heap
 *
 *   plain    _Fork(), which runs no handlers: what the system takes to copy the
 *            page tables; the child exits at once
 *   exit     fork(), the child exits at once
 *   exec     fork(), the child calls exec
 *   spawn    posix_spawn(), which copies nothing and runs no handlers
 *   collect  fork(), the child starts its collector and collects all
 *
 * Each the median of some, from before the call until the child is reaped; for
 * `collect` the child's own cycle is most of it.  Dusk alone. */
#include "measure.h"
#include "option.h"

#include "dusk.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMES = 11 };

struct cell {
  struct cell *next;
  uint64_t words[7];
};

static dusk_thread *thread;
static char program[] = "/bin/true";
static char *arguments[] = {program, NULL};

static pid_t fork_plain(void)
{
  pid_t pid = _Fork();
  if (pid == 0)
    _exit(0);
  return pid;
}

static pid_t fork_exit(void)
{
  pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  return pid;
}

static pid_t fork_exec(void)
{
  pid_t pid = fork();
  if (pid == 0) {
    execv(program, arguments);
    _exit(1);
  }
  return pid;
}

static pid_t spawn(void)
{
  pid_t pid;
  return posix_spawn(&pid, program, NULL, NULL, arguments, NULL) ? -1 : pid;
}

static pid_t fork_collect(void)
{
  pid_t pid = fork();
  if (pid == 0) {
    dusk_blocking_end(thread);
    dusk_collect(thread);
    _exit(0);
  }
  return pid;
}

static int compare(const void *a, const void *b)
{
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static void measure(const char *name, pid_t (*start)(void))
{
  double ms[TIMES];
  for (int i = 0; i < TIMES; i++) {
    int status = -1;
    uint64_t begun = measure_wall_ns();
    pid_t pid = start();
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
      measure_fail("a child failed");
    ms[i] = (double)(measure_wall_ns() - begun) / 1e6;
  }
  qsort(ms, TIMES, sizeof *ms, compare);
  measure_figure(name, ms[TIMES / 2], "ms");
}

static void fill(dusk_heap *heap, uint64_t bytes, void **root)
{
  static const uint64_t pointers = 1;
  dusk_kind kind;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.size = sizeof(struct cell);
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  if (dusk_kind_define(heap, &spec, &kind) ||
      dusk_root_add(heap, root, sizeof *root))
    measure_fail("the heap could not be set up");
  for (uint64_t i = 0; i < bytes / sizeof(struct cell); i++) {
    struct cell *cell = dusk_new(thread, kind);
    if (!cell)
      measure_fail("no memory");
    cell->words[0] = i;
    dusk_init(thread, &cell->next, *root);
    dusk_store(thread, root, cell);
  }
  dusk_collect(thread);
}

int main(int argc, char **argv)
{
  static void *root;
  struct option_row options[] = {{"mib", "size of the heap", 1024, 64, NULL},
                                 {0}};
  static const struct option_program about = {
      "fork", "dusk", "What fork() costs a program with a large heap."};
  dusk_heap *heap;
  option_parse(&about, options, argc, argv);
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    measure_fail("no heap");
  fill(heap, options[0].value << 20, &root);
  dusk_blocking_begin(thread);
  measure("plain", fork_plain);
  measure("exit", fork_exit);
  measure("exec", fork_exec);
  measure("spawn", spawn);
  measure("collect", fork_collect);
  dusk_blocking_end(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
}
