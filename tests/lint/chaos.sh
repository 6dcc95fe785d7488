#!/bin/sh
# SPDX-License-Identifier: MIT
# chaos.sh -- each CHAOS("name") in runtime/ stands in base/chaos.def, and each
# name there stands in the code
#
# Tests that name a point would otherwise wait for one that is gone.
set -eu
: "${srcdir:?the top of the source tree}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

find "$srcdir/runtime" -name '*.[ch]' | xargs cat |
  sed -n 's/^.*[^A-Za-z_]CHAOS("\([^"]*\)");.*$/\1/p' |
  LC_ALL=C sort -u >"$scratch/used"
sed -n 's/^CHAOS_POINT("\([^"]*\)".*/\1/p' \
  "$srcdir/runtime/base/chaos.def" | LC_ALL=C sort >"$scratch/listed"

if LC_ALL=C uniq -d "$scratch/listed" | grep .; then
  echo "twice in base/chaos.def: see above"
  exit 1
fi
LC_ALL=C comm -23 "$scratch/used" "$scratch/listed" |
  sed 's/^/not in base\/chaos.def: /' >"$scratch/diff"
LC_ALL=C comm -13 "$scratch/used" "$scratch/listed" |
  sed 's/^/in base\/chaos.def, and nowhere else: /' >>"$scratch/diff"
cat "$scratch/diff"
test ! -s "$scratch/diff"
