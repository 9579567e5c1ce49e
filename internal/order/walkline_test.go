package order_test

import (
	"context"
	"sync"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/pki"
)

// line is the way to a pretend authority. What hangs on it is cut once the authority
// has done what it does, so that no test waits.
type line struct {
	*catest.Client
	s *catest.Server

	mu        sync.Mutex
	mode      catest.Mode
	revoking  catest.Mode
	during    func()          // is done while the next answer is on its way
	forgotten map[string]bool // by DER: what the authority signed and does not know any more
}

func newLine(s *catest.Server) *line {
	return &line{Client: s.Client(), s: s, forgotten: map[string]bool{}}
}

// treats sets how all calls to come are treated.
func (l *line) treats(issuing, revoking catest.Mode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mode, l.revoking = issuing, revoking
	l.s.Always(issuing)
	l.s.AlwaysRevoke(revoking)
}

// meanwhile has f done during the next call.
func (l *line) meanwhile(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.during = f
}

func (l *line) Ask(ctx context.Context, r pki.Request) (pki.Answer, error) {
	l.mu.Lock()
	if l.mode == catest.Forgetful {
		for _, der := range l.s.Certificates(r.Intent) {
			l.forgotten[string(der)] = true // unless it is recorded
		}
	}
	mode := l.mode
	l.mu.Unlock()
	return l.call(ctx, mode, l.s.Came, func(ctx context.Context) (pki.Answer, error) { return l.Client.Ask(ctx, r) })
}

func (l *line) Collect(ctx context.Context, r pki.Request, ref string) (pki.Answer, error) {
	l.mu.Lock()
	mode := l.mode
	l.mu.Unlock()
	return l.call(ctx, mode, l.s.CameCollect, func(ctx context.Context) (pki.Answer, error) { return l.Client.Collect(ctx, r, ref) })
}

func (l *line) Revoke(ctx context.Context, c pki.Certificate, why pki.Reason) (pki.Answer, error) {
	l.mu.Lock()
	mode := l.revoking
	l.mu.Unlock()
	return l.call(ctx, mode, l.s.CameRevoke, func(ctx context.Context) (pki.Answer, error) { return l.Client.Revoke(ctx, c, why) })
}

func (l *line) call(ctx context.Context, mode catest.Mode, came func(context.Context) (int64, error), ask func(context.Context) (pki.Answer, error)) (a pki.Answer, err error) {
	cut, cancel := context.WithCancel(ctx)
	defer cancel()
	there, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	if mode == catest.Slow || mode == catest.Hanging {
		go func() {
			defer cancel()
			came(there) // or the test says that it waits in vain
		}()
		a, err = ask(cut)
	} else {
		a, err = ask(ctx)
		came(there)
	}
	l.mu.Lock()
	f := l.during
	l.during = nil
	l.mu.Unlock()
	if f != nil {
		f()
	}
	return a, err
}
