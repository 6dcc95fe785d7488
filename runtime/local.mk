# SPDX-License-Identifier: MIT
# Everything is compiled once, into a convenience library: libdusk.la exports
# from it what libdusk.map names, and unit tests link it to reach the rest.
noinst_LTLIBRARIES = libdusk-all.la
libdusk_all_la_SOURCES = \
	%reldir%/alloc/alloc.c \
	%reldir%/alloc/alloc.h \
	%reldir%/alloc/assist.c \
	%reldir%/alloc/assist.h \
	%reldir%/alloc/large.c \
	%reldir%/alloc/large.h \
	%reldir%/alloc/sample.c \
	%reldir%/alloc/sample.h \
	%reldir%/api/assist.c \
	%reldir%/api/budget.c \
	%reldir%/api/caller.c \
	%reldir%/api/caller.h \
	%reldir%/api/fork.c \
	%reldir%/api/fork.h \
	%reldir%/api/heap.c \
	%reldir%/api/inspect.c \
	%reldir%/api/limit.c \
	%reldir%/api/limit.h \
	%reldir%/api/metrics.c \
	%reldir%/api/option.c \
	%reldir%/api/option.h \
	%reldir%/api/profile.c \
	%reldir%/api/thread.c \
	%reldir%/base/atomic.h \
	%reldir%/base/bits.h \
	%reldir%/base/chaos.c \
	%reldir%/base/chaos.def \
	%reldir%/base/chaos.h \
	%reldir%/base/check.c \
	%reldir%/base/check.h \
	%reldir%/base/compiler.h \
	%reldir%/base/lock.c \
	%reldir%/base/lock.h \
	%reldir%/base/park.c \
	%reldir%/base/park.h \
	%reldir%/base/steps.c \
	%reldir%/base/steps.h \
	%reldir%/base/sums.h \
	%reldir%/collect/budget.c \
	%reldir%/collect/budget.h \
	%reldir%/collect/careful.c \
	%reldir%/collect/careful.h \
	%reldir%/collect/census.c \
	%reldir%/collect/census.h \
	%reldir%/collect/collector.h \
	%reldir%/collect/crew.c \
	%reldir%/collect/crew.h \
	%reldir%/collect/cycle.c \
	%reldir%/collect/cycle.h \
	%reldir%/collect/debug.def \
	%reldir%/collect/handshake.c \
	%reldir%/collect/handshake.h \
	%reldir%/collect/heap.h \
	%reldir%/collect/idle.c \
	%reldir%/collect/idle.h \
	%reldir%/collect/limiting.c \
	%reldir%/collect/limiting.h \
	%reldir%/collect/mark.c \
	%reldir%/collect/mark.h \
	%reldir%/collect/memory.c \
	%reldir%/collect/memory.h \
	%reldir%/collect/pacing.c \
	%reldir%/collect/pacing.h \
	%reldir%/collect/revive.c \
	%reldir%/collect/revive.h \
	%reldir%/collect/scan.c \
	%reldir%/collect/scan.h \
	%reldir%/collect/scavenger.c \
	%reldir%/collect/scavenger.h \
	%reldir%/collect/terminate.c \
	%reldir%/collect/terminate.h \
	%reldir%/collect/worker.c \
	%reldir%/collect/worker.h \
	%reldir%/event/assists.c \
	%reldir%/event/assists.h \
	%reldir%/event/counters.c \
	%reldir%/event/counters.h \
	%reldir%/event/delays.c \
	%reldir%/event/delays.h \
	%reldir%/event/histogram.c \
	%reldir%/event/histogram.h \
	%reldir%/event/history.c \
	%reldir%/event/history.h \
	%reldir%/event/sampling.c \
	%reldir%/event/sampling.h \
	%reldir%/event/timings.c \
	%reldir%/event/timings.h \
	%reldir%/event/utilisation.c \
	%reldir%/event/utilisation.h \
	%reldir%/heap/arena.c \
	%reldir%/heap/arena.h \
	%reldir%/heap/central.c \
	%reldir%/heap/central.h \
	%reldir%/heap/depot.c \
	%reldir%/heap/depot.h \
	%reldir%/heap/freed.c \
	%reldir%/heap/freed.h \
	%reldir%/heap/gather.c \
	%reldir%/heap/gather.h \
	%reldir%/heap/grey.c \
	%reldir%/heap/grey.h \
	%reldir%/heap/heapcheck.c \
	%reldir%/heap/heapcheck.h \
	%reldir%/heap/kind.c \
	%reldir%/heap/kind.h \
	%reldir%/heap/markbits.c \
	%reldir%/heap/markbits.h \
	%reldir%/heap/origin.c \
	%reldir%/heap/origin.h \
	%reldir%/heap/pageinfo.h \
	%reldir%/heap/pages.c \
	%reldir%/heap/pages.h \
	%reldir%/heap/recount.c \
	%reldir%/heap/recount.h \
	%reldir%/heap/run.c \
	%reldir%/heap/run.h \
	%reldir%/heap/profile.c \
	%reldir%/heap/profile.h \
	%reldir%/heap/scavenge.c \
	%reldir%/heap/scavenge.h \
	%reldir%/heap/shade.h \
	%reldir%/heap/shadow.c \
	%reldir%/heap/shadow.h \
	%reldir%/heap/sites.c \
	%reldir%/heap/sites.h \
	%reldir%/heap/sizeclass.c \
	%reldir%/heap/sizeclass.h \
	%reldir%/heap/span.h \
	%reldir%/heap/spanlist.h \
	%reldir%/inspect/barriercheck.c \
	%reldir%/inspect/barriercheck.h \
	%reldir%/inspect/checkmark.c \
	%reldir%/inspect/checkmark.h \
	%reldir%/inspect/graph.c \
	%reldir%/inspect/graph.h \
	%reldir%/inspect/halt.c \
	%reldir%/inspect/halt.h \
	%reldir%/inspect/holders.c \
	%reldir%/inspect/holders.h \
	%reldir%/inspect/inspect.c \
	%reldir%/inspect/inspect.h \
	%reldir%/inspect/labels.c \
	%reldir%/inspect/labels.h \
	%reldir%/inspect/noted.c \
	%reldir%/inspect/noted.h \
	%reldir%/inspect/output.c \
	%reldir%/inspect/output.h \
	%reldir%/inspect/place.c \
	%reldir%/inspect/place.h \
	%reldir%/inspect/remark.c \
	%reldir%/inspect/remark.h \
	%reldir%/inspect/retention.c \
	%reldir%/inspect/retention.h \
	%reldir%/inspect/rootcheck.c \
	%reldir%/inspect/rootcheck.h \
	%reldir%/inspect/snapfile.c \
	%reldir%/inspect/snapfile.h \
	%reldir%/inspect/snapshot.c \
	%reldir%/inspect/snapshot.h \
	%reldir%/inspect/thing.c \
	%reldir%/inspect/thing.h \
	%reldir%/inspect/why.c \
	%reldir%/inspect/why.h \
	%reldir%/mutator/barrier.c \
	%reldir%/mutator/barrier.h \
	%reldir%/mutator/cache.c \
	%reldir%/mutator/cache.h \
	%reldir%/mutator/checking.c \
	%reldir%/mutator/checking.h \
	%reldir%/mutator/poll.c \
	%reldir%/mutator/poll.h \
	%reldir%/mutator/registry.c \
	%reldir%/mutator/registry.h \
	%reldir%/mutator/rootset.c \
	%reldir%/mutator/rootset.h \
	%reldir%/mutator/thread.c \
	%reldir%/mutator/thread.h \
	%reldir%/os/assembler.h \
	%reldir%/os/bell.c \
	%reldir%/os/bell.h \
	%reldir%/os/block.c \
	%reldir%/os/block.h \
	%reldir%/os/child.c \
	%reldir%/os/child.h \
	%reldir%/os/clock.c \
	%reldir%/os/clock.h \
	%reldir%/os/fence.c \
	%reldir%/os/fence.h \
	%reldir%/os/file.c \
	%reldir%/os/file.h \
	%reldir%/os/gzip.c \
	%reldir%/os/gzip.h \
	%reldir%/os/image.c \
	%reldir%/os/image.h \
	%reldir%/os/machine.c \
	%reldir%/os/machine.h \
	%reldir%/os/maps.c \
	%reldir%/os/maps.h \
	%reldir%/os/module.c \
	%reldir%/os/module.h \
	%reldir%/os/priority.c \
	%reldir%/os/priority.h \
	%reldir%/os/scrub.c \
	%reldir%/os/scrub.h \
	%reldir%/os/self.c \
	%reldir%/os/self.h \
	%reldir%/os/symbol.c \
	%reldir%/os/symbol.h \
	%reldir%/os/task.c \
	%reldir%/os/task.h \
	%reldir%/os/tools.c \
	%reldir%/os/tools.h \
	%reldir%/os/unwind.c \
	%reldir%/os/unwind.h \
	%reldir%/os/vm.c \
	%reldir%/os/vm.h \
	%reldir%/pace/balance.c \
	%reldir%/pace/balance.h \
	%reldir%/pace/budget.c \
	%reldir%/pace/budget.h \
	%reldir%/pace/limiter.c \
	%reldir%/pace/limiter.h \
	%reldir%/pace/pacer.c \
	%reldir%/pace/pacer.h \
	%reldir%/pace/pressure.c \
	%reldir%/pace/pressure.h \
	%reldir%/pace/scavenger.c \
	%reldir%/pace/scavenger.h \
	%reldir%/report/buckets.c \
	%reldir%/report/buckets.h \
	%reldir%/report/filename.c \
	%reldir%/report/filename.h \
	%reldir%/report/gctrace.c \
	%reldir%/report/gctrace.h \
	%reldir%/report/heapprofile.c \
	%reldir%/report/heapprofile.h \
	%reldir%/report/metrics.c \
	%reldir%/report/metrics.def \
	%reldir%/report/metrics.h \
	%reldir%/report/openmetrics.c \
	%reldir%/report/openmetrics.h \
	%reldir%/report/pbwire.c \
	%reldir%/report/pbwire.h \
	%reldir%/report/pprof.c \
	%reldir%/report/pprof.h \
	%reldir%/report/profilefile.c \
	%reldir%/report/profilefile.h \
	%reldir%/report/scavtrace.c \
	%reldir%/report/scavtrace.h \
	%reldir%/report/stats.c \
	%reldir%/report/stats.h \
	%reldir%/report/trace.c \
	%reldir%/report/trace.h
libdusk_all_la_LDFLAGS = $(DUSK_LDFLAGS)
libdusk_all_la_LIBADD = $(UNWIND_LIBS) $(ZLIB_LIBS) $(PTHREAD_LIBS)

# The same sources with checks and chaos points, for tests that decide who runs
# when (tests/steps/README.md): built for them only.
chaos_cppflags = $(AM_CPPFLAGS) -DDUSK_CHAOS=1 -DDUSK_CHECKS=1
check_LTLIBRARIES = libdusk-chaos.la
libdusk_chaos_la_SOURCES = $(libdusk_all_la_SOURCES)
libdusk_chaos_la_CPPFLAGS = $(chaos_cppflags)
libdusk_chaos_la_LDFLAGS = $(DUSK_LDFLAGS)
libdusk_chaos_la_LIBADD = $(libdusk_all_la_LIBADD)

lib_LTLIBRARIES = libdusk.la
libdusk_la_SOURCES =
libdusk_la_LIBADD = libdusk-all.la
# nodelete: a pthread's exit and a late signal of a report still call into it.
libdusk_la_LDFLAGS = $(DUSK_LDFLAGS) -no-undefined -Wl,-z,nodelete \
	-version-info $(DUSK_INTERFACE) \
	$(VSCRIPT_LDFLAGS),$(srcdir)/libdusk.map
EXTRA_libdusk_la_DEPENDENCIES = libdusk.map

runtime_readmes = \
	%reldir%/README.md \
	%reldir%/alloc/README.md \
	%reldir%/api/README.md \
	%reldir%/base/README.md \
	%reldir%/collect/README.md \
	%reldir%/event/README.md \
	%reldir%/heap/README.md \
	%reldir%/inspect/README.md \
	%reldir%/mutator/README.md \
	%reldir%/os/README.md \
	%reldir%/pace/README.md \
	%reldir%/report/README.md
EXTRA_DIST += libdusk.map $(runtime_readmes)
