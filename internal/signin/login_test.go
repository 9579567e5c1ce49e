package signin

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/riverqueue/river"

	"petschaft/internal/fault"
	"petschaft/internal/idp"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

func (b *agent) signOut() got {
	b.w.t.Helper()
	return b.read(b.Post(b.w.app.URL+"/signout", "", nil))
}

func TestSignOutEndsItHereAndAtTheProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	silent := b.begin("/")
	q := silent.Query()
	q.Set("prompt", "none")
	silent.RawQuery = q.Encode()
	if got := b.get(silent.String()).to(t).Query(); got.Get("code") == "" {
		t.Fatalf("before: got %v from the provider, want a silent sign-in", got)
	}
	stolen := b.cookie()

	at := b.signOut().to(t)
	if got, want := at.Scheme+"://"+at.Host, w.desk.EndSessionOrigin(); got != want || !strings.HasPrefix(at.String(), w.idp.URL) {
		t.Errorf("got sent to %s, want the provider, at the announced origin %s", got, want)
	}
	if got, want := b.get(at.String()).to(t).String(), w.app.URL+paths.SignedOut; got != want {
		t.Errorf("the provider sends back to %s, want %s", got, want)
	}
	b.mustBe("", "signed out")
	w.thief(stolen).mustBe("", "somebody who kept the cookie")
	if got := b.get(silent.String()).to(t).Query().Get("error"); got != "login_required" {
		t.Errorf("after: got error %q from the provider, want login_required", got)
	}
	if got := w.lines("signin.signed_out"); got != 1 {
		t.Errorf("got %d audit lines, want 1", got)
	}
	if got := w.number("select count(*) from login where id_token is not null or refresh is not null or ended is null"); got != 0 {
		t.Errorf("got %d logins that are open or hold tokens, want 0", got)
	}
	if got := b.signOut().to(t).Path; got != paths.SignedOut {
		t.Errorf("signing out twice: got sent to %s, want %s", got, paths.SignedOut)
	}
}

func TestSignOutWithoutTheProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.before(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/.well-known/openid-configuration" {
				out = &without{out}
			}
			next.ServeHTTP(out, r)
		})
	})
	b := w.browser()
	b.signIn(ada().Sub)
	if got := w.desk.EndSessionOrigin(); got != "" {
		t.Errorf("got end-session origin %q of a provider that has none", got)
	}
	if got := b.signOut().to(t).String(); got != w.app.URL+paths.SignedOut {
		t.Errorf("got sent to %s, want our own page", got)
	}
	b.mustBe("", "signed out")
}

// without is a discovery document that names no end-session endpoint.
type without struct{ http.ResponseWriter }

func (w *without) Write(b []byte) (int, error) {
	_, err := w.ResponseWriter.Write([]byte(strings.Replace(string(b), "end_session_endpoint", "x_end_session_endpoint", 1)))
	return len(b), err
}

func TestAnotherProcessCanSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	w.desk.known.Store(nil) // as one that was just started
	if got := w.desk.EndSessionOrigin(); got != w.idp.URL {
		t.Errorf("got end-session origin %q before the provider was asked, want the issuer's, %s", got, w.idp.URL)
	}
	if got := b.signOut().to(t).String(); !strings.HasPrefix(got, w.idp.URL) {
		t.Errorf("got sent to %s, want the provider", got)
	}
}

func (b *agent) logins() (all []Login) {
	me, _ := b.me()
	b.within(func(ctx context.Context) { all = trial.Must(b.w.desk.Logins(ctx, me)) })
	return all
}

func TestOwnLoginsThatCountAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here, there, old, foreign := w.browser(), w.browser(), w.browser(), w.browser()
	old.signIn(ada().Sub)
	w.clock.Advance(29 * time.Minute)
	there.Transport = named("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	there.signIn(ada().Sub)
	w.clock.Advance(2 * time.Minute)
	here.signIn(ada().Sub)
	foreign.signIn(bo().Sub)
	me, _ := here.me()
	now := w.clock.Now()
	want := []Login{
		{Started: now, Seen: now, Origin: me.From, Browser: "", Here: true},
		{Started: now.Add(-2 * time.Minute), Seen: now.Add(-2 * time.Minute), Origin: me.From, Browser: "Firefox, Linux"},
	}
	if diff := cmp.Diff(want, here.logins(), cmpopts.IgnoreFields(Login{}, "ID"), cmpopts.EquateComparable(me.From)); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestOwnLoginsAreEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here, there, foreign := w.browser(), w.browser(), w.browser()
	there.signIn(ada().Sub)
	w.clock.Advance(time.Second)
	here.signIn(ada().Sub)
	foreign.signIn(bo().Sub)
	me, _ := here.me()
	somebody, _ := foreign.me()
	id := here.logins()[1].ID

	if err := w.desk.End(t.Context(), somebody, id); !fault.Is(err, fault.Missing) {
		t.Errorf("ending somebody else's login: got %v, want missing", err)
	}
	there.mustBe("Ada Äcker", "after a stranger's try")
	for range 2 {
		if err := w.desk.End(t.Context(), me, id); err != nil {
			t.Errorf("ending an own login: got %v", err)
		}
	}
	there.mustBe("", "ended from elsewhere")
	if got := w.lines("signin.ended"); got != 1 {
		t.Errorf("got %d audit lines, want 1 for a login ended twice", got)
	}
}

func TestTheOthersAreEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here, foreign := w.browser(), w.browser()
	others := []*agent{w.browser(), w.browser()}
	for _, b := range append(others, here) {
		b.signIn(ada().Sub)
	}
	foreign.signIn(bo().Sub)
	here.within(func(ctx context.Context) {
		me, _ := w.desk.Actor(ctx)
		if err := w.desk.EndOthers(ctx, me); err != nil {
			t.Errorf("ending the others: got %v", err)
		}
	})
	for _, b := range others {
		b.mustBe("", "one of the others")
	}
	here.mustBe("Ada Äcker", "the one that asked")
	foreign.mustBe("Bo", "somebody else")
	if got := len(here.logins()); got != 1 {
		t.Errorf("got %d logins, want the one that asked", got)
	}
	if got := w.lines("signin.ended"); got != len(others) {
		t.Errorf("got %d audit lines, want %d", got, len(others))
	}
}

// named is a browser that says what it is.
type named string

// RoundTrip sends r under the name.
func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", string(n))
	return http.DefaultTransport.RoundTrip(r)
}

func TestBrowserNames(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"": "",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":          "Edge, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                        "Chrome, Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                  "Safari, macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1": "Chrome, iPhone",
		"Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":    "Samsung Internet, Android",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                 "Firefox, Linux",
		"curl/8.14": "curl",
		"x":         "",
	} {
		if got := browser(agent); got != want {
			t.Errorf("%s: got %q, want %q", agent, got, want)
		}
	}
}

func (w *world) tidy() {
	w.t.Helper()
	for range 2 { // every job may run twice
		if err := (&tidyWorker{desk: w.desk}).Work(w.t.Context(), nil); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestTidyEndsWhatNoLongerCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, busy := w.browser(), w.browser()
	old.signIn(bo().Sub)
	w.clock.Advance(29 * time.Minute)
	busy.signIn(ada().Sub)
	w.clock.Advance(20 * time.Minute)
	busy.mustBe("Ada Äcker", "before")
	w.tidy()
	busy.mustBe("Ada Äcker", "after")
	var ended time.Time
	err := w.db.QueryRow(t.Context(), `select l.ended from login l where l.ended is not null and l.refresh is null and l.id_token is null`).Scan(&ended)
	if err != nil {
		t.Fatalf("the idle login: %v", err)
	}
	if want := w.clock.Now().Add(-19 * time.Minute); !ended.Equal(want) {
		t.Errorf("got an end at %v, want %v, when it had been idle for half an hour", ended, want)
	}
}

func TestTidyForgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := len(w.desk.Jobs(river.NewWorkers())); got != 1 {
		t.Errorf("got %d periodic jobs, want 1", got)
	}
	w.browser().signIn(bo().Sub)
	for _, c := range []struct {
		wait             time.Duration
		sessions, logins int
	}{{time.Minute, 1, 1}, {11 * time.Hour, 0, 1}, {forgetAfter - 12*time.Hour, 0, 1}, {12 * time.Hour, 0, 0}} {
		w.clock.Advance(c.wait)
		w.tidy()
		if got := w.number("select count(*) from sessions"); got != c.sessions {
			t.Errorf("%v later: got %d sessions, want %d", c.wait, got, c.sessions)
		}
		if got := w.number("select count(*) from login"); got != c.logins {
			t.Errorf("%v later: got %d logins, want %d", c.wait, got, c.logins)
		}
	}
}

func TestWhoChangesPlacesEndsTheFormerLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	stolen := b.cookie()
	b.signIn(bo().Sub)
	b.mustBe("Bo", "the newer sign-in")
	w.thief(stolen).mustBe("", "the former session")
	w.provider.Misbehave(idp.WrongNonce)
	b.signIn(ada().Sub)
	b.mustBe("Bo", "a sign-in that fails leaves the former")
}

func TestEndpointsAreAsSafeAsTheIssuer(t *testing.T) {
	t.Parallel()
	good := metadata{Authorize: "https://a.example/x", Token: "https://b.example/x", Keys: "https://c.example/x"}
	if err := good.check("https://a.example"); err != nil {
		t.Errorf("a good document: got %v", err)
	}
	for name, spoil := range map[string]func(*metadata){
		"no authorization endpoint": func(m *metadata) { m.Authorize = "" },
		"token endpoint in clear":   func(m *metadata) { m.Token = "http://b.example/x" },
		"relative keys":             func(m *metadata) { m.Keys = "/jwks" },
		"end-session as a script":   func(m *metadata) { m.EndSession = "javascript:alert(1)" },
		"userinfo with a password":  func(m *metadata) { m.Info = (&url.URL{Scheme: "https", User: url.User("x"), Host: "a"}).String() },
	} {
		m := good
		spoil(&m)
		if m.check("https://a.example") == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
