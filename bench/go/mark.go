// SPDX-License-Identifier: MIT

package main

import (
	"flag"
	"runtime"
	"runtime/debug"
	"sort"
)

type link struct {
	next  *link
	index uint64
}

type vertex struct {
	next    *vertex
	others  [2]*vertex
	index   uint64
	payload [4]uint64
}

type branch struct{ below [8]*branch }

func shuffle(count uint64, random *random, swap func(i, j uint64)) {
	for i := count - 1; i >= 1; i-- {
		swap(i, random.below(i+1))
	}
}

func buildGraph(count uint64, random *random) *vertex {
	order := make([]*vertex, count)
	for i := range order {
		order[i] = new(vertex)
	}
	shuffle(count, random, func(i, j uint64) {
		order[i], order[j] = order[j], order[i]
	})
	for i, vertex := range order {
		if i+1 < len(order) {
			vertex.next = order[i+1]
		}
		for k := range vertex.others {
			vertex.others[k] = order[random.below(count)]
		}
		vertex.index = uint64(i)
	}
	return order[0]
}

func buildList(count uint64, shuffled bool, random *random) *link {
	order := make([]*link, count)
	for i := range order {
		order[i] = new(link)
	}
	if shuffled {
		shuffle(count, random, func(i, j uint64) {
			order[i], order[j] = order[j], order[i]
		})
	}
	for i, link := range order {
		if i+1 < len(order) {
			link.next = order[i+1]
		}
		link.index = uint64(i)
	}
	return order[0]
}

func buildBranch(levels uint64) *branch {
	branch := new(branch)
	for i := range branch.below {
		if levels > 1 {
			branch.below[i] = buildBranch(levels - 1)
		}
	}
	return branch
}

func (at *vertex) reached() (count uint64) {
	for ; at != nil; at = at.next {
		if at.index == count {
			count++
		}
	}
	return count
}

func (at *link) reached() (count uint64) {
	for ; at != nil; at = at.next {
		if at.index == count {
			count++
		}
	}
	return count
}

func (at *branch) reached() uint64 {
	count := uint64(1)
	for _, below := range at.below {
		if below != nil {
			count += below.reached()
		}
	}
	return count
}

// median sorts, and takes the middle one.
func median(times []uint64) uint64 {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	return times[len(times)/2]
}

func collectRepeatedly(times uint64) stretch {
	wall := make([]uint64, times)
	cpu := make([]uint64, times)
	runtime.GC()
	for i := range wall {
		stretch := begin()
		runtime.GC()
		stretch = stretch.end()
		wall[i], cpu[i] = stretch.wall, stretch.cpu
	}
	return stretch{median(wall), median(cpu)}
}

func mark() {
	shape := flag.String("shape", "graph", "graph, list, shuffled or tree")
	objects := option("objects", 8388608, 500000, "objects of a graph or list")
	levels := option("levels", 9, 7, "levels of a tree")
	collections := option("collections", 5, 3, "collections to time")
	seed := option("seed", 1, 1, "of random orders")
	parse()
	random := seeded(*seed)
	count := *objects
	var first interface{ reached() uint64 }
	percent := debug.SetGCPercent(-1)
	switch *shape {
	case "graph":
		first = buildGraph(count, random)
	case "list", "shuffled":
		first = buildList(count, *shape == "shuffled", random)
	case "tree":
		first = buildBranch(*levels)
		count = 0
		for i := uint64(0); i < *levels; i++ {
			count = 1 + 8*count
		}
	default:
		fail("shape is graph, list, shuffled or tree")
	}
	debug.SetGCPercent(percent)
	stretch := collectRepeatedly(*collections)
	if first.reached() != count {
		fail("objects were lost")
	}
	stretch.figureEach(count)
	figurePeak()
}
