#!/bin/sh
# SPDX-License-Identifier: MIT
# docs.sh -- what the documents say is so
#
#   programs  each EXAMPLE of a man page, and each C block of the guide and the
#             README, compiles without a warning, links with the library, runs,
#             and exits with 0
#   shape     each page of section 3 has its sections, in their order, and each
#             page names the package's version
#   names     each dusk_ and DUSK_ name in a document is one of the public
#             headers or a variable of the environment, and each public
#             function has a page
#   metrics   dusk_metrics(7) has the library's table
#   pages     each page renders without a warning (skipped without man or groff)
set -eu
: "${srcdir:?the top of the source tree}" "${PACKAGE_VERSION:?}"
: "${top_builddir:?the top of the build tree}"
: "${CC:=cc}" "${NM:=nm}"

limit=120 # seconds for a program: a sanitizer makes it slow, and tests share
doc=$srcdir/doc
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-docs.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
bad=0

complain() {
  echo "$*"
  bad=1
}

# A page's EXAMPLE as C: what stands between .EX and .EE, without escapes.
page_program() {
  awk '
    /^\.SH/ { inside = $2 == "EXAMPLE" }
    inside && $1 == ".EE" { copying = 0 }
    copying
    inside && $1 == ".EX" { copying = 1 }
  ' "$1" |
    sed -e 's/\\&//g' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" \
      -e 's/\\(ha/^/g' -e 's/\\(ti/~/g' -e 's/\\(ga/`/g' -e 's/\\e/\\/g'
}

# A text's C blocks, each to a file of its own.
text_programs() {
  awk -v prefix="$work/$(basename "$1" .md)-" '
    /^```/ {
      if (file != "")
        close(file)
      file = ""
      if ($0 == "```c")
        file = prefix (++blocks) ".c"
      next
    }
    file != "" { print > file }
  ' "$1"
}

# A program links with a sanitized library only if it is sanitized as well.
sanitizers() {
  $NM -D "$1" | awk '
    $1 != "U" { next } # a weak one is not needed
    $NF ~ /^__tsan_/ { kind["thread"] }
    $NF ~ /^__asan_/ { kind["address"] }
    $NF ~ /^__ubsan_/ { kind["undefined"] }
    END { for (k in kind) printf " -fsanitize=%s", k }
  '
}

run_program() {
  program=${1%.c}
  name=${program##*/}
  # shellcheck disable=SC2086 # CC and the flags are lists of words
  if ! $CC -std=c11 -Wall -Wextra -Werror -O2 $sanitize \
    -I"$srcdir/include" -o "$program" "$1" \
    -L"$libs" -Wl,-rpath,"$libs" -ldusk -pthread; then
    complain "$name: does not compile or link"
    return
  fi
  status=0
  $timeout "$program" </dev/null >"$program.out" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    sed "s/^/$name: /" "$program.out"
    complain "$name: exit status $status"
  fi
}

check_programs() {
  # Locals that the sanitizer moves off the stack would be no roots.
  libs=$(cd "$top_builddir/.libs" && pwd)
  sanitize=$(sanitizers "$libs/libdusk.so")
  timeout=
  ! command -v timeout >/dev/null || timeout="timeout $limit"

  for page in "$doc"/*.[37]; do
    program=$work/$(basename "$page").c
    page_program "$page" >"$program"
    [ -s "$program" ] || rm "$program"
  done
  text_programs "$doc/guide.md"
  text_programs "$srcdir/README.md"
  for page in "$doc"/*.3; do
    [ -f "$work/$(basename "$page").c" ] || complain "$page: no EXAMPLE"
  done
  [ -f "$work/guide-1.c" ] || complain "$doc/guide.md: no C block"
  [ -f "$work/README-1.c" ] || complain "$srcdir/README.md: no C block"

  for program in "$work"/*.c; do
    run_program "$program"
  done
}

check_shape() {
  sections='NAME SYNOPSIS DESCRIPTION RETURN VALUE ERRORS THREADS EXAMPLE NOTES'
  sections="$sections SEE ALSO"
  for page in "$doc"/*.3; do
    found=$(sed -n 's/^\.SH //p' "$page" | tr '\n' ' ')
    [ "$found" = "$sections " ] || complain "$page: sections are $found"
  done
  for page in "$doc"/*.[137]; do
    grep -q "^\.TH .*\"Dusk $PACKAGE_VERSION\"" "$page" ||
      complain "$page: is not of version $PACKAGE_VERSION"
  done
}

# Every public name in the files, one a line.
names_in() {
  sed 's/\\f[BIPR]/ /g' "$@" | tr -c 'A-Za-z0-9_' '\n' |
    grep -E '^(dusk_[a-z0-9_]*[a-z0-9]|DUSK_[A-Z0-9_]*[A-Z0-9])$' | sort -u
}

check_names() {
  {
    names_in "$srcdir"/include/*.h "$srcdir"/include/dusk/*
    # Variables of the environment are where they are read.
    sed -n 's/.*"\(DUSK_[A-Z_]*\)".*/\1/p' "$srcdir"/runtime/api/option.c
    for page in "$doc"/*.[137]; do
      basename "${page%.*}"
    done
  } | LC_ALL=C sort -u >"$work/known"
  for file in "$doc"/*.[137] "$doc"/*.md "$srcdir/README.md" \
    "$srcdir/runtime/README.md"; do
    names_in "$file" | LC_ALL=C sort >"$work/used"
    for name in $(LC_ALL=C comm -23 "$work/used" "$work/known"); do
      complain "$file: $name is in no public header, and not read as a variable"
    done
  done

  for page in "$doc"/*.3; do
    sed -n '/^\.SH NAME/,/^\.SH SYNOPSIS/p' "$page"
  done | tr -c 'A-Za-z0-9_' '\n' >"$work/documented"
  # An inline function has its slow half in the library.
  sed -n 's/^  \(dusk_[a-z_]*\);$/\1/p' "$srcdir/libdusk.map" |
    sed -e 's/_slow$//' -e '/^dusk_barrier$/d' >"$work/exported"
  while read -r name; do
    grep -qx "$name" "$work/documented" || complain "$name: has no man page"
  done <"$work/exported"
}

check_pages() {
  if man --version 2>/dev/null | grep -q '^man [0-9]'; then
    render='man -l --warnings -Tutf8'
  elif command -v groff >/dev/null; then
    render='groff -man -wmac -Tutf8'
  else
    echo 'no man-db and no groff: the pages are not rendered'
    return
  fi
  for page in "$doc"/*.[137]; do
    LC_ALL=C.UTF-8 MANWIDTH=80 $render "$page" 2>&1 >/dev/null |
      sed "s|^|$page: |" >"$work/warnings"
    if [ -s "$work/warnings" ]; then
      cat "$work/warnings"
      bad=1
    fi
  done
}

# The page of metrics has the table that the library has.
check_metrics() {
  awk -f "$doc/metrics.awk" "$srcdir/runtime/report/metrics.def" \
    >"$work/table" || complain "doc/metrics.awk: cannot read metrics.def"
  awk '
    /^\.\\" The end of the table/ { copying = 0 }
    copying
    /^\.\\" The table:/ { copying = 1 }
  ' "$doc/dusk_metrics.7" >"$work/page"
  if ! diff "$work/page" "$work/table"; then
    complain "$doc/dusk_metrics.7: has (<) another table than" \
      "awk -f doc/metrics.awk runtime/report/metrics.def prints (>)"
  fi
  lines=$(grep -c '^METRIC(' "$srcdir/runtime/report/metrics.def")
  [ "$(grep -c '^\.TP' "$work/table")" = "$lines" ] ||
    complain "doc/metrics.awk: passes over some of $lines metrics"
}

check_programs
check_shape
check_metrics
check_names
check_pages
exit $bad
