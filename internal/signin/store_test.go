package signin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// TestSessionsKnowOneClock: the portal's, however far it is from the machine's.
func TestSessionsKnowOneClock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"months ahead": 180 * 24 * time.Hour, "months behind": -180 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.clock.Advance(off)
			b := w.browser()
			b.signIn(ada().Sub)
			trial.Must(0, w.desk.tidy(t.Context()))
			b.mustBe(ada().Name, "after the sessions were tidied")
			for range 20 {
				w.clock.Advance(29 * time.Minute)
				trial.Must(0, w.desk.tidy(t.Context()))
				b.mustBe(ada().Name, "half an hour later")
			}
			w.clock.Advance(21 * time.Minute)
			b.mustBe("", "after ten hours")
			trial.Must(0, w.desk.tidy(t.Context()))
			if n := w.number(`select count(*) from sessions where data is not null and expiry < $1`, w.clock.Now()); n != 0 {
				t.Errorf("got %d sessions that are over, want them gone", n)
			}
		})
	}
}

// TestASessionIsReadWithinTheRequestsTime: every way of the store to the
// database ends when its request does.
func TestASessionIsReadWithinTheRequestsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := pgtest.NewProxy(t, w.db.Config().ConnString())
	far, err := postgres.Open(t.Context(), p.URL)
	trial.Must(0, err)
	t.Cleanup(far.Close)
	failed := make(chan error, 1)
	desk := trial.Must(New(w.desk.cfg, far, w.people, w.sealer, w.clock.Now, w.desk.log))
	s := store{far, w.clock.Now}
	for name, do := range map[string]func(ctx context.Context) error{
		"find":   func(ctx context.Context) error { _, _, err := s.FindCtx(ctx, "x"); return err },
		"commit": func(ctx context.Context) error { return s.CommitCtx(ctx, "x", []byte("y"), time.Now().Add(time.Hour)) },
		"delete": func(ctx context.Context) error { return s.DeleteCtx(ctx, "x") },
		"a page": func(ctx context.Context) error {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/me", nil)
			r.AddCookie(&http.Cookie{Name: "petschaft", Value: "x"})
			fail := func(_ http.ResponseWriter, _ *http.Request, err error) { failed <- err }
			desk.Load(fail)(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
			return <-failed
		},
	} {
		p.Light()
		trial.Must(0, far.Ping(t.Context()))
		p.Dark()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		began := time.Now()
		err := do(ctx)
		cancel()
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || !fault.Is(postgres.Fault(err), fault.Unavailable) || took > 5*time.Second {
			t.Errorf("%s: got %v after %s, want the request's own deadline", name, err, took)
		}
	}
}
