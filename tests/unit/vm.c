/* SPDX-License-Identifier: MIT */
/* Test of os/vm.c: what may be touched when, and a system that refuses.
 *
 * Whether memory may be touched is asked of the kernel, by letting it copy a
 * byte there: it answers EFAULT where a program would die. */
#include "unit.h"

#include "os/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static size_t page;
static int byte_pipe[2];

static bool is_readable(void *at)
{
  char byte;
  if (write(byte_pipe[1], at, 1) == 1)
    return read(byte_pipe[0], &byte, 1) == 1;
  ck_assert_int_eq(errno, EFAULT);
  return false;
}

static bool is_writable(void *at)
{
  char byte = 1;
  ck_assert_int_eq(write(byte_pipe[1], &byte, 1), 1);
  if (read(byte_pipe[0], at, 1) == 1)
    return true;
  ck_assert_int_eq(errno, EFAULT);
  ck_assert_int_eq(read(byte_pipe[0], &byte, 1), 1);
  return false;
}

static bool is_zero(const char *start, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++)
    if (start[i])
      return false;
  return true;
}

/* ---- a system that counts, and refuses what it is told to ---- */

enum call { MAP, UNMAP, MAKE_USABLE, RELEASE, ADVISE_HUGE, CLOSE, CALLS };

static struct vm_table real;
static bool refused[CALLS];
static unsigned calls[CALLS];
static size_t mapped_bytes; /* less what has been unmapped */

static bool let_through(enum call call)
{
  calls[call]++;
  errno = refused[call] ? ENOMEM : EXDEV; /* whoever succeeds may set it too */
  return !refused[call];
}

static void *try_map(size_t bytes, bool usable)
{
  if (!let_through(MAP))
    return NULL;
  mapped_bytes += bytes;
  return real.map(bytes, usable);
}

static int try_unmap(void *start, size_t bytes)
{
  if (!let_through(UNMAP))
    return -1;
  mapped_bytes -= bytes;
  return real.unmap(start, bytes);
}

static int try_make_usable(void *start, size_t bytes)
{
  return let_through(MAKE_USABLE) ? real.make_usable(start, bytes) : -1;
}

static int try_release(void *start, size_t bytes)
{
  return let_through(RELEASE) ? real.release(start, bytes) : -1;
}

static int try_advise_huge(void *start, size_t bytes)
{
  return let_through(ADVISE_HUGE) ? real.advise_huge(start, bytes) : -1;
}

static int try_close(void *start, size_t bytes)
{
  return let_through(CLOSE) ? real.close(start, bytes) : -1;
}

static void set_up(void)
{
  page = vm_page_size();
  ck_assert_int_eq(pipe(byte_pipe), 0);
  memset(refused, 0, sizeof refused);
  memset(calls, 0, sizeof calls);
  mapped_bytes = 0;
  real = vm_system;
  vm_system = (struct vm_table){try_map,     try_unmap,       try_make_usable,
                                try_release, try_advise_huge, try_close};
  errno = ERANGE;
}

/* Whatever happened inside, errno is as it was. */
static void tear_down(void)
{
  vm_system = real;
  close(byte_pipe[0]);
  close(byte_pipe[1]);
}

/* ---- the system as it is ---- */

START_TEST(page_size_is_the_systems)
{
  ck_assert_int_eq((long)page, sysconf(_SC_PAGESIZE));
}
END_TEST

START_TEST(reservation_may_not_be_touched)
{
  char *start = vm_reserve(16 * page, page);
  ck_assert_ptr_nonnull(start);
  for (size_t i = 0; i < 16; i++)
    ck_assert(!is_readable(start + i * page));
  vm_unmap(start, 16 * page);
  ck_assert_uint_eq(mapped_bytes, 0);
}
END_TEST

START_TEST(reservation_is_aligned_and_trimmed)
{
  for (size_t alignment = 1; alignment <= (size_t)1 << 30; alignment *= 2) {
    char *start = vm_reserve(3 * page, alignment);
    ck_assert_ptr_nonnull(start);
    ck_assert_uint_eq((uintptr_t)start % alignment, 0);
    ck_assert_uint_eq((uintptr_t)start % page, 0);
    ck_assert_uint_eq(mapped_bytes, 3 * page);
    ck_assert(vm_commit(start, 3 * page));
    memset(start, 1, 3 * page);
    vm_unmap(start, 3 * page);
    ck_assert_uint_eq(mapped_bytes, 0);
  }
}
END_TEST

/* Neither a reservation nor a commitment costs memory, so both may be larger
 * than what there is; unless the system promises no more than it has. */
START_TEST(reservation_may_be_vast)
{
  struct sysinfo info;
  bool strict = false;
  FILE *overcommit = fopen("/proc/sys/vm/overcommit_memory", "r");
  if (overcommit) {
    strict = fgetc(overcommit) == '2';
    fclose(overcommit);
  }
  ck_assert_int_eq(sysinfo(&info), 0);
  size_t bytes = (size_t)(info.totalram + info.totalswap) * info.mem_unit;
  bytes += (size_t)1 << 30;
  bytes -= bytes % page;
  char *start = vm_reserve(bytes, (size_t)1 << 21);
  ck_assert_ptr_nonnull(start);
  ck_assert(strict || vm_commit(start, bytes));
  ck_assert(vm_commit(start + bytes - page, page));
  ck_assert(is_writable(start + bytes - page));
  vm_unmap(start, bytes);
}
END_TEST

START_TEST(commit_opens_that_part_only)
{
  char *start = vm_reserve(8 * page, page);
  ck_assert(vm_commit(start + 2 * page, 3 * page));
  for (size_t i = 0; i < 8; i++)
    ck_assert_int_eq(is_writable(start + i * page), i >= 2 && i < 5);
  vm_unmap(start, 8 * page);
}
END_TEST

START_TEST(commit_again_keeps_what_is_there)
{
  char *start = vm_reserve(4 * page, page);
  ck_assert(vm_commit(start + page, page));
  ck_assert(is_zero(start + page, page));
  memset(start + page, 1, page);
  ck_assert(vm_commit(start, 4 * page));
  ck_assert(is_zero(start, page));
  ck_assert_int_eq(start[page], 1);
  ck_assert_int_eq(start[2 * page - 1], 1);
  ck_assert(is_zero(start + 2 * page, 2 * page));
  vm_unmap(start, 4 * page);
}
END_TEST

START_TEST(map_is_usable_and_zero)
{
  char *start = vm_map(5 * page);
  ck_assert_ptr_nonnull(start);
  ck_assert(is_zero(start, 5 * page));
  memset(start, 1, 5 * page);
  vm_unmap(start, 5 * page);
  ck_assert_uint_eq(mapped_bytes, 0);
}
END_TEST

START_TEST(release_zeroes_that_part_only)
{
  unsigned char resident;
  char *start = vm_map(3 * page);
  memset(start, 1, 3 * page);
  ck_assert(vm_release(start + page, page));
  ck_assert_int_eq(mincore(start + page, page, &resident), 0);
  ck_assert_int_eq(resident & 1, 0);
  ck_assert_int_eq(start[page - 1], 1);
  ck_assert(is_zero(start + page, page));
  ck_assert_int_eq(start[2 * page], 1);
  memset(start, 2, 3 * page);
  ck_assert_int_eq(start[page], 2);
  vm_unmap(start, 3 * page);
}
END_TEST

START_TEST(unmap_ends_a_part)
{
  char *start = vm_map(3 * page);
  vm_unmap(start + page, page);
  ck_assert(is_writable(start));
  ck_assert(!is_readable(start + page));
  ck_assert(is_writable(start + 2 * page));
  vm_unmap(start, page);
  vm_unmap(start + 2 * page, page);
  ck_assert_uint_eq(mapped_bytes, 0);
}
END_TEST

START_TEST(closed_memory_may_not_be_touched)
{
  char *start = vm_map(4 * page);
  memset(start, 1, 4 * page);
  ck_assert(vm_close(start + page, 2 * page));
  ck_assert(is_writable(start));
  ck_assert(!is_readable(start + page));
  ck_assert(!is_writable(start + 2 * page));
  ck_assert_int_eq(start[3 * page], 1);
  vm_unmap(start, 4 * page);
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
  size_t most = SIZE_MAX - SIZE_MAX % page;
  ck_assert_ptr_null(vm_reserve(most, page));
  ck_assert_ptr_null(vm_map(most));
  ck_assert_uint_eq(calls[MAP], 2);
  /* With the slack for the alignment, this would wrap around to little. */
  ck_assert_ptr_null(vm_reserve(most, (size_t)1 << 21));
  ck_assert_uint_eq(calls[MAP], 2);
}
END_TEST

/* ---- a system that refuses ---- */

START_TEST(refused_reservation)
{
  refused[MAP] = true;
  ck_assert_ptr_null(vm_reserve(page, page));
  ck_assert_ptr_null(vm_reserve(page, 64 * page));
  ck_assert_ptr_null(vm_map(page));
  ck_assert_uint_eq(calls[MAP], 3);
  ck_assert_uint_eq(calls[UNMAP], 0);
}
END_TEST

/* The slack stays behind; the reservation is as good as any. */
START_TEST(refused_trim)
{
  refused[UNMAP] = true;
  char *start = vm_reserve(page, 64 * page);
  ck_assert_ptr_nonnull(start);
  ck_assert_uint_eq((uintptr_t)start % (64 * page), 0);
  ck_assert_uint_ge(calls[UNMAP], 1);
  ck_assert(vm_commit(start, page));
  ck_assert(is_writable(start));
}
END_TEST

START_TEST(refused_commit)
{
  char *start = vm_reserve(2 * page, page);
  refused[MAKE_USABLE] = true;
  ck_assert(!vm_commit(start, page));
  ck_assert(!is_readable(start));
  refused[MAKE_USABLE] = false;
  ck_assert(vm_commit(start, page));
  ck_assert(is_writable(start));
  vm_unmap(start, 2 * page);
}
END_TEST

START_TEST(refused_release)
{
  char *start = vm_map(page);
  memset(start, 1, page);
  refused[RELEASE] = true;
  ck_assert(!vm_release(start, page));
  ck_assert_int_eq(start[0], 1);
  refused[RELEASE] = false;
  ck_assert(vm_release(start, page));
  ck_assert(is_zero(start, page));
  vm_unmap(start, page);
}
END_TEST

START_TEST(refused_advice_is_no_matter)
{
  char *start = vm_map(page);
  for (int refuse = 0; refuse < 2; refuse++) {
    refused[ADVISE_HUGE] = refuse;
    vm_advise_huge(start, page);
    ck_assert(is_writable(start));
  }
  ck_assert_uint_eq(calls[ADVISE_HUGE], 2);
  vm_unmap(start, page);
}
END_TEST

START_TEST(refused_unmap_still_gives_the_memory_back)
{
  char *start = vm_map(page);
  memset(start, 1, page);
  refused[UNMAP] = true;
  vm_unmap(start, page);
  ck_assert_uint_eq(calls[RELEASE], 1);
  ck_assert(is_zero(start, page));
}
END_TEST

/* Every function, let through (_i 0) and refused (_i 1). */
START_TEST(errno_is_kept)
{
  char *start = vm_reserve(4 * page, 64 * page);
  ck_assert(vm_commit(start, 4 * page));
  for (int call = 0; call < CALLS; call++)
    refused[call] = _i;
  errno = ERANGE;
  void *other = vm_reserve(page, 64 * page);
  ck_assert_int_eq(errno, ERANGE);
  ck_assert_int_eq(vm_commit(start, page), !_i);
  ck_assert_int_eq(errno, ERANGE);
  ck_assert_int_eq(vm_release(start, page), !_i);
  ck_assert_int_eq(errno, ERANGE);
  vm_advise_huge(start, page);
  ck_assert_int_eq(errno, ERANGE);
  ck_assert_int_eq(vm_close(start, page), !_i);
  ck_assert_int_eq(errno, ERANGE);
  void *map = vm_map(page);
  ck_assert_int_eq(errno, ERANGE);
  vm_unmap(start, 4 * page);
  ck_assert_int_eq(errno, ERANGE);
  ck_assert_int_eq(other == NULL, _i);
  ck_assert_int_eq(map == NULL, _i);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("vm");
  TCase *works = tcase_create("works");
  tcase_add_checked_fixture(works, set_up, tear_down);
  tcase_add_test(works, page_size_is_the_systems);
  tcase_add_test(works, reservation_may_not_be_touched);
  tcase_add_test(works, reservation_is_aligned_and_trimmed);
  tcase_add_test(works, reservation_may_be_vast);
  tcase_add_test(works, commit_opens_that_part_only);
  tcase_add_test(works, commit_again_keeps_what_is_there);
  tcase_add_test(works, map_is_usable_and_zero);
  tcase_add_test(works, release_zeroes_that_part_only);
  tcase_add_test(works, unmap_ends_a_part);
  tcase_add_test(works, closed_memory_may_not_be_touched);
  tcase_add_test(works, absurd_sizes_are_refused);
  suite_add_tcase(suite, works);
  TCase *refuses = tcase_create("refuses");
  tcase_add_checked_fixture(refuses, set_up, tear_down);
  tcase_add_test(refuses, refused_reservation);
  tcase_add_test(refuses, refused_trim);
  tcase_add_test(refuses, refused_commit);
  tcase_add_test(refuses, refused_release);
  tcase_add_test(refuses, refused_advice_is_no_matter);
  tcase_add_test(refuses, refused_unmap_still_gives_the_memory_back);
  tcase_add_loop_test(refuses, errno_is_kept, 0, 2);
  suite_add_tcase(suite, refuses);
  return unit_run(suite);
}
