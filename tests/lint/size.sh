#!/bin/sh
# SPDX-License-Identifier: MIT
# size.sh -- no C file over 600 lines, no function over 80
#
# A function is what stands between a brace in the first column and the next
# closing one there, both counted: .clang-format puts them so.
set -eu
: "${srcdir:?the top of the source tree}"

cd "$srcdir"
find runtime include lab tests examples bench -name '*.[ch]' | LC_ALL=C sort |
  xargs awk '
    FNR == 1 { start = 0 }
    FNR == 601 {
      printf "%s: more than 600 lines\n", FILENAME
      bad = 1
    }
    /^{/ { start = FNR }
    /^}/ {
      if (start && FNR - start >= 80) {
        printf "%s:%d: a function of %d lines\n", FILENAME, start,
               FNR - start + 1
        bad = 1
      }
      start = 0
    }
    END { exit bad }
  '
