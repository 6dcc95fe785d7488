# SPDX-License-Identifier: MIT
include_HEADERS = %reldir%/dusk.h

duskincludedir = $(includedir)/dusk
duskinclude_HEADERS = \
	%reldir%/dusk/abi.def \
	%reldir%/dusk/abi.h \
	%reldir%/dusk/alloc.h \
	%reldir%/dusk/assist.h \
	%reldir%/dusk/budget.h \
	%reldir%/dusk/control.h \
	%reldir%/dusk/heap.h \
	%reldir%/dusk/inspect.h \
	%reldir%/dusk/kind.h \
	%reldir%/dusk/limit.h \
	%reldir%/dusk/metrics.h \
	%reldir%/dusk/profile.h \
	%reldir%/dusk/root.h \
	%reldir%/dusk/stats.h \
	%reldir%/dusk/store.h \
	%reldir%/dusk/thread.h \
	%reldir%/dusk/timeline.h \
	%reldir%/dusk/types.h
if INSPECTOR
duskinclude_HEADERS += %reldir%/dusk/inspector.h
endif
