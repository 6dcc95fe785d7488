/* SPDX-License-Identifier: MIT */
/* rlimit.c -- a process that may have no more: address space, memory, threads,
 * files, or bytes in a file
 *
 * Each program runs in a process of its own.  It goes on, or is told by an
 * error that the header names; what the heap cannot return is one line on
 * stderr.  tests/unit/faults.c refuses call after call; here the system does
 * it.
 */
#include "api.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { NOBODY = 65534, RESERVE_MIB = 64 };

static void set_limit(int which, rlim_t soft)
{
  struct rlimit limit;
  api_require(getrlimit((__rlimit_resource_t)which, &limit) == 0);
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  api_require(setrlimit((__rlimit_resource_t)which, &limit) == 0);
}

/* The first numbers of /proc/self/statm: all pages, and the sixth, data. */
static size_t bytes_used(int which)
{
  unsigned long pages[6] = {0};
  FILE *file = fopen("/proc/self/statm", "r");
  api_require(file != NULL);
  for (int i = 0; i < 6; i++)
    api_require(fscanf(file, "%lu", &pages[i]) == 1);
  fclose(file);
  return pages[which == RLIMIT_AS ? 0 : 5] * (size_t)sysconf(_SC_PAGESIZE);
}

/* Fills the heap with a list, reads it, and lets it go; returns its bytes. */
static __attribute__((noinline)) size_t fill(dusk_thread *thread, size_t most)
{
  size_t total = 0;
  void **list = NULL;
  for (size_t bytes = 16; total < most;
       bytes = bytes < 40000 ? 2 * bytes : 16) {
    errno = 0;
    void **node = dusk_alloc(thread, DUSK_CONSERVATIVE, bytes);
    if (!node) {
      api_require(errno == ENOMEM);
      break;
    }
    api_require(node[0] == NULL && node[1] == NULL);
    dusk_init(thread, node, list);
    node[1] = (void *)~(uintptr_t)node;
    list = node;
    total += bytes;
  }
  while (list) {
    api_require(list[1] == (void *)~(uintptr_t)list);
    void **next = dusk_load(list);
    dusk_store(thread, list, NULL);
    list = next;
  }
  return total;
}

/* ---- memory ---- */

struct space {
  int which;
  size_t bytes; /* that there are left */
};

/* Uses a heap as far as it gets. */
static void use(dusk_heap *heap)
{
  static void *root;
  dusk_thread *thread;
  dusk_kind kind;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  int error = dusk_kind_define(heap, &spec, &kind);
  api_require(error == 0 || error == ENOMEM);
  error = dusk_root_add(heap, &root, sizeof root);
  api_require(error == 0 || error == ENOMEM);
  error = dusk_attach(heap, &thread);
  api_require(error == 0 || error == ENOMEM);
  if (error)
    return;
  for (int round = 0; round < 2; round++) {
    fill(thread, MIB(RESERVE_MIB));
    api_scrub_stack();
    dusk_release_memory(thread);
  }
  dusk_detach(thread);
}

static int run_in_space(const void *argument)
{
  const struct space *space = argument;
  dusk_options options = api_options();
  dusk_heap *const untouched = (dusk_heap *)&options;
  dusk_heap *heap = untouched;
  options.reserve_bytes = MIB(RESERVE_MIB);
  options.workers = 3;
  set_limit(space->which, bytes_used(space->which) + space->bytes);
  int error = dusk_heap_open(&options, &heap);
  if (!error) {
    use(heap);
    dusk_heap_close(heap);
  }
  api_require(!error ||
              ((error == ENOMEM || error == EAGAIN) && heap == untouched));
  set_limit(space->which, RLIM_INFINITY);
  api_require(dusk_heap_open(&options, &heap) == 0);
  dusk_thread *thread = NULL;
  api_require(dusk_attach(heap, &thread) == 0);
  api_require(fill(thread, MIB(1)) >= MIB(1));
  dusk_collect(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

/* From none to plenty. */
START_TEST(little_memory_is_an_answer)
{
  static struct api_child child;
  struct space space = {.which = _i ? RLIMIT_DATA : RLIMIT_AS};
  if (SANITIZED)
    return;
  for (; space.bytes < MIB(400); space.bytes += space.bytes / 4 + KIB(100)) {
    api_fork(&child, run_in_space, &space);
    ck_assert_msg(child.exit_code == 0, "with %zu KiB: exit %d, stderr: %s",
                  space.bytes >> 10, child.exit_code, child.text);
  }
}
END_TEST

/* The reservation costs nothing: what is refused is to make it usable. */
static int fill_little_data(const void *unused)
{
  (void)unused;
  dusk_options options = api_options();
  options.reserve_bytes = MIB(4 * RESERVE_MIB);
  dusk_heap *heap = api_open_with(&options);
  dusk_thread *thread = api_attach(heap);
  set_limit(RLIMIT_DATA, bytes_used(RLIMIT_DATA) + MIB(RESERVE_MIB));
  for (int round = 0; round < 3; round++) {
    size_t total = fill(thread, SIZE_MAX);
    api_require(total >= MIB(RESERVE_MIB / 2) && total <= MIB(RESERVE_MIB));
    api_scrub_stack();
  }
  set_limit(RLIMIT_DATA, RLIM_INFINITY);
  api_require(fill(thread, MIB(2 * RESERVE_MIB)) >= MIB(2 * RESERVE_MIB));
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(a_heap_without_more_data_works_on)
{
  static struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, fill_little_data, NULL);
  api_assert_silent(&child);
}
END_TEST

/* ---- threads ---- */

static unsigned count_threads(void)
{
  unsigned count = 0;
  DIR *tasks = opendir("/proc/self/task");
  api_require(tasks != NULL);
  for (struct dirent *task; (task = readdir(tasks));)
    count += *task->d_name != '.';
  closedir(tasks);
  return count;
}

static void *nothing(void *unused)
{
  return unused;
}

/* The limit is for a user's threads, and does not bind root.  false: nor us. */
static bool may_have_no_thread(void)
{
  pthread_t thread;
  if (getuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
    return false;
  set_limit(RLIMIT_NPROC, 1);
  int error = pthread_create(&thread, NULL, nothing, NULL);
  if (!error)
    pthread_join(thread, NULL);
  return error == EAGAIN;
}

enum { NOT_HERE = 77 };

/* One thread more each time: the driver, the scavenger, workers. */
static int open_with_few_threads(const void *unused)
{
  (void)unused;
  dusk_options options = api_options();
  dusk_heap *const untouched = (dusk_heap *)&options;
  dusk_heap *heap = untouched;
  options.reserve_bytes = MIB(RESERVE_MIB);
  options.workers = 4;
  if (!may_have_no_thread())
    return NOT_HERE;
  unsigned refused = 0;
  for (rlim_t most = 1; dusk_heap_open(&options, &heap) != 0; refused++) {
    api_require(dusk_heap_open(&options, &heap) == EAGAIN);
    api_require(heap == untouched);
    api_require(count_threads() == 1);
    set_limit(RLIMIT_NPROC, ++most);
  }
  api_require(refused >= 1);
  dusk_thread *thread = api_attach(heap);
  api_require(fill(thread, MIB(8)) >= MIB(8));
  dusk_collect(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
  api_require(count_threads() == 1);
  return 0;
}

static void assert_ran(const struct api_child *child)
{
  if (child->exit_code == NOT_HERE) {
    printf("left out: RLIMIT_NPROC does not bind this process\n");
    return;
  }
  ck_assert_msg(child->exit_code == 0, "exit %d, stderr: %s", child->exit_code,
                child->text);
}

START_TEST(a_heap_without_its_threads_is_none)
{
  static struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, open_with_few_threads, NULL);
  assert_ran(&child);
}
END_TEST

/* A child of a fork starts the collector's threads anew.  Without them it is
 * not collected, and once there are some it is. */
static int collect_in_a_child(const void *unused)
{
  (void)unused;
  int status;
  static dusk_memstats before, after;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  pid_t pid = fork();
  api_require(pid >= 0);
  if (pid > 0) {
    api_require(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    dusk_detach(thread);
    dusk_heap_close(heap);
    return WEXITSTATUS(status);
  }
  if (!may_have_no_thread())
    return NOT_HERE;
  api_require(fill(thread, MIB(1)) >= MIB(1));
  dusk_read_memstats(heap, &before);
  dusk_collect(thread);
  dusk_collect(thread);
  api_require(fill(thread, MIB(1)) >= MIB(1));
  dusk_read_memstats(heap, &after);
  api_require(after.num_gc == before.num_gc);
  set_limit(RLIMIT_NPROC, RLIM_INFINITY);
  dusk_collect(thread);
  dusk_read_memstats(heap, &after);
  api_require(after.num_gc > before.num_gc);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(a_forks_child_without_threads_goes_on)
{
  static struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, collect_in_a_child, NULL);
  assert_ran(&child);
  if (child.exit_code != NOT_HERE)
    api_assert_one_line(&child, "has no threads for the collector");
}
END_TEST

/* ---- files ---- */

static char name[] = "/tmp/dusk-rlimit.XXXXXX";

static void set_up(void)
{
  int file = mkstemp(name);
  ck_assert_int_ge(file, 0);
  close(file);
}

static void tear_down(void)
{
  unlink(name);
}

static void *attach_and_collect(void *heap)
{
  dusk_thread *thread;
  api_require(dusk_attach(heap, &thread) == 0);
  dusk_collect(thread);
  dusk_detach(thread);
  return NULL;
}

/* The stack of the first thread is read from a file: it may be refused. */
static int run_without_files(const void *unused)
{
  (void)unused;
  dusk_heap *heap;
  dusk_options options = DUSK_OPTIONS_INIT;
  dusk_thread *thread;
  pthread_t other;
  setenv("DUSK_TRACE", name, 1);
  options.memory_limit = 0; /* the cgroup's: what cannot be read is none */
  set_limit(RLIMIT_NOFILE, 0);
  api_require(dusk_heap_open(&options, &heap) == 0);
  int error = dusk_attach(heap, &thread);
  api_require(error == 0 || error == EMFILE);
  if (!error)
    dusk_detach(thread);
  api_require(pthread_create(&other, NULL, attach_and_collect, heap) == 0);
  pthread_join(other, NULL);
  set_limit(RLIMIT_NOFILE, RLIM_INFINITY);
  api_require(dusk_attach(heap, &thread) == 0);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(no_file_is_no_trace_and_a_line)
{
  static struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, run_without_files, NULL);
  api_assert_one_line(&child, "no trace is written: Too many open files");
}
END_TEST

/* Cycles are written by the collector, the end by who closes the heap: in
 * neither comes a signal. */
static const struct trace {
  rlim_t bytes;
  int cycles;
} traces[] = {{1, 0}, {200, 0}, {200, 2}, {1000, 20}};

static int run_with_short_trace(const void *argument)
{
  const struct trace *trace = argument;
  setenv("DUSK_TRACE", name, 1);
  signal(SIGXFSZ, SIG_DFL);
  set_limit(RLIMIT_FSIZE, trace->bytes);
  dusk_heap *heap;
  api_require(dusk_heap_open(NULL, &heap) == 0);
  dusk_thread *thread;
  api_require(dusk_attach(heap, &thread) == 0);
  for (int i = 0; i < trace->cycles; i++)
    dusk_collect(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(a_trace_that_may_not_grow_ends_with_a_line)
{
  static struct api_child child;
  struct stat status;
  api_fork(&child, run_with_short_trace, &traces[_i]);
  api_assert_one_line(&child, "the trace ends here: File too large");
  ck_assert_int_eq(stat(name, &status), 0);
  ck_assert_int_eq(status.st_size, (off_t)traces[_i].bytes);
}
END_TEST

static int run_with_trace_nobody_reads(const void *unused)
{
  (void)unused;
  setenv("DUSK_TRACE", name, 1);
  signal(SIGPIPE, SIG_DFL);
  int reader = open(name, O_RDONLY | O_NONBLOCK);
  api_require(reader >= 0);
  dusk_heap *heap;
  api_require(dusk_heap_open(NULL, &heap) == 0);
  close(reader);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(a_trace_that_nobody_reads_ends_with_a_line)
{
  static struct api_child child;
  unlink(name);
  ck_assert_int_eq(mkfifo(name, 0600), 0);
  api_fork(&child, run_with_trace_nobody_reads, NULL);
  api_assert_one_line(&child, "the trace ends here: Broken pipe");
}
END_TEST

/* What stderr is: a full disk, a pipe that nobody reads, nothing. */
static int run_with_bad_stderr(const void *argument)
{
  int ends[2];
  int which = *(const int *)argument;
  setenv("DUSK_DEBUG", "gctrace=1,scavtrace=1", 1);
  signal(SIGPIPE, SIG_DFL);
  api_require(pipe(ends) == 0);
  int to = which == 0 ? open("/dev/full", O_WRONLY) : ends[1];
  api_require(to >= 0);
  dup2(to, STDERR_FILENO);
  close(to);
  close(ends[0]);
  if (which == 2)
    close(STDERR_FILENO);
  dusk_heap *heap;
  api_require(dusk_heap_open(NULL, &heap) == 0);
  dusk_thread *thread;
  api_require(dusk_attach(heap, &thread) == 0);
  for (int i = 0; i < 5; i++) {
    fill(thread, MIB(4));
    dusk_release_memory(thread);
  }
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(reports_that_nobody_takes_are_no_matter)
{
  static struct api_child child;
  int which = _i;
  api_fork(&child, run_with_bad_stderr, &which);
  api_assert_silent(&child);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("rlimit");
  TCase *memory = api_case(suite, "memory");
  tcase_add_loop_test(memory, little_memory_is_an_answer, 0, 2);
  tcase_add_test(memory, a_heap_without_more_data_works_on);
  TCase *threads = api_case(suite, "threads");
  tcase_add_test(threads, a_heap_without_its_threads_is_none);
  tcase_add_test(threads, a_forks_child_without_threads_goes_on);
  TCase *files = api_case(suite, "files");
  tcase_add_checked_fixture(files, set_up, tear_down);
  tcase_add_test(files, no_file_is_no_trace_and_a_line);
  tcase_add_loop_test(files, a_trace_that_may_not_grow_ends_with_a_line, 0, 4);
  tcase_add_test(files, a_trace_that_nobody_reads_ends_with_a_line);
  tcase_add_loop_test(files, reports_that_nobody_takes_are_no_matter, 0, 3);
  return api_run(suite);
}
