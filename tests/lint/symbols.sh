#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh -- the library exports what symbols.txt lists and the headers
# declare, and nothing else; the inspector what its header declares
#
# A new function stands in three places: a header (DUSK_API), libdusk.map (the
# version that brought it) and symbols.txt, which is what a reviewer sees.
set -eu
: "${srcdir:?the top of the source tree}" "${builddir:?the build folder}"

library=$builddir/.libs/libdusk.so
if [ ! -e "$library" ]; then
  echo "skipped: no shared library was built"
  exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0

# same WHAT FILE WHAT FILE: prints what only one of the two has.
same() {
  LC_ALL=C comm -23 "$2" "$4" | sed "s/^/only in $1: /" >"$scratch/diff"
  LC_ALL=C comm -13 "$2" "$4" | sed "s/^/only in $3: /" >>"$scratch/diff"
  if [ -s "$scratch/diff" ]; then
    cat "$scratch/diff"
    bad=1
  fi
}

# exported LIBRARY: the version itself is an absolute symbol (A).
exported() {
  ${NM:-nm} -D --defined-only "$1" | awk '$2 != "A" { print $3 }' |
    LC_ALL=C sort
}

# declared HEADER...
declared() {
  sed '/^#define/d' "$@" | tr '\n' ' ' | grep -o 'DUSK_API [^(;]*(' |
    sed 's/.*[ *]\([A-Za-z0-9_]*\)($/\1/' | LC_ALL=C sort
}

exported "$library" >"$scratch/exported"
LC_ALL=C sort "$srcdir/tests/lint/symbols.txt" >"$scratch/listed"
same "the library" "$scratch/exported" symbols.txt "$scratch/listed"

inspector=$srcdir/include/dusk/inspector.h
headers=$(ls "$srcdir"/include/*.h "$srcdir"/include/dusk/*.h |
  grep -v '/inspector\.h$')
# shellcheck disable=SC2086 # a list; no name of ours has a blank
declared $headers >"$scratch/declared"
sed 's/@.*//' "$scratch/listed" >"$scratch/names"
same "the headers" "$scratch/declared" symbols.txt "$scratch/names"

if grep -v '^dusk_' "$scratch/exported"; then
  echo "exported, and does not begin with dusk_: see above"
  bad=1
fi

library=$builddir/.libs/libdusk-inspector.so
if [ -e "$library" ]; then
  exported "$library" | sed 's/@.*//' >"$scratch/exported"
  declared "$inspector" >"$scratch/declared"
  same "the inspector" "$scratch/exported" inspector.h "$scratch/declared"
fi

exit $bad
