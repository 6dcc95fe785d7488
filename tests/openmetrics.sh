#!/bin/sh
# SPDX-License-Identifier: MIT
# openmetrics.sh -- others read what a heap writes about itself
#
# tests/tools/exposition.c writes both forms.  The OpenMetrics parser of Python's
# prometheus_client must take the one, and its older parser and `promtool check
# metrics` the other; what is not installed is passed over.
# tests/api/openmetrics.c has a reader of its own.
set -eu

srcdir=${srcdir:-.}
top=${top_builddir:-.}
CC=${CC:-cc}
libs=$(cd "$top/.libs" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-openmetrics.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset DUSK_DEBUG
LC_ALL=C
export LC_ALL

fail()
{
  echo "openmetrics.sh: $*" >&2
  sed 's/^/  | /' "$work/said" >&2
  exit 1
}

if nm -D --undefined-only "$libs/libdusk.so" |
  grep -q ' U __\(asan\|tsan\|ubsan\)_'; then
  echo 'passed over: the library is built for a sanitizer'
  exit 77
fi

# shellcheck disable=SC2086
$CC -I"$srcdir/include" -o "$work/exposition" "$srcdir/tests/tools/exposition.c" \
  -L"$libs" -Wl,-rpath,"$libs" -ldusk -lpthread >"$work/said" 2>&1 ||
  fail 'cannot build tests/tools/exposition.c'
for form in openmetrics prometheus; do
  "$work/exposition" $form >"$work/$form" 2>"$work/said" ||
    fail "the program fails at $form"
done

# What each parser found, as "NAME VALUE" of gauges and counters with no label
# but the heap's, and how many families there were.
cat >"$work/read.py" <<'EOF'
import sys
form, path = sys.argv[1:]
if form == "openmetrics":
    from prometheus_client.openmetrics.parser import \
        text_string_to_metric_families as parse
else:
    from prometheus_client.parser import text_string_to_metric_families as parse
families = list(parse(open(path, encoding="utf-8", newline="").read()))
print("families", len(families))
for family in families:
    assert family.documentation, family.name
    assert family.type in ("counter", "gauge", "histogram"), family.name
    assert family.samples, family.name
    if form == "openmetrics" and family.unit:
        assert family.name.endswith("_" + family.unit), family.name
    for sample in family.samples:
        assert sample.labels["heap"] == "1", sample
        if len(sample.labels) == 1:
            print(sample.name, sample.value)
        elif "name" in sample.labels:
            print("name", repr(sample.labels["name"]))
EOF

passed_over=
lines=$(grep -c '^METRIC(' "$srcdir/runtime/report/metrics.def")
python=
for each in python3 /usr/bin/python3; do # the system's packages are the latter's
  if $each -c 'import prometheus_client.openmetrics.parser' >"$work/said" 2>&1; then
    python=$each
    break
  fi
done
if [ -n "$python" ]; then
  for form in openmetrics prometheus; do
    $python "$work/read.py" $form "$work/$form" >"$work/said" 2>&1 ||
      fail "Python's prometheus_client refuses the $form form"
    grep -qx "families $lines" "$work/said" ||
      fail "the $form form has other families than the $lines of metrics.def"
    grep -q '^dusk_gc_heap_allocs_objects_total 400000\(\.0\)*$' "$work/said" ||
      fail "the $form form has not the 400000 objects"
    grep -q '^dusk_gc_cycles_forced_gc_cycles_total 1\(\.0\)*$' "$work/said" ||
      fail "the $form form has not the one cycle that was asked for"
  done
else
  passed_over="$passed_over prometheus_client"
fi

if command -v promtool >/dev/null 2>&1; then
  status=0
  promtool check metrics <"$work/prometheus" >"$work/said" 2>&1 || status=$?
  [ "$status" = 0 ] || fail "promtool check metrics: exit $status"
else
  passed_over="$passed_over promtool"
fi

case $passed_over in
'') ;;
*prometheus_client*promtool*)
  echo 'passed over: neither prometheus_client nor promtool is installed'
  exit 77
  ;;
*) echo "passed over: no$passed_over" ;;
esac
