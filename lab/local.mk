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

bin_PROGRAMS += %reldir%/dusk-lab
%canon_reldir%_dusk_lab_SOURCES = \
	%reldir%/lab.h \
	%reldir%/main.c \
	%reldir%/sim.c \
	%reldir%/sim_print.c \
	%reldir%/sim_print.h
%canon_reldir%_dusk_lab_CPPFLAGS = $(AM_CPPFLAGS) \
	-DDUSK_SCENARIOS='"$(scenariosdir)"'
%canon_reldir%_dusk_lab_LDADD = \
	%reldir%/libsim.la libdusk-all.la $(PTHREAD_LIBS)

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
