#!/bin/sh
# SPDX-License-Identifier: MIT
# layers.sh -- no include points up
#
# A file of runtime/LAYER/ includes its own layer, the layers that stand before
# it in layers.txt, and the public headers; nothing else of ours.
set -eu
: "${srcdir:?the top of the source tree}"

find "$srcdir/runtime" -name '*.[ch]' | LC_ALL=C sort |
  xargs awk '
    function report(message) {
      printf "%s:%d: %s\n", FILENAME, FNR, message
      bad = 1
    }
    NR == FNR {
      rank[$1] = NR
      next
    }
    FNR == 1 {
      parts = split(FILENAME, path, "/")
      from = path[parts - 1]
      if (!(from in rank))
        report("the folder " from " is not in layers.txt")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
      split($0, quoted, "\"")
      name = quoted[2]
      to = name
      sub("/.*", "", to)
      if (to == "dusk" || name == "dusk.h" || name == "config.h")
        next
      if (!(to in rank))
        report("\"" name "\" is in no layer; write \"LAYER/FILE\"")
      else if (rank[to] > rank[from])
        report(from " may not include \"" name "\", a higher layer")
    }
    END { exit bad }
  ' "$srcdir/tests/lint/layers.txt"
