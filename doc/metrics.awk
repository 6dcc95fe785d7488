# SPDX-License-Identifier: MIT
# metrics.awk -- the table of dusk_metrics(7), from runtime/report/metrics.def
#
# Prints a .TP for each METRIC(type, "path", "unit", over, group, "meaning", ...).
# What it prints stands in the page, between two comments; tests/docs.sh holds
# them to each other.

function flush_metric(    part, kind) {
  split(text, part, "\"")
  kind = kinds[type(part[1])]
  if (kind == "")
    exit bad = 1
  gsub(/-/, "\\-", part[2])
  gsub(/-/, "\\-", part[4])
  printf ".TP\n.I %s:%s\n", part[2], part[4]
  printf "%s%s.\n%s\n", kind, part[5] ~ /CUMULATIVE/ ? ", cumulative" : "", part[6]
}

function type(start) {
  sub(/^METRIC\( */, "", start)
  sub(/,.*/, "", start)
  return start
}

BEGIN {
  kinds["count"] = "uint64"
  kinds["seconds"] = "float64"
  kinds["ratio"] = "float64"
  kinds["times"] = "histogram"
  kinds["sizes"] = "histogram"
  kinds["text"] = "text"
}

/^METRIC\(/ {
  if (text != "")
    flush_metric()
  text = ""
}
/^METRIC\(/ || text != "" { text = text $0 " " }

END {
  if (!bad && text != "")
    flush_metric()
  exit bad
}
