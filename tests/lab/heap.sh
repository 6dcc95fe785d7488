#!/bin/sh
# SPDX-License-Identifier: MIT
# heap.sh -- snapshots from outside: what dusk-lab heap says of two whose
# objects are known (planted.c), an independent reader of the files, and what is
# said of a mistake
#
# The reader is python3's json, where there is one.  It looks at each number,
# and finds by itself what each of the larger objects retains: it takes the
# object out and sees what cannot be reached any more.
set -eu
: "${srcdir:?the top of the source tree}" "${top_builddir:?of the build tree}"
: "${CC:=cc}" "${NM:=nm}"

lab=$(cd "$top_builddir" && pwd)/lab/dusk-lab
libs=$(cd "$top_builddir/.libs" && pwd)
sources=$(cd "$srcdir" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-heap.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
unset DUSK_DEBUG
bad=0

complain() {
  echo "$*"
  bad=1
}

# A program links with a sanitized library only if it is sanitized as well.
sanitize=$($NM -D "$libs/libdusk.so" | awk '
  $1 != "U" { next }
  $NF ~ /^__tsan_/ { kind["thread"] }
  $NF ~ /^__asan_/ { kind["address"] }
  $NF ~ /^__ubsan_/ { kind["undefined"] }
  END { for (k in kind) printf " -fsanitize=%s", k }')

# shellcheck disable=SC2086 # lists of words
$CC -std=c11 -O1 $sanitize -I"$sources/include" -o planted \
  "$sources/tests/lab/planted.c" -L"$libs" -Wl,-rpath,"$libs" -ldusk -pthread
./planted before after

# says LINE ARGUMENT...: with blanks of any number for each of LINE's.
says() {
  line=$1
  shift
  "$lab" heap "$@" >out 2>err || complain "heap $*: $(cat err)"
  tr -s ' ' <out | sed 's/^ //' | grep -qF -e "$line" ||
    complain "heap $*: does not say '$line': $(cat out)"
}

# fails STATUS TEXT ARGUMENT...: in one line that has TEXT in it.
fails() {
  wanted=$1
  text=$2
  shift 2
  status=0
  "$lab" heap "$@" >out 2>err </dev/null || status=$?
  [ "$status" = "$wanted" ] || complain "heap $*: exit status $status"
  grep -qF -e "$text" err || complain "heap $*: '$text' is not in: $(cat err)"
  [ "$(wc -l <err)" = 1 ] || complain "heap $*: says more than a line"
  [ ! -s out ] || complain "heap $*: prints something"
}

says '1021 objects, 114432 bytes' before
says '1046 objects, 95872 bytes' after
says '1000 32000 32000 link' before
says '20 81920 81920 payload' before
says '1 512 82432 table' before
says '30 1920 1920 fresh' after
says '114432 100.0 % root ' before
says '82432 72.0 % table @' before
says '32000 28.0 % link @' before # the whole list, and no other link of it
[ "$(grep -c ' link @' out)" = 1 ] || complain "each link is listed: $(cat out)"
says '0 30 30 0 +1920 fresh' before after
says '20 15 0 5 -20480 payload' before after
says '1021 1046 30 5 -18560 all' before after
says '2 kinds are as they were' before after
says '0 0 +0 all' before before
says '21 more' --top 1 before
says 'usage: dusk-lab heap' --help

fails 2 'one snapshot, or two'
fails 2 'one snapshot, or two' before after before
fails 2 "no option '--bottom'" --bottom before
fails 2 "'0' is not a number" --top 0 before
fails 1 'nowhere: No such file' nowhere
fails 1 'nowhere: No such file' before nowhere
head -c 20000 before >part
fails 1 'part: at byte' part

if ! python3 -c 'import json' 2>/dev/null; then
  echo "no python3: the snapshots are read by nobody else"
  exit $bad
fi
cat >reader.py <<'END'
import json, subprocess, sys
path, lab = sys.argv[1:]
data = json.load(open(path))
head = data["snapshot"]
meta = head["meta"]
width = len(meta["node_fields"])
raw, edges, strings = data["nodes"], data["edges"], data["strings"]
assert len(raw) == head["node_count"] * width
assert len(edges) == head["edge_count"] * 3
assert meta["edge_fields"] == ["type", "name_or_index", "to_node"]
place = {name: i for i, name in enumerate(meta["node_fields"])}
node_types, edge_types = meta["node_types"][0], meta["edge_types"][0]
nodes, at = [], 0
for i in range(0, len(raw), width):
    node = {f: raw[i + place[f]] for f in place}
    node["type"] = node_types[node["type"]]
    node["name"] = strings[node["name"]]
    node["to"] = []
    for e in range(at, at + node["edge_count"]):
        kind, name, to = edges[3 * e:3 * e + 3]
        kind = edge_types[kind]
        assert kind in ("element", "property", "shortcut"), kind
        assert kind != "property" or 0 <= name < len(strings)
        assert to % width == 0 and 0 <= to < len(raw)
        node["to"].append(to // width)
    at += node["edge_count"]
    nodes.append(node)
assert at == head["edge_count"]
assert len({n["id"] for n in nodes}) == len(nodes)
assert nodes[0]["type"] == "synthetic"

def reached(without):
    seen, work = {0}, [0]
    while work:
        for to in nodes[work.pop()]["to"]:
            if to != without and to not in seen:
                seen.add(to)
                work.append(to)
    return seen

everything = reached(None)
assert len(everything) == len(nodes)
total = sum(n["self_size"] for n in nodes)
said = subprocess.run([lab, "heap", path], check=True, text=True,
                      capture_output=True).stdout
assert f"{total} bytes\n" in said
checked = 0
for line in said.splitlines():
    words = line.split()
    if "@" not in line or "%" not in words:
        continue
    number = int(line.split("@")[1].split(",")[0])
    i = next(i for i, n in enumerate(nodes) if n["id"] == number)
    left = reached(i)
    retained = sum(nodes[k]["self_size"] for k in everything - left)
    assert int(words[0]) == retained, (line, retained)
    checked += 1
assert checked > 2
END
for file in before after; do
  python3 reader.py "$file" "$lab" || complain "$file: see above"
done
exit $bad
