# SPDX-License-Identifier: MIT
# Those that dusk-lab runs are installed where it looks for them.  They are
# linked so that they can be: AM_LDFLAGS has -no-install.
noinst_PROGRAMS += \
	%reldir%/hello \
	%reldir%/mistakes/missing_barrier \
	%reldir%/mistakes/missing_root \
	%reldir%/mistakes/stale_buffer
if INSPECTOR
noinst_PROGRAMS += %reldir%/inspected
endif
pkglibexec_PROGRAMS = \
	%reldir%/trees \
	%reldir%/words/words

%canon_reldir%_hello_LDADD = libdusk.la
%canon_reldir%_inspected_LDADD = libdusk-inspector.la libdusk.la $(PTHREAD_LIBS)
%canon_reldir%_mistakes_missing_barrier_LDADD = libdusk.la
%canon_reldir%_mistakes_missing_root_LDADD = libdusk.la
%canon_reldir%_mistakes_stale_buffer_LDADD = libdusk.la
%canon_reldir%_trees_LDADD = libdusk.la $(PTHREAD_LIBS)
%canon_reldir%_trees_LDFLAGS = $(DUSK_LDFLAGS)
%canon_reldir%_words_words_LDADD = libdusk.la $(PTHREAD_LIBS)
%canon_reldir%_words_words_LDFLAGS = $(DUSK_LDFLAGS)
%canon_reldir%_words_words_SOURCES = \
	%reldir%/words.c \
	%reldir%/words/concordance.c \
	%reldir%/words/concordance.h \
	%reldir%/words/reader.c \
	%reldir%/words/reader.h \
	%reldir%/words/report.c \
	%reldir%/words/report.h \
	%reldir%/words/watcher.c \
	%reldir%/words/watcher.h

EXTRA_DIST += \
	%reldir%/README.md \
	%reldir%/mistakes/README.md
