#!/bin/sh
# SPDX-License-Identifier: MIT
# tools.sh -- memory checkers that watch a program with a Dusk heap
#
# tests/tools/stale.c is built as a user's program is, against the shared
# library, with AddressSanitizer and without; the latter runs under Valgrind.
# Each finds nothing in the clean program, and the mistake in the others, by the
# names of the functions.  What is not installed is passed over.
set -eu

srcdir=${srcdir:-.}
top=${top_builddir:-.}
CC=${CC:-cc}
libs=$(cd "$top/.libs" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-tools.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset DUSK_DEBUG

fail()
{
  echo "tools.sh: $*" >&2
  sed 's/^/  | /' "$work/said" >&2
  exit 1
}

build()
{
  out=$1
  shift
  # shellcheck disable=SC2086
  $CC -g -O0 -fno-omit-frame-pointer -I"$srcdir/include" "$@" -o "$work/$out" \
    "$srcdir/tests/tools/stale.c" -L"$libs" -Wl,-rpath,"$libs" -ldusk \
    -lpthread >"$work/said" 2>&1
}

says()
{
  for line; do
    grep -q -e "$line" "$work/said" || fail "$what: does not say '$line'"
  done
}

# runs STATUS COMMAND...: 0: it ends well; 1: it does not.
runs()
{
  want=$1
  shift
  status=0
  "$@" >"$work/said" 2>&1 || status=$?
  case $want:$status in
  0:0 | 1:[!0]*) ;;
  *) fail "$what: exit $status" ;;
  esac
}

sanitized=$(nm -D --undefined-only "$libs/libdusk.so" |
  sed -n 's/.* U __\(asan\|tsan\|ubsan\)_.*/\1/p' | sort -u | tr '\n' ' ')

with_asan()
{
  case $sanitized in
  *tsan*) echo "passed over: the library is built for ThreadSanitizer"; return ;;
  esac
  if ! build asan -fsanitize=address; then
    echo 'passed over: no AddressSanitizer'
    return
  fi
  for stack in 0 1; do
    ASAN_OPTIONS=detect_stack_use_after_return=$stack:detect_leaks=0
    export ASAN_OPTIONS
    what="asan, stack use after return $stack, clean"
    runs 0 "$work/asan" clean
    says done
    what="asan, read"
    runs 1 "$work/asan" read
    says 'AddressSanitizer: use-after-poison' 'in use_stale'
    what="asan, write"
    runs 1 "$work/asan" write
    says 'AddressSanitizer: use-after-poison' 'in write_behind'
  done
  what='asan, told nothing'
  runs 0 env DUSK_DEBUG=tools=0 "$work/asan" read
}

with_valgrind()
{
  if [ -n "$sanitized" ] || ! valgrind --version >/dev/null 2>&1 ||
    ! grep -q 'HAVE_VALGRIND 1' "$top/config.h"; then
    echo 'passed over: no Valgrind, or not for this build'
    return
  fi
  set -- valgrind --error-exitcode=9 --quiet --leak-check=no
  what='valgrind, clean'
  runs 0 "$@" "$work/plain" clean
  says done
  [ "$(wc -l <"$work/said")" -eq 1 ] || fail "$what: says more"
  what='valgrind, read'
  runs 1 "$@" "$work/plain" read
  says 'Invalid read of size 8' 'use_stale' \
    "inside a block of size 64 free'd" 'make_node'
  what='valgrind, write'
  runs 1 "$@" "$work/plain" write
  says 'Invalid write of size 1' 'write_behind'
}

if [ -z "$sanitized" ]; then
  what='without a checker'
  build plain || fail 'does not build'
  runs 0 "$work/plain" read
fi
with_asan
with_valgrind
