/* SPDX-License-Identifier: MIT */
/* Test of os/machine.c: cgroup files as systems write them, planted in a
 * directory of the test's own, and the machine as it is. */
#include "unit.h"

#include "os/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static const int64_t mib = 1 << 20;

/* ---- a planted /proc/self/cgroup and /sys/fs/cgroup ---- */

static char home[] = "/tmp/dusk-machine-XXXXXX";
static char groups[64]; /* the file like /proc/self/cgroup */
static char sysfs[64];  /* the directory like /sys/fs/cgroup */

static void set_up(void)
{
  strcpy(strrchr(home, '-'), "-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(home));
  snprintf(groups, sizeof groups, "%s/cgroup", home);
  snprintf(sysfs, sizeof sysfs, "%s/sysfs", home);
}

static void tear_down(void)
{
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", home);
  ck_assert_int_eq(system(command), 0);
}

static void write_text(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_ge(fputs(text, file), 0);
  ck_assert_int_eq(fclose(file), 0);
}

/* Writes a file under sysfs, making its directories. */
static void plant(const char *name, const char *text)
{
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%s/%s", sysfs, name);
  ck_assert_int_lt(length, (int)sizeof path);
  for (char *at = path + strlen(home) + 1; (at = strchr(at, '/')); at++) {
    *at = '\0';
    ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
    *at = '/';
  }
  write_text(path, text);
}

/* What the process is told that it is in. */
static int64_t limit_of(const char *lines)
{
  write_text(groups, lines);
  errno = EXDEV;
  int64_t limit = machine_limit_under(groups, sysfs);
  ck_assert_int_eq(errno, EXDEV);
  return limit;
}

START_TEST(huge_page_is_what_the_file_says_if_that_makes_sense)
{
  char path[96];
  snprintf(path, sizeof path, "%s/huge", home);
  ck_assert_uint_eq(machine_huge_page_in(path), 2 * (size_t)mib);
  write_text(path, "33554432\n");
  ck_assert_uint_eq(machine_huge_page_in(path), 32 * (size_t)mib);
  write_text(path, "3000000\n");
  ck_assert_uint_eq(machine_huge_page_in(path), 2 * (size_t)mib);
  write_text(path, "0\n");
  ck_assert_uint_eq(machine_huge_page_in(path), 2 * (size_t)mib);
  errno = ERANGE;
  ck_assert_uint_gt(machine_huge_page(), (size_t)sysconf(_SC_PAGESIZE));
  ck_assert_int_eq(errno, ERANGE);
}
END_TEST

START_TEST(no_cgroups_no_limit)
{
  errno = EXDEV;
  ck_assert_int_eq(machine_limit_under(groups, sysfs), INT64_MAX);
  ck_assert_int_eq(errno, EXDEV);
  ck_assert_int_eq(limit_of(""), INT64_MAX);
  ck_assert_int_eq(limit_of("0::/app\n"), INT64_MAX);
  ck_assert_int_eq(limit_of("4:memory:/app\n"), INT64_MAX);
}
END_TEST

START_TEST(v2_max)
{
  plant("app/memory.max", "104857600\n");
  plant("app/memory.high", "max\n");
  ck_assert_int_eq(limit_of("0::/app\n"), 100 * mib);
  ck_assert_int_eq(limit_of("0::/app"), 100 * mib);
  ck_assert_int_eq(limit_of("0::/other\n"), INT64_MAX);
}
END_TEST

START_TEST(v2_high_if_lower)
{
  plant("app/memory.max", "104857600\n");
  plant("app/memory.high", "83886080\n");
  ck_assert_int_eq(limit_of("0::/app\n"), 80 * mib);
  plant("app/memory.high", "209715200\n");
  ck_assert_int_eq(limit_of("0::/app\n"), 100 * mib);
  plant("app/memory.max", "max\n");
  ck_assert_int_eq(limit_of("0::/app\n"), 200 * mib);
}
END_TEST

/* Each ancestor binds, so the lowest counts, wherever it stands. */
START_TEST(v2_ancestors)
{
  plant("a/b/c/memory.max", "max\n");
  plant("a/b/memory.max", "104857600\n");
  plant("a/memory.max", "209715200\n");
  ck_assert_int_eq(limit_of("0::/a/b/c\n"), 100 * mib);
  plant("a/memory.high", "52428800\n");
  ck_assert_int_eq(limit_of("0::/a/b/c\n"), 50 * mib);
  plant("a/b/c/memory.max", "31457280\n");
  ck_assert_int_eq(limit_of("0::/a/b/c\n"), 30 * mib);
  ck_assert_int_eq(limit_of("0::/a/b\n"), 50 * mib);
}
END_TEST

/* As in a container: its own cgroup is the root, by whatever name. */
START_TEST(v2_root)
{
  plant("memory.max", "104857600\n");
  ck_assert_int_eq(limit_of("0::/\n"), 100 * mib);
  ck_assert_int_eq(limit_of("0::/docker/0123\n"), 100 * mib);
  ck_assert_int_eq(limit_of("0::/../beside\n"), 100 * mib);
}
END_TEST

START_TEST(outside_of_the_root_is_not_looked_at)
{
  plant("memory.max", "104857600\n");
  plant("../beside/memory.max", "52428800\n");
  ck_assert_int_eq(limit_of("0::/../beside\n"), 100 * mib);
}
END_TEST

START_TEST(v1_limit)
{
  plant("memory/app/memory.limit_in_bytes", "104857600\n");
  plant("memory/memory.limit_in_bytes", "9223372036854771712\n");
  plant("cpu/app/memory.limit_in_bytes", "1\n");
  ck_assert_int_eq(limit_of("4:memory:/app\n3:cpu:/app\n"), 100 * mib);
  ck_assert_int_eq(limit_of("3:cpu:/app\n"), INT64_MAX);
  ck_assert_int_eq(limit_of("4:cpu,memory:/app\n"), 100 * mib);
  ck_assert_int_eq(limit_of("4:name=memory,cpu:/app\n"), INT64_MAX);
  ck_assert_int_eq(limit_of("4:memory:/hidden/path\n"), INT64_MAX);
}
END_TEST

START_TEST(v1_ancestors)
{
  plant("memory/a/b/memory.limit_in_bytes", "209715200\n");
  plant("memory/a/memory.limit_in_bytes", "104857600\n");
  ck_assert_int_eq(limit_of("4:memory:/a/b\n"), 100 * mib);
}
END_TEST

/* "None" for pages of 4 KiB, of 64 KiB, and in the oldest kernels. */
START_TEST(v1_huge_values_mean_none)
{
  static const char *const none[] = {
      "9223372036854771712\n", "9223372036854710272\n",
      "18446744073709551615\n", "99999999999999999999999\n", "-1\n"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    plant("memory/app/memory.limit_in_bytes", none[i]);
    ck_assert_int_eq(limit_of("4:memory:/app\n"), INT64_MAX);
  }
}
END_TEST

/* Both hierarchies mounted: the memory controller is in one of them. */
START_TEST(hybrid)
{
  plant("memory/app/memory.limit_in_bytes", "104857600\n");
  ck_assert_int_eq(limit_of("9:name=systemd:/app\n4:memory:/app\n0::/app\n"),
                   100 * mib);
  plant("app/memory.max", "52428800\n");
  ck_assert_int_eq(limit_of("0::/app\n4:memory:/app\n"), 50 * mib);
}
END_TEST

START_TEST(odd_names)
{
  plant("a:b/c,d/memory.max", "104857600\n");
  ck_assert_int_eq(limit_of("0::/a:b/c,d\n"), 100 * mib);
  plant("..app/memory.max", "104857600\n");
  ck_assert_int_eq(limit_of("0::/..app\n"), 100 * mib);
}
END_TEST

START_TEST(nonsense_is_no_limit)
{
  static const char *const lines[] = {"\n",          ":\n",     "::\n",
                                      "0:\n",        "0::\n",   "4:memory\n",
                                      "4:memory:\n", "memory\n"};
  plant("app/memory.max", "plenty\n");
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    ck_assert_int_eq(limit_of(lines[i]), INT64_MAX);
  ck_assert_int_eq(limit_of("0::/app\n"), INT64_MAX);
  plant("app/memory.max", "");
  ck_assert_int_eq(limit_of("0::/app\n"), INT64_MAX);
  plant("directory/memory.max/file", "1\n");
  ck_assert_int_eq(limit_of("0::/directory\n"), INT64_MAX);
}
END_TEST

/* A name longer than a path may be, on a line among good ones. */
START_TEST(endless_name)
{
  static char lines[3 * PATH_MAX];
  plant("app/memory.max", "104857600\n");
  memset(lines, 'x', sizeof lines - 1);
  memcpy(lines, "1:memory:/", 10);
  strcpy(lines + 2 * PATH_MAX, "\n0::/app\n");
  ck_assert_int_eq(limit_of(lines), 100 * mib);
}
END_TEST

/* ---- the machine as it is ---- */

START_TEST(limit_of_this_process)
{
  ck_assert_int_gt(machine_memory_limit(), 0);
}
END_TEST

START_TEST(memory_is_what_the_kernel_says)
{
  struct sysinfo info;
  ck_assert_int_eq(sysinfo(&info), 0);
  ck_assert_uint_eq(machine_memory_bytes(),
                    (uint64_t)info.totalram * info.mem_unit);
}
END_TEST

/* The number follows the thread's mask, down to one. */
START_TEST(processors_are_those_allowed)
{
  cpu_set_t set;
  ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
  unsigned count = (unsigned)CPU_COUNT(&set);
  ck_assert_uint_ge(count, 1);
  ck_assert_uint_eq(machine_processors(), count);
  for (int cpu = 0; cpu < CPU_SETSIZE && count > 1; cpu++)
    if (CPU_ISSET(cpu, &set)) {
      CPU_CLR(cpu, &set);
      ck_assert_int_eq(sched_setaffinity(0, sizeof set, &set), 0);
      errno = EXDEV;
      ck_assert_uint_eq(machine_processors(), --count);
      ck_assert_int_eq(errno, EXDEV);
    }
}
END_TEST

static uint64_t used_address_space(void)
{
  unsigned long long pages;
  FILE *statm = fopen("/proc/self/statm", "r");
  ck_assert_ptr_nonnull(statm);
  ck_assert_int_eq(fscanf(statm, "%llu", &pages), 1);
  fclose(statm);
  return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t left_under(rlim_t bytes)
{
  struct rlimit before, limit;
  ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
  limit = before;
  limit.rlim_cur = bytes;
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
  errno = EXDEV;
  uint64_t left = machine_address_space();
  int after = errno;
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
  ck_assert_int_eq(after, EXDEV);
  return left;
}

/* Under a hard limit, as in a shell with `ulimit -v`, there is no "any". */
START_TEST(address_space_is_what_is_left)
{
  struct rlimit limit;
  ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
  uint64_t used = used_address_space();
  uint64_t gib = UINT64_C(1) << 30;
  if (limit.rlim_max == RLIM_INFINITY) {
    ck_assert_uint_eq(left_under(RLIM_INFINITY), UINT64_MAX);
    uint64_t left = left_under(used + gib);
    ck_assert_uint_le(left, gib + gib / 16);
    ck_assert_uint_ge(left, gib - gib / 16);
  }
  ck_assert_uint_eq(left_under(4096), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("machine");
  TCase *planted = tcase_create("cgroups");
  tcase_add_checked_fixture(planted, set_up, tear_down);
  tcase_add_test(planted, huge_page_is_what_the_file_says_if_that_makes_sense);
  tcase_add_test(planted, no_cgroups_no_limit);
  tcase_add_test(planted, v2_max);
  tcase_add_test(planted, v2_high_if_lower);
  tcase_add_test(planted, v2_ancestors);
  tcase_add_test(planted, v2_root);
  tcase_add_test(planted, outside_of_the_root_is_not_looked_at);
  tcase_add_test(planted, v1_limit);
  tcase_add_test(planted, v1_ancestors);
  tcase_add_test(planted, v1_huge_values_mean_none);
  tcase_add_test(planted, hybrid);
  tcase_add_test(planted, odd_names);
  tcase_add_test(planted, nonsense_is_no_limit);
  tcase_add_test(planted, endless_name);
  suite_add_tcase(suite, planted);
  TCase *here = tcase_create("here");
  tcase_add_test(here, limit_of_this_process);
  tcase_add_test(here, memory_is_what_the_kernel_says);
  tcase_add_test(here, processors_are_those_allowed);
  tcase_add_test(here, address_space_is_what_is_left);
  suite_add_tcase(suite, here);
  return unit_run(suite);
}
