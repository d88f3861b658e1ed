// Command errgroup measures golang.org/x/sync/errgroup as src/bin/group measures the others:
// goroutines of a group that wait for its context, which is cancelled, and Wait.
//
// It prints one line of JSON: nanoseconds to start each and to stop and join each, or with -count the
// bytes that each holds. Those are runtime.MemStats.HeapAlloc (live objects, after a collection) and
// StackInuse (the spans that stacks are in), now less before; GC metadata is not in it. Stacks come by
// the span, so groups are held side by side until there are a thousand goroutines at least.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// enough goroutines to weigh spans by.
const enough = 1000

type sample struct {
	Start float64 `json:"start"`
	Stop  float64 `json:"stop"`
	Bytes float64 `json:"bytes"`
}

// muster counts the goroutines of a group that wait, and tells of the last. It is no part of the
// group: made before, and used again.
type muster struct {
	waiting int64
	all     chan struct{}
}

func newMuster() *muster {
	return &muster{all: make(chan struct{}, 1)}
}

// group is one whose goroutines all wait.
type group struct {
	stop   context.CancelFunc
	wait   func() error
	muster *muster
}

func start(services int, m *muster) group {
	parent, stop := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(parent)
	for i := 0; i < services; i++ {
		g.Go(func() error {
			if atomic.AddInt64(&m.waiting, 1) == int64(services) {
				m.all <- struct{}{}
			}
			<-ctx.Done()
			atomic.AddInt64(&m.waiting, -1)
			return nil
		})
	}
	<-m.all
	return group{stop, g.Wait, m}
}

func (g group) join() {
	g.stop()
	if err := g.wait(); err != nil {
		fail(err)
	}
	if left := atomic.LoadInt64(&g.muster.waiting); left != 0 {
		fail(fmt.Errorf("%d services were not joined", left))
	}
}

// measure times groups one after the other, with one more before them to warm up.
func measure(services, groups int) sample {
	var starts, stops time.Duration
	m := newMuster()
	start(services, m).join()
	for i := 0; i < groups; i++ {
		began := time.Now()
		g := start(services, m)
		started := time.Now()
		g.join()
		starts += started.Sub(began)
		stops += time.Since(started)
	}
	each := float64(services * groups)
	return sample{Start: float64(starts.Nanoseconds()) / each, Stop: float64(stops.Nanoseconds()) / each}
}

func held() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc + stats.StackInuse
}

// weigh tells the bytes of each service while it waits.
func weigh(services int) sample {
	count := 1
	if services < enough {
		count = (enough + services - 1) / services
	}
	groups, musters := make([]group, count), make([]*muster, count)
	for i := range musters {
		musters[i] = newMuster()
	}
	before := held()
	for i := range groups {
		groups[i] = start(services, musters[i])
	}
	bytes := float64(int64(held()-before)) / float64(services*count)
	for _, g := range groups {
		g.join()
	}
	return sample{Bytes: bytes}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "errgroup:", err)
	os.Exit(1)
}

func main() {
	services := flag.Int("services", 1000, "how many services a group has")
	groups := flag.Int("groups", 1, "how many groups to measure, one after the other")
	threads := flag.Int("threads", 1, "how many threads run goroutines")
	count := flag.Bool("count", false, "tell bytes, not times")
	limit := flag.Duration("limit", 2*time.Minute, "when to give up")
	flag.Parse()
	runtime.GOMAXPROCS(*threads)
	time.AfterFunc(*limit, func() { fail(fmt.Errorf("not done after %v", *limit)) })

	result := sample{}
	if *count {
		result = weigh(*services)
	} else {
		result = measure(*services, *groups)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}
