package handover

import (
	"context"
	"sync"

	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// ErrBusy is that too many session passwords are being worked out just now.
var ErrBusy = fault.New(fault.Unavailable, "handover.busy")

// MostWaiting is how many may wait for a session password in a process where the
// book says nothing else, MostOwn how often one account.
const (
	MostWaiting = 16
	MostOwn     = 2
)

// hasher lets one session password be worked out at a time, for each takes 19 MB
// and some hundredths of a second of a processor, and few wait for it. The zero value is one.
type hasher struct {
	mu     sync.Mutex
	inside map[person.ID]int
	all    int

	once sync.Once
	turn chan struct{}
}

// enter takes a place in the queue for what by asks, however many passwords that
// are; ErrBusy when there is none. leave gives it back.
func (h *hasher) enter(by person.ID, most, own int) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all >= most || h.inside[by] >= own {
		return nil, ErrBusy
	}
	if h.inside == nil {
		h.inside = map[person.ID]int{}
	}
	h.all++
	h.inside[by]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all--
		if h.inside[by]--; h.inside[by] == 0 {
			delete(h.inside, by)
		}
	}, nil
}

// alone runs f when nobody else works one out, unless ctx is over before: whoever
// went away costs nothing any more.
func (h *hasher) alone(ctx context.Context, f func() error) error {
	h.once.Do(func() { h.turn = make(chan struct{}, 1) })
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}
