// SPDX-License-Identifier: MIT

// The Go twins of the C programs beside this folder: the same work, the same
// options, the same figures, in one binary:
//
//	bench trees --depth=20
//
// Where C frees by hand Go drops, and where a C program waits in a blocking
// region Go just waits; nothing else differs.
package main

import (
	"flag"
	"fmt"
	"os"
)

var programs = map[string]func(){
	"trees": trees,
	"alloc": alloc,
	"mark":  mark,
	"churn": churn,
	"push":  push,
	"store": store,
	"map":   growingMap,
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fail("usage: bench alloc|churn|map|mark|push|store|trees [options]")
	}
	run := programs[os.Args[1]]
	os.Args = os.Args[1:]
	run()
}

// size is a number on the command line that --quick makes smaller.
type size struct {
	name  string
	value *uint64
	quick uint64
}

var (
	sizes []size
	quick = flag.Bool("quick", false, "small sizes, to try it")
)

func option(name string, value, quick uint64, help string) *uint64 {
	at := flag.Uint64(name, value, help)
	sizes = append(sizes, size{name, at, quick})
	return at
}

// parse reads the command line and prints the line for human readers.
func parse() {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, size := range sizes {
		if *quick && !given[size.name] {
			*size.value = size.quick
		}
	}
	fmt.Printf("# %s go", os.Args[0])
	flag.VisitAll(func(f *flag.Flag) {
		if f.Name != "quick" {
			fmt.Printf(" %s=%s", f.Name, f.Value)
		}
	})
	fmt.Println()
}
