#!/bin/sh
# SPDX-License-Identifier: MIT
# sim.sh -- dusk-lab sim from outside: rows, scenarios, and what it says of a
# mistake: one line on stderr that names what is wrong and where, nothing on
# stdout, and exit status 2
set -eu
: "${srcdir:?the top of the source tree}" "${top_builddir:?of the build tree}"

lab=$(cd "$top_builddir" && pwd)/lab/dusk-lab
scenarios=$(cd "$srcdir" && pwd)/lab/scenarios
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-sim.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
bad=0

complain() {
  echo "$*"
  bad=1
}

# sim ARGUMENT...: its output is in out, its messages in err.
sim() {
  status=0
  "$lab" sim --from "$scenarios" "$@" >out 2>err </dev/null || status=$?
}

# prints LINE ARGUMENT...: it succeeds, and LINE is in what it prints.
prints() {
  line=$1
  shift
  sim "$@"
  [ "$status" = 0 ] || complain "sim $*: exit status $status: $(cat err)"
  grep -qxF -e "$line" out || complain "sim $*: does not print: $line"
  [ ! -s err ] || complain "sim $*: complains: $(cat err)"
}

# fails STATUS TEXT ARGUMENT...
fails() {
  wanted=$1
  text=$2
  shift 2
  sim "$@"
  [ "$status" = "$wanted" ] || complain "sim $*: exit status $status"
  grep -qF -e "$text" err || complain "sim $*: '$text' is not in: $(cat err)"
  [ "$(wc -l <err)" = 1 ] || complain "sim $*: says more than a line"
}

refuses() {
  fails 2 "$@"
  [ ! -s out ] || complain "sim $*: prints rows, and refuses"
}

check_rows() {
  header=cycle,util,live,trigger,peak,goal
  steady=13,0.2500,20886436,39968950,41813831,41813832
  prints $header --format csv
  prints $steady --format=csv --policy go --gc-percent 100 --cores 8 \
    --globals 32KiB --memory-limit off --alloc 33 --scan 1024 \
    --growth '2.0 + ramp(-1.0, 12)' --scannable 1 --stack 8192 --cycles 50
  prints $steady --format csv # these are the defaults
  prints 2,0.4007,376983,4015328,7353844,4194304 --format csv \
    --alloc 132 --stack '2048+ramp(128MiB,8)'
  prints 13,0.2500,20886447,516570481,518415372,520764785 --format csv \
    --gc-percent off --memory-limit 512MiB
  prints 26,0.2749,22787244,41869761,45615447,45615448 --format csv \
    --alloc '67 + oscillate(13,0,8)'
  [ "$(wc -l <out)" = 51 ] || complain "not 50 rows and a header"
  prints 6,0.2500,2950370,5677996,6093215,5941700 --format csv --cycles 7
  [ "$(wc -l <out)" = 8 ] || complain "not 7 rows and a header"

  for policy in go dusk balance; do
    sim --policy $policy --format csv heavy_step_alloc
    [ "$(wc -l <out)" = 101 ] || complain "--policy $policy: not 100 rows"
    mv out "$policy"
  done
  ! cmp -s go dusk || complain "--policy dusk: the rows are Go's"
  ! cmp -s go balance || complain "--policy balance: the rows are Go's"
  sim --trigger-low 20 --trigger-high 60 --format csv
  [ "$(awk -F, '$1 == 50 { printf "%.0f", 100 * ($4 - $3) / ($6 - $3) }' out)" = \
    60 ] || complain "--trigger-high 60: cycle 50 begins elsewhere"

  prints \
    '     13   25.00%     19.92 MiB     38.12 MiB     39.88 MiB     39.88 MiB    100.00%'
  [ "$(awk '{ print length }' out | sort -u | wc -l)" = 1 ] ||
    complain "the table's lines are not of one length"
}

check_scenarios() {
  jump=52,0.5000,20886438,39968953,41813835,41813836
  prints $jump --format csv step_alloc
  prints $jump --format csv StepAlloc
  prints $jump --format csv --scenario step-alloc
  prints $jump --format csv --scenario="$scenarios/step_alloc.sim"
  # An option overrides it wherever it stands.
  for order in '--cycles 4 StepAlloc' 'StepAlloc --cycles 4'; do
    # shellcheck disable=SC2086 # a list of words
    prints 2,0.2500,291447,4011349,4063884,4194304 --format csv $order
    [ "$(wc -l <out)" = 5 ] || complain "sim $order: not 4 rows"
  done

  sim --list
  [ "$(wc -l <out)" = 20 ] || complain "there are not 20 scenarios"
  for file in "$scenarios"/*.sim; do
    name=$(basename "$file" .sim)
    grep -qE "^$name +[A-Z]" out || complain "$name: not listed, or without \
a description"
  done

  mkdir own
  printf '0.5\n0.5\n0.75\n' >own/dice
  printf '# Mine\nalloc=33 + seq(4, dice) # so it goes\n\ncycles = 3\n' \
    >own/mine.sim
  prints 2,0.2500,291447,4011349,4063884,4194304 --format csv own/mine.sim
  printf 'cycles = 4\nalloc = 33 + seq(4, own/dice)' >own/short.sim
  refuses "own/short.sim:2: alloc: '33 + seq(4, own/dice)': own/dice has 3 \
numbers, and cycle 4 needs one more" own/short.sim
}

# in_file TEXT LINE...: the file of these lines is refused so.
in_file() {
  text=$1
  shift
  printf '%s\n' "$@" >wrong.sim
  refuses "$text" wrong.sim
}

check_mistakes() {
  refuses "there is no option '--alok'" --alok 3
  refuses "there is no option '-a'" -a 3
  refuses "there is no option '--s'" --s 3
  refuses '--alloc: its value is missing' --alloc
  refuses '--policy: its value is missing' --policy
  refuses '--list takes no value' --list=all
  refuses "not 'b' besides 'a'" a b
  refuses "--policy: expected 'go', 'dusk' or 'balance', and found 'stop'" \
    --policy stop
  refuses '--trigger-low: expected percent of the way' --trigger-low 101
  refuses "--gc-percent: expected a whole number, or 'off', and found '1.5'" \
    --gc-percent 1.5
  refuses "--memory-limit: expected bytes" --memory-limit 12q
  refuses "--memory-limit: expected bytes" --memory-limit -1
  refuses "--cores: expected a whole number from 1 to 4096, and found '0'" \
    --cores 0
  refuses "--globals: expected bytes" --globals big
  refuses "--cycles: expected a whole number from 1 to 1000000" --cycles ''
  refuses "--format: expected 'csv' or 'table', and found 'xml'" --format xml
  refuses "--alloc: '33 + rmap(1)', column 6: there is no 'rmap'" \
    --alloc '33 + rmap(1)'
  refuses "--scan: '', column 1: expected a number" --scan ''
  refuses "--growth: 'seq(1,none)', column 7: cannot read none: No such file" \
    --growth 'seq(1,none)'
  refuses "--stack: 'seq(1,.)', column 7: cannot read .: Is a directory" \
    --stack 'seq(1,.)'
  refuses 'no cycle ever begins: gc-percent and memory-limit' --gc-percent off
  refuses 'cycle 1: a rate or a size is beyond 2^60' --growth 1e30
  refuses '--jump: is no finite number in cycle 3' \
    --jump 'delay(2,1e308 + 1e308)'

  refuses "there is no scenario 'none': no such file, and none of that name in \
$scenarios" none
  refuses 'cannot read ./none: No such file' ./none
  refuses 'cannot read .: Is a directory' .
  refuses "cannot list the scenarios in ./none" --from ./none --list
  in_file "wrong.sim:2: expected NAME = VALUE, and found 'alloc 33'" '#' \
    'alloc 33'
  in_file "wrong.sim:1: aloc: there is no setting 'aloc'" 'aloc = 33'
  in_file "wrong.sim:3: alloc: '33 + x', column 6: there is no 'x'" \
    'scan = 99' '' ' alloc = 33 + x # why?'
  in_file "wrong.sim:2: cores: expected a whole number from 1 to 4096, and \
found '8x'" '' 'cores = 8x'
  in_file "wrong.sim:3: set before in this file: 'scan'" 'scan = 99' '' \
    'scan = 100'
  in_file 'wrong.sim:1: too long a line' \
    "$(awk 'BEGIN { for (i = 0; i < 999; i++) printf "alloc" }')"
}

check_output() {
  prints 'usage: dusk-lab sim [OPTION]... [SCENARIO]' --help
  [ -c /dev/full ] || return 0
  for arguments in '' '--format csv' --list --help; do
    status=0
    # shellcheck disable=SC2086 # a list of words
    "$lab" sim --from "$scenarios" $arguments >/dev/full 2>err || status=$?
    [ "$status" = 1 ] || complain "sim $arguments: a full disk: $status"
    grep -qF 'cannot write the output: No space left' err ||
      complain "sim $arguments: a full disk: $(cat err)"
  done
}

check_rows
check_scenarios
check_mistakes
check_output
exit $bad
