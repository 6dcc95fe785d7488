# SPDX-License-Identifier: MIT
dist_man_MANS = \
	%reldir%/dusk-lab.1 \
	%reldir%/dusk.7 \
	%reldir%/dusk_alloc.3 \
	%reldir%/dusk_attach.3 \
	%reldir%/dusk_blocking_begin.3 \
	%reldir%/dusk_budget_open.3 \
	%reldir%/dusk_collect.3 \
	%reldir%/dusk_debug.7 \
	%reldir%/dusk_external_adjust.3 \
	%reldir%/dusk_heap_open.3 \
	%reldir%/dusk_kind_define.3 \
	%reldir%/dusk_metrics.7 \
	%reldir%/dusk_metrics_read.3 \
	%reldir%/dusk_read_memstats.3 \
	%reldir%/dusk_retention_report.3 \
	%reldir%/dusk_root_add.3 \
	%reldir%/dusk_set_assist.3 \
	%reldir%/dusk_store.3 \
	%reldir%/dusk_timeline_start.3 \
	%reldir%/dusk_tuning.7 \
	%reldir%/dusk_write_heap_profile.3 \
	%reldir%/dusk_write_openmetrics.3 \
	%reldir%/dusk_write_snapshot.3
EXTRA_DIST += \
	%reldir%/guide.md \
	%reldir%/links.awk \
	%reldir%/metrics.awk

# A page of section 3 is found under the name of each function that it
# describes.
links = $(AWK) -f $(srcdir)/%reldir%/links.awk $(srcdir)/%reldir%/*.3 | \
	while read name page; do link=$(DESTDIR)$(man3dir)/$$name.3;

install-data-hook:
	$(links) ln -sf $$page $$link || exit 1; done

uninstall-hook:
	$(links) rm -f $$link; done
