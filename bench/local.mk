# SPDX-License-Identifier: MIT
# Built by `make bench-programs` alone, and run by `make bench`, which takes
# options of bench/run in BENCH_FLAGS.  These are Dusk's programs; bench/run
# compiles the same sources for each other memory manager that it finds.
bench_programs = \
	%reldir%/alloc \
	%reldir%/churn \
	%reldir%/fork \
	%reldir%/handshake \
	%reldir%/map \
	%reldir%/mark \
	%reldir%/push \
	%reldir%/readers \
	%reldir%/store \
	%reldir%/trees
EXTRA_PROGRAMS = $(bench_programs)

EXTRA_LTLIBRARIES = %reldir%/libmeasure.la
%canon_reldir%_libmeasure_la_SOURCES = \
	%reldir%/measure.c \
	%reldir%/measure.h \
	%reldir%/option.c \
	%reldir%/option.h

bench_cppflags = $(AM_CPPFLAGS) -DPEER_DUSK
bench_ldadd = %reldir%/libmeasure.la libdusk.la $(PTHREAD_LIBS)
bench_lists = \
	%reldir%/lists.c \
	%reldir%/lists.h

%canon_reldir%_alloc_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_alloc_LDADD = $(bench_ldadd)
%canon_reldir%_churn_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_churn_LDADD = $(bench_ldadd)
%canon_reldir%_churn_SOURCES = %reldir%/churn.c $(bench_lists)
%canon_reldir%_fork_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_fork_LDADD = $(bench_ldadd)
%canon_reldir%_handshake_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_handshake_LDADD = $(bench_ldadd)
%canon_reldir%_handshake_SOURCES = %reldir%/handshake.c $(bench_lists)
%canon_reldir%_map_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_map_LDADD = $(bench_ldadd)
%canon_reldir%_mark_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_mark_LDADD = $(bench_ldadd)
%canon_reldir%_push_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_push_LDADD = $(bench_ldadd)
%canon_reldir%_readers_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_readers_LDADD = $(bench_ldadd)
%canon_reldir%_store_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_store_LDADD = $(bench_ldadd)
%canon_reldir%_trees_CPPFLAGS = $(bench_cppflags)
%canon_reldir%_trees_LDADD = $(bench_ldadd)

EXTRA_DIST += \
	%reldir%/README.md \
	%reldir%/go/alloc.go \
	%reldir%/go/churn.go \
	%reldir%/go/go.mod \
	%reldir%/go/main.go \
	%reldir%/go/map.go \
	%reldir%/go/mark.go \
	%reldir%/go/measure.go \
	%reldir%/go/push.go \
	%reldir%/go/store.go \
	%reldir%/go/trees.go \
	%reldir%/peer.h \
	%reldir%/peer_bdw.h \
	%reldir%/peer_dusk.h \
	%reldir%/peer_hand.h \
	%reldir%/peer_plain.h \
	%reldir%/report.awk \
	%reldir%/run \
	%reldir%/switches

CLEANFILES += $(EXTRA_PROGRAMS) $(EXTRA_LTLIBRARIES)

.PHONY: bench bench-programs
bench-programs: $(bench_programs)
bench: bench-programs
	CC='$(CC)' CFLAGS='$(CFLAGS)' \
	$(SHELL) $(srcdir)/%reldir%/run --build . $(BENCH_FLAGS)
