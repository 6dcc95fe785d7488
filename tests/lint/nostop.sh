#!/bin/sh
# SPDX-License-Identifier: MIT
# nostop.sh -- the collector cannot hold all threads still at once
#
# It asks, and threads answer, each at its own safepoint.  This names every means
# by which a library could stop them instead, and allows three:
#
#   os/symbol.c      ends a program of its own making, addr2line, that is late
#   os/unwind.c      may signal one thread, which has not answered for seconds,
#                    to learn where it is; it goes on at once
#   inspect/halt.c   has all threads wait at a safepoint, for a debug mode or a
#                    report that the program asked for.  Only inspect/ calls it,
#                    and in inspect/ only inspect.c, which looks first whether
#                    anything was asked for
set -eu
: "${srcdir:?the top of the source tree}"

means='pthread_barrier_[a-z]*|pthread_suspend[a-z_]*|pthread_cancel'
means="$means|pthread_kill|pthread_sigqueue|tgkill|tkill|SYS_t[g]*kill|kill"
means="$means|killpg|sigqueue|SIG(STOP|TSTP|CONT)|sigsuspend|sigwait[a-z]*"
means="$means|ptrace|PTRACE_[A-Z]*|setitimer|timer_create"
means="$means|[a-z_]*(stop|suspend|freeze|halt)_(the_)?(world|all)[a-z_]*"

bad=0
for file in "$srcdir"/runtime/*/*.[ch]; do
  name=${file#"$srcdir"/runtime/}
  case $name in
    os/unwind.c | os/symbol.c) continue ;;
    inspect/halt.[ch] | inspect/inspect.c) halts='no_other_way' ;;
    *) halts='halt_(begin|end)|poll_(hold|let_go)_outside' ;;
  esac
  case $name in
    mutator/poll.[ch]) halts='halt_(begin|end)' ;; # defines the other two
  esac
  if awk -f "$srcdir/tests/lint/strip.awk" "$file" |
    grep -nwE "$means|$halts" >/dev/null; then
    echo "$file could stop threads:"
    awk -f "$srcdir/tests/lint/strip.awk" "$file" | grep -nwE "$means|$halts"
    bad=1
  fi
done
exit $bad
