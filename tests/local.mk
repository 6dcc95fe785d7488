# SPDX-License-Identifier: MIT
# What `make check` runs: programs, one a file of the same name unless it says
# otherwise below, and scripts.
#
#   unit, sim     link the convenience library: they reach what is internal
#   lab           the same, and what dusk-lab is made of; or they run the command
#   api, stress   link the shared library, as a user's program does; but for
#                 api/forkpoints, which needs the one with chaos points
#   steps         link the library with chaos points, and decide who runs when
#   fuzz          replay inputs that a fuzzer kept, and make some from them
#   lint          read the sources
#   model         checks the protocol's model, if spin is there
#   docs.sh       runs what the documents show, and looks up what they name
#   examples.sh   runs the examples and reads what they print
#   gdb.sh        asks gdb for a heap
#   inspector.sh  looks at a heap from outside, as a browser does
#   openmetrics.sh  has others read what a heap writes about itself
#   pprof.sh      has go tool pprof read what an example leaves behind
#   mistakes.sh   runs those that are wrong, and reads what they are told
#   probes.sh     reads the notes of the library's probes
#   timeline.sh   reads a timeline with a JSON parser that is not ours
#   tools.sh      lets memory checkers watch a program

unit_tests = \
	%reldir%/unit/arena \
	%reldir%/unit/assists \
	%reldir%/unit/balance \
	%reldir%/unit/barrier \
	%reldir%/unit/barriercheck \
	%reldir%/unit/base \
	%reldir%/unit/bell \
	%reldir%/unit/bits \
	%reldir%/unit/budget \
	%reldir%/unit/cache \
	%reldir%/unit/census \
	%reldir%/unit/central \
	%reldir%/unit/checking \
	%reldir%/unit/checkmark \
	%reldir%/unit/child \
	%reldir%/unit/clock \
	%reldir%/unit/counters \
	%reldir%/unit/depot \
	%reldir%/unit/faults \
	%reldir%/unit/fence \
	%reldir%/unit/file \
	%reldir%/unit/freed \
	%reldir%/unit/gctrace \
	%reldir%/unit/graph \
	%reldir%/unit/grey \
	%reldir%/unit/halt \
	%reldir%/unit/heapcheck \
	%reldir%/unit/histogram \
	%reldir%/unit/history \
	%reldir%/unit/idle \
	%reldir%/unit/kind \
	%reldir%/unit/labels \
	%reldir%/unit/limiter \
	%reldir%/unit/limiting \
	%reldir%/unit/machine \
	%reldir%/unit/maps \
	%reldir%/unit/mark \
	%reldir%/unit/markbits \
	%reldir%/unit/metrics \
	%reldir%/unit/option \
	%reldir%/unit/module \
	%reldir%/unit/origin \
	%reldir%/unit/output \
	%reldir%/unit/overflow \
	%reldir%/unit/pacer \
	%reldir%/unit/pacing \
	%reldir%/unit/pages \
	%reldir%/unit/place \
	%reldir%/unit/pbwire \
	%reldir%/unit/policy \
	%reldir%/unit/pressure \
	%reldir%/unit/priority \
	%reldir%/unit/profile \
	%reldir%/unit/recount \
	%reldir%/unit/retention \
	%reldir%/unit/rootcheck \
	%reldir%/unit/ring \
	%reldir%/unit/rootset \
	%reldir%/unit/run \
	%reldir%/unit/sampling \
	%reldir%/unit/scan \
	%reldir%/unit/scavenge \
	%reldir%/unit/scavenger \
	%reldir%/unit/scavtrace \
	%reldir%/unit/scrub \
	%reldir%/unit/self \
	%reldir%/unit/shadow \
	%reldir%/unit/sizeclass \
	%reldir%/unit/symbol \
	%reldir%/unit/terminate \
	%reldir%/unit/timeline \
	%reldir%/unit/timings \
	%reldir%/unit/trace \
	%reldir%/unit/unwind \
	%reldir%/unit/vm
sim_tests = \
	%reldir%/sim/pacer \
	%reldir%/sim/world
lab_tests = \
	%reldir%/lab/dominators \
	%reldir%/lab/expr \
	%reldir%/lab/mmu \
	%reldir%/lab/model \
	%reldir%/lab/objects \
	%reldir%/lab/plot \
	%reldir%/lab/samples \
	%reldir%/lab/utilisation
api_tests = \
	%reldir%/api/alloc \
	%reldir%/api/assist \
	%reldir%/api/barriercheck \
	%reldir%/api/budget \
	%reldir%/api/careful \
	%reldir%/api/cgroup \
	%reldir%/api/control \
	%reldir%/api/fork \
	%reldir%/api/forkmodes \
	%reldir%/api/forkpoints \
	%reldir%/api/garbage \
	%reldir%/api/handover \
	%reldir%/api/heap \
	%reldir%/api/idle \
	%reldir%/api/inherit \
	%reldir%/api/kind \
	%reldir%/api/limit \
	%reldir%/api/memlimit \
	%reldir%/api/memory \
	%reldir%/api/metrics \
	%reldir%/api/oom \
	%reldir%/api/openmetrics \
	%reldir%/api/pressure \
	%reldir%/api/profile \
	%reldir%/api/profilefile \
	%reldir%/api/recorder \
	%reldir%/api/retention \
	%reldir%/api/rlimit \
	%reldir%/api/root \
	%reldir%/api/snapshot \
	%reldir%/api/spin \
	%reldir%/api/stats \
	%reldir%/api/store \
	%reldir%/api/thread \
	%reldir%/api/timeline \
	%reldir%/api/trace \
	%reldir%/api/why
stress_tests = \
	%reldir%/stress/graph \
	%reldir%/stress/percent \
	%reldir%/stress/roots \
	%reldir%/stress/stack \
	%reldir%/stress/threads
steps_tests = \
	%reldir%/steps/graph \
	%reldir%/steps/races \
	%reldir%/steps/rounds \
	%reldir%/steps/replay \
	%reldir%/steps/reuse
fuzz_tests = \
	%reldir%/fuzz/environment \
	%reldir%/fuzz/expression \
	%reldir%/fuzz/options \
	%reldir%/fuzz/scenario
test_scripts = \
	%reldir%/docs.sh \
	%reldir%/examples.sh \
	%reldir%/gdb.sh \
	%reldir%/inspector.sh \
	%reldir%/lab/heap.sh \
	%reldir%/lab/run.sh \
	%reldir%/lab/sim.sh \
	%reldir%/lint/chaos.sh \
	%reldir%/lint/conditionals.sh \
	%reldir%/lint/headers.sh \
	%reldir%/lint/layers.sh \
	%reldir%/lint/nostop.sh \
	%reldir%/lint/size.sh \
	%reldir%/lint/sources.sh \
	%reldir%/lint/symbols.sh \
	%reldir%/mistakes.sh \
	%reldir%/model/model.sh \
	%reldir%/openmetrics.sh \
	%reldir%/pprof.sh \
	%reldir%/probes.sh \
	%reldir%/timeline.sh \
	%reldir%/tools.sh

# What tests include, read, or leave to other rules.
EXTRA_DIST += \
	%reldir%/api/api.h \
	%reldir%/api/child.h \
	%reldir%/api/churn.h \
	%reldir%/api/cycle.h \
	%reldir%/api/graph.h \
	%reldir%/api/pprof.h \
	%reldir%/coverage.md \
	%reldir%/coverage.sh \
	%reldir%/fuzz/README.md \
	%reldir%/fuzz/corpus \
	%reldir%/fuzz/run \
	%reldir%/install.sh \
	%reldir%/lab/planted.c \
	%reldir%/lint/layers.txt \
	%reldir%/lint/strip.awk \
	%reldir%/lint/symbols.txt \
	%reldir%/model/README.md \
	%reldir%/model/barrier.pml \
	%reldir%/model/collector.pml \
	%reldir%/model/cycle.pml \
	%reldir%/model/run \
	%reldir%/model/runs.txt \
	%reldir%/model/terminate.pml \
	%reldir%/model/thread.pml \
	%reldir%/model/words.pml \
	%reldir%/model/world.pml \
	%reldir%/mutants/README.md \
	%reldir%/mutants/attach-owes-no-h2.patch \
	%reldir%/mutants/attach-white.patch \
	%reldir%/mutants/attach-without-barrier.patch \
	%reldir%/mutants/back-with-plain-store.patch \
	%reldir%/mutants/barrier-off-at-h3.patch \
	%reldir%/mutants/black-from-h1.patch \
	%reldir%/mutants/cas-logs-new-alone.patch \
	%reldir%/mutants/census-counts-cached-span.patch \
	%reldir%/mutants/census-keeps-old-marks.patch \
	%reldir%/mutants/clear-logs-nothing.patch \
	%reldir%/mutants/copy-logs-new-alone.patch \
	%reldir%/mutants/dirty-cleared-late.patch \
	%reldir%/mutants/dirty-ignored.patch \
	%reldir%/mutants/door-forgets-markers.patch \
	%reldir%/mutants/drop-keeps-unused-marks.patch \
	%reldir%/mutants/exchange-logs-new-alone.patch \
	%reldir%/mutants/exit-drops-log.patch \
	%reldir%/mutants/full-log-dropped.patch \
	%reldir%/mutants/h2-leaves-run-white.patch \
	%reldir%/mutants/h2-publishes-nothing.patch \
	%reldir%/mutants/half-handed-stack.patch \
	%reldir%/mutants/hand-over-not-dirty.patch \
	%reldir%/mutants/hand-over-outside-door.patch \
	%reldir%/mutants/large-born-white.patch \
	%reldir%/mutants/large-marked-early.patch \
	%reldir%/mutants/mutants.txt \
	%reldir%/mutants/no-deletion-log.patch \
	%reldir%/mutants/no-h1b.patch \
	%reldir%/mutants/no-insertion-log.patch \
	%reldir%/mutants/overflow-forgotten.patch \
	%reldir%/mutants/raw-words-not-tested.patch \
	%reldir%/mutants/recent-words-kept.patch \
	%reldir%/mutants/rest-of-piece-lost.patch \
	%reldir%/mutants/root-added-unlogged.patch \
	%reldir%/mutants/root-removed-unlogged.patch \
	%reldir%/mutants/round-without-handshake.patch \
	%reldir%/mutants/run \
	%reldir%/mutants/run-not-zeroed.patch \
	%reldir%/mutants/run-publishes-nothing.patch \
	%reldir%/mutants/words-tested-early.patch \
	%reldir%/steps/README.md \
	%reldir%/stress/run \
	%reldir%/tools/exposition.c \
	%reldir%/tools/stale.c \
	%reldir%/unit/marker.h \
	%reldir%/unit/unit.h

check_PROGRAMS += $(stress_tests) $(fuzz_tests)
check_LTLIBRARIES += \
	%reldir%/steps/libsteps.la \
	%reldir%/stress/libstress.la
if PLAYS
check_PROGRAMS += %reldir%/fuzz/api
endif
if HAVE_CHECK
check_LTLIBRARIES += %reldir%/unit/libfixture.la
check_PROGRAMS += $(unit_tests) $(sim_tests) $(lab_tests) $(api_tests)
if INSPECTOR
check_PROGRAMS += %reldir%/api/inspector
endif
if PLAYS
check_PROGRAMS += $(steps_tests)
endif
else
check-local:
	@echo '*** configure found no Check: the tests that need it are left out'
endif
dist_check_SCRIPTS += $(test_scripts)

TESTS = $(check_PROGRAMS) $(dist_check_SCRIPTS)
TEST_EXTENSIONS = .sh
LOG_COMPILER = $(TEST_LIMIT)
SH_LOG_COMPILER = $(TEST_LIMIT) $(SHELL)
AM_TESTS_ENVIRONMENT = \
	srcdir='$(srcdir)'; builddir='$(builddir)'; \
	top_builddir='$(top_builddir)'; CC='$(CC)'; NM='$(NM)'; \
	PACKAGE_VERSION='$(PACKAGE_VERSION)'; \
	export srcdir builddir top_builddir CC NM PACKAGE_VERSION;

# Ten minutes of each fuzz target, or FUZZ_SECONDS.
fuzz:
	$(AM_TESTS_ENVIRONMENT) FUZZ_CC='$(FUZZ_CC)' \
	UNWIND_CFLAGS='$(UNWIND_CFLAGS)' UNWIND_LIBS='$(UNWIND_LIBS) $(ZLIB_LIBS)' \
	$(SHELL) $(srcdir)/%reldir%/fuzz/run
.PHONY: fuzz

# In a folder that is compiled with --coverage, as by ./dev coverage; of tests
# that fail the figures are printed too.
coverage:
	-find runtime -name '*.gcda' -exec rm -f {} +
	-$(MAKE) $(AM_MAKEFLAGS) check
	$(SHELL) $(srcdir)/%reldir%/coverage.sh
.PHONY: coverage

# For ./dev stress, which runs them itself, for longer.
stress-programs: $(stress_tests)
.PHONY: stress-programs

# The large models too: some hours of one processor, up to 6 GiB of memory.
check-model:
	CC='$(CC)' $(SHELL) $(srcdir)/%reldir%/model/run --all
.PHONY: check-model

# Planted bugs, each of which some test must find: some ten minutes on two
# processors.  What is built stays in mutants/.
check-mutants:
	CC='$(CC)' $(SHELL) $(srcdir)/%reldir%/mutants/run --dir mutants
.PHONY: check-mutants

installcheck-local:
	$(AM_TESTS_ENVIRONMENT) libdir='$(libdir)' \
	pkgconfigdir='$(pkgconfigdir)' PKG_CONFIG='$(PKG_CONFIG)' \
	DUSK_LDFLAGS='$(DUSK_LDFLAGS)' $(SHELL) $(srcdir)/%reldir%/install.sh

# For the programs that have no such line of their own.
LDADD = %reldir%/unit/libfixture.la libdusk-all.la $(CHECK_LIBS)
lab_ldadd = lab/libsim.la libdusk-all.la $(CHECK_LIBS)
heap_ldadd = lab/libheap.la $(CHECK_LIBS)
show_ldadd = lab/libshow.la $(CHECK_LIBS)
api_ldadd = libdusk.la $(CHECK_LIBS) $(PTHREAD_LIBS)
steps_cppflags = $(chaos_cppflags) -I$(srcdir)/tests
fuzz_cppflags = $(steps_cppflags) -I$(srcdir)/lab/sim
steps_library = %reldir%/steps/libsteps.la libdusk-chaos.la
steps_ldadd = $(steps_library) $(CHECK_LIBS)
stress_ldadd = %reldir%/stress/libstress.la libdusk.la $(PTHREAD_LIBS)

%canon_reldir%_stress_libstress_la_SOURCES = \
	%reldir%/stress/stress.c \
	%reldir%/stress/stress.h

%canon_reldir%_steps_libsteps_la_SOURCES = \
	%reldir%/steps/fiber.c \
	%reldir%/steps/fiber.h \
	%reldir%/steps/order.c \
	%reldir%/steps/play.c \
	%reldir%/steps/play.h \
	%reldir%/steps/race.c \
	%reldir%/steps/race.h \
	%reldir%/steps/report.c \
	%reldir%/steps/seeds.c \
	%reldir%/steps/seeds.h \
	%reldir%/steps/stage.h \
	%reldir%/steps/world.c \
	%reldir%/steps/world.h \
	%reldir%/steps/world_acts.c
%canon_reldir%_steps_libsteps_la_CPPFLAGS = $(steps_cppflags)

%canon_reldir%_unit_libfixture_la_SOURCES = \
	%reldir%/unit/fixture.c \
	%reldir%/unit/fixture.h

%canon_reldir%_unit_faults_SOURCES = \
	%reldir%/unit/faults.c \
	%reldir%/unit/refuse.c \
	%reldir%/unit/refuse.h

%canon_reldir%_sim_pacer_SOURCES = \
	%reldir%/sim/pacer.c \
	%reldir%/sim/promises.c \
	%reldir%/sim/promises.h
%canon_reldir%_sim_pacer_LDADD = $(lab_ldadd)
%canon_reldir%_sim_world_LDADD = $(lab_ldadd)
%canon_reldir%_lab_expr_LDADD = $(lab_ldadd)
%canon_reldir%_lab_dominators_LDADD = $(heap_ldadd)
%canon_reldir%_lab_objects_LDADD = $(heap_ldadd)
%canon_reldir%_lab_mmu_LDADD = $(show_ldadd)
%canon_reldir%_lab_model_LDADD = lab/libshow.la $(lab_ldadd)
%canon_reldir%_lab_plot_LDADD = $(show_ldadd)
%canon_reldir%_lab_samples_LDADD = $(show_ldadd)
%canon_reldir%_lab_utilisation_LDADD = lab/libshow.la $(lab_ldadd)

%canon_reldir%_api_alloc_LDADD = $(api_ldadd)
%canon_reldir%_api_assist_LDADD = $(api_ldadd)
%canon_reldir%_api_barriercheck_LDADD = $(api_ldadd)
%canon_reldir%_api_budget_LDADD = $(api_ldadd)
%canon_reldir%_api_careful_LDADD = $(api_ldadd)
%canon_reldir%_api_cgroup_LDADD = $(api_ldadd)
%canon_reldir%_api_control_LDADD = $(api_ldadd)
%canon_reldir%_api_fork_LDADD = $(api_ldadd)
%canon_reldir%_api_forkmodes_LDADD = $(api_ldadd)
%canon_reldir%_api_forkpoints_CPPFLAGS = $(chaos_cppflags)
%canon_reldir%_api_forkpoints_LDADD = libdusk-chaos.la $(CHECK_LIBS)
%canon_reldir%_api_garbage_LDADD = $(api_ldadd)
%canon_reldir%_api_handover_LDADD = $(api_ldadd)
%canon_reldir%_api_heap_LDADD = $(api_ldadd)
%canon_reldir%_api_idle_LDADD = $(api_ldadd)
%canon_reldir%_api_inherit_LDADD = $(api_ldadd)
%canon_reldir%_api_kind_LDADD = $(api_ldadd)
%canon_reldir%_api_inspector_LDADD = libdusk-inspector.la $(api_ldadd)
%canon_reldir%_api_limit_LDADD = $(api_ldadd)
%canon_reldir%_api_memlimit_LDADD = $(api_ldadd)
%canon_reldir%_api_memory_LDADD = $(api_ldadd)
%canon_reldir%_api_metrics_LDADD = $(api_ldadd)
%canon_reldir%_api_oom_LDADD = $(api_ldadd)
%canon_reldir%_api_openmetrics_LDADD = $(api_ldadd)
%canon_reldir%_api_pressure_LDADD = $(api_ldadd)
%canon_reldir%_api_recorder_LDADD = $(api_ldadd)
%canon_reldir%_api_retention_LDADD = $(api_ldadd)
%canon_reldir%_api_rlimit_LDADD = $(api_ldadd)
%canon_reldir%_api_root_LDADD = $(api_ldadd)
%canon_reldir%_api_snapshot_LDADD = $(api_ldadd)
%canon_reldir%_api_spin_LDADD = $(api_ldadd)
%canon_reldir%_api_stats_LDADD = $(api_ldadd)
%canon_reldir%_api_store_LDADD = $(api_ldadd)
%canon_reldir%_api_thread_LDADD = $(api_ldadd)
%canon_reldir%_api_timeline_LDADD = $(api_ldadd)
%canon_reldir%_api_trace_LDADD = $(api_ldadd)
%canon_reldir%_api_why_LDADD = $(api_ldadd)
%canon_reldir%_steps_graph_CPPFLAGS = $(steps_cppflags)
%canon_reldir%_steps_graph_LDADD = $(steps_ldadd)
%canon_reldir%_steps_races_CPPFLAGS = $(steps_cppflags)
%canon_reldir%_steps_races_LDADD = $(steps_ldadd)
%canon_reldir%_steps_reuse_CPPFLAGS = $(steps_cppflags)
%canon_reldir%_steps_reuse_LDADD = $(steps_ldadd)
%canon_reldir%_steps_rounds_CPPFLAGS = $(steps_cppflags)
%canon_reldir%_steps_rounds_LDADD = $(steps_ldadd)
%canon_reldir%_fuzz_api_SOURCES = \
	%reldir%/fuzz/fuzz.h \
	%reldir%/fuzz/main.c \
	%reldir%/fuzz/api.c
%canon_reldir%_fuzz_api_CPPFLAGS = $(fuzz_cppflags)
%canon_reldir%_fuzz_api_LDADD = $(steps_library)
%canon_reldir%_fuzz_environment_SOURCES = \
	%reldir%/fuzz/fuzz.h \
	%reldir%/fuzz/main.c \
	%reldir%/fuzz/environment.c
%canon_reldir%_fuzz_environment_CPPFLAGS = $(fuzz_cppflags)
%canon_reldir%_fuzz_environment_LDADD = libdusk-chaos.la
%canon_reldir%_fuzz_expression_SOURCES = \
	%reldir%/fuzz/fuzz.h \
	%reldir%/fuzz/main.c \
	%reldir%/fuzz/expression.c
%canon_reldir%_fuzz_expression_CPPFLAGS = $(fuzz_cppflags)
%canon_reldir%_fuzz_expression_LDADD = lab/libsim.la libdusk-all.la
%canon_reldir%_fuzz_options_SOURCES = \
	%reldir%/fuzz/fuzz.h \
	%reldir%/fuzz/main.c \
	%reldir%/fuzz/options.c
%canon_reldir%_fuzz_options_CPPFLAGS = $(fuzz_cppflags)
%canon_reldir%_fuzz_options_LDADD = libdusk-chaos.la
%canon_reldir%_fuzz_scenario_SOURCES = \
	%reldir%/fuzz/fuzz.h \
	%reldir%/fuzz/main.c \
	%reldir%/fuzz/scenario.c
%canon_reldir%_fuzz_scenario_CPPFLAGS = $(fuzz_cppflags)
%canon_reldir%_fuzz_scenario_LDADD = lab/libsim.la libdusk-all.la
%canon_reldir%_steps_replay_CPPFLAGS = $(steps_cppflags)
%canon_reldir%_steps_replay_LDADD = $(steps_ldadd)
%canon_reldir%_stress_graph_LDADD = $(stress_ldadd)
%canon_reldir%_stress_percent_LDADD = $(stress_ldadd)
%canon_reldir%_stress_roots_LDADD = $(stress_ldadd)
%canon_reldir%_stress_stack_LDADD = $(stress_ldadd)
%canon_reldir%_stress_threads_LDADD = $(stress_ldadd)
