// SPDX-License-Identifier: MIT

package main

type storeObject struct{ slots [64]*storeObject }

//go:noinline
func (object *storeObject) fill(value *storeObject) {
	for i := range object.slots {
		object.slots[i] = value
	}
}

var stored *storeObject

func store() {
	count := option("count", 1000000000, 50000000, "stores to time")
	parse()
	object, value := new(storeObject), new(storeObject)
	stored = object
	before := cycles()
	stretch := begin()
	for i := *count / 64; i > 0; i-- {
		object.fill(value)
	}
	stretch = stretch.end()
	if cycles() != before {
		fail("a collection ran")
	}
	stretch.figureEach(*count / 64 * 64)
}
