# SPDX-License-Identifier: MIT
# dusk-lab links the convenience library: its simulator runs the pacer's own
# object code, and its workloads the whole collector.  The simulator is a
# library of its own, for tests.
noinst_LTLIBRARIES += %reldir%/libsim.la
%canon_reldir%_libsim_la_SOURCES = \
	%reldir%/expr.c \
	%reldir%/expr.h \
	%reldir%/expr_node.h \
	%reldir%/expr_parse.c \
	%reldir%/expr_seq.c \
	%reldir%/scenario.c \
	%reldir%/scenario.h \
	%reldir%/scenario_find.c \
	%reldir%/sim_program.c \
	%reldir%/sim_program.h \
	%reldir%/sim_world.c \
	%reldir%/sim_world.h
%canon_reldir%_libsim_la_LIBADD = -lm

# What the laboratory reads and draws is a library of its own, for tests.
noinst_LTLIBRARIES += %reldir%/libshow.la
%canon_reldir%_libshow_la_SOURCES = \
	%reldir%/mmu.c \
	%reldir%/mmu.h \
	%reldir%/model.c \
	%reldir%/model.h \
	%reldir%/page.c \
	%reldir%/page.h \
	%reldir%/plot.c \
	%reldir%/plot.h \
	%reldir%/plot_axis.c \
	%reldir%/samples.c \
	%reldir%/samples.h \
	%reldir%/value.c \
	%reldir%/value.h
%canon_reldir%_libshow_la_LIBADD = -lm

bin_PROGRAMS += %reldir%/dusk-lab
%canon_reldir%_dusk_lab_SOURCES = \
	%reldir%/lab.h \
	%reldir%/main.c \
	bench/measure.c \
	bench/measure.h \
	%reldir%/child.c \
	%reldir%/child.h \
	%reldir%/grid.c \
	%reldir%/grid.h \
	%reldir%/host.c \
	%reldir%/host.h \
	%reldir%/measured.c \
	%reldir%/measured.h \
	%reldir%/option.c \
	%reldir%/option.h \
	%reldir%/pauses.c \
	%reldir%/pauses.h \
	%reldir%/pauses_measure.c \
	%reldir%/pauses_page.c \
	%reldir%/progress.c \
	%reldir%/progress.h \
	%reldir%/run.c \
	%reldir%/run.h \
	%reldir%/run_page.c \
	%reldir%/run_table.c \
	%reldir%/waits.c \
	%reldir%/waits.h \
	%reldir%/work.c \
	%reldir%/work/cache.c \
	%reldir%/work/churn.c \
	%reldir%/work/crew.c \
	%reldir%/work/map.c \
	%reldir%/work/pool.c \
	%reldir%/work/work.h \
	%reldir%/workload.c \
	%reldir%/workload.h \
	%reldir%/sim.c \
	%reldir%/sim_print.c \
	%reldir%/sim_print.h
# Examples that it runs as workloads are installed where examples/local.mk says.
%canon_reldir%_dusk_lab_CPPFLAGS = $(AM_CPPFLAGS) \
	-DDUSK_SCENARIOS='"$(scenariosdir)"' \
	-DDUSK_LAB_EXAMPLES='"$(pkglibexecdir)"'
%canon_reldir%_dusk_lab_LDADD = \
	%reldir%/libshow.la %reldir%/libsim.la libdusk-all.la \
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
