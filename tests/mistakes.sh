#!/bin/sh
# SPDX-License-Identifier: MIT
# mistakes.sh -- each program of examples/mistakes is told its mistake
#
# The line that bears the word MISTAKE, with the name of its function, must be in
# the report.  The programs are compiled here, with line tables, whatever the
# library was compiled with.  Without libunwind or addr2line there are no names,
# and what is left is looked for: the switch says something, or ends the
# program.
set -eu
: "${srcdir:?the top of the source tree}" "${top_builddir:?}"
: "${CC:=cc}" "${NM:=nm}"

libs=$(cd "$top_builddir/.libs" && pwd)
if [ ! -e "$libs/libdusk.so" ]; then
  echo 'skipped: no shared library was built'
  exit 77
fi
mistakes=$(cd "$srcdir" && pwd)/examples/mistakes
include=$(cd "$srcdir" && pwd)/include
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-mistakes.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
bad=0

sanitize=
sanitizer() {
  ! $NM -D --undefined-only "$libs/libdusk.so" | grep -q " U $1" ||
    sanitize="$sanitize -fsanitize=$2"
}
sanitizer __tsan_ thread
sanitizer __asan_ address
sanitizer __ubsan_ undefined
ASAN_OPTIONS=detect_stack_use_after_return=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS

names=yes
command -v addr2line >/dev/null || names=
$NM -D --undefined-only "$libs/libdusk.so" | grep -q ' _U[A-Za-z0-9_]*_step' ||
  names=
[ -n "$names" ] || echo 'no libunwind or no addr2line: names are not looked for'

# run PROGRAM SWITCH: its report is in ./report
run() {
  # shellcheck disable=SC2086 # CC and the flags are lists of words
  $CC -std=c11 -Wall -Wextra -Werror -g -O1 $sanitize -I"$include" -o "$1" \
    "$mistakes/$1.c" -L"$libs" -Wl,-rpath,"$libs" -ldusk -pthread
  status=0
  DUSK_DEBUG=$2 "./$1" >report 2>&1 || status=$?
}

complain() {
  echo "$*"
  sed 's/^/  | /' report
  bad=1
}

# names PROGRAM FUNCTION: the report names the function, at the line of the
# mistake.
names() {
  line=$(grep -n 'MISTAKE' "$mistakes/$1.c" | head -n 1 | cut -d : -f 1)
  [ -z "$names" ] || grep -q "$2 at $1.c:$line\>" report ||
    complain "$1: the report does not name $2 at line $line"
}

run missing_barrier barriercheck=1
[ "$status" != 0 ] || complain 'missing_barrier: was not ended'
grep -q 'slot +0 of object .*"job".* was changed without a barrier' report ||
  complain 'missing_barrier: the slot is not named'
run missing_barrier barriercheck=2
[ "$status" != 0 ] || complain 'missing_barrier: was not ended'
if grep -q 'barriercheck=2 cannot be had' report; then
  echo 'barriercheck=2 cannot be had here'
else
  names missing_barrier push
fi

run missing_root rootcheck=1
[ "$status" = 0 ] || complain "missing_root: exit status $status"
grep -q 'the static variable table+0 ' report ||
  complain 'missing_root: the variable is not named'
names missing_root remember

run stale_buffer origins=1
[ "$status" = 0 ] || complain "stale_buffer: exit status $status"
grep -Eq '^ *10[0-9]{5} +4 ' report ||
  complain 'stale_buffer: the bytes are not told'
names stale_buffer serve

exit $bad
