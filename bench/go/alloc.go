// SPDX-License-Identifier: MIT

package main

import "flag"

type allocObject struct {
	first, second *allocObject
	payload       [6]uint64
}

const anchorCount = 1024

// Sinks are package variables, so that what is stored there escapes.
var (
	dropped   *allocObject
	dropped16 *[2]uint64
	dropped1k *[128]uint64
)

func makeObject(anchors []*allocObject, index uint64) *allocObject {
	return &allocObject{
		first:   anchors[index%anchorCount],
		second:  anchors[(index+1)%anchorCount],
		payload: [6]uint64{index},
	}
}

func timeRing(anchors []*allocObject, count, live uint64) stretch {
	ring := make([]*allocObject, live)
	stretch := begin()
	at := uint64(0)
	for i := uint64(0); i < count; i++ {
		ring[at] = makeObject(anchors, i)
		if at++; at == live {
			at = 0
		}
	}
	stretch = stretch.end()
	for i := uint64(0); i < live && i < count; i++ {
		if ring[i].payload[0]%live != i {
			fail("the ring has lost an object")
		}
	}
	return stretch
}

func timeDrop(anchors []*allocObject, count uint64) stretch {
	stretch := begin()
	for i := uint64(0); i < count; i++ {
		dropped = makeObject(anchors, i)
	}
	return stretch.end()
}

func timeLeaf16(count uint64) stretch {
	stretch := begin()
	for i := uint64(0); i < count; i++ {
		dropped16 = &[2]uint64{i}
	}
	return stretch.end()
}

func timeLeaf1k(count uint64) stretch {
	stretch := begin()
	for i := uint64(0); i < count; i++ {
		dropped1k = new([128]uint64)
		dropped1k[0] = i
	}
	return stretch.end()
}

func alloc() {
	what := flag.String("what", "ring", "ring, drop, leaf16 or leaf1k")
	count := option("count", 50000000, 2000000, "objects to allocate")
	live := option("live", 1000000, 100000, "objects in the ring")
	parse()
	anchors := make([]*allocObject, anchorCount)
	for i := range anchors {
		anchors[i] = new(allocObject)
	}
	var stretch stretch
	switch *what {
	case "ring":
		stretch = timeRing(anchors, *count, *live)
	case "drop":
		stretch = timeDrop(anchors, *count)
	case "leaf16":
		stretch = timeLeaf16(*count)
	case "leaf1k":
		stretch = timeLeaf1k(*count)
	default:
		fail("what is ring, drop, leaf16 or leaf1k")
	}
	stretch.figureEach(*count)
	figurePeak()
}
