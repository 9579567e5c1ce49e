package site_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/person"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// refusals are the lines about what was refused since the last call.
type refusals struct {
	*sitetest.Rig
	seen int
}

func (r *refusals) lines() (all []string) {
	log := r.Logged.String()
	for _, l := range strings.Split(log[r.seen:], "\n") {
		if strings.Contains(l, "logger=security") {
			all = append(all, l)
		}
	}
	r.seen = len(log)
	return all
}

// one fails unless what was done last left one line that holds all of these.
func (r *refusals) one(what string, holds ...string) {
	r.T.Helper()
	all := r.lines()
	if len(all) != 1 {
		r.T.Errorf("%s: got %d lines, want 1:\n%s", what, len(all), strings.Join(all, "\n"))
		return
	}
	for _, h := range append(holds, "level=WARN", "address=127.0.0.1") {
		if !strings.Contains(all[0], h) {
			r.T.Errorf("%s: %q is missing in:\n%s", what, h, all[0])
		}
	}
}

// secret is the token of nora's that may read addresses of uni.example.
func (r *refusals) secret() (string, person.TokenID) {
	r.T.Helper()
	domain := int64(0)
	if err := r.DB.QueryRow(r.T.Context(), `select id from email_domain where name = 'uni.example'`).Scan(&domain); err != nil {
		r.T.Fatal(err)
	}
	secret, id, err := r.Org.MakeToken(r.T.Context(), r.Actors["nora"], person.TokenInput{
		Form: rand.Text(), Name: "Abgleich", Domains: []int64{domain}, Verbs: []person.Verb{person.ReadAddresses}, Ends: r.Clock.Now().AddDate(0, 6, 0),
	})
	if err != nil {
		r.T.Fatal(err)
	}
	return secret, id
}

func (r *refusals) call(method, path, secret string) sitetest.Answer {
	r.T.Helper()
	q := trial.Must(http.NewRequest(method, r.Base+path, nil))
	if secret != "" {
		q.Header.Set("Authorization", "Bearer "+secret)
	}
	return r.Anonymous().Send(q)
}

func TestWhatPagesRefuseLeavesATrace(t *testing.T) {
	t.Parallel()
	r := &refusals{Rig: sitetest.New(t)}
	_, row := r.Add("ada.adler")
	nora, sven, niko := r.As("nora"), r.As("sven"), r.As("niko")
	account := func(sub string) string { return fmt.Sprintf("account=%d", r.Actors[sub].Account) }
	r.lines()

	q := trial.Must(http.NewRequest(http.MethodPost, r.Base+row+"/deactivate?x=geheim", strings.NewReader("name=ada.adler%40uni.example")))
	q.Header.Set("Sec-Fetch-Site", "cross-site")
	nora.Send(q).Is(http.StatusForbidden)
	r.one("another site's page", "kind=cross_origin", "method=POST", "route=/email-domains/{domain}/rows/{row}/deactivate", "fault=fault.foreign_page") // before anybody asked who it is

	sven.Get(row).Is(http.StatusNotFound)
	r.one("a foreign row", "kind=missing", "route=/email-domains/{domain}/rows/{row}", "fault=fault.missing", account("sven"))
	sven.Post(row + "/deactivate").Is(http.StatusNotFound)
	r.one("a foreign row's step", "kind=missing", account("sven"))

	niko.Get("/office/people?q=ada.adler%40uni.example").Is(http.StatusForbidden)
	r.one("an officers' page", "kind=office", "route=/office/people", "fault=fault.officers_only", account("niko"))

	r.Anonymous().Get("/c/" + rand.Text()).Is(http.StatusNotFound)
	r.one("a link that is none", "kind=missing", "route=/c/{token}")

	nora.Get("/gibt-es-nicht").Is(http.StatusNotFound)
	nora.Get("/email-domains").Is(http.StatusOK)
	r.Anonymous().Get("/email-domains").Is(http.StatusSeeOther)
	if all := r.lines(); len(all) != 0 {
		t.Errorf("nothing was refused: got\n%s", strings.Join(all, "\n"))
	}
	nora.Post(row+"/challenges", "form", nora.FormOn(row+"/challenges"))
	nora.Post(row+"/challenges", "form", nora.FormOn(row+"/challenges")).Is(http.StatusTooManyRequests)
	r.one("a brake", "kind=brake", account("nora"), "fault=")
	for _, secret := range []string{"geheim", "ada.adler@"} {
		if strings.Contains(r.Logged.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestWhatTheAPIRefusesLeavesATrace(t *testing.T) {
	t.Parallel()
	r := &refusals{Rig: sitetest.New(t, func(c *portal.Config) { c.APIPerMinute = 4 })}
	secret, id := r.secret()
	token, nora := fmt.Sprintf("token=%d", id), fmt.Sprintf("account=%d", r.Actors["nora"].Account)
	other, _ := r.secret()
	r.lines()

	r.call("GET", "/api/v1/email-domains", "").Is(http.StatusUnauthorized)
	r.one("no token", "kind=api_token", "fault=api.no_token")
	r.call("GET", "/api/v1/email-domains", "pts_x").Is(http.StatusUnauthorized)
	r.one("nonsense", "kind=api_token", "why=unknown")
	r.call("DELETE", "/api/v1/email-domains/uni.example/addresses/1", secret).Is(http.StatusForbidden)
	r.one("beyond its verbs", "kind=api_denied", "route=/api/v1/email-domains/{", "fault=token.scope", token, nora)
	r.call("GET", "/api/v1/email-domains/institut.example/addresses", secret).Is(http.StatusNotFound)
	r.one("a foreign domain", "kind=missing", token, nora)
	for range 2 {
		r.call("GET", "/api/v1/email-domains", secret).Is(http.StatusOK)
	}
	r.lines()
	r.call("GET", "/api/v1/email-domains", secret).Is(http.StatusTooManyRequests)
	r.one("too many", "kind=brake", "fault=api.too_many", token, nora)

	trial.Must(0, r.People.WithdrawToken(t.Context(), r.Actors["nora"], id))
	r.call("GET", "/api/v1/email-domains", secret).Is(http.StatusUnauthorized)
	r.one("a withdrawn one", "kind=api_token", "why=withdrawn", token, nora)
	r.Clock.Advance(31 * 24 * time.Hour)
	a := r.call("GET", "/api/v1/email-domains", other).Is(http.StatusUnauthorized).Has("token.asleep", "schläft, weil")
	if got := a.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) {
		t.Errorf("got WWW-Authenticate %q", got)
	}
	r.one("one that sleeps", "kind=api_token", "why=asleep", "fault=token.asleep", nora)
	r.As("nora")
	r.lines()
	r.call("GET", "/api/v1/email-domains", other).Is(http.StatusOK)
	if all := r.lines(); len(all) != 0 || strings.Contains(r.Logged.String(), secret) {
		t.Errorf("its maker signed in: got\n%s", strings.Join(all, "\n"))
	}
}

var reference = regexp.MustCompile(`reference=(\w+)`)

func TestASignInThatFailsLeavesATraceThatItsPageNames(t *testing.T) {
	t.Parallel()
	r := &refusals{Rig: sitetest.New(t)}
	trial.Must(0, r.People.Lock(t.Context(), r.Actors["rita"], r.Actors["niko"].Account, "Test"))
	named := func(what string, page sitetest.Answer, holds ...string) {
		t.Helper()
		all := r.lines()
		if len(all) != 1 {
			t.Fatalf("%s: got %d lines, want 1:\n%s", what, len(all), strings.Join(all, "\n"))
		}
		for _, h := range append(holds, "level=WARN", `msg="sign-in failed"`, "address=127.0.0.1") {
			if !strings.Contains(all[0], h) {
				t.Errorf("%s: %q is missing in:\n%s", what, h, all[0])
			}
		}
		m := reference.FindStringSubmatch(all[0])
		if m == nil {
			t.Fatalf("%s: no reference in\n%s", what, all[0])
		}
		page.Has(m[1])
	}
	b := r.Anonymous()
	r.lines()
	named("a made-up answer", b.Get("/signin/callback?state=x&code=geheim").Is(http.StatusConflict), "kind=signin", "why=stale", "fault=signin.stale", "route=/signin/callback")
	at := strings.Replace(b.Get("/signin?next=/").To(), "/authorize?", "/login?", 1)
	back := b.Send(trial.Must(http.NewRequest(http.MethodPost, at, strings.NewReader("person=niko")))).To()
	named("a locked account", b.Get(back).Is(http.StatusForbidden), "kind=locked", "why=locked", fmt.Sprintf("account=%d", r.Actors["niko"].Account))
	at = strings.Replace(b.Get("/signin?next=/").To(), "/authorize?", "/login?", 1)
	back = b.Send(trial.Must(http.NewRequest(http.MethodPost, at, strings.NewReader("refuse=1")))).To()
	named("who went back", b.Get(back).Is(http.StatusForbidden), "kind=signin", "why=declined")
	if strings.Contains(r.Logged.String(), "geheim") {
		t.Error("the log holds what was made up")
	}
}

// Who tries again and again fills no disk: the page names no line that is not there.
func TestAFloodOfSignInsIsCounted(t *testing.T) {
	t.Parallel()
	r := &refusals{Rig: sitetest.New(t)}
	b := r.Anonymous()
	r.lines()
	for i := range 30 {
		page := b.Get("/signin/callback?state=x&code=y").Is(http.StatusConflict)
		if i >= 20 {
			page.Lacks(sitetest.German("problem.reference"))
		}
	}
	if got := len(r.lines()); got != 20 {
		t.Errorf("got %d lines of 30, want 20", got)
	}
	r.Clock.Advance(time.Minute)
	b.Get("/signin/callback?state=x&code=y")
	if all := r.lines(); len(all) != 2 || !strings.Contains(all[0], "times=10") {
		t.Errorf("a minute later: got\n%s\nwant the sum and the next one", strings.Join(all, "\n"))
	}
}

// Where a request comes from is believed of trusted proxies only.
func TestATraceBelievesNoAddressThatAStrangerNames(t *testing.T) {
	t.Parallel()
	for trusted, want := range map[string]string{"": "address=127.0.0.1", "127.0.0.0/8": "address=203.0.113.9"} {
		r := &refusals{Rig: sitetest.New(t, func(c *portal.Config) {
			if trusted != "" {
				c.TrustedProxies = []string{trusted}
			}
		})}
		q := trial.Must(http.NewRequest(http.MethodGet, r.Base+"/api/v1/email-domains", nil))
		q.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.lines()
		r.Anonymous().Send(q).Is(http.StatusUnauthorized)
		if all := r.lines(); len(all) != 1 || !strings.Contains(all[0], want) {
			t.Errorf("trusting %q: got %v, want %s", trusted, all, want)
		}
	}
}
