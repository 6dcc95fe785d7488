#!/bin/sh
# SPDX-License-Identifier: MIT
# nostop.sh -- nothing here can hold all threads still at once
#
# The collector asks and threads answer, each at its own safepoint.  This names
# every means by which a library could stop them instead, and finds none of
# them in runtime/.  os/unwind.c may signal one thread, which has not answered
# for seconds, to learn where it is; it goes on at once.
set -eu
: "${srcdir:?the top of the source tree}"

means='pthread_barrier_[a-z]*|pthread_suspend[a-z_]*|pthread_cancel'
means="$means|pthread_kill|pthread_sigqueue|tgkill|tkill|SYS_t[g]*kill|kill"
means="$means|killpg|sigqueue|SIG(STOP|TSTP|CONT)|sigsuspend|sigwait[a-z]*"
means="$means|ptrace|PTRACE_[A-Z]*|setitimer|timer_create"
means="$means|[a-z_]*(stop|suspend|freeze|halt)_(the_)?(world|all)[a-z_]*"

bad=0
for file in "$srcdir"/runtime/*/*.[ch]; do
  if awk -f "$srcdir/tests/lint/strip.awk" "$file" |
    grep -nwE "$means" >/dev/null; then
    [ "${file#"$srcdir"/runtime/}" != os/unwind.c ] || continue
    echo "$file could stop threads:"
    awk -f "$srcdir/tests/lint/strip.awk" "$file" | grep -nwE "$means"
    bad=1
  fi
done
exit $bad
