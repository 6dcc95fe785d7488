/* SPDX-License-Identifier: MIT */
/* option.h -- what a heap is opened with: options, then the environment */
#ifndef DUSK_API_OPTION_H
#define DUSK_API_OPTION_H

#include "collect/cycle.h"
#include "collect/heap.h"

#include "dusk/heap.h"

/* Checks the options (NULL: the defaults) and lets the environment override
 * them.  Returns 0 or EINVAL.  A value in the environment that does not parse
 * costs a line on stderr, and is ignored. */
WARN_UNUSED int option_resolve(const dusk_options *given,
                               struct collector_setup *setup,
                               struct debug_options *debug);

/* The file to trace to: DUSK_TRACE, or NULL. */
const char *option_trace(const dusk_options *options);

/* "N", "off": -1.  false: neither, or N is out of range. */
bool option_parse_percent(const char *text, int *percent);

/* Bytes: "N", "NKiB" to "NTiB", "off": INT64_MAX, "auto": the cgroup's. */
bool option_parse_bytes(const char *text, int64_t *bytes);

/* "full", "exempt", "capped:BYTES", "capped:Nus". */
bool option_parse_assist(const char *text, struct assist_rule *rule);

/* Bytes, or "off": UINT64_MAX. */
bool option_parse_wall(const char *text, uint64_t *bytes);

/* A number from 0 to `max`, and nothing behind it. */
bool option_parse_count(const char *text, uint64_t max, uint64_t *count);

/* "key=N,key=N": sets what it knows; complains of the rest. */
void option_parse_debug(const char *text, struct debug_options *debug);

#endif
