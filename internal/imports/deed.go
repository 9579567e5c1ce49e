package imports

import (
	"context"
	"sync"

	"petschaft/internal/person"
)

// underWay are the deeds that this process works on: the same one waits here for the
// end of the first, before it takes any of the room that is its maker's.
type underWay struct {
	mu    sync.Mutex
	deeds map[deed]chan struct{} // closed at the end
}

type deed struct {
	account person.ID
	key     string
}

// enter waits until nobody is at the deed of by, at most as long as ctx lives. What has
// no deed waits for nobody.
func (u *underWay) enter(ctx context.Context, by person.Actor) (leave func(), err error) {
	if by.Deed == nil {
		return func() {}, nil
	}
	d := deed{by.Account, by.Deed.Key}
	for {
		ended := u.claim(d)
		if ended == nil {
			return func() { u.leave(d) }, nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// claim is nil where nobody was at d.
func (u *underWay) claim(d deed) (ended <-chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if ended, busy := u.deeds[d]; busy {
		return ended
	}
	if u.deeds == nil {
		u.deeds = map[deed]chan struct{}{}
	}
	u.deeds[d] = make(chan struct{})
	return nil
}

func (u *underWay) leave(d deed) {
	u.mu.Lock()
	defer u.mu.Unlock()
	close(u.deeds[d])
	delete(u.deeds, d)
}
