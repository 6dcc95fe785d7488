# SPDX-License-Identifier: MIT
# dusk-lab links the convenience library: its simulator runs the pacer's own
# object code, and its workloads the whole collector.
bin_PROGRAMS += %reldir%/dusk-lab
%canon_reldir%_dusk_lab_SOURCES = \
	%reldir%/lab.h \
	%reldir%/main.c
%canon_reldir%_dusk_lab_LDADD = libdusk-all.la $(PTHREAD_LIBS)

EXTRA_DIST += %reldir%/README.md
