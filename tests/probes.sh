#!/bin/sh
# SPDX-License-Identifier: MIT
# probes.sh -- the probes that stand in the code, those that dusk_debug(7) lists
# and those whose notes are in the library are the same
#
# Passed over where the library was built without them.
set -eu
: "${srcdir:?the top of the source tree}" "${top_builddir:?of the build tree}"

work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-probes.XXXXXX")
trap 'rm -rf "$work"' EXIT
bad=0

# same WHAT FILE: prints what it has and the code has not, or the other way.
same() {
  LC_ALL=C comm -3 "$2" "$work/code" >"$work/diff"
  if [ -s "$work/diff" ]; then
    echo "only in $1, or indented, only in the code:"
    cat "$work/diff"
    bad=1
  fi
}

cat "$srcdir"/runtime/*/*.c |
  sed -n 's/^.*PROBE[23](\([a-z_]*\),.*/\1/p' | LC_ALL=C sort -u >"$work/code"
test -s "$work/code"
sed -n 's/^\.BI* "*\([a-z_]*\) *(".*/\1/p' "$srcdir/doc/dusk_debug.7" |
  LC_ALL=C sort -u >"$work/manual"
same 'dusk_debug(7)' "$work/manual"

library=$top_builddir/.libs/libdusk.so
if ! grep -q '^#define HAVE_PROBES 1' "$top_builddir/config.h" ||
  [ ! -e "$library" ] || ! command -v readelf >/dev/null; then
  [ "$bad" = 0 ] || exit 1
  echo 'passed over: a library without probes, or no readelf'
  exit 77
fi
readelf -n "$library" >"$work/notes" 2>/dev/null
awk '$1 == "Provider:" { is_ours = $2 == "dusk" }
     $1 == "Name:" && is_ours { print $2 }' "$work/notes" |
  LC_ALL=C sort -u >"$work/library"
same 'the library' "$work/library"
exit $bad
