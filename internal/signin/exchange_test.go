package signin

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/idp"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

func TestSignInMakesTheClaimedPersonAnActor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.mustBe("", "before sign-in")
	at := b.begin("/rows?q=a%20b")
	for name, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256", "scope": "openid profile email groups offline_access"} {
		if got := at.Query().Get(name); got != want {
			t.Errorf("authentication request: got %s %q, want %q", name, got, want)
		}
	}
	if got := b.get(b.pick(at, ada().Sub).String()).to(t).RequestURI(); got != "/rows?q=a%20b" {
		t.Errorf("after sign-in: got a redirect to %q, want /rows?q=a%%20b", got)
	}
	a, ok := b.me()
	if !ok || a.Name != "Ada Äcker" || a.Email != "ada@uni.example" || !a.Officer || !slices.Equal(a.Groups, []string{"ra", "staff"}) || !a.From.IsLoopback() {
		t.Errorf("got actor %+v, want Ada with her verified address, groups and office", a)
	}
	other := w.browser()
	other.signIn(bo().Sub)
	if a, _ := other.me(); a.Name != "Bo" || a.Email != "" || a.Officer {
		t.Errorf("got actor %+v, want Bo, no officer, without his unverified address", a)
	}
}

func TestNothingSecretLiesInClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	rows, err := w.db.Query(t.Context(), `select token::bytea || data from sessions union all select id_token || refresh from login`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var stored []byte
		if err := rows.Scan(&stored); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{b.cookie(), "eyJ"} {
			if bytes.Contains(stored, []byte(secret)) {
				t.Errorf("the database holds %.20q in clear", secret)
			}
		}
	}
	if n != 2 {
		t.Errorf("got %d rows, want a session and a login with both tokens", n)
	}
}

func TestLiesOfTheProviderSignNobodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SetPerson(idp.Person{Sub: "1003", Name: "Without Address"}) // so that userinfo is asked
	for _, c := range []struct {
		name string
		lie  idp.Misbehaviour
		want string
	}{
		{"another nonce", idp.WrongNonce, "denied signin.refused"},
		{"no nonce", idp.NoNonce, "denied signin.refused"},
		{"another audience", idp.WrongAudience, "denied signin.refused"},
		{"another issuer", idp.WrongIssuer, "denied signin.refused"},
		{"expired", idp.Expired, "denied signin.refused"},
		{"from the future", idp.FromTheFuture, "denied signin.refused"},
		{"alg none", idp.AlgNone, "denied signin.refused"},
		{"HS256 with the client's secret", idp.AlgHS256, "denied signin.refused"},
		{"a key that is not published", idp.WrongKey, "denied signin.refused"},
		{"another issuer in the answer", idp.WrongAnswerIssuer, "denied signin.refused"},
		{"another state", idp.OtherState, "conflict signin.stale"},
		{"no ID token", idp.NoIDToken, "denied signin.refused"},
		{"userinfo of somebody else", idp.OtherSubOnUserinfo, "denied signin.refused"},
	} {
		w.provider.Misbehave(c.lie)
		b := w.browser()
		t.Log(c.name)
		wantFault(t, b.signIn("1003"), c.want)
		b.mustBe("", c.name)
	}
	if n := w.number("select count(*) from login") + w.number("select count(*) from account"); n != 0 {
		t.Errorf("got %d logins and accounts made by lies, want 0", n)
	}
	w.provider.Misbehave(idp.Honest)
	b := w.browser()
	b.signIn("1003")
	b.mustBe("Without Address", "an honest provider")
}

func TestClockSkewOfAMinutePasses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const life = 10 * time.Minute // of an ID token
	for off, want := range map[time.Duration]string{
		50 * time.Second:           "",
		70 * time.Second:           "denied signin.refused", // issued in the future
		-life - 50*time.Second:     "",
		-life - 70*time.Second:     "denied signin.refused", // expired
		-life - 2*skew - time.Hour: "denied signin.refused",
	} {
		t.Logf("the provider's clock is off by %v", off)
		w.before(nil)
		b := w.browser()
		callback := b.pick(b.begin("/"), ada().Sub)
		w.before(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				w.clock.Advance(off)
				next.ServeHTTP(out, r)
				w.clock.Advance(-off)
			})
		})
		wantFault(t, b.get(callback.String()), want)
	}
}

func TestAnswersAreForOneBrowserOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	at := b.begin("/")
	callback := b.pick(at, ada().Sub).String()

	wantFault(t, w.browser().get(callback), "conflict signin.stale") // planted elsewhere
	b.get(callback)
	b.mustBe("Ada Äcker", "its own browser")
	wantFault(t, b.get(callback), "conflict signin.stale") // again
	b.mustBe("Ada Äcker", "a replay changes nothing")

	wantFault(t, b.get(b.pick(at, ada().Sub).String()), "conflict signin.stale") // the same state with a fresh code

	late := w.browser()
	at = late.begin("/")
	w.clock.Advance(attemptLife)
	wantFault(t, late.get(late.pick(at, ada().Sub).String()), "conflict signin.stale")
	wantFault(t, late.get(paths.SignedIn), "conflict signin.stale")
}

func TestFiveTabsMaySignInAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	var tabs []*url.URL
	for i := range attemptLimit + 1 {
		tabs = append(tabs, b.begin(fmt.Sprintf("/tab/%d", i)))
	}
	wantFault(t, b.get(b.pick(tabs[0], ada().Sub).String()), "conflict signin.stale")
	for i, at := range tabs[1:] {
		want := fmt.Sprintf("/tab/%d", i+1)
		if got := b.get(b.pick(at, ada().Sub).String()).to(t).Path; got != want {
			t.Errorf("tab %d: got a redirect to %q, want %q", i+1, got, want)
		}
	}
	if got := w.number("select count(*) from login where ended is null"); got != 1 {
		t.Errorf("got %d open logins, want 1: each sign-in ends the one before in the same browser", got)
	}
	if got := w.lines("signin.ended"); got != attemptLimit-1 {
		t.Errorf("got %d lines on ended logins, want %d", got, attemptLimit-1)
	}
}

func TestCodesAreWorthNothingWithoutTheirVerifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	bend := func(f func(url.Values)) *url.URL {
		at := b.begin("/")
		q := at.Query()
		f(q)
		at.RawQuery = q.Encode()
		return at
	}
	none := bend(func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") })
	wantFault(t, b.get(b.get(none.String()).to(t).String()), "denied signin.refused")
	foreign := bend(func(q url.Values) { q.Set("code_challenge", strings.Repeat("A", 43)) })
	wantFault(t, b.get(b.pick(foreign, ada().Sub).String()), "conflict signin.stale")
	b.mustBe("", "after both")
}

func TestWhatTheProviderSaysInsteadOfACode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	to := strings.Replace(b.begin("/").String(), "/authorize?", "/login?", 1)
	back := b.read(b.PostForm(to, url.Values{"refuse": {"1"}})).to(t)
	wantFault(t, b.get(back.String()), "denied signin.refused")

	answer := func(q url.Values) got {
		q.Set("state", b.begin("/").Query().Get("state"))
		return b.get(paths.SignedIn + "?" + q.Encode())
	}
	iss := []string{w.idp.URL}
	wantFault(t, answer(url.Values{"error": {"temporarily_unavailable"}, "iss": iss}), "unavailable signin.provider_down")
	wantFault(t, answer(url.Values{"code": {"made up"}, "iss": iss}), "conflict signin.stale")
	wantFault(t, answer(url.Values{"code": {"made up"}}), "denied signin.refused") // RFC 9207: announced, so required
	wantFault(t, answer(url.Values{"code": {"x"}, "iss": {w.idp.URL, w.idp.URL}}), "denied signin.refused")
}

func TestProviderDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SetDown(true)
	b := w.browser()
	wantFault(t, b.get("/signin"), "unavailable signin.provider_down")
	if b.cookie() != "" {
		t.Error("a sign-in that could not begin left a session")
	}
	w.provider.SetDown(false)
	b.signIn(ada().Sub)
	b.mustBe("Ada Äcker", "once it is back")

	w.provider.SetDown(true)
	b.mustBe("Ada Äcker", "signed in already")
	w.clock.Advance(heard) // until then it is believed to be there
	wantFault(t, w.browser().get("/signin"), "unavailable signin.provider_down")

	w.provider.SetDown(false)
	late := w.browser()
	callback := late.pick(late.begin("/"), ada().Sub).String()
	w.provider.SetDown(true)
	wantFault(t, late.get(callback), "unavailable signin.provider_down")
}

func TestKeysThatCannotBeFetchedAreNobodysLie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.before(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/jwks" {
				http.Error(out, "no", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(out, r)
		})
	})
	wantFault(t, w.browser().signIn(ada().Sub), "unavailable signin.provider_down")
}

func TestSessionIDChangesAtSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.within(func(ctx context.Context) { w.desk.Flash(ctx, "test.notice") })
	planted := b.cookie()
	if planted == "" {
		t.Fatal("a notice for an anonymous visitor made no session")
	}
	b.signIn(ada().Sub)
	if b.cookie() == planted {
		t.Error("the session id is the same before and after sign-in")
	}
	w.thief(planted).mustBe("", "whoever planted the first id")
	b.within(func(ctx context.Context) {
		if id, _, ok := w.desk.PopFlash(ctx); !ok || id != "test.notice" {
			t.Errorf("got notice %q after sign-in, want test.notice", id)
		}
	})
}

func TestOddBrowsersCanSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	callback := b.pick(b.begin("/"), ada().Sub).String()
	r := trial.Must(http.NewRequestWithContext(t.Context(), "GET", callback, nil))
	r.Header.Set("User-Agent", "\xff\xfe"+strings.Repeat("ä", 5000))
	b.read(b.Do(r))
	b.mustBe("Ada Äcker", "with a user agent that is no UTF-8")
}

func TestOwnPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/":                             "/",
		"/rows/7?filter=open&q=%C3%A4":  "/rows/7?filter=open&q=%C3%A4",
		"/a%2Fb":                        "/a%2Fb",
		"/rows#there":                   "/rows",
		"":                              "/",
		"rows":                          "/",
		"?q=1":                          "/",
		"//evil.example":                "/",
		"///evil.example":               "/",
		`/\evil.example`:                "/",
		`\\evil.example`:                "/",
		`/rows\..\..`:                   "/",
		"/\t/evil.example":              "/",
		"/\n/evil.example":              "/",
		"/\r\nLocation: //evil.example": "/",
		"/\x00":                         "/",
		"/ evil":                        "/",
		"/ä":                            "/",
		"https://evil.example":          "/",
		"https:/evil.example":           "/",
		"HTTPS:evil.example":            "/",
		"javascript:alert(1)":           "/",
		" /rows":                        "/",
		"/%":                            "/",
		"/rows?" + strings.Repeat("a", nextLimit): "/",
	} {
		if got := OwnPath(in); got != want {
			t.Errorf("OwnPath(%.60q): got %q, want %q", in, got, want)
		}
	}
}

func TestOpenRedirectIsImpossible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, next := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "/%09/evil.example", "/.//evil.example", "/..//evil.example"} {
		b := w.browser()
		at := b.get(b.pick(b.begin(next), ada().Sub).String()).to(t)
		if got, want := at.Host, strings.TrimPrefix(w.app.URL, "http://"); got != want {
			t.Errorf("next %q: got sent to host %q, want %q", next, got, want)
		}
	}
}

func TestGroupsClaimIsConfigurable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.GroupsClaim, c.RAGroup = "preferred_username", "ada" })
	b := w.browser()
	b.signIn(ada().Sub)
	if a, _ := b.me(); !a.Officer || !slices.Equal(a.Groups, []string{"ada"}) {
		t.Errorf("got groups %q, officer %t, want the one text of the configured claim", a.Groups, a.Officer)
	}
}
