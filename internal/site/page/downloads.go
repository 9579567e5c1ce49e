package page

import (
	"context"
	"errors"
	"sync"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// mostWriting is how many files are written at a time in a process, each with a
// connection to the database.
const mostWriting = 4

var (
	errBusy  = fault.New(fault.Unavailable, "export.busy")
	errOwn   = fault.New(fault.TooMany, "export.own")
	errNewer = fault.New(fault.TooMany, "export.newer")
	errLarge = fault.New(fault.TooLarge, "export.large")
)

// downloads are the files under way in this process. The zero value is none.
type downloads struct {
	mu      sync.Mutex
	of      map[person.ID]*turn
	writing int
	bytes   int64 // of all, in memory and on disk
}

// turn is the one file of an account.
type turn struct {
	ctx   context.Context
	spool spool

	all     *downloads
	who     person.ID
	end     context.CancelCauseFunc
	gone    chan struct{}
	sending bool
}

// enter begins a file of who. One that is being written gives way: whoever asks
// again, by a second click, wants the newer one.
func (d *downloads) enter(ctx context.Context, who person.ID, now func() time.Time) (*turn, error) {
	for {
		t, before, err := d.try(ctx, who)
		switch {
		case err != nil:
			return nil, soonAgain(err, now())
		case t != nil:
			return t, nil
		}
		select {
		case <-before.gone:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// soonAgain says of a brake when to come back.
func soonAgain(f *fault.Fault, now time.Time) error {
	if f.Kind == fault.TooMany {
		return f.Until(now.Add(soon))
	}
	return f
}

// try is enter, or the file that has to give way first.
func (d *downloads) try(ctx context.Context, who person.ID) (t, before *turn, refused *fault.Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before = d.of[who]
	switch {
	case before != nil && before.sending:
		return nil, nil, errOwn
	case before != nil:
		before.end(errNewer)
		return nil, before, nil
	case d.writing == mostWriting:
		return nil, nil, errBusy
	}
	t = &turn{all: d, who: who, gone: make(chan struct{})}
	t.ctx, t.end = context.WithCancelCause(ctx)
	t.spool.all = d
	if d.of == nil {
		d.of = map[person.ID]*turn{}
	}
	d.of[who] = t
	d.writing++
	return t, nil, nil
}

// judge ends the writing, which failed with err or did not. From then on the file
// does not give way.
func (t *turn) judge(err error) error {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if errors.Is(context.Cause(t.ctx), errNewer) {
		return errNewer
	}
	if err != nil {
		return err
	}
	t.sending = true
	t.all.writing--
	return nil
}

// leave ends it for good.
func (t *turn) leave() {
	t.spool.close()
	t.end(nil)
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if !t.sending {
		t.all.writing--
	}
	t.all.bytes -= t.spool.size
	delete(t.all.of, t.who)
	close(t.gone)
}

// grow takes n more bytes of what all files may fill.
func (d *downloads) grow(n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bytes+int64(n) > mostSpooled {
		return errBusy
	}
	d.bytes += int64(n)
	return nil
}
