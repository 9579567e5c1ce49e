package site_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/campus"
	"petschaft/internal/idp"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/internal/sink"
	"petschaft/internal/trial"
	"petschaft/web/locale/localetest"
	"petschaft/web/paths"
)

// The people of the rig, by their subject at the provider. nora looks after
// uni.example and labor.example (validated by mailbox), sven after
// institut.example, rita and rolf are registration officers, ada and bob are
// users, and niko is nobody.
var names = map[string]string{
	"nora": "Nora Netz", "sven": "Sven Fremd", "rita": "Rita Amt",
	"rolf": "Rolf Amt", "ada": "Ada Adler", "bob": "Bob Bach", "niko": "Niko Niemand",
}

func officer(sub string) bool { return sub == "rita" || sub == "rolf" }

// rig is a portal over HTTP with a real database, provider and mail server. Its
// jobs rest until work is called.
type rig struct {
	t *testing.T
	*portal.Portal
	db           *postgres.DB // for the test's own statements
	clock        *trial.Clock
	idp          *idp.Provider
	sink         *sink.Sink
	base, issuer string
	actors       map[string]person.Actor
	group, other org.GroupID        // nora's, sven's
	organisation org.OrganisationID // nora's; sven has another
	logged       *record
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("setting up: %v", err))
	}
	return v
}

func newRig(t *testing.T, change ...func(*portal.Config)) *rig {
	t.Helper()
	return rigAt(t, trial.Today(), change...)
}

// rigAt is newRig on another day.
func rigAt(t *testing.T, at time.Time, change ...func(*portal.Config)) *rig {
	t.Helper()
	app, provider := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	r := &rig{
		t: t, clock: trial.ClockAt(at), base: "http://" + app.Listener.Addr().String(), issuer: "http://" + provider.Listener.Addr().String(),
		actors: map[string]person.Actor{}, logged: &record{},
	}
	r.sink = must(sink.New(sink.Config{}))
	if err := r.sink.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.sink.Close() })
	dbURL := pgtest.URL(t)
	r.db = pgtest.Open(t, dbURL)
	r.idp = must(idp.New(r.providerConfig()))
	cfg := r.config(dbURL)
	r.found(cfg)
	for _, f := range change {
		f(&cfg)
	}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), r.logged), nil))
	r.Portal = must(portal.Open(t.Context(), cfg, log, r.clock.Now, func(c *pgxpool.Config) {
		c.MaxConns = 8
		c.ConnConfig.Tracer = r.db.Config().ConnConfig.Tracer // so that pgtest.Queries counts the portal's
	}))
	t.Cleanup(r.Close)
	app.Config.Handler, provider.Config.Handler = localetest.Watch(t, r.Handler), r.idp.Handler()
	app.Start()
	provider.Start()
	t.Cleanup(app.Close)
	t.Cleanup(provider.Close)
	r.fill()
	return r
}

func (r *rig) providerConfig() idp.Config {
	c := idp.Config{Issuer: r.issuer, Now: r.clock.Now, Clients: []idp.Client{{
		ID: "portal", Secret: "geheim",
		RedirectURIs: []string{r.base + "/signin/callback"}, PostLogoutRedirectURIs: []string{r.base + "/signed-out"},
	}}}
	for sub, name := range names {
		given, family, _ := strings.Cut(name, " ")
		p := idp.Person{
			Sub: sub, Username: sub, Name: name, GivenName: given, FamilyName: family,
			Email: strings.ToLower(given+"."+family) + "@uni.example", EmailVerified: true,
		}
		if officer(sub) {
			p.Groups = []string{"ra"}
		}
		c.People = append(c.People, p)
	}
	return c
}

func (r *rig) config(dbURL string) portal.Config {
	return portal.Config{
		DatabaseURL: dbURL, Listen: "127.0.0.1:0", BaseURL: r.base, OIDCIssuer: r.issuer, OIDCClientID: "portal", OIDCClientSecret: "geheim",
		OIDCGroupsClaim: "groups", RAGroup: "ra", SMTPURL: "smtp://" + r.sink.Addr() + "?tls=none",
		MailFrom: "Petschaft <portal@uni.example>", MailBounce: "bounce@uni.example",
		Secret: base64.StdEncoding.EncodeToString(make([]byte, 32)), PKIURL: r.base,
		RowGap: time.Minute, RowDay: 10, ActorHour: 500, AddressHour: 30, BulkMails: 60, HandoverDay: 10, TokenSleep: 30, APIPerMinute: 1200, SecondOfficer: true, Version: "test",
	}
}

// fill makes the accounts, contact groups, domains and organisations: nora is the
// technical contact of one that has uni.example with wildcards, sven of one that
// has institut.example.
func (r *rig) fill() {
	f := campus.Founder{T: r.t, DB: r.DB, People: r.People, Org: r.Org}
	claims := func(sub string) person.Claims {
		given, family, _ := strings.Cut(names[sub], " ")
		return person.Claims{Issuer: r.issuer, Subject: sub, Name: names[sub], GivenName: given, FamilyName: family}
	}
	for sub := range names {
		a := f.SignIn(claims(sub))
		a.Officer, a.Email = officer(sub), email(sub)
		r.actors[sub] = a
	}
	f.Officer = r.actors["rita"]
	r.group = f.Group(org.GroupInput{Name: "Netz Rechenzentrum", Notify: "netz@uni.example"}, r.actors["nora"])
	r.other = f.Group(org.GroupInput{Name: "Netz Institut"}, r.actors["sven"])
	f.Domain("uni.example", r.group, org.ByDomain)
	f.Domain("labor.example", r.group, org.ByMailbox)
	f.Domain("institut.example", r.other, org.ByDomain)
	r.organisation = f.Organisation("Universität Probe", r.actors["nora"])
	f.ServerName(r.organisation, "uni.example", true)
	f.ServerName(f.Organisation("Institut Fremd", r.actors["sven"]), "institut.example", true)
}

// work runs the portal's jobs until the test ends.
func (r *rig) work() {
	r.t.Helper()
	if err := r.Work(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := r.Queue.Stop(ctx); err != nil {
			r.t.Errorf("stop jobs: %v", err)
		}
	})
}

// add makes a personal row local@uni.example as nora and returns its path.
func (r *rig) add(local string, aliases ...string) (mailbox.ID, string) {
	r.t.Helper()
	return r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: local, Primary: local + "@uni.example", Aliases: aliases})
}

// addRow makes a row of uni.example as nora and returns its path.
func (r *rig) addRow(in mailbox.Input) (mailbox.ID, string) {
	r.t.Helper()
	row, err := r.Mailbox.Add(r.t.Context(), r.actors["nora"], "uni.example", in)
	if err != nil {
		r.t.Fatalf("add %s: %v", in.Primary, err)
	}
	return row.ID, fmt.Sprintf("/email-domains/uni.example/rows/%d", row.ID)
}

// link waits for the newest challenge mail to address and returns the path of
// its link; work must have been called.
func (r *rig) link(address string, after int64) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	m, err := r.sink.WaitFor(ctx, func(m sink.Mail) bool { return m.For(address) && m.ID > after })
	if err != nil {
		r.t.Fatalf("no mail to %s: %v", address, err)
	}
	_, rest, ok := strings.Cut(m.Text, r.base+paths.Link)
	if !ok {
		r.t.Fatalf("no link in the mail to %s:\n%s", address, m.Text)
	}
	return paths.Link + strings.Fields(rest)[0]
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	r      *rig
	client *http.Client
	lang   string
}

// anonymous is a browser in which nobody is signed in.
func (r *rig) anonymous() *browser {
	return &browser{r, &http.Client{
		Jar:           must(cookiejar.New(nil)),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, "de"}
}

// as is a browser in which the person, a key of names, is signed in.
func (r *rig) as(sub string) *browser {
	r.t.Helper()
	b := r.anonymous()
	b.signIn(b.get("/signin?next=/").status(http.StatusSeeOther).to(), sub)
	return b
}

// signIn picks an account at the provider, whose address is given, and returns
// where the portal leads then.
func (b *browser) signIn(provider, sub string) string {
	b.r.t.Helper()
	login := strings.Replace(provider, "/authorize?", "/login?", 1)
	back := b.send(must(http.NewRequest(http.MethodPost, login, strings.NewReader(url.Values{"person": {sub}}.Encode()))))
	return b.get(back.to()).status(http.StatusSeeOther).to()
}

// answer is a response, read to its end.
type answer struct {
	*http.Response
	b    *browser
	body string
}

func (b *browser) get(path string) answer { b.r.t.Helper(); return b.ask(http.MethodGet, path) }

// ask sends a request without a body.
func (b *browser) ask(method, path string) answer {
	b.r.t.Helper()
	return b.send(must(http.NewRequest(method, b.r.at(path), nil)))
}

// post sends a form, name and value in turn, as a page of the portal would.
func (b *browser) post(path string, form ...string) answer {
	b.r.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		v.Add(form[i], form[i+1])
	}
	req := must(http.NewRequest(http.MethodPost, b.r.at(path), strings.NewReader(v.Encode())))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(req)
}

func (r *rig) at(path string) string {
	if strings.HasPrefix(path, "/") {
		return r.base + path
	}
	return path
}

func (b *browser) send(req *http.Request) answer {
	b.r.t.Helper()
	req.Header.Set("Accept-Language", b.lang)
	if req.Method == http.MethodPost && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.r.t.Fatal(err)
	}
	defer res.Body.Close()
	return answer{res, b, string(must(io.ReadAll(res.Body)))}
}

// text is the body as a person reads it, near enough: without breaks and
// entities.
func (a answer) text() string {
	return html.UnescapeString(strings.ReplaceAll(a.body, "<wbr>", ""))
}

// status fails unless the answer has it.
func (a answer) status(want int) answer {
	a.b.r.t.Helper()
	if a.StatusCode != want {
		a.b.r.t.Fatalf("%s %s: got status %d, want %d:\n%s", a.Request.Method, a.Request.URL, a.StatusCode, want, a.excerpt())
	}
	return a
}

// has fails unless the page holds every one of the words.
func (a answer) has(words ...string) answer {
	a.b.r.t.Helper()
	for _, w := range words {
		if !strings.Contains(a.text(), w) {
			a.b.r.t.Errorf("%s %s (%d): %q is missing in:\n%s", a.Request.Method, a.Request.URL, a.StatusCode, w, a.excerpt())
		}
	}
	return a
}

// lacks fails when the page holds one of the words.
func (a answer) lacks(words ...string) answer {
	a.b.r.t.Helper()
	for _, w := range words {
		if strings.Contains(a.text(), w) {
			a.b.r.t.Errorf("%s %s (%d): %q should not be there", a.Request.Method, a.Request.URL, a.StatusCode, w)
		}
	}
	return a
}

// excerpt is the page's main part, for messages.
func (a answer) excerpt() string {
	s := a.text()
	if _, main, ok := strings.Cut(s, "<main"); ok {
		s, _, _ = strings.Cut(main, "<footer")
	}
	return s
}

// to is the address of a redirect.
func (a answer) to() string {
	a.b.r.t.Helper()
	u, err := a.Location()
	if err != nil {
		a.b.r.t.Fatalf("%s %s: got status %d, want a redirect:\n%s", a.Request.Method, a.Request.URL, a.StatusCode, a.excerpt())
	}
	return strings.TrimPrefix(u.String(), a.b.r.base)
}

// follow goes where a redirect leads.
func (a answer) follow() answer {
	a.b.r.t.Helper()
	return a.b.get(a.to())
}

// record keeps what was logged.
type record struct{ text atomic.Value }

func (l *record) Write(b []byte) (int, error) {
	for {
		old := l.text.Load()
		before, _ := old.(string)
		if old == nil {
			if l.text.CompareAndSwap(nil, string(b)) {
				return len(b), nil
			}
			continue
		}
		if l.text.CompareAndSwap(old, before+string(b)) {
			return len(b), nil
		}
	}
}

func (l *record) String() string {
	s, _ := l.text.Load().(string)
	return s
}
