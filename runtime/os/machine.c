/* SPDX-License-Identifier: MIT */
/* machine.c -- what this machine, or the box around this process, has
 *
 * Any thread, no lock, nothing kept.  Whatever cannot be read is not there: a
 * machine without cgroups has no limit.  errno is never changed.  Tested by
 * tests/unit/machine.c, with planted cgroup files.
 *
 * A process is in one v2 cgroup and, on older systems, in one v1 cgroup for
 * each controller.  /proc/self/cgroup has a line for each:
 *
 *   0::/user.slice/app       v2: limits in <sysfs>/user.slice/app/memory.max
 *   4:memory:/user/app       v1: <sysfs>/memory/user/app/memory.limit_in_bytes
 *   3:cpu,cpuacct:/user/app  v1, says nothing of memory
 *
 * In a container the path is often one that only the host can see, while
 * <sysfs> shows the container's own cgroup as the root.  The walk up from the
 * path to the root passes over what is not there, and so finds that one too.
 */
#include "os/machine.h"

#include "base/steps.h"
#include "os/block.h"
#include "os/file.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* v1 writes "none" as the largest number of whole pages below 2^63, whatever
 * the page's size; no machine has this much. */
static const unsigned long long none_bytes = 1ULL << 62;

/* sched_getaffinity() wants room for every processor the kernel was built for,
 * and only says "too small": try sizes up to this. */
enum { MAX_PROCESSORS = 1 << 20 };

static unsigned count_processors(void)
{
  for (size_t room = CPU_SETSIZE; room <= MAX_PROCESSORS; room *= 2) {
    size_t bytes = CPU_ALLOC_SIZE(room);
    cpu_set_t *set = block_make(bytes);
    if (!set)
      break;
    int error = sched_getaffinity(0, bytes, set) ? errno : 0;
    int count = error ? 0 : CPU_COUNT_S(bytes, set);
    block_free(set);
    if (count > 0)
      return (unsigned)count;
    if (error != EINVAL)
      break;
  }
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (unsigned)online : 1;
}

unsigned machine_processors(void)
{
  if (steps_taken())
    return steps_taken()->processors;
  int saved = errno;
  unsigned count = count_processors();
  errno = saved;
  return count;
}

uint64_t machine_memory_bytes(void)
{
  return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The number that a file starts with. */
static bool read_number(const char *path, unsigned long long *number)
{
  char text[32];
  int file = file_open(path, O_RDONLY);
  if (file < 0)
    return false;
  ssize_t length = file_read(file, text, sizeof text - 1);
  file_close(file);
  if (length <= 0)
    return false;
  text[length] = '\0';
  char *end;
  *number = strtoull(text, &end, 10); /* too large: ULLONG_MAX */
  return end != text;
}

size_t machine_huge_page_in(const char *path)
{
  enum { USUAL = 2 << 20 };
  int saved = errno;
  unsigned long long bytes;
  if (!read_number(path, &bytes) || bytes & (bytes - 1) ||
      bytes <= (unsigned long long)sysconf(_SC_PAGESIZE) || bytes > 1ull << 40)
    bytes = USUAL;
  errno = saved;
  return (size_t)bytes;
}

size_t machine_huge_page(void)
{
  return machine_huge_page_in(
      "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
}

static int64_t lower(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* "max", a file that is not there, and no number at all: no limit. */
static int64_t read_limit(const char *directory, const char *file)
{
  char path[PATH_MAX];
  unsigned long long bytes;
  int length = snprintf(path, sizeof path, "%s/%s", directory, file);
  if (length < 0 || (size_t)length >= sizeof path ||
      !read_number(path, &bytes) || bytes >= none_bytes)
    return INT64_MAX;
  return (int64_t)bytes;
}

/* The lowest limit from root/group up to root. */
static int64_t lowest_limit(const char *root, const char *group,
                            const char *file)
{
  char directory[PATH_MAX];
  int64_t lowest = INT64_MAX;
  /* "/../a" is a cgroup beside the root that this process is shown. */
  bool outside =
      strncmp(group, "/..", 3) == 0 && (group[3] == '/' || !group[3]);
  int length =
      snprintf(directory, sizeof directory, "%s%s", root, outside ? "" : group);
  if (length < 0 || (size_t)length >= sizeof directory)
    return INT64_MAX;
  for (;;) {
    lowest = lower(lowest, read_limit(directory, file));
    char *slash = strrchr(directory + strlen(root), '/');
    if (!slash)
      return lowest;
    *slash = '\0';
  }
}

static bool names_memory(char *controllers)
{
  char *rest;
  for (char *name = strtok_r(controllers, ",", &rest); name;
       name = strtok_r(NULL, ",", &rest))
    if (strcmp(name, "memory") == 0)
      return true;
  return false;
}

/* A line is "id:controllers:group"; v2 has no controllers there. */
static int64_t line_limit(char *line, const char *sysfs)
{
  char *rest;
  strsep(&line, ":");
  char *controllers = strsep(&line, ":");
  if (!line)
    return INT64_MAX;
  char *group = strtok_r(line, "\n", &rest);
  if (!group)
    return INT64_MAX;
  if (!*controllers)
    return lower(lowest_limit(sysfs, group, "memory.max"),
                 lowest_limit(sysfs, group, "memory.high"));
  char root[PATH_MAX];
  int length = snprintf(root, sizeof root, "%s/memory", sysfs);
  if (!names_memory(controllers) || length < 0 || (size_t)length >= sizeof root)
    return INT64_MAX;
  return lowest_limit(root, group, "memory.limit_in_bytes");
}

int64_t machine_limit_under(const char *proc_cgroup, const char *sysfs)
{
  int saved = errno;
  int64_t lowest = INT64_MAX;
  struct file_lines groups;
  char line[PATH_MAX + 256]; /* what is cut names no cgroup */
  file_lines_open(&groups, proc_cgroup);
  while (file_lines_next(&groups, line, sizeof line))
    lowest = lower(lowest, line_limit(line, sysfs));
  file_lines_close(&groups);
  errno = saved;
  return lowest;
}

int64_t machine_memory_limit(void)
{
  return machine_limit_under("/proc/self/cgroup", "/sys/fs/cgroup");
}

uint64_t machine_address_space(void)
{
  int saved = errno;
  struct rlimit limit;
  uint64_t left = UINT64_MAX;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    unsigned long long pages; /* of this process; statm has them first */
    if (!read_number("/proc/self/statm", &pages))
      pages = 0;
    uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    left = limit.rlim_cur > used ? limit.rlim_cur - used : 0;
  }
  errno = saved;
  return left;
}
