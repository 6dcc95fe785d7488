# SPDX-License-Identifier: MIT
# A library of its own, so that libdusk needs nothing more.  It comes after
# libdusk, against which it is linked again when it is installed.

# The page as an array: no tool is needed beyond those of POSIX.
%reldir%/page.c: %reldir%/page.html
	$(AM_V_GEN)$(MKDIR_P) %reldir% && { \
	echo '#include "inspector/page.h"' && \
	echo 'const unsigned char page_bytes[] = {' && \
	od -A n -v -t x1 $(srcdir)/%reldir%/page.html | \
	sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' && \
	echo '};' && \
	echo 'const size_t page_count = sizeof page_bytes;'; } >$@-t && \
	mv $@-t $@

if INSPECTOR
lib_LTLIBRARIES += libdusk-inspector.la
pkgconfig_DATA += %reldir%/dusk-inspector.pc
man_MANS = %reldir%/dusk_inspector_start.3
endif
libdusk_inspector_la_SOURCES = \
	%reldir%/answer.c \
	%reldir%/answer.h \
	%reldir%/inspector.c \
	%reldir%/json.c \
	%reldir%/json.h \
	%reldir%/listener.c \
	%reldir%/listener.h \
	%reldir%/page.h \
	%reldir%/serve.c \
	%reldir%/serve.h \
	%reldir%/server.h \
	%reldir%/state.c \
	%reldir%/state.h \
	%reldir%/visitor.c \
	%reldir%/visitor.h
nodist_libdusk_inspector_la_SOURCES = %reldir%/page.c
libdusk_inspector_la_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS)
libdusk_inspector_la_LIBADD = libdusk.la $(MICROHTTPD_LIBS) $(PTHREAD_LIBS)
# nodelete: the handlers of a fork stay.
libdusk_inspector_la_LDFLAGS = $(DUSK_LDFLAGS) -no-undefined -Wl,-z,nodelete \
	-version-info $(DUSK_INSPECTOR_INTERFACE) \
	$(VSCRIPT_LDFLAGS),$(srcdir)/%reldir%/libdusk-inspector.map
EXTRA_libdusk_inspector_la_DEPENDENCIES = %reldir%/libdusk-inspector.map

CLEANFILES += %reldir%/page.c %reldir%/page.c-t
EXTRA_DIST += \
	%reldir%/README.md \
	%reldir%/dusk_inspector_start.3 \
	%reldir%/libdusk-inspector.map \
	%reldir%/page.html
