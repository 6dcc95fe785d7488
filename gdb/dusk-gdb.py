# SPDX-License-Identifier: MIT
"""dusk-gdb.py -- looking at a Dusk heap from gdb

    (gdb) source PREFIX/share/dusk/dusk-gdb.py
    (gdb) help dusk

Works on a running program and on a core file.  It reads the library's own
structures, so the library needs its debug information (-g); nothing in the
program is called or changed.

A heap is found by its driver's thread.  Where that fails (a core without
threads), say which: `set $dusk_heap = heap`.
"""
import struct

import gdb

PAGE_LOG2 = 13
GRANULE_LOG2 = 4
PAGE_MARK_WORDS = 8
CLASS_LARGE = 255
STATES = ("free", "cached", "listed", "full", "large")
THREAD_STATES = ("detached", "in heap", "outside", "served")
PHASES = ("idle", "start", "mark", "end", "census")
READINGS = ("leaf", "conservative", "layout", "trace")


def read_bytes(address, count):
    return bytes(gdb.selected_inferior().read_memory(int(address), count))


def read_word(address, bytes_=8):
    return int.from_bytes(read_bytes(address, bytes_), "little")


def in_kib(count):
    return "%.1f MiB" % (count / 1048576.0) if count >= 1 << 20 else "%d KiB" % (
        (count + 1023) // 1024
    )


def table(rows):
    """Prints rows of cells; numbers stand to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row, original in zip(cells, rows):
        line = [
            cell.rjust(width) if isinstance(value, int) else cell.ljust(width)
            for cell, width, value in zip(row, widths, original)
        ]
        print("  ".join(line).rstrip())


def plural(count, what):
    return "%d %s%s" % (count, what, "" if count == 1 else "s")


class Heap:
    """A dusk_heap, and what its tables say."""

    def __init__(self, value):
        self.value = value
        self.collector = value["collector"]
        self.arena = self.collector["arena"]
        self.base = int(self.arena["base"])
        self.end = int(self.arena["end"])
        self.epoch = int(self.collector["registry"]["joining"]["epoch"])

    def address(self):
        return int(self.value.address)

    def page_address(self, page):
        return self.base + (page << PAGE_LOG2)

    def heads(self):
        """The pages where spans in use begin."""
        count = (self.end + 63) // 64
        if not count:
            return
        words = struct.unpack("<%dQ" % count, read_bytes(self.arena["heads"], 8 * count))
        for i, word in enumerate(words):
            while word:
                low = word & -word
                yield i * 64 + low.bit_length() - 1
                word ^= low

    def span(self, page):
        return self.arena["spans"][page]

    def span_of(self, address):
        """The head page of the span that holds the address, or None."""
        page = (address - self.base) >> PAGE_LOG2
        if address < self.base or page >= self.end:
            return None
        info = read_word(int(self.arena["info"]) + 8 * page)
        return info & 0xFFFFFFFF if info else None

    def bitmap(self, role):
        """0: what is allocated in the threads' epoch; 1: the other one."""
        return int(self.arena["marks"][(self.epoch + role) & 1])

    def bit(self, role, address):
        granule = (address - self.base) >> GRANULE_LOG2
        word = read_word(self.bitmap(role) + 8 * (granule >> 6))
        return word >> (granule & 63) & 1

    def bits_of(self, role, page, pages):
        raw = read_bytes(self.bitmap(role) + 64 * page, 64 * pages)
        return bin(int.from_bytes(raw, "little")).count("1")

    def kind_name(self, kind):
        value = self.arena["kinds"]["table"][kind]
        name = value["name"]
        how = int(value["scan"])
        shown = name.string() if int(name) else "kind %d" % kind
        return "%s (%s)" % (shown, READINGS[how] if how < 4 else how)

    def threads(self):
        thread = self.collector["registry"]["first"]
        while int(thread):
            yield thread.dereference()
            thread = thread["next"]


def heap_of_frame(frame):
    """The heap that the frame belongs to, if it is one of the collector's."""
    for name in ("heap", "collector", "argument"):
        try:
            value = frame.read_var(name)
        except (ValueError, gdb.error):
            continue
        if value.is_optimized_out or not int(value):
            continue
        # A heap begins with its collector.
        return value.cast(gdb.lookup_type("struct dusk_heap").pointer()).dereference()
    return None


COLLECTOR_FRAMES = ("driver_main", "cycle_next", "cycle_mark", "cycle_sweep")


def heaps_of_thread():
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.name() in COLLECTOR_FRAMES:
            heap = heap_of_frame(frame)
            if heap is not None:
                yield heap
                return
        frame = frame.older()


def find_heaps():
    """All heaps of the process, in the order of their driver's threads."""
    given = gdb.convenience_variable("dusk_heap")
    if given is not None and int(given):
        kind = gdb.lookup_type("struct dusk_heap").pointer()
        return [Heap(given.cast(kind).dereference())]
    found = {}
    selected = gdb.selected_thread()
    frame = gdb.selected_frame() if selected else None
    try:
        for thread in sorted(gdb.selected_inferior().threads(), key=lambda t: t.num):
            thread.switch()
            for heap in heaps_of_thread():
                found.setdefault(int(heap.address), Heap(heap))
    finally:
        if selected:
            selected.switch()
            frame.select()
    if not found:
        raise gdb.GdbError(
            "no heap found: is the program running, and the library built "
            "with -g?  (or: set $dusk_heap = HEAP)"
        )
    return list(found.values())


def function_block(block):
    """The nearest block that is a function's, from this one outwards."""
    while block is not None and block.function is None:
        block = block.superblock
    return block


def symbol_at(pc):
    """ "function at file:line" of a return address."""
    block = function_block(gdb.block_for_pc(pc - 1))
    where = gdb.find_pc_line(pc - 1)
    # What is inlined into another function lies within its block.  The line is
    # one of <dusk/alloc.h> then; the caller's beginning says more.
    while block is not None and block.function.name.startswith("dusk_"):
        caller = function_block(block.superblock)
        if caller is None:
            break
        block = caller
        where = block.function
    name = block.function.name if block is not None else None
    if name is None:
        text = gdb.execute("info symbol 0x%x" % pc, to_string=True).strip()
        return text.split(" in section")[0]
    if where.symtab is None:
        return name
    return "%s at %s:%d" % (name, where.symtab.filename, where.line)


class DuskPrefix(gdb.Command):
    """What a Dusk heap holds: heap, object, spans, threads.

    `help dusk heap` and so on say more.  $dusk_heap, if it is set, is the heap
    that they tell of; otherwise they find all of the process."""

    def __init__(self):
        super().__init__("dusk", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class DuskHeap(gdb.Command):
    """Each heap in a few lines: memory, live bytes, the cycle's phase, settings.

    Usage: dusk heap"""

    def __init__(self):
        super().__init__("dusk heap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        for heap in find_heaps():
            self.show(heap)

    def show(self, heap):
        arena, collector = heap.arena, heap.collector
        pages, flow = arena["pages"], arena["flow"]
        live = sum(int(flow["taken"][i]) for i in (0, 1)) + int(flow["counted"])
        phase = int(collector["phase"])
        modes = [
            name
            for name in ("careful", "poison", "efence", "watched")
            if int(arena[name])
        ]
        if int(arena["origins"]):
            modes.append("origins")
        in_use = int(pages["in_use"]) << PAGE_LOG2
        print("heap 0x%x" % heap.address())
        rows = [
            ["addresses", "0x%x to 0x%x" % (heap.base, heap.page_address(heap.end))],
            ["in spans", in_kib(in_use)],
            ["free, with memory", in_kib(int(pages["idle_dirty"]) << PAGE_LOG2)],
            ["counts as live", in_kib(live)],
            ["next cycle at", self.trigger(collector)],
            ["phase", PHASES[phase] if phase < len(PHASES) else str(phase)],
            ["cycles", "%d begun, %d finished" % (
                int(collector["begun"]), int(collector["finished"]))],
            ["threads", "%d attached" % int(collector["registry"]["attached"])],
            ["kinds", str(int(arena["kinds"]["count"]))],
            ["debug", " ".join(modes) or "nothing"],
        ]
        table([["  " + name, value] for name, value in rows])

    def trigger(self, collector):
        trigger = int(collector["pacing"]["trigger"])
        return "never by itself" if trigger == 2**64 - 1 else in_kib(trigger)


class DuskObject(gdb.Command):
    """The object that an address points into, or why there is none.

    Usage: dusk object ADDRESS

    Says where it starts, its size, kind and span, whether it is allocated and
    marked, and, with DUSK_DEBUG=origins=1, the stack that allocated it."""

    def __init__(self):
        super().__init__("dusk object", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument.strip():
            raise gdb.GdbError("Usage: dusk object ADDRESS")
        address = int(gdb.parse_and_eval(argument)) & (2**64 - 1)
        for heap in find_heaps():
            if heap.base <= address < heap.base + int(heap.arena["bytes"]):
                return self.show(heap, address)
        print("0x%x is in no heap" % address)

    def show(self, heap, address):
        page = heap.span_of(address)
        if page is None:
            print("0x%x is in heap 0x%x, in a page that is not in use" % (
                address, heap.address()))
            return
        span = heap.span(page)
        start = heap.page_address(page)
        size = int(span["size"])
        bytes_ = size or int(span["pages"]) << PAGE_LOG2
        slot = (address - start) // size if size else 0
        if slot >= int(span["slots"]):
            print("0x%x is behind the last slot of the span at 0x%x" % (address, start))
            return
        start += slot * size
        rows = [
            ["start", "0x%x" % start + (
                " (%d bytes before)" % (address - start) if address != start else "")],
            ["size", "%d bytes" % bytes_],
            ["kind", heap.kind_name(int(span["kind"]))],
            ["span", "page %d, slot %d of %d, %s" % (
                page, slot, int(span["slots"]), STATES[int(span["state"])])],
            ["state", self.state(heap, span, start)],
        ]
        print("object at 0x%x" % start)
        table([["  " + name, value] for name, value in rows])
        self.show_origin(heap, start)

    def state(self, heap, span, start):
        allocated = heap.bit(0, start)
        marked = heap.bit(1, start)
        state = STATES[int(span["state"])]
        if allocated or marked:
            return "allocated%s" % (", marked in this cycle" if marked else "")
        if state == "cached":
            return "handed out lately, or free: its thread has not said yet"
        return "free"

    def show_origin(self, heap, start):
        origins = heap.arena["origins"]
        if not int(origins):
            return
        granule = (start - heap.base) >> GRANULE_LOG2
        if granule >> (PAGE_LOG2 - GRANULE_LOG2) >= int(origins["usable"]):
            return
        number = read_word(int(origins["table"]) + 4 * granule, 4)
        if not number:
            print("  allocated by a stack that is not known")
            return
        # struct stack: below, count, hash, pcs.
        at = int(origins["depot"]["units"]) + 8 * number
        count = read_word(at + 4, 4)
        print("  allocated by")
        for i in range(count):
            print("    #%-2d %s" % (i, symbol_at(read_word(at + 16 + 8 * i))))


class DuskSpans(gdb.Command):
    """The spans by kind and size: how many, how full, in which state.

    Usage: dusk spans"""

    def __init__(self):
        super().__init__("dusk spans", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        for heap in find_heaps():
            print("heap 0x%x" % heap.address())
            table(self.rows(heap))

    def rows(self, heap):
        sums = {}
        for page in heap.heads():
            span = heap.span(page)
            large = int(span["size_class"]) == CLASS_LARGE
            key = (int(span["kind"]), 2**32 if large else int(span["size"]))
            row = sums.setdefault(key, [0, 0, 0, 0] + [0] * len(STATES))
            row[0] += 1
            row[1] += int(span["pages"])
            row[2] += int(span["slots"])
            row[3] += int(span["allocated"])
            row[4 + int(span["state"])] += 1
        rows = [["kind", "size", "spans", "pages", "slots", "taken"] + list(STATES[1:])]
        for (kind, size), row in sorted(sums.items()):
            shown = "large" if size == 2**32 else size
            rows.append([heap.kind_name(kind), shown] + row[:4] + row[5:])
        total = [sum(row[i] for row in sums.values()) for i in range(4 + len(STATES))]
        rows.append(["all", ""] + total[:4] + total[5:])
        return rows


class DuskThreads(gdb.Command):
    """The attached threads: where each is, its epoch, and what it holds.

    Usage: dusk threads

    `owes`: has not served the handshake that is under way."""

    def __init__(self):
        super().__init__("dusk threads", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        numbers = self.numbers()
        for heap in find_heaps():
            print("heap 0x%x" % heap.address())
            rows = [["gdb", "thread", "state", "epoch", "barrier", "colour", "owes",
                     "spans held"]]
            for thread in heap.threads():
                rows.append(self.row(heap, thread, numbers))
            table(rows)

    def numbers(self):
        """gdb's numbers of threads, by pthread_t."""
        found = {}
        for thread in gdb.selected_inferior().threads():
            try:
                found[int.from_bytes(thread.handle(), "little")] = thread.num
            except gdb.error:
                pass
        return found

    def row(self, heap, thread, numbers):
        held, page = 0, int(thread["held"])
        while page and held < heap.end:
            held += 1
            page = int(heap.span(page)["next"])
        state = int(thread["state"])
        served = int(thread["served"]) == int(heap.collector["registry"]["round"])
        return [
            numbers.get(int(thread["self"]), "?"),
            "0x%x" % int(thread.address),
            THREAD_STATES[state] if state < len(THREAD_STATES) else str(state),
            int(thread["epoch"]),
            "on" if int(thread["abi"]["barrier"]) else "off",
            "black" if int(thread["black"]) else "white",
            "" if served else "yes",
            held,
        ]


for command in (DuskPrefix, DuskHeap, DuskObject, DuskSpans, DuskThreads):
    command()
