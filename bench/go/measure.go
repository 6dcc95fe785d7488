// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"syscall"
	"time"
)

var start = time.Now()

// wallNs is the monotonic clock.
func wallNs() uint64 { return uint64(time.Since(start)) }

// cpuNs is the processor time of the whole process.
func cpuNs() uint64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err.Error())
	}
	return uint64(usage.Utime.Nano() + usage.Stime.Nano())
}

func peakMiB() float64 {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		fail(err.Error())
	}
	defer status.Close()
	kib := 0.0
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "VmHWM: %f kB", &kib); n == 1 {
			break
		}
	}
	return kib / 1024
}

func cycles() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return uint64(stats.NumGC)
}

// stretch is a begun measurement, then what has passed since.
type stretch struct{ wall, cpu uint64 }

func begin() stretch { return stretch{wallNs(), cpuNs()} }

func (s stretch) end() stretch { return stretch{wallNs() - s.wall, cpuNs() - s.cpu} }

func figure(name string, value float64, unit string) {
	fmt.Printf("%s %.6g %s\n", name, value, unit)
}

func (s stretch) figureEach(count uint64) {
	figure("wall", float64(s.wall)/float64(count), "ns")
	figure("cpu", float64(s.cpu)/float64(count), "ns")
}

func figurePeak() { figure("peak", peakMiB(), "MiB") }

func fail(why string) {
	fmt.Fprintln(os.Stderr, "failed:", why)
	os.Exit(1)
}

// random is the generator of measure.h, with its seeds: all peers do the same.
type random uint64

func seeded(seed uint64) *random {
	z := seed + 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	r := random((z ^ z>>31) | 1)
	return &r
}

func (r *random) next() uint64 {
	x := uint64(*r)
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*r = random(x)
	return x * 0x2545F4914F6CDD1D
}

func (r *random) below(bound uint64) uint64 { return r.next() >> 32 * bound >> 32 }

// histogram is the log-linear one of measure.h: 64 steps to a doubling.
type histogram struct {
	count, worst uint64
	buckets      [(64 - 6 + 1) * 64]uint64
}

func (h *histogram) add(value uint64) {
	shift := 63 - bits.LeadingZeros64(value|64) - 6
	h.count++
	h.buckets[shift<<6+int(value>>shift)]++
	if value > h.worst {
		h.worst = value
	}
}

func (h *histogram) merge(from *histogram) {
	h.count += from.count
	if from.worst > h.worst {
		h.worst = from.worst
	}
	for i, count := range from.buckets {
		h.buckets[i] += count
	}
}

func (h *histogram) percentile(part float64) uint64 {
	above := uint64((1 - part) * float64(h.count))
	seen := uint64(0)
	for i := len(h.buckets) - 1; i >= 0; i-- {
		if seen += h.buckets[i]; seen > above {
			last := uint64(i)
			if i >= 128 {
				last = (uint64(i&63)+65)<<(i>>6-1) - 1
			}
			if last > h.worst {
				last = h.worst
			}
			return last
		}
	}
	return 0
}

func (h *histogram) figures() {
	for _, row := range []struct {
		name string
		part float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}} {
		if (1-row.part)*float64(h.count) < 1 {
			break
		}
		figure(row.name, float64(h.percentile(row.part))/1000, "us")
	}
	figure("worst", float64(h.worst)/1000, "us")
}
