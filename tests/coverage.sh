#!/bin/sh
# SPDX-License-Identifier: MIT
# coverage.sh -- what of runtime/ the tests have run, layer by layer
#
# Reads what gcc's --coverage left in a build folder, which is the current one,
# by gcov.  Prints lines and branches of each layer, and writes the lines that
# nobody ran to coverage.txt.  A source that was compiled several times counts as
# run where any of its objects was; branches are those of the library proper.
set -eu
list=coverage.txt

find runtime -name '*.gcno' | LC_ALL=C sort >coverage.tmp
[ -s coverage.tmp ] || {
  echo "coverage: nothing here was compiled with --coverage;" \
    "./dev coverage does that" >&2
  exit 1
}
while read -r notes; do
  echo "object $notes"
  ${GCOV:-gcov} -t -b -c -o "$(dirname "$notes")" "$notes" 2>/dev/null || :
done <coverage.tmp | awk -v list="$list" '
  function percent(part, all) {
    return all ? sprintf("%6.2f %%", 100 * part / all) : "      - "
  }
  $1 == "object" { is_main = $2 !~ /libdusk_chaos_la-/; file = ""; next }
  # "        -:    0:Source:../runtime/heap/pages.c"
  /^ *-: *0:Source:/ {
    sub(/^ *-: *0:Source:/, "")
    file = match($0, /runtime\/.*\.[ch]$/) ? substr($0, RSTART) : ""
    next
  }
  file == "" { next }
  /^branch / {
    if (is_main) {
      key = file SUBSEP line SUBSEP $2
      branches[key] += $4 == "taken" ? $5 : ($3 == "taken" ? $4 : 0)
    }
    next
  }
  /^ *[-#=0-9][^:]*: *[0-9]+:/ {
    split($0, part, ":")
    count = part[1]
    line = part[2] + 0
    gsub(/[ *]/, "", count)
    if (count == "-")
      next
    key = file SUBSEP line
    if (!(key in runs))
      runs[key] = 0
    if (count !~ /^[#=]/)
      runs[key] += count
    text[key] = substr($0, index($0, part[2]) + length(part[2]) + 1)
  }
  END {
    for (key in runs) {
      split(key, part, SUBSEP)
      split(part[1], folder, "/")
      layer = folder[2]
      lines[layer]++
      all++
      if (runs[key]) {
        run[layer]++
        all_run++
      } else
        printf "%s:%05d: %s\n", part[1], part[2], text[key] | \
          ("LC_ALL=C sort >" list)
    }
    close("LC_ALL=C sort >" list)
    for (key in branches) {
      split(key, part, SUBSEP)
      split(part[1], folder, "/")
      ways[folder[2]]++
      all_ways++
      if (branches[key]) {
        taken[folder[2]]++
        all_taken++
      }
    }
    names = "base os event pace heap mutator collect alloc inspect report api"
    count = split(names, order, " ")
    printf "%-10s %8s %10s %10s %10s\n", "layer", "lines", "run",
           "branches", "taken"
    for (i = 1; i <= count; i++) {
      layer = order[i]
      printf "%-10s %8d %10s %10d %10s\n", layer, lines[layer],
             percent(run[layer], lines[layer]), ways[layer],
             percent(taken[layer], ways[layer])
    }
    printf "%-10s %8d %10s %10d %10s\n", "runtime", all,
           percent(all_run, all), all_ways, percent(all_taken, all_ways)
    print "lines that nobody ran: " list
  }'
rm -f coverage.tmp
