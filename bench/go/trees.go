// SPDX-License-Identifier: MIT

package main

type treeNode struct{ left, right *treeNode }

func buildTree(depth uint64) *treeNode {
	if depth == 0 {
		return &treeNode{}
	}
	return &treeNode{buildTree(depth - 1), buildTree(depth - 1)}
}

func (node *treeNode) size() uint64 {
	if node.left == nil {
		return 1
	}
	return 1 + node.left.size() + node.right.size()
}

func (node *treeNode) check(depth uint64) {
	if node.size() != 2<<depth-1 {
		fail("a tree has lost nodes")
	}
}

func trees() {
	depth := option("depth", 20, 14, "depth of the largest tree")
	parse()
	stretch := begin()
	buildTree(*depth + 1).check(*depth + 1)
	lasting := buildTree(*depth)
	for small := uint64(4); small <= *depth; small += 2 {
		for passes := uint64(1) << (*depth - small + 4); passes > 0; passes-- {
			buildTree(small).check(small)
		}
	}
	lasting.check(*depth)
	stretch = stretch.end()
	figure("cpu", float64(stretch.cpu)/1e9, "s")
	figure("wall", float64(stretch.wall)/1e9, "s")
	figurePeak()
}
