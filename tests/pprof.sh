#!/bin/sh
# SPDX-License-Identifier: MIT
# pprof.sh -- profiles of an example, read by the tool that they are for
#
# `go tool pprof` is passed over where there is no Go; tests/api/profile.c has a
# reader of its own.  The program is gone when its profile is read: the names of
# its functions must be in it.
set -eu

programs=$(cd "${top_builddir:-.}/examples" && pwd)
libs=$(cd "${top_builddir:-.}/.libs" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-pprof.XXXXXX")
trap 'rm -rf "$work"' EXIT
LC_ALL=C
HOME=$work
PPROF_TMPDIR=$work
GOCACHE=$work/cache
export LC_ALL HOME PPROF_TMPDIR GOCACHE
cd "$work"

fail()
{
  echo "pprof.sh: $*" >&2
  sed 's/^/  | /' said >&2
  exit 1
}

says()
{
  for line; do
    grep -q -e "$line" said || fail "does not say '$line'"
  done
}

# pprof ARGUMENT...: what it prints is in `said`
pprof()
{
  timeout 300 go tool pprof -symbolize=none "$@" >said 2>&1 ||
    fail "go tool pprof $*"
}

binary=$programs/.libs/trees
[ -e "$binary" ] || binary=$programs/trees
cp "$binary" ./trees
LD_LIBRARY_PATH=$libs DUSK_GCPERCENT=50 DUSK_DEBUG="heapprofile=heap-%p.pb,\
lifetimeprofile=life.pb,memprofilerate=8192,tools=0" ./trees 12 2 >said 2>&1 ||
  fail 'the example failed'
mv heap-*.pb heap.pb
[ -s heap.pb ] || fail 'no heap profile'
[ -s life.pb ] || fail 'no lifetime profile'
case $(od -An -tx1 -N2 heap.pb | tr -d ' ') in
1f8b) gzip -t heap.pb life.pb 2>said || fail 'not a gzip file' ;;
0a*) ;; # a message whose first field is a sample type: built without zlib
*) fail 'neither packed nor plain' ;;
esac

if ! go tool pprof -help >said 2>&1; then
  echo 'go tool pprof is passed over: it is not there'
  exit 0
fi
pprof -raw heap.pb
says '^PeriodType: space bytes' '^Period: 8192' 'alloc_objects/count' \
  'inuse_space/bytes\[dflt\]' 'kind:\[node\]' 'bytes:\[16\]' '/trees '
if ! grep -q ': [0-9]* [0-9]* [0-9]* ' said; then
  echo 'names are passed over: built without libunwind'
  exit 0
fi
rm trees
pprof -top heap.pb
says '^Type: inuse_space'
pprof -top -sample_index=alloc_space heap.pb
says '^Type: alloc_space' ' 100% .* tree_build$' ' forest_run$' ' main$'
pprof -top life.pb
says '^Type: died_young_space' ' tree_build$'
pprof -tags life.pb
says 'survived: Total' ': 0$' 'kind: Total' ': node$'
pprof -diff_base heap.pb -top heap.pb
says '^Type: inuse_space'
