/* SPDX-License-Identifier: MIT */
/* cgroup.c -- a heap in a memory cgroup reads its limit and lives within
 *
 * Where a cgroup can be made below this process's own: that takes rights, and,
 * for v2, a parent that has no process.  Elsewhere the test is left out, and
 * tests/unit/machine.c reads planted files.  Only the test's child is moved. */
#include "api.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { LIMIT_MIB = 96, LIVE_MIB = 16, GC_PERCENT = 1000 };

static char group[4096 + 64]; /* the cgroup's folder */
static const char *limit_file;

static bool write_file(const char *file, const char *text)
{
  char path[sizeof group + 64];
  snprintf(path, sizeof path, "%s/%s", group, file);
  int to = open(path, O_WRONLY | O_CLOEXEC);
  bool done = to >= 0 && write(to, text, strlen(text)) == (ssize_t)strlen(text);
  if (to >= 0)
    close(to);
  return done;
}

/* The cgroup of this process that has the memory controller; v1 or v2. */
static bool find_own(char *own, size_t size)
{
  char line[4096];
  bool found = false;
  FILE *file = fopen("/proc/self/cgroup", "r");
  while (file && !found && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path)
      continue;
    *path++ = '\0';
    bool is_v1 = strcmp(controllers + 1, "memory") == 0;
    if (!is_v1 && controllers[1])
      continue;
    snprintf(own, size, "/sys/fs/cgroup%s%s", is_v1 ? "/memory" : "", path);
    limit_file = is_v1 ? "memory.limit_in_bytes" : "memory.max";
    char limit[sizeof group + 64];
    snprintf(limit, sizeof limit, "%s/%s", own,
             is_v1 ? limit_file : "cgroup.subtree_control");
    found = access(limit, W_OK) == 0;
  }
  if (file)
    fclose(file);
  return found;
}

static bool make_group(void)
{
  char own[4096], limit[32];
  if (!find_own(own, sizeof own))
    return false;
  snprintf(group, sizeof group, "%s/dusk-test-%ld", own, (long)getpid());
  snprintf(limit, sizeof limit, "%zu", MIB(LIMIT_MIB));
  if (mkdir(group, 0700) != 0)
    return false;
  if (write_file(limit_file, limit))
    return true;
  rmdir(group);
  return false;
}

/* Its processes are gone, or going. */
static void remove_group(void)
{
  for (int i = 0; i < 1000 && rmdir(group) != 0 && errno == EBUSY; i++)
    api_sleep_us(10000);
}

enum { NOT_HERE = 77, NODE_BYTES = 1024 };

/* With this much live the heap would grow to eleven times of it. */
static int live_in_group(const void *unused)
{
  static dusk_memstats stats;
  dusk_options options = api_options();
  dusk_heap *heap;
  dusk_thread *thread;
  uint64_t random = 11;
  uint64_t worst = 0;
  (void)unused;
  if (!write_file("cgroup.procs", "0"))
    return NOT_HERE;
  options.memory_limit = 0;
  options.gc_percent = GC_PERCENT;
  api_require(dusk_heap_open(&options, &heap) == 0);
  api_require(dusk_set_memory_limit(heap, -1) == (int64_t)MIB(LIMIT_MIB));
  api_require(dusk_attach(heap, &thread) == 0);
  size_t count = MIB(LIVE_MIB) / NODE_BYTES;
  void **table = dusk_alloc(thread, DUSK_CONSERVATIVE, count * sizeof *table);
  api_require(table != NULL);
  for (size_t i = 0; i < 40 * count; i++) {
    char *node = dusk_alloc(thread, DUSK_LEAF, NODE_BYTES);
    api_require(node != NULL);
    memset(node, 1, NODE_BYTES);
    dusk_store(thread, &table[api_random(&random) % count], node);
    if (i % 64 == 0) {
      dusk_read_memstats(heap, &stats);
      uint64_t held = stats.sys - stats.heap_released;
      worst = held > worst ? held : worst;
    }
  }
  api_require(worst <= MIB(LIMIT_MIB));
  api_require(worst >= MIB(LIVE_MIB));
  api_keep(table);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(a_heap_in_a_cgroup_lives_within_its_limit)
{
  static struct api_child child;
  if (SANITIZED)
    return;
  if (!make_group()) {
    printf("left out: no memory cgroup can be made here\n");
    return;
  }
  api_fork(&child, live_in_group, NULL);
  remove_group();
  if (child.exit_code == NOT_HERE) {
    printf("left out: no process can be moved to a cgroup here\n");
    return;
  }
  api_assert_silent(&child); /* -1: killed, for it took too much */
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("cgroup");
  TCase *tests = api_case(suite, "cgroup");
  tcase_add_test(tests, a_heap_in_a_cgroup_lives_within_its_limit);
  return api_run(suite);
}
