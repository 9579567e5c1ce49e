package signin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"petschaft/internal/idp"
)

func TestGroupsChangeAfterTenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	changed := ada()
	changed.Groups, changed.Name = []string{"staff"}, "Ada Neu"
	w.provider.SetPerson(changed)
	w.clock.Advance(10*time.Minute - time.Second)
	if a, _ := b.me(); !a.Officer {
		t.Error("got refreshed claims before ten minutes")
	}
	w.clock.Advance(time.Second)
	if a, _ := b.me(); a.Officer || a.Name != "Ada Neu" {
		t.Errorf("after ten minutes: got actor %+v, want the new name and no office, in the same request", a)
	}
	before := w.asked("/token")
	b.me()
	if got := w.asked("/token"); got != before {
		t.Errorf("got %d more questions in the same ten minutes, want 0", got-before)
	}
}

// answering lets change see what the token endpoint answers to a refresh.
func answering(change func(body map[string]any)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/token" || r.PostFormValue("grant_type") != "refresh_token" {
				next.ServeHTTP(out, r)
				return
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			var body map[string]any
			json.Unmarshal(rec.Body.Bytes(), &body)
			change(body)
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(rec.Code)
			json.NewEncoder(out).Encode(body)
		})
	}
}

func TestRefreshTokensAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	w.before(answering(func(body map[string]any) { body["refresh_token"] = "second" }))
	w.clock.Advance(10 * time.Minute)
	b.mustBe("Ada Äcker", "at the refresh")
	var id int64
	var sealed []byte
	if err := w.db.QueryRow(t.Context(), "select id, refresh from login").Scan(&id, &sealed); err != nil {
		t.Fatal(err)
	}
	if got, err := w.sealer.Open(sealed, refreshPurpose(id)); string(got) != "second" {
		t.Errorf("got refresh token %q (%v), want the one of the last answer", got, err)
	}
	if _, err := w.sealer.Open(sealed, refreshPurpose(id+1)); err == nil {
		t.Error("a sealed token opens under another login's name")
	}
}

func TestRefreshWithoutIDTokenAsksUserinfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	changed := ada()
	changed.Groups = nil
	w.provider.SetPerson(changed)
	w.provider.Misbehave(idp.NoIDToken)
	w.clock.Advance(10 * time.Minute)
	if a, _ := b.me(); a.Name != "Ada Äcker" || a.Officer {
		t.Errorf("got actor %+v, want Ada without her groups", a)
	}
	w.clock.Advance(10 * time.Minute)
	w.before(answering(func(body map[string]any) { delete(body, "refresh_token") }))
	b.mustBe("Ada Äcker", "an answer that does not repeat the refresh token")
}

func TestOfManyRequestsOneRefreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	before := w.asked("/token")
	release := make(chan struct{})
	w.before(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			<-release
			next.ServeHTTP(out, r)
		})
	})
	w.clock.Advance(10 * time.Minute)
	const requests = 8
	status := make(chan int, requests)
	for range requests {
		go func() {
			res, err := b.Get(w.app.URL + "/me")
			if err != nil {
				status <- 0
				return
			}
			res.Body.Close()
			status <- res.StatusCode
		}()
	}
	for i := range requests {
		if i == requests-1 {
			close(release) // all but the one that refreshes are done
		}
		if got := <-status; got != http.StatusOK {
			t.Errorf("got status %d while one request refreshes, want 200", got)
		}
	}
	if got := w.asked("/token") - before; got != 1 {
		t.Errorf("got %d refreshes by %d requests, want 1", got, requests)
	}
}

func TestLoginsEndWithTheProvidersTrust(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		turn func(w *world)
		ends bool
	}{
		"the account is gone": {func(w *world) { w.provider.RemovePerson(ada().Sub) }, true},
		"somebody else": {func(w *world) {
			w.before(answering(func(body map[string]any) { delete(body, "id_token") }))
			w.provider.Misbehave(idp.OtherSubOnUserinfo)
		}, true},
		"down":                       {func(w *world) { w.provider.SetDown(true) }, false},
		"a token that does not hold": {func(w *world) { w.provider.Misbehave(idp.WrongKey) }, false},
		"the client's secret is old": {func(w *world) { w.provider.SetClient(idp.Client{ID: "portal", Secret: "new"}) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			b.signIn(ada().Sub)
			c.turn(w)
			w.clock.Advance(10 * time.Minute)
			want, lines := "Ada Äcker", 0
			if c.ends {
				want, lines = "", 1
			}
			b.mustBe(want, "at the refresh")
			b.mustBe(want, "after it")
			if got := w.lines("signin.refresh_refused"); got != lines {
				t.Errorf("got %d audit lines, want %d", got, lines)
			}
		})
	}
}

func TestAProviderThatIsDownIsAskedOnceAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	changed := ada()
	changed.Groups = nil
	w.provider.SetPerson(changed)
	w.provider.SetDown(true)
	w.clock.Advance(10 * time.Minute)
	for _, c := range []struct {
		wait time.Duration
		want int
	}{{0, 1}, {59 * time.Second, 0}, {time.Second, 1}} {
		before := w.asked("/token")
		w.clock.Advance(c.wait)
		if a, _ := b.me(); !a.Officer {
			t.Errorf("got actor %+v while the provider is down, want the old claims", a)
		}
		if got := w.asked("/token") - before; got != c.want {
			t.Errorf("after %v more: got %d questions, want %d", c.wait, got, c.want)
		}
	}
	w.provider.SetDown(false)
	w.clock.Advance(time.Minute)
	if a, _ := b.me(); a.Officer || a.Name == "" {
		t.Errorf("got actor %+v once the provider is back, want new claims", a)
	}
}

func TestTheTurnToRefreshIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.browser().signIn(ada().Sub)
	now := w.clock.Now()
	l, ok, err := w.desk.login(t.Context(), int64(w.number("select id from login")), now)
	if !ok || err != nil {
		t.Fatalf("got no login: %v", err)
	}
	for _, want := range []bool{true, false} { // two requests that both read l
		if _, got, err := w.desk.claimRefresh(t.Context(), l, now.Add(10*time.Minute)); got != want || err != nil {
			t.Errorf("got the turn %t (%v), want %t", got, err, want)
		}
	}
}
