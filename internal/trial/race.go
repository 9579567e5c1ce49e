package trial

import (
	"maps"
	"sync"
	"testing"
)

// Race runs f n times at once and counts what said makes of each one's error.
func Race(n int, said func(error) string, f func(i int) error) map[string]int {
	start := make(chan struct{})
	out := make([]string, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			out[i] = said(f(i))
		})
	}
	close(start)
	all.Wait()
	counts := map[string]int{}
	for _, s := range out {
		counts[s]++
	}
	return counts
}

// Expect fails the test unless exactly these outcomes of a race came.
func Expect(t testing.TB, got, want map[string]int) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("got outcomes %v, want %v (\"\" is success)", got, want)
	}
}
