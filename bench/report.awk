# SPDX-License-Identifier: MIT
# report.awk -- samples of bench/run as a table
#
# Reads lines `test round peer figure value unit`.  Prints for each figure of
# each test, and for each peer, the median, the least and the most; and Dusk's
# value over the peer's: the median of the rounds' ratios, because what slowed
# one down in a round will have slowed its neighbour too.

# What the machine is; and the peers in the order of their rows.
/^#/ {
  print
  if ($2 == "peers:")
    for (i = 3; i <= NF; i++)
      peers[++peer_count] = $i
  next
}

{
  figure = $1 SUBSEP $4
  row = figure SUBSEP $3
  if (!(figure in unit)) {
    figures[++figure_count] = figure
    unit[figure] = $6
  }
  count[row]++
  value[row, count[row]] = $5
  sample[row, $2] = $5
  if ($2 > rounds)
    rounds = $2
}

# Sorts list[1..n].
function sort(n,    i, j, moved) {
  for (i = 2; i <= n; i++) {
    moved = list[i]
    for (j = i; j > 1 && list[j - 1] > moved; j--)
      list[j] = list[j - 1]
    list[j] = moved
  }
}

# The median of list[1..n], which is sorted.
function median(n) {
  return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# Three digits that count, and no exponent.
function shown(number) {
  if (number >= 1000000)
    return sprintf("%.2f M", number / 1000000)
  if (number >= 100)
    return sprintf("%d", number + 0.5)
  return sprintf(number >= 10 ? "%.1f" : number >= 1 ? "%.2f" : "%.3f", number)
}

# The median over all rounds of Dusk's value over the peer's.
function ratio(figure, peer,    n, round, own, its) {
  n = 0
  for (round = 1; round <= rounds; round++) {
    own = figure SUBSEP "dusk" SUBSEP round
    its = figure SUBSEP peer SUBSEP round
    if (own in sample && its in sample && sample[its] > 0)
      list[++n] = sample[own] / sample[its]
  }
  if (!n)
    return ""
  sort(n)
  return sprintf("%.2f x", median(n))
}

function print_row(label, figure, peer,    row, n, i) {
  row = figure SUBSEP peer
  n = count[row]
  for (i = 1; i <= n; i++)
    list[i] = value[row, i]
  sort(n)
  printf "  %-14s %-9s %10s %10s %10s %10s\n", label, peer, shown(median(n)),
         shown(list[1]), shown(list[n]),
         peer == "dusk" ? "" : ratio(figure, peer)
}

END {
  for (i = 1; i <= figure_count; i++) {
    figure = figures[i]
    split(figure, name, SUBSEP)
    if (name[1] != test) {
      test = name[1]
      printf "\n%-26s %10s %10s %10s %10s\n", test, "median", "least", "most",
             "Dusk is"
    }
    label = name[2] " " unit[figure]
    if (unit[figure] == name[2] || unit[figure] == name[2] "/s")
      label = unit[figure]
    for (j = 1; j <= peer_count; j++)
      if ((figure SUBSEP peers[j]) in count) {
        print_row(label, figure, peers[j])
        label = ""
      }
  }
}
