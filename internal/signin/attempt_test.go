package signin

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"petschaft/internal/trial"
)

// fromHeader lets each request come from the address in its header.
func fromHeader(c *Config) {
	c.ClientIP = func(r *http.Request) netip.Addr { return trial.Must(netip.ParseAddr(r.Header.Get("From-Address"))) }
}

// begins begins n sign-ins from an address, each in a new browser, and counts what
// became of them.
func (w *world) begins(n int, from string) map[string]int {
	got := map[string]int{}
	for range n {
		r := trial.Must(http.NewRequest(http.MethodGet, w.app.URL+"/signin", nil))
		r.Header.Set("From-Address", from)
		res := trial.Must(w.browser().Do(r))
		res.Body.Close()
		got[res.Header.Get("Fault")]++
	}
	return got
}

// A flood of sign-ins that nobody goes on with: it leaves nothing after ten
// minutes, asks the provider once, and is braked by the network that it comes from.
func TestAFloodOfSignInsIsBrakedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fromHeader, func(c *Config) { c.PerMinute = 20 })
	trial.Expect(t, w.begins(25, "192.0.2.1"), map[string]int{"": 20, "too many signin.braked": 5})
	trial.Expect(t, w.begins(5, "192.0.2.2"), map[string]int{"": 5})
	trial.Expect(t, w.begins(20, "2001:db8:1:2::1"), map[string]int{"": 20})
	trial.Expect(t, w.begins(1, "2001:db8:1:2:ffff::9"), map[string]int{"too many signin.braked": 1})
	trial.Expect(t, w.begins(1, "2001:db8:1:3::1"), map[string]int{"": 1})
	if n := w.asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the provider's document was asked for %d times, want once", n)
	}
	if n := w.number(`select count(*) from sessions`); n != 46 {
		t.Errorf("got %d sessions, want one for each that was let in", n)
	}
	if n := w.number(`select count(*) from sessions where expiry > $1`, w.clock.Now().Add(attemptLife+time.Second)); n != 0 {
		t.Errorf("%d of them live longer than ten minutes", n)
	}
	w.clock.Advance(time.Minute)
	trial.Expect(t, w.begins(1, "192.0.2.1"), map[string]int{"": 1})
	w.clock.Advance(attemptLife + time.Second)
	trial.Must(0, w.desk.tidy(t.Context()))
	if n := w.number(`select count(*) from sessions`); n != 0 {
		t.Errorf("%d sessions are left of them", n)
	}
}

func TestOfFiftySignInsAtOnceAsManyBeginAsAreLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.PerMinute = 20 })
	got := trial.Race(50, error.Error, func(int) error {
		res, err := w.browser().Get(w.app.URL + "/signin")
		if err != nil {
			return err
		}
		res.Body.Close()
		return fmt.Errorf("%d %s", res.StatusCode, res.Header.Get("Fault"))
	})
	trial.Expect(t, got, map[string]int{"303 ": 20, "418 too many signin.braked": 30})
}

// The provider is asked anew after half a minute, so that whoever comes later
// hears that it is away.
func TestTheProviderIsAskedAnewAfterHalfAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.browser().begin("/")
	w.clock.Advance(heard)
	w.provider.SetDown(true)
	wantFault(t, w.browser().get("/signin"), "unavailable signin.provider_down")
}

// What else a browser keeps lives as long as before, whether it came before or
// after a sign-in was begun; so does whoever signed in.
func TestOnlyABegunSignInIsShortLived(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := func(what string) {
		t.Helper()
		w.clock.Advance(attemptLife + time.Minute)
		trial.Must(0, w.desk.tidy(t.Context()))
		if n := w.number(`select count(*) from sessions`); n != 1 {
			t.Errorf("%s: got %d sessions after ten minutes, want one", what, n)
		}
		trial.Must(w.db.Exec(t.Context(), `delete from sessions`))
	}
	opened := func(b *agent) {
		b.within(func(ctx context.Context) { w.desk.KeepProof(ctx, 1, []byte("hash")) })
	}
	b := w.browser()
	opened(b)
	b.begin("/")
	long("a link was opened, then a sign-in begun")
	b = w.browser()
	b.begin("/")
	opened(b)
	long("a sign-in was begun, then a link opened")
	b = w.browser()
	b.begin("/")
	b.within(func(ctx context.Context) { w.desk.Leave(ctx, []byte("hash")) })
	long("a sign-in was begun, then a form left")
	b = w.browser()
	b.signIn(ada().Sub)
	long("signed in")
	b = w.browser()
	b.signIn(ada().Sub)
	b.begin("/")
	long("signed in, and a sign-in begun besides")
}
