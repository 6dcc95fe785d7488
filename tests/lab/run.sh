#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh -- dusk-lab run, pauses and work from outside: what they print and
# draw, what an interrupt and a failing program leave, and what is said of a
# mistake
set -eu
: "${srcdir:?the top of the source tree}" "${top_builddir:?of the build tree}"

lab=$(cd "$top_builddir" && pwd)/lab/dusk-lab
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-run.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
bad=0
export lab
small='work churn --live 2MiB --operations 20000'

complain() {
  echo "$*"
  bad=1
}

# lab ARGUMENT...: its output is in out, its messages in err.
lab() {
  status=0
  "$lab" "$@" >out 2>err </dev/null || status=$?
}

# fails STATUS TEXT ARGUMENT...: in one line that has TEXT in it.
fails() {
  wanted=$1
  text=$2
  shift 2
  lab "$@"
  [ "$status" = "$wanted" ] || complain "$*: exit status $status"
  grep -qF -e "$text" err || complain "$*: '$text' is not in: $(cat err)"
  [ "$(wc -l <err)" = 1 ] || complain "$*: says more than a line"
}

# has FILE PATTERN WHAT
has() {
  grep -qE -e "$2" "$1" || complain "$3: no '$2' in $1"
}

# A page is whole, is markup, and asks nobody for anything.
check_page() {
  [ "$(tail -n 1 "$1")" = '</html>' ] || complain "$1: has no end"
  if command -v xmllint >/dev/null; then
    xmllint --noout "$1" 2>xml || complain "$1: $(cat xml)"
  fi
  opened=$(grep -o '<svg' "$1" | wc -l)
  closed=$(grep -o '</svg>' "$1" | wc -l)
  [ "$opened" = "$closed" ] || complain "$1: a drawing is not closed"
  [ "$opened" -gt 0 ] || complain "$1: has no drawing"
  if grep -oE '(src|href|url|@import)[=( ][^>]*' "$1" >external; then
    complain "$1: needs $(head -n 1 external)"
  fi
  if grep -qE '[^a-z](nan|inf)[^a-z]' "$1"; then
    complain "$1: draws what is no number"
  fi
}

check_grid() {
  lab run --gc-percents 50,200 --repeats 2 --out grid.html --keep kept \
    churn:live=2MiB,operations=20000
  [ "$status" = 0 ] || complain "a grid: exit status $status: $(cat err)"
  for percent in 50 200; do
    has out "^  GC $percent %( +[0-9.]+){2}" 'a grid'
  done
  has err '^3 of 4 done: churn.*, about [0-9]+ s left$' 'a grid'
  check_page grid.html
  has grid.html '<h2>churn:live=2MiB,operations=20000</h2>' 'a grid'
  [ "$(wc -l <kept/runs.tsv)" = 5 ] || complain 'a grid: not 4 rows of figures'
  awk -F '\t' 'NR > 1 && ($7 <= 0 || $11 <= 0 || $12 <= 0) { exit 1 }' \
    kept/runs.tsv || complain 'a grid: a figure is missing'
  grep -q '^cycle ' kept/cell-001-run-1.trace ||
    complain 'a grid: no cycle in the trace that was kept'
}

# The third run interrupts its parent: the two before it are shown.
check_interrupt() {
  : >count
  # shellcheck disable=SC2016 # the child expands them
  lab run --gc-percents 50,100,200 --repeats 1 --out cut.html -- sh -c '
    echo >>count
    if [ "$(wc -l <count)" = 3 ]; then
      kill -INT $PPID
      exec sleep 60
    fi
    exec "$lab" '"$small"
  [ "$status" = 130 ] || complain "an interrupt: exit status $status"
  has out '^  GC 100 %( +[0-9.]+){2}' 'an interrupt'
  has out '^  GC 200 % +not run$' 'an interrupt'
  has cut.html 'interrupted after 2 of 3 runs' 'an interrupt'
  check_page cut.html
}

# What fails is a row that says so; the others are there.
check_failures() {
  # shellcheck disable=SC2016
  lab run --gc-percents 50,100,200 --repeats 1 --out fail.html -- sh -c '
    case $DUSK_GCPERCENT in
    50) echo "no <luck>" >&2; exit 3 ;;
    100) exit 0 ;;
    esac
    exec "$lab" '"$small"
  [ "$status" = 1 ] || complain "failures: exit status $status"
  has out '^  GC 50 % +failed: exit status 3: no <luck>$' failures
  has out '^  GC 100 % +failed: it opened no heap that writes a trace$' failures
  has out '^  GC 200 %( +[0-9.]+){2}' failures
  has fail.html 'exit status 3: no &lt;luck&gt;' failures
  check_page fail.html
  lab run --gc-percents 50 --repeats 1 --out none.html -- ./no-such-program
  [ "$status" = 1 ] || complain "no program: exit status $status"
  has out "failed: cannot run './no-such-program': No such file" 'no program'
}

check_pauses() {
  # Long enough for cycles, however slow the machine.
  DUSK_TRACE=trace DUSK_GCPERCENT=20 lab work churn --live 2MiB --seconds 2
  [ "$status" = 0 ] || complain "work: exit status $status: $(cat err)"
  lab pauses --from trace --out pauses.html
  [ "$status" = 0 ] || complain "pauses --from: status $status: $(cat err)"
  has out '^  service +[0-9]+ ' 'pauses --from'
  has out '^ +100 ms +([0-9.]+ %|-)' 'pauses --from'
  check_page pauses.html
  lab pauses --quick --out run.html churn
  [ "$status" = 0 ] || complain "pauses: exit status $status: $(cat err)"
  has out '^ +1 ms +[0-9.]+ % +[0-9.]+ %$' pauses
  check_page run.html
  fails 1 'no heap that writes a trace' pauses --quiet --out x.html -- true
  fails 1 'exit status 1' pauses --quiet --out x.html -- false
  echo 'delay 1:1 x' >broken
  fails 1 "broken:1: delay: not a number in field 'thread'" \
    pauses --from broken --out x.html
  fails 1 'nowhere: No such file' pauses --from nowhere --out x.html
}

check_work() {
  for name in 'cache --capacity 1MiB --operations 5000' \
    'map --count 20000' 'pool --live 1MiB --operations 2000' \
    'pool --live 1MiB --operations 2000 --reuse' \
    'churn --live 1MiB --threads 3 --seconds 1'; do
    # shellcheck disable=SC2086
    DUSK_GCPERCENT=20 lab work $name
    [ "$status" = 0 ] || complain "work $name: status $status: $(cat err)"
    for figure in ops worst wall cpu peak; do
      has out "^$figure [0-9.e+-]+ [A-Za-z/]+$" "work $name"
    done
  done
}

check_mistakes() {
  fails 2 "--gc-percents: 'x' is neither" run --gc-percents 50,x
  fails 2 "--gc-percents: '50,,100' is not a list" run --gc-percents 50,,100
  fails 2 "--limits: '12parsecs' is neither" run --limits 12parsecs
  fails 2 "--policies: 'fast' is none of" run --policies go,fast
  fails 2 "--assists: 'capped:' is none of" run --assists capped:
  fails 2 "--repeats: '0' is not a number" run --repeats 0
  fails 2 '--out needs a value' run --out
  fails 2 '--quick takes no value' run --quick=1
  fails 2 "no option '--qwick'" run --qwick
  fails 2 "no option '-x'" run -x
  fails 2 "no workload 'chrun'" run chrun
  fails 2 'only built-in workloads take options' run trees:depth=3
  fails 2 "there is no command after '--'" run --
  fails 1 '--out /no/such/page: No such file' run --out /no/such/page churn
  fails 1 '--keep /no/such/folder: No such file' \
    run --out x.html --keep /no/such/folder churn
  fails 2 'which program?' pauses
  fails 2 'one program at a time' pauses churn map
  fails 1 '--out /no/such/page' pauses --out /no/such/page churn
  fails 2 "no workload 'chrun'" work chrun
  fails 2 'which?' work
  fails 2 "--live: '1' is not a number from" work churn --live 1
  fails 2 "no option '--depth'" work churn --depth 2
  fails 2 "'more' is not an option" work churn more
}

check_grid
check_interrupt
check_failures
check_pauses
check_work
check_mistakes
exit $bad
