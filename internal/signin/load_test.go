package signin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

func TestRequestsCostFewQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	for _, c := range []struct {
		name string
		b    *agent
		wait time.Duration
		want int
	}{
		{"no cookie", w.browser(), 0, 0},
		{"an unknown cookie", w.thief("made-up"), 0, 1},
		{"signed in", b, 0, 2},
		{"after a minute", b, time.Minute, 3},
		{"in the same minute", b, time.Second, 2},
	} {
		w.clock.Advance(c.wait)
		count := pgtest.Queries(t, w.db)
		c.b.get("/me")
		if got := count(); got != c.want {
			t.Errorf("%s: got %d queries, want %d", c.name, got, c.want)
		}
	}
}

func TestAnonymousVisitorsLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	g := b.within(func(ctx context.Context) {
		if _, _, ok := w.desk.PopFlash(ctx); ok {
			t.Error("got a notice that nobody left")
		}
		if p := w.desk.Proof(ctx, 1); p != nil {
			t.Errorf("got proof %x that nobody kept", p)
		}
	})
	if c := g.Header.Get("Set-Cookie"); c != "" {
		t.Errorf("got cookie %q, want none", c)
	}
	if n := w.number("select count(*) from sessions"); n != 0 {
		t.Errorf("got %d sessions, want 0", n)
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for base, want := range map[string]string{
		"https://portal.example": "__Host-petschaft=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8080":  "petschaft=TOKEN; Path=/; HttpOnly; SameSite=Lax",
	} {
		cfg := w.desk.cfg
		cfg.BaseURL = trial.Must(url.Parse(base))
		d := trial.Must(New(cfg, w.db, w.people, w.sealer, w.clock.Now, w.desk.log))
		rec := httptest.NewRecorder()
		d.Load(nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { d.Flash(r.Context(), "test.notice") })).
			ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		cookies := rec.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: got %d cookies, want 1", base, len(cookies))
		}
		if got := strings.Replace(cookies[0].Raw, cookies[0].Value, "TOKEN", 1); got != want {
			t.Errorf("%s: got cookie %q, want %q", base, got, want)
		}
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := Config{Issuer: "https://login.example/realm", ClientID: "portal", BaseURL: trial.Must(url.Parse("https://portal.example"))}
	if err := good.check(); err != nil {
		t.Errorf("a good configuration: got %v", err)
	}
	for name, spoil := range map[string]func(*Config){
		"no client id":           func(c *Config) { c.ClientID = "" },
		"no base URL":            func(c *Config) { c.BaseURL = nil },
		"http base URL":          func(c *Config) { c.BaseURL = trial.Must(url.Parse("http://portal.example")) },
		"base URL with a path":   func(c *Config) { c.BaseURL = trial.Must(url.Parse("https://portal.example/x")) },
		"no issuer":              func(c *Config) { c.Issuer = "" },
		"http issuer":            func(c *Config) { c.Issuer = "http://login.example" },
		"issuer that is no URL":  func(c *Config) { c.Issuer = "https://[" },
		"issuer with a query":    func(c *Config) { c.Issuer = "https://login.example/?realm=x" },
		"issuer of another kind": func(c *Config) { c.Issuer = "ldap://login.example" },
	} {
		c := good
		spoil(&c)
		if c.check() == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestIdleLoginsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	for range 4 {
		w.clock.Advance(29 * time.Minute)
		b.mustBe("Ada Äcker", "29 minutes later")
	}
	w.clock.Advance(30 * time.Minute)
	b.mustBe("", "after 30 idle minutes")
	w.clock.Advance(-time.Minute)
	b.mustBe("", "the session has forgotten the login")
}

func TestLoginsEndAfterTenHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	for range 29 {
		w.clock.Advance(20 * time.Minute)
		b.mustBe("Ada Äcker", "a busy day")
	}
	w.clock.Advance(20 * time.Minute)
	b.mustBe("", "after ten hours")
}

func TestLockedAccountsAreOutAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, silent, officer := w.browser(), w.browser(), w.browser()
	b.signIn(bo().Sub)
	silent.signIn(bo().Sub)
	officer.signIn(ada().Sub)
	victim, _ := b.me()
	by, _ := officer.me()
	if err := w.people.Lock(t.Context(), by, victim.Account, "lost laptop"); err != nil {
		t.Fatal(err)
	}
	b.mustBe("", "the next request after the lock, in the same moment")
	wantFault(t, w.browser().signIn(bo().Sub), "denied person.locked")
	w.clock.Advance(time.Second)
	if err := w.people.Unlock(t.Context(), by, victim.Account); err != nil {
		t.Fatal(err)
	}
	b.mustBe("", "an unlocked account's old login")
	silent.mustBe("", "one that made no request while locked")
	b.signIn(bo().Sub)
	b.mustBe("Bo", "a new login")
	officer.mustBe("Ada Äcker", "somebody else")
}

func TestFlashKeepsWholeNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.within(func(ctx context.Context) {
		w.desk.Flash(ctx, "test.first")
		w.desk.Flash(ctx, "test.notice", "n", 3, "name", "Ä", "all", true)
	})
	for _, want := range [][]any{{"test.notice", "n", 3, "name", "Ä", "all", true}, nil} {
		b.within(func(ctx context.Context) {
			var got []any
			if id, args, ok := w.desk.PopFlash(ctx); ok {
				got = append([]any{id}, args...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("notice, -want +got:\n%s", diff)
			}
		})
	}
	if _, _, ok := w.desk.PopFlash(t.Context()); ok {
		t.Error("got a notice without a session")
	}
}

func (b *agent) keep(challenge int64, hash string) got {
	return b.within(func(ctx context.Context) { b.w.desk.KeepProof(ctx, challenge, []byte(hash)) })
}

func (b *agent) proof(challenge int64) (hash string) {
	b.within(func(ctx context.Context) { hash = string(b.w.desk.Proof(ctx, challenge)) })
	return hash
}

func TestProofsOutliveSignInButNotTheirOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.keep(1, "before")
	b.keep(1, "newer")
	b.signIn(bo().Sub)
	b.keep(2, "bo's")
	for challenge, want := range map[int64]string{1: "newer", 2: "bo's", 3: ""} {
		if got := b.proof(challenge); got != want {
			t.Errorf("challenge %d: got proof %q, want %q", challenge, got, want)
		}
	}
	w.clock.Advance(time.Hour)
	if got := b.proof(2); got != "" {
		t.Errorf("after the login's end: got bo's proof %q for nobody", got)
	}
	b.signIn(ada().Sub)
	if got := b.proof(2); got != "" {
		t.Errorf("somebody else at the browser: got bo's proof %q", got)
	}
	b.signIn(bo().Sub)
	if got := b.proof(2); got != "bo's" {
		t.Errorf("bo again: got proof %q, want bo's", got)
	}
}

func TestTwentyProofsAreKept(t *testing.T) {
	t.Parallel()
	b := newWorld(t).browser()
	for i := range int64(proofLimit + 1) {
		b.keep(i, fmt.Sprint(i))
	}
	for challenge, want := range map[int64]string{0: "", 1: "1", proofLimit: fmt.Sprint(proofLimit)} {
		if got := b.proof(challenge); got != want {
			t.Errorf("challenge %d of %d: got proof %q, want %q", challenge, proofLimit, got, want)
		}
	}
}

func TestReopeningALinkWritesNothing(t *testing.T) {
	t.Parallel()
	b := newWorld(t).browser()
	b.keep(1, "hash")
	if c := b.keep(1, "hash").Header.Get("Set-Cookie"); c != "" {
		t.Errorf("got cookie %q at the second visit, want no write", c)
	}
}

func TestAnAnswerWhoseSessionCannotBeSavedIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.desk.Load(func(out http.ResponseWriter, r *http.Request, err error) {
		out.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(out, "sorry")
	})(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.desk.Flash(r.Context(), "test.notice")
		http.Redirect(out, r, "/done", http.StatusSeeOther)
	}))
	w.db.Close()
	for name, cookie := range map[string]string{"written": "", "read": "petschaft=x"} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		h.ServeHTTP(rec, r)
		if got := rec.Result(); got.StatusCode != 503 || rec.Body.String() != "sorry" || got.Header.Get("Location") != "" {
			t.Errorf("a session that cannot be %s: got status %d, body %q, location %q, want only what fail says",
				name, got.StatusCode, rec.Body, got.Header.Get("Location"))
		}
	}
}

func TestActorWithoutSessionIsNobody(t *testing.T) {
	t.Parallel()
	if a, ok := new(Desk).Actor(t.Context()); ok || a.Account != person.ID(0) {
		t.Errorf("got actor %+v from a bare context, want nobody", a)
	}
}
