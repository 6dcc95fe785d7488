// SPDX-License-Identifier: MIT

package main

type mapNode struct {
	before           *mapNode
	key, hash, value uint64
}

type openMap struct {
	table     []*mapNode
	last      *mapNode
	count     uint64
	worstCopy uint64
}

func keyHash(key uint64) uint64 {
	hash := (key ^ key>>31) * 0x9E3779B97F4A7C15
	return hash ^ hash>>32
}

func (m *openMap) slot(key, hash uint64) **mapNode {
	mask := uint64(len(m.table) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		node := m.table[at]
		if node == nil || node.hash == hash && node.key == key {
			return &m.table[at]
		}
	}
}

func (m *openMap) grow() {
	begun := wallNs()
	table := make([]*mapNode, len(m.table)*2)
	mask := uint64(len(table) - 1)
	for _, node := range m.table {
		if node == nil {
			continue
		}
		at := node.hash & mask
		for table[at] != nil {
			at = (at + 1) & mask
		}
		table[at] = node
	}
	m.table = table
	if took := wallNs() - begun; took > m.worstCopy {
		m.worstCopy = took
	}
}

func (m *openMap) insert(key, value uint64) {
	if m.count >= uint64(len(m.table))/4*3 {
		m.grow()
	}
	hash := keyHash(key)
	slot := m.slot(key, hash)
	if *slot == nil {
		m.last = &mapNode{before: m.last, key: key, hash: hash}
		*slot = m.last
		m.count++
	}
	(*slot).value = value
}

func (m *openMap) check() {
	found := uint64(0)
	for node := m.last; node != nil; node = node.before {
		if *m.slot(node.key, node.hash) == node {
			found++
		}
	}
	if found != m.count {
		fail("the map has lost a node")
	}
}

func growingMap() {
	count := option("count", 10000000, 500000, "keys to insert")
	seed := option("seed", 1, 1, "of the keys")
	parse()
	random := seeded(*seed)
	h := new(histogram)
	m := &openMap{table: make([]*mapNode, 16)}
	stretch := begin()
	last := wallNs()
	for i := uint64(0); i < *count; i++ {
		m.insert(random.next(), i)
		now := wallNs()
		h.add(now - last)
		last = now
	}
	stretch = stretch.end()
	figure("wall", float64(stretch.wall)/1e9, "s")
	figure("cpu", float64(stretch.cpu)/1e9, "s")
	h.figures()
	figure("copy", float64(m.worstCopy)/1000, "us")
	figurePeak()
	m.check()
}
