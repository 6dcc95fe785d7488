// SPDX-License-Identifier: MIT

package main

func push() {
	count := option("count", 10000000, 500000, "messages to push")
	window := option("window", 200000, 20000, "messages that live")
	bytes := option("bytes", 1024, 1024, "size of a message")
	parse()
	slots := make([][]byte, *window)
	pushOne := func(index uint64) {
		message := make([]byte, *bytes)
		message[0] = byte(index)
		for filled := 1; filled < len(message); filled *= 2 {
			copy(message[filled:], message[:filled])
		}
		slots[index%*window] = message
	}
	for i := uint64(0); i < *window; i++ {
		pushOne(i)
	}
	h := new(histogram)
	stretch := begin()
	last := wallNs()
	for i := *window; i < *window+*count; i++ {
		pushOne(i)
		now := wallNs()
		h.add(now - last)
		last = now
	}
	stretch = stretch.end()
	for i := *count; i < *window+*count; i++ {
		message := slots[i%*window]
		if message[0] != byte(i) || message[*bytes-1] != byte(i) {
			fail("a message was overwritten")
		}
	}
	figure("ops", float64(*count)*1e9/float64(stretch.wall), "ops/s")
	h.figures()
	figurePeak()
}
