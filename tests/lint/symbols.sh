#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh -- the library exports what symbols.txt lists and the headers
# declare, and nothing else
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

# The version itself is an absolute symbol (A).
${NM:-nm} -D --defined-only "$library" |
  awk '$2 != "A" { print $3 }' | LC_ALL=C sort >"$scratch/exported"
LC_ALL=C sort "$srcdir/tests/lint/symbols.txt" >"$scratch/listed"
same "the library" "$scratch/exported" symbols.txt "$scratch/listed"

sed '/^#define/d' "$srcdir"/include/*.h "$srcdir"/include/dusk/*.h |
  tr '\n' ' ' | grep -o 'DUSK_API [^(;]*(' |
  sed 's/.*[ *]\([A-Za-z0-9_]*\)($/\1/' | LC_ALL=C sort >"$scratch/declared"
sed 's/@.*//' "$scratch/listed" >"$scratch/names"
same "the headers" "$scratch/declared" symbols.txt "$scratch/names"

if grep -v '^dusk_' "$scratch/exported"; then
  echo "exported, and does not begin with dusk_: see above"
  bad=1
fi

exit $bad
