/* SPDX-License-Identifier: MIT */
/* probe.h -- places at which a tracer of the system can look in
 *
 * Probes of <sys/sdt.h>, provider "dusk": an instruction that does nothing, and
 * a note in the library's file that says where it is and where its arguments
 * are.  bpftrace, perf and SystemTap make it a trap while somebody looks.
 * Without that header there are none.
 *
 * Two underscores in a name are a hyphen to some tools.  dusk_debug(7) lists
 * the probes; tests/probes.sh compares. */
#ifndef DUSK_OS_PROBE_H
#define DUSK_OS_PROBE_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#if HAVE_PROBES
#include <sys/sdt.h>
#define PROBE2(name, a, b) DTRACE_PROBE2(dusk, name, a, b)
#define PROBE3(name, a, b, c) DTRACE_PROBE3(dusk, name, a, b, c)
#else
#define PROBE2(name, a, b) ((void)(a), (void)(b))
#define PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif
