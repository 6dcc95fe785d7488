# SPDX-License-Identifier: MIT
# dusk-lab links the convenience library: its simulator runs the pacer's own
# object code, and its workloads the whole collector.  The simulator is a
# library of its own, for tests.
noinst_LTLIBRARIES += %reldir%/libsim.la
%canon_reldir%_libsim_la_SOURCES = \
	%reldir%/sim/expr.c \
	%reldir%/sim/expr.h \
	%reldir%/sim/expr_node.h \
	%reldir%/sim/expr_parse.c \
	%reldir%/sim/expr_seq.c \
	%reldir%/sim/scenario.c \
	%reldir%/sim/scenario.h \
	%reldir%/sim/scenario_find.c \
	%reldir%/sim/program.c \
	%reldir%/sim/program.h \
	%reldir%/sim/world.c \
	%reldir%/sim/world.h
%canon_reldir%_libsim_la_LIBADD = -lm

# What the laboratory reads and draws is a library of its own, for tests.
noinst_LTLIBRARIES += %reldir%/libshow.la
%canon_reldir%_libshow_la_SOURCES = \
	%reldir%/show/mmu.c \
	%reldir%/show/mmu.h \
	%reldir%/show/model.c \
	%reldir%/show/model.h \
	%reldir%/show/page.c \
	%reldir%/show/page.h \
	%reldir%/show/plot.c \
	%reldir%/show/plot.h \
	%reldir%/show/plot_axis.c \
	%reldir%/show/samples.c \
	%reldir%/show/samples.h \
	%reldir%/show/value.c \
	%reldir%/show/value.h
%canon_reldir%_libshow_la_LIBADD = -lm

# What reads heap snapshots, the same.
noinst_LTLIBRARIES += %reldir%/libheap.la
%canon_reldir%_libheap_la_SOURCES = \
	%reldir%/heap/dominators.c \
	%reldir%/heap/dominators.h \
	%reldir%/heap/json.c \
	%reldir%/heap/json.h \
	%reldir%/heap/kinds.c \
	%reldir%/heap/kinds.h \
	%reldir%/heap/objects.c \
	%reldir%/heap/objects.h

bin_PROGRAMS += %reldir%/dusk-lab
%canon_reldir%_dusk_lab_SOURCES = \
	%reldir%/heap/heap.c \
	%reldir%/lab.h \
	%reldir%/main.c \
	bench/measure.c \
	bench/measure.h \
	%reldir%/run/child.c \
	%reldir%/run/child.h \
	%reldir%/run/grid.c \
	%reldir%/run/grid.h \
	%reldir%/run/host.c \
	%reldir%/run/host.h \
	%reldir%/run/measured.c \
	%reldir%/run/measured.h \
	%reldir%/option.c \
	%reldir%/option.h \
	%reldir%/run/pauses.c \
	%reldir%/run/pauses.h \
	%reldir%/run/pauses_measure.c \
	%reldir%/run/pauses_page.c \
	%reldir%/run/progress.c \
	%reldir%/run/progress.h \
	%reldir%/run/run.c \
	%reldir%/run/run.h \
	%reldir%/run/run_page.c \
	%reldir%/run/run_table.c \
	%reldir%/show/waits.c \
	%reldir%/show/waits.h \
	%reldir%/work/work.c \
	%reldir%/work/cache.c \
	%reldir%/work/churn.c \
	%reldir%/work/crew.c \
	%reldir%/work/map.c \
	%reldir%/work/pool.c \
	%reldir%/work/work.h \
	%reldir%/run/workload.c \
	%reldir%/run/workload.h \
	%reldir%/sim/sim.c \
	%reldir%/sim/print.c \
	%reldir%/sim/print.h
# Examples that it runs as workloads are installed where examples/local.mk says.
%canon_reldir%_dusk_lab_CPPFLAGS = $(AM_CPPFLAGS) \
	-DDUSK_SCENARIOS='"$(scenariosdir)"' \
	-DDUSK_LAB_EXAMPLES='"$(pkglibexecdir)"'
%canon_reldir%_dusk_lab_LDADD = \
	%reldir%/libheap.la %reldir%/libshow.la %reldir%/libsim.la \
	libdusk-all.la \
	$(PTHREAD_LIBS) -lm

scenariosdir = $(pkgdatadir)/scenarios
dist_scenarios_DATA = \
	%reldir%/scenarios/exceed_memory_limit.sim \
	%reldir%/scenarios/exceed_memory_limit_no_gc_percent.sim \
	%reldir%/scenarios/heavy_jitter_alloc.sim \
	%reldir%/scenarios/heavy_step_alloc.sim \
	%reldir%/scenarios/high_gogc.sim \
	%reldir%/scenarios/jitter_alloc.sim \
	%reldir%/scenarios/large_heap_slow_alloc.sim \
	%reldir%/scenarios/live_jump.sim \
	%reldir%/scenarios/maintain_memory_limit.sim \
	%reldir%/scenarios/maintain_memory_limit_no_gc_percent.sim \
	%reldir%/scenarios/medium_heap_slow_alloc.sim \
	%reldir%/scenarios/osc_alloc.sim \
	%reldir%/scenarios/small_heap_slow_alloc.sim \
	%reldir%/scenarios/steady.sim \
	%reldir%/scenarios/steady_big_globals.sim \
	%reldir%/scenarios/steady_big_stacks.sim \
	%reldir%/scenarios/steady_memory_limit.sim \
	%reldir%/scenarios/steady_memory_limit_no_gc_percent.sim \
	%reldir%/scenarios/step_alloc.sim \
	%reldir%/scenarios/step_scannable_frac.sim

EXTRA_DIST += %reldir%/README.md
