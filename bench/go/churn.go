// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

type listNode struct {
	next    *listNode
	seal    uint64
	payload [6]uint64
}

// lists is the table of lists.h: whoever takes a list out owns it.
type lists struct {
	table  []atomic.Pointer[listNode]
	length uint64
}

type listSlot = atomic.Pointer[listNode]

func nodeSeal(node *listNode) uint64 {
	return uint64(uintptr(unsafe.Pointer(node))) ^ 0x5EA1ED5EA1ED5EA1
}

func checkNode(node *listNode) {
	if node == nil || node.seal != nodeSeal(node) {
		fail("a list has lost a node")
	}
}

func (l *lists) build() *listNode {
	var head *listNode
	for i := uint64(0); i < l.length; i++ {
		node := &listNode{next: head}
		node.seal = nodeSeal(node)
		head = node
	}
	return head
}

func (l *lists) fill(share, shares uint64) {
	count := uint64(len(l.table))
	for i := count * share / shares; i < count*(share+1)/shares; i++ {
		l.table[i].Store(l.build())
	}
}

func (l *lists) take(random *random) (*listSlot, *listNode) {
	for {
		slot := &l.table[random.below(uint64(len(l.table)))]
		if head := slot.Swap(nil); head != nil {
			return slot, head
		}
	}
}

func walk(node *listNode, steps uint64) *listNode {
	for checkNode(node); steps > 0; steps-- {
		node = node.next
		checkNode(node)
	}
	return node
}

func (l *lists) replace(random *random) {
	slot, old := l.take(random)
	checkNode(old)
	slot.Store(l.build())
}

func (l *lists) rewire(random *random) {
	slot0, head0 := l.take(random)
	slot1, head1 := l.take(random)
	at := random.below(l.length - 1)
	left := walk(head0, at)
	right := walk(head1, at)
	left.next, right.next = right.next, left.next
	slot0.Store(head1)
	slot1.Store(head0)
}

func (l *lists) step(random *random) {
	if random.next()>>63 != 0 {
		l.replace(random)
	} else {
		l.rewire(random)
	}
}

func (l *lists) finish() {
	for i := range l.table {
		if walk(l.table[i].Load(), l.length-1).next != nil {
			fail("a list has grown")
		}
	}
}

func churnFor(l *lists, seed, runNs uint64, h *histogram) float64 {
	random := seeded(seed)
	begun := wallNs()
	last := begun
	for last-begun < runNs {
		l.step(random)
		now := wallNs()
		h.add(now - last)
		last = now
	}
	return float64(h.count) * 1e9 / float64(last-begun)
}

func churn() {
	threads := option("threads", 1, 1, "threads at work")
	live := option("live", 512<<20, 32<<20, "bytes of lists that live")
	length := option("length", 16, 16, "nodes of 64 bytes to a list")
	seconds := option("seconds", 10, 1, "how long")
	seed := option("seed", 1, 1, "of the operations")
	parse()
	l := &lists{make([]listSlot, *live / *length / 64), *length}
	histograms := make([]histogram, *threads)
	rates := make([]float64, *threads)
	var filled, done sync.WaitGroup
	filled.Add(int(*threads) + 1)
	for i := range histograms {
		done.Add(1)
		go func(i int) {
			l.fill(uint64(i), *threads)
			filled.Done()
			filled.Wait()
			rates[i] = churnFor(l, *seed*256+uint64(i), *seconds*1e9, &histograms[i])
			done.Done()
		}(i)
	}
	filled.Done()
	filled.Wait()
	stretch := begin()
	before := cycles()
	done.Wait()
	collections := cycles() - before
	stretch = stretch.end()
	all := new(histogram)
	rate := 0.0
	for i := range histograms {
		all.merge(&histograms[i])
		rate += rates[i]
	}
	figure("ops", rate, "ops/s")
	all.figures()
	figure("cpu", float64(stretch.cpu)/float64(all.count), "ns")
	figurePeak()
	figure("cycles", float64(collections), "cycles")
	l.finish()
}
