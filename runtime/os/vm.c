/* SPDX-License-Identifier: MIT */
/* vm.c -- address space and memory, from mmap and its relatives
 *
 *   reserved --vm_commit--> committed --first touch--> resident
 *                               ^                          |
 *                               +-------vm_release---------+
 *
 * A reservation is mapped without access and without a claim on memory, so its
 * size costs nothing but address space.  Two parts of one may be committed,
 * touched and released by different threads at once; nothing is kept here, and
 * nothing is locked.  Tested by tests/unit/vm.c, which also plays a system that
 * refuses.
 */
#include "os/vm.h"

#include "base/bits.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static void *system_map(size_t bytes, bool usable)
{
  int access = usable ? PROT_READ | PROT_WRITE : PROT_NONE;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | (usable ? 0 : MAP_NORESERVE);
  void *start = mmap(NULL, bytes, access, flags, -1, 0);
  return start == MAP_FAILED ? NULL : start;
}

static int system_make_usable(void *start, size_t bytes)
{
  return mprotect(start, bytes, PROT_READ | PROT_WRITE);
}

static int system_release(void *start, size_t bytes)
{
  return madvise(start, bytes, MADV_DONTNEED);
}

static int system_advise_huge(void *start, size_t bytes)
{
  return madvise(start, bytes, MADV_HUGEPAGE);
}

/* Guards that need no mapping of their own: Linux 6.13 and later, and not yet
 * in every library's headers. */
enum { ADVICE_GUARD_INSTALL = 102 };

static int system_close(void *start, size_t bytes)
{
  if (madvise(start, bytes, ADVICE_GUARD_INSTALL) == 0)
    return 0;
  madvise(start, bytes, MADV_DONTNEED);
  return mprotect(start, bytes, PROT_NONE);
}

struct vm_table vm_system = {
    .map = system_map,
    .unmap = munmap,
    .make_usable = system_make_usable,
    .release = system_release,
    .advise_huge = system_advise_huge,
    .close = system_close,
};

size_t vm_page_size(void)
{
  return (size_t)sysconf(_SC_PAGESIZE);
}

/* Part of a mapping: whole pages, at least one. */
static bool is_range(const void *start, size_t bytes)
{
  size_t page = vm_page_size();
  return (uintptr_t)start % page == 0 && bytes % page == 0 && bytes > 0;
}

/* The system aligns to a page.  For more, reserve enough that an aligned piece
 * must lie within, and give back what is around it.  If the system will not
 * take it back (it has a limit on mappings, and this splits one), it is address
 * space lost and no memory. */
void *vm_reserve(size_t bytes, size_t alignment)
{
  size_t page = vm_page_size();
  size_t slack = alignment > page ? alignment - page : 0;
  CHECK(is_power_of_two(alignment) && is_range(NULL, bytes));
  if (bytes > SIZE_MAX - slack)
    return NULL;
  int saved = errno;
  char *start = vm_system.map(bytes + slack, false);
  if (start && slack) {
    size_t before = align_up((uintptr_t)start, alignment) - (uintptr_t)start;
    if (before)
      vm_system.unmap(start, before);
    start += before;
    if (before < slack)
      vm_system.unmap(start + bytes, slack - before);
  }
  errno = saved;
  return start;
}

bool vm_commit(void *start, size_t bytes)
{
  CHECK(is_range(start, bytes));
  int saved = errno;
  bool done = vm_system.make_usable(start, bytes) == 0;
  errno = saved;
  return done;
}

void *vm_map(size_t bytes)
{
  int saved = errno;
  void *start = vm_system.map(bytes, true);
  errno = saved;
  return start;
}

bool vm_release(void *start, size_t bytes)
{
  CHECK(is_range(start, bytes));
  int saved = errno;
  bool done = vm_system.release(start, bytes) == 0;
  errno = saved;
  return done;
}

void vm_advise_huge(void *start, size_t bytes)
{
  CHECK(is_range(start, bytes));
  int saved = errno;
  vm_system.advise_huge(start, bytes);
  errno = saved;
}

bool vm_close(void *start, size_t bytes)
{
  CHECK(is_range(start, bytes));
  int saved = errno;
  bool done = vm_system.close(start, bytes) == 0;
  errno = saved;
  return done;
}

/* A refusal leaves the address space behind; at least the memory goes. */
void vm_unmap(void *start, size_t bytes)
{
  CHECK(is_range(start, bytes));
  int saved = errno;
  if (vm_system.unmap(start, bytes) != 0)
    vm_system.release(start, bytes);
  errno = saved;
}
