# SPDX-License-Identifier: MIT
dist_pkgdata_DATA = %reldir%/dusk-gdb.py
