/* SPDX-License-Identifier: MIT */
/* machine.h -- what this machine, or the box around this process, has
 *
 * Nothing is remembered: limits and processors change while a process runs.
 * These read files; they are for opening a heap and for reports. */
#ifndef DUSK_OS_MACHINE_H
#define DUSK_OS_MACHINE_H

#include "base/compiler.h"

/* Processors that the calling thread, and so each thread it starts, may run
 * on; >= 1. */
unsigned machine_processors(void);

uint64_t machine_memory_bytes(void); /* physical memory */

/* Bytes of the huge pages that the system makes by itself, a power of two; the
 * usual 2 MiB if it does not say.  And the same, as a file says. */
size_t machine_huge_page(void);
size_t machine_huge_page_in(const char *path);

/* The cgroup's memory limit: the lowest among this process's cgroup and its
 * ancestors, each of which binds (v2 memory.max and memory.high, v1
 * memory.limit_in_bytes); INT64_MAX: none. */
int64_t machine_memory_limit(void);

/* The same, of the cgroups that a file in the form of /proc/self/cgroup names,
 * with their limits in a tree in the form of /sys/fs/cgroup. */
int64_t machine_limit_under(const char *proc_cgroup, const char *sysfs);

/* Address space this process may still have (RLIMIT_AS); UINT64_MAX: any. */
uint64_t machine_address_space(void);

#endif
