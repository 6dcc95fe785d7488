/* SPDX-License-Identifier: MIT */
/* vm.h -- address space and memory
 *
 * Every call to the system goes through `vm_system`, a table that a test can
 * replace to make the n-th call fail.  All sizes are bytes and multiples of
 * vm_page_size(), all addresses are multiples of it.  errno is never changed:
 * the answer says it all. */
#ifndef DUSK_OS_VM_H
#define DUSK_OS_VM_H

#include "base/compiler.h"

/* What the system can do.  The calls that return an int return 0, or something
 * else when refused. */
struct vm_table {
  void *(*map)(size_t bytes, bool usable); /* NULL: refused */
  int (*unmap)(void *start, size_t bytes);
  int (*make_usable)(void *start, size_t bytes);
  int (*release)(void *start, size_t bytes);
  int (*advise_huge)(void *start, size_t bytes);
  int (*close)(void *start, size_t bytes);
};
extern struct vm_table vm_system;

size_t vm_page_size(void);

/* Address space that may not be touched before vm_commit().  NULL: the system
 * refused.  alignment is a power of two. */
WARN_UNUSED void *vm_reserve(size_t bytes, size_t alignment);

/* Makes part of a reservation readable and writable: zero, except for what was
 * committed before, which is as it was.  false: the system refused; what was
 * not committed before must be taken as not committed.  Memory is taken when it
 * is first touched. */
WARN_UNUSED bool vm_commit(void *start, size_t bytes);

/* Committed memory, all zero.  NULL: refused. */
WARN_UNUSED void *vm_map(size_t bytes);

/* Gives committed memory back to the system and keeps the address space, which
 * stays committed and reads as zero.  false: the system refused (it does for
 * locked memory); the contents are as they were. */
bool vm_release(void *start, size_t bytes);

/* Asks for huge pages: a hint. */
void vm_advise_huge(void *start, size_t bytes);

/* Committed memory is given back, and who touches it faults.  false: the system
 * refused; the contents are as they were, or zero. */
WARN_UNUSED bool vm_close(void *start, size_t bytes);

/* Ends a reservation or mapping. */
void vm_unmap(void *start, size_t bytes);

#endif
