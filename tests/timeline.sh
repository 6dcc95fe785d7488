#!/bin/sh
# SPDX-License-Identifier: MIT
# timeline.sh -- what dusk_write_timeline() writes, read by Python's JSON parser
#
#   - it is JSON, and has what the Trace Event Format asks for
#   - spans of a track lie inside each other or apart, and are none too long
#   - names are those of events.def, and each track has one
#   - the longest service of each cycle, over all cycles, is what dusk_memstats
#     has as pause_total_ns
#   - phases and handshakes of a cycle are in it, in their order
#
# Passed over where there is no Python 3.
set -eu
: "${srcdir:?the top of the source tree}" "${top_builddir:?of the build tree}"

program=$top_builddir/tests/api/timeline
if ! python3 -c 'import json' 2>/dev/null || [ ! -x "$program" ]; then
  echo 'passed over: no python3, or no program'
  exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-timeline.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$program" "$work/json" "$work/stats"

python3 - "$srcdir/runtime/event/events.def" "$work/json" "$work/stats" <<'END'
import collections, fractions, json, re, sys

def fail(*words):
    sys.exit("timeline.sh: " + " ".join(str(word) for word in words))

def check(condition, *words):
    if not condition:
        fail(*words)

# The name that is shown, and its form.
forms = {shown: form for form, shown in re.findall(
    r'^EVENT\(\w+, (\w+), "([^"]*)"', open(sys.argv[1]).read(), re.M)}
with open(sys.argv[2]) as file:
    trace = json.load(file, parse_float=fractions.Fraction)
cycles, pause_total = map(int, open(sys.argv[3]).read().split())
events = trace["traceEvents"]
check(trace["otherData"]["overwritten"] == 0, "the rings are too small")
check(len(forms) > 20, "events.def is read wrongly")

def ns(us):
    time = us * 1000
    check(time.denominator == 1 if isinstance(time, fractions.Fraction) else True,
          us, "is no number of nanoseconds")
    return int(time)

tracks = collections.defaultdict(list)
names = {}
arrows = collections.defaultdict(dict)
for event in events:
    check(isinstance(event["tid"], int) and event["pid"] == events[0]["pid"], event)
    kind = event["ph"]
    if kind == "M":
        if event["name"] == "thread_name":
            names[event["tid"]] = event["args"]["name"]
        continue
    start = ns(event["ts"])
    check(start >= 0, "too early:", event)
    if kind in "sf":
        check(kind not in arrows[event["id"]], "twice:", event)
        arrows[event["id"]][kind] = (start, event["tid"])
        continue
    check(forms.get(event["name"]) == {"X": "SPAN", "i": "INSTANT", "C": "COUNTER"}[kind],
          "unknown:", event)
    if kind == "C":
        check(0 <= event["args"]["bytes"] < 1 << 40, event)
    if kind == "X":
        check(event["dur"] >= 0, event)
        tracks[event["tid"]].append((start, start + ns(event["dur"]), event))

for tid, spans in tracks.items():
    check(tid in names, "no name:", tid)
    open_ends = []
    for start, end, event in spans:
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        check(not open_ends or end <= open_ends[-1], "half in:", event)
        open_ends.append(end)
    starts = [start for start, end, event in spans]
    check(starts == sorted(starts), "out of order:", tid)
for tid in names:
    check(re.fullmatch(r"driver|scavenger|(idle )?worker \d+|thread \d+", names[tid]), names[tid])
check(sorted(names.values())[0] == "driver", names)
check(sum(name.startswith("thread") for name in names.values()) >= 3, names)

driver = tracks[1]
rounds = {event["args"]["round"]: (event["args"]["cycle"], start)
          for start, end, event in driver if re.fullmatch("H[1-4]b?", event["name"])}
longest = collections.Counter()
services = 0
for spans in tracks.values():
    for start, end, event in spans:
        if event["name"] == "service":
            services += 1
            cycle, posted = rounds[event["args"]["round"]]
            check(start >= posted, "before its handshake:", event)
            longest[cycle] = max(longest[cycle], end - start)
check(services and sum(longest.values()) == pause_total,
      sum(longest.values()), "ns of pauses, not", pause_total)
check(len(arrows) == services, len(arrows), "arrows for", services, "services")
for arrow in arrows.values():
    check(arrow["s"][0] <= arrow["f"][0] and arrow["s"][1] == 1, arrow)

order = "H1 H1b H2 mark (H3 )+H4 census "
whole = [(start, end) for start, end, event in driver if event["name"] == "cycle"]
check(len(whole) == cycles and cycles > 3, len(whole), "cycles, not", cycles)
for first, last in whole:
    inside = "".join(event["name"] + " " for start, end, event in driver
                     if first <= start and end <= last and
                     re.fullmatch("H[1-4]b?|mark|census", event["name"]))
    check(re.fullmatch(order, inside), "a cycle is", inside)
print(len(events), "events,", cycles, "cycles,", services, "services,", pause_total, "ns")
END
