#!/bin/sh
# SPDX-License-Identifier: MIT
# inspector.sh -- an inspector from outside: by curl, and by a browser
#
#   routes   each answers, with its type, and what it sends can be read
#   who      another Host, another site's page, and another method are refused
#   port     one that is in use is an error with a line, and the program ends well
#   page     what a browser has made of it: headings, tables and plots that have
#            the heap's own figures, and no complaint of the browser's
#   manual   the page's EXAMPLE compiles, runs, and ends well
#
# Passed over where there is no inspector or no curl; the page, where there is no
# Chromium or Chrome.
set -eu
: "${srcdir:?the top of the source tree}" "${top_builddir:?of the build tree}"
: "${CC:=cc}"

program=$top_builddir/examples/inspected
if [ ! -x "$program" ] || ! command -v curl >/dev/null; then
  echo 'passed over: no inspector was built, or there is no curl'
  exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-inspector.XXXXXX")
served=
finish() {
  [ -z "$served" ] || kill "$served" 2>/dev/null || :
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
bad=0

complain() {
  echo "inspector.sh: $*"
  bad=1
}

# Until the program has said where it is.
start() {
  "$program" 0 600 >"$work/address" 2>"$work/errors" &
  served=$!
  until grep -q http "$work/address"; do
    kill -0 "$served" || {
      cat "$work/errors"
      exit 1
    }
    sleep 0.1
  done
  site=$(cat "$work/address")
  site=${site%/}
  port=${site##*:}
}

# status ARGUMENT...: of what curl asks for; the body goes to $work/body.
status() {
  curl -s -o "$work/body" -w '%{http_code} %{content_type}' --max-time 60 "$@"
}

expect() {
  wanted=$1
  shift
  got=$(status "$@")
  case $got in
    "$wanted"*) ;;
    *) complain "$*: $got, not $wanted" ;;
  esac
}

check_routes() {
  expect '200 text/html' "$site/"
  grep -q '<h1' "$work/body" || complain 'the page has no heading'
  expect '200 application/json' "$site/debug/state.json"
  expect '200 application/json' "$site/debug/timeline"
  expect '200 application/json' "$site/debug/snapshot"
  if command -v python3 >/dev/null; then
    for path in state.json timeline snapshot; do
      status "$site/debug/$path" >/dev/null
      python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/body" ||
        complain "/debug/$path is no JSON"
    done
  fi
  for path in heap allocs lifetime; do
    expect '200 application/octet-stream' "$site/debug/pprof/$path"
    [ -s "$work/body" ] || complain "/debug/pprof/$path is empty"
  done
  expect '200 application/openmetrics-text' "$site/metrics"
  tail -n 1 "$work/body" | grep -q '^# EOF$' || complain '/metrics has no end'
  grep -q '^dusk_gc_heap_live_bytes' "$work/body" ||
    complain '/metrics has no live heap'
  expect '404 text/plain' "$site/nothing"
  curl -sI "$site/" | grep -qi '^content-security-policy: default-src' ||
    complain 'the page has no policy'
}

check_who() {
  expect 403 -H "Host: evil.example:$port" "$site/"
  expect 403 -H 'Host: 127.0.0.1:1' "$site/"
  expect 403 -H "Host: 127.0.0.1.evil.example:$port" "$site/"
  expect 200 -H "Host: localhost:$port" "$site/"
  expect 403 -H 'Sec-Fetch-Site: cross-site' "$site/debug/snapshot"
  expect 405 -X POST "$site/"
}

check_port() {
  code=0
  "$program" "$port" 1 >"$work/second" 2>&1 || code=$?
  [ "$code" = 1 ] || complain "a port in use: exit status $code"
  grep -q "^dusk: .*port $port .*in use" "$work/second" ||
    complain "a port in use: $(cat "$work/second")"
}

find_browser() {
  for browser in chromium chromium-browser google-chrome; do
    ! command -v "$browser" >/dev/null || return 0
  done
  return 1
}

# The page as it is after some seconds of its own time.
check_page() {
  find_browser || {
    echo 'the page was passed over: no Chromium'
    return
  }
  if ! timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu \
    --disable-dev-shm-usage --user-data-dir="$work/browser" \
    --enable-logging=stderr --virtual-time-budget=15000 --dump-dom "$site/" \
    >"$work/dom" 2>"$work/log"; then
    echo "the page was passed over: $browser does not run here"
    return
  fi
  ! grep 'CONSOLE' "$work/log" || complain 'the browser has complained'
  for id in now heap-plot heap-table pause-plot pause-table assist-plot \
    mmu-plot mmu-table threads sites files; do
    grep -q "id=\"$id\"" "$work/dom" || complain "the page has no $id"
  done
  tr '\n' ' ' <"$work/dom" >"$work/line"
  grep -q '<h1 id="name">inspected</h1>' "$work/line" ||
    complain 'the page does not name the program'
  grep -q '<svg[^>]*aria-labelledby="heap-plot-t' "$work/line" ||
    complain 'the plot of the heap has no name'
  grep -q 'class="curve heap" d="M[0-9]' "$work/line" ||
    complain 'the heap is not drawn'
  grep -q '<rect class="bar"' "$work/line" || complain 'no bar is drawn'
  grep -q '<th[^>]*>thread [1-4]</th>' "$work/line" ||
    complain 'no thread is listed'
  grep -q '<th[^>]*>[^<]*render_page' "$work/line" ||
    complain 'no allocation site is listed'
  grep -q '<p id="trouble" role="status"></p>' "$work/line" ||
    complain "the page says: $(sed -n 's/.*<p id="trouble" role="status">\([^<]*\).*/\1/p' "$work/line")"
}

check_manual() {
  awk '
    /^\.SH/ { inside = $2 == "EXAMPLE" }
    inside && $1 == ".EE" { copying = 0 }
    copying
    inside && $1 == ".EX" { copying = 1 }
  ' "$srcdir/inspector/dusk_inspector_start.3" |
    sed -e 's/\\&//g' -e 's/\\-/-/g' -e 's/\\e/\\/g' >"$work/example.c"
  libs=$(cd "$top_builddir/.libs" && pwd)
  if nm -D "$libs/libdusk.so" | grep -q ' U __\(tsan\|asan\|ubsan\)_'; then
    return # a program links with such a library only if it is such a one
  fi
  # shellcheck disable=SC2086 # CC is a list of words
  if ! $CC -std=c11 -Wall -Wextra -Werror -O2 -I"$srcdir/include" \
    -o "$work/example" "$work/example.c" -L"$libs" -Wl,-rpath,"$libs" \
    -ldusk-inspector -ldusk -pthread; then
    complain 'the EXAMPLE does not compile'
  elif ! timeout 60 "$work/example" >"$work/example.out"; then
    complain 'the EXAMPLE ends badly'
  fi
}

start
check_routes
check_who
check_port
check_page
check_manual
kill -0 "$served" || complain 'the program has ended'
exit "$bad"
