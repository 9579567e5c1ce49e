package portal_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

// running is a portal that serves behind a proxy to its database.
type running struct {
	t     *testing.T
	proxy *pgtest.Proxy
	base  string
	stop  func()     // as SIGTERM does
	ended chan error // what Serve and Close came to
	http  *http.Client
}

func run(t *testing.T) *running {
	t.Helper()
	r := &running{t: t, proxy: pgtest.NewProxy(t, pgtest.URL(t)), ended: make(chan error, 1), http: &http.Client{
		Timeout:       45 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	p, err := portal.Open(t.Context(), onDatabase(r.proxy.URL), slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.base = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() {
		err := p.Serve(ctx, l, nil)
		p.Close()
		r.ended <- err
		close(r.ended)
	}()
	t.Cleanup(func() {
		stop()
		r.proxy.Light()
		r.proxy.Cut()
		<-r.ended
	})
	r.many(30, http.StatusUnauthorized) // the pool is full of connections
	return r
}

// post is a call with a token and a body, which the database must know before
// the body is read: net/http does not notice then that a client goes away.
func (r *running) post() (status int, header http.Header) {
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+"/api/v1/email-domains/uni.example/addresses", strings.NewReader(`{"name":"x"}`))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer pts_"+strings.Repeat("x", 43))
	req.Header.Set("Content-Type", "application/json")
	return r.ask(req)
}

// page asks for one with a cookie, so that the session store is asked first.
func (r *running) page() (status int, header http.Header) {
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.base+"/email-domains", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "petschaft", Value: "made-up"})
	return r.ask(req)
}

func (r *running) ask(req *http.Request) (int, http.Header) {
	resp, err := r.http.Do(req)
	if err != nil {
		return 0, nil
	}
	resp.Body.Close()
	return resp.StatusCode, resp.Header
}

// many posts at once, and asks for as many pages; every call answers with one of
// the statuses wanted.
func (r *running) many(n int, want ...int) {
	r.t.Helper()
	var all sync.WaitGroup
	for i := range 2 * n {
		all.Go(func() {
			do := r.post
			if i%2 == 1 {
				do = r.page
			}
			status, header := do()
			if status == http.StatusSeeOther { // the page wants a sign-in
				status = http.StatusUnauthorized
			}
			for _, w := range want {
				if w == status {
					if status == http.StatusServiceUnavailable && header.Get("Retry-After") == "" {
						r.t.Error("got 503 without a time to try again")
					}
					return
				}
			}
			r.t.Errorf("got status %d, want one of %v", status, want)
		})
	}
	all.Wait()
}

// back waits until the portal serves as before and returns how long it took.
func (r *running) back() time.Duration {
	began := time.Now()
	trial.Until(r.t, "the portal serves as before", func() bool {
		req, _ := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.base+"/readyz", nil)
		if status, _ := r.ask(req); status != http.StatusOK {
			return false
		}
		status, _ := r.post()
		return status == http.StatusUnauthorized
	})
	return time.Since(began)
}

// TestConnectionsThatDieSilentlyAreSoonReplaced: a firewall lost its table; the
// database is there all the time.
func TestConnectionsThatDieSilentlyAreSoonReplaced(t *testing.T) {
	t.Parallel()
	r := run(t)
	if n := r.proxy.Swallow(); n < 15 {
		t.Fatalf("got %d connections to swallow, want the pool full", n)
	}
	began := time.Now()
	var calls sync.WaitGroup
	calls.Go(func() { r.many(30, http.StatusUnauthorized, http.StatusServiceUnavailable) })
	if took := r.back(); took > 30*time.Second {
		t.Errorf("the portal was back after %s, want 30 seconds at most", took)
	}
	calls.Wait()
	if took := time.Since(began); took > 32*time.Second {
		t.Errorf("the last call was answered after %s", took)
	}
	r.many(30, http.StatusUnauthorized)
}

// TestAfterASilentOutageItIsBackSoon: nothing answers for a while, not even new
// connections.
func TestAfterASilentOutageItIsBackSoon(t *testing.T) {
	t.Parallel()
	r := run(t)
	r.proxy.Dark()
	var calls sync.WaitGroup
	calls.Go(func() { r.many(30, http.StatusUnauthorized, http.StatusServiceUnavailable) })
	<-time.After(12 * time.Second)
	r.proxy.Light()
	if took := r.back(); took > 30*time.Second {
		t.Errorf("the portal was back %s after its database, want 30 seconds at most", took)
	}
	calls.Wait()
}

// TestStoppingTakesAtMostItsPatience whatever hangs: requests, jobs and the pool.
func TestStoppingTakesAtMostItsPatience(t *testing.T) {
	t.Parallel()
	r := run(t)
	r.proxy.Dark()
	var calls sync.WaitGroup
	for range 30 {
		calls.Go(func() { r.post() })
		calls.Go(func() { r.page() })
	}
	<-time.After(time.Second) // they hang
	began := time.Now()
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(2 * portal.Patience):
	}
	if took := time.Since(began); took > portal.Patience {
		t.Errorf("stopping took %s, want %s at most", took, portal.Patience)
	}
	calls.Wait()
}

// TestAStartWaitsForTheDatabase, and for nothing else.
func TestAStartWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	p := pgtest.NewProxy(t, address)
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	start := func(url string, most time.Duration) (tries int, err error) {
		err = portal.Await(t.Context(), log, most, func(ctx context.Context) error {
			if tries++; tries == 3 {
				p.Light()
			}
			x, err := portal.Open(ctx, onDatabase(url), slog.New(slog.DiscardHandler), time.Now)
			if err == nil {
				x.Close()
			}
			return err
		})
		return tries, err
	}
	p.Refuse()
	if tries, err := start(p.URL, time.Minute); err != nil || tries != 3 {
		t.Errorf("got %v after %d tries, want a start at the third, when the database is there", err, tries)
	}
	if !strings.Contains(said.String(), "waiting for the database") {
		t.Errorf("the log does not say what it waits for: %s", said.String())
	}
	p.Refuse()
	if tries, err := start(p.URL, 0); err == nil || tries > 2 {
		t.Errorf("got %v after %d tries, want the wait to end", err, tries)
	}
	p.Light()
	said.Reset()
	for name, url := range map[string]string{
		"no such database": strings.Replace(address, "/t_", "/no_such_t_", 1),
		"not an address":   "postgres://[",
	} {
		if tries, err := start(url, time.Minute); err == nil || tries != 1 || said.Len() > 0 {
			t.Errorf("%s: got %v after %d tries and %q in the log, want to be told at once", name, err, tries, said.String())
		}
	}
	odd := errors.New("something else")
	if err := portal.Await(t.Context(), log, time.Minute, func(context.Context) error { return odd }); !errors.Is(err, odd) {
		t.Errorf("got %v, want what went wrong", err)
	}
}
