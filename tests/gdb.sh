#!/bin/sh
# SPDX-License-Identifier: MIT
# gdb.sh -- the commands of gdb/dusk-gdb.py on a program that stands still
#
# Passed over where there is no gdb that can run Python and start a program.
set -eu

srcdir=${srcdir:-.}
top=${top_builddir:-.}
CC=${CC:-cc}
libs=$(cd "$top/.libs" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-gdb.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail()
{
  echo "gdb.sh: $*" >&2
  sed 's/^/  | /' "$work/said" >&2
  exit 1
}

says()
{
  for line; do
    grep -q -e "$line" "$work/said" || fail "does not say '$line'"
  done
}

# gdb_does COMMAND...: on the program, stopped in write_behind().
gdb_does()
{
  for command; do
    shift
    set -- "$@" -ex "$command"
  done
  DUSK_DEBUG=origins=1 timeout 300 gdb -nx -batch \
    -ex 'set debuginfod enabled off' -ex 'set breakpoint pending on' \
    -ex "source $srcdir/gdb/dusk-gdb.py" -ex 'break write_behind' -ex run "$@" \
    --args "$work/stale" write >"$work/said" 2>&1 || fail "gdb failed"
}

if nm -D --undefined-only "$libs/libdusk.so" | grep -q ' U __[at]san_'; then
  echo 'passed over: a library built for a sanitizer'
  exit 0
fi
# shellcheck disable=SC2086
$CC -g -O0 -I"$srcdir/include" -o "$work/stale" "$srcdir/tests/tools/stale.c" \
  -L"$libs" -Wl,-rpath,"$libs" -ldusk -lpthread
if ! timeout 300 gdb -nx -batch -ex 'python print(6 * 7)' -ex 'break main' \
  -ex run "$work/stale" >"$work/said" 2>&1 || ! grep -q '^42$' "$work/said" ||
  ! grep -q 'Breakpoint 1, main' "$work/said"; then
  echo 'passed over: no gdb, or it cannot run a program here'
  exit 0
fi

gdb_does 'dusk heap' 'dusk spans' 'dusk threads' 'dusk object &node->words[1]' 'dusk object ~hidden[0]' \
  'print *hidden' 'dusk object &heap' 'dusk object 64' 'help dusk'
says '^heap 0x' 'phase  *idle' 'threads  *1 attached' 'debug  *careful origins' \
  '^kind  *size  *spans' '^kind 2 (layout)  *64 ' '^all ' \
  ' in heap  *[0-9]* *off  *white ' \
  '^object at 0x' 'state  *handed out lately\|state  *allocated' 'size  *64 bytes' '16 bytes before' 'make_node at .*stale.c:' \
  'main at .*stale.c:' '0x40 is in no heap' 'dusk object -- '
if grep -q -e Traceback -e 'Python Exception' "$work/said"; then
  fail 'a command failed'
fi

# Told by hand, and what is not there.
# shellcheck disable=SC2016
gdb_does 'set $dusk_heap = heap' 'dusk heap' 'dusk object' 'dusk object 0'
says '^heap 0x' 'Usage: dusk object ADDRESS' '0x0 is in no heap'
