#!/bin/sh
# SPDX-License-Identifier: MIT
# conditionals.sh -- what differs between machines is in two places
#
# Conditional compilation lives in os/ and in the three headers of base/ that
# read config.h.  Elsewhere an option is a constant in an `if`, which always
# compiles.  Include guards and the C++ bracket of a header are free.
set -eu
: "${srcdir:?the top of the source tree}"

cd "$srcdir"
find runtime -name '*.[ch]' | LC_ALL=C sort |
  grep -v -e '^runtime/os/' \
    -e '^runtime/base/c\(ompiler\|heck\|haos\)\.h$' |
  xargs awk '
    function flush() {
      if (pending != "") {
        print pending
        bad = 1
      }
      pending = ""
    }
    FNR == 1 { flush() }
    pending != "" {
      if ($1 == "#define" && $2 == guard)
        pending = ""
      flush()
    }
    /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)([ \t(!]|$)/ {
      if ($1 == "#ifdef" && $2 == "__cplusplus")
        next
      pending = FILENAME ":" FNR ": " $0
      guard = $1 == "#ifndef" ? $2 : "none"
    }
    END {
      flush()
      exit bad
    }
  '
