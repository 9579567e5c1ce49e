// Package sitetest is a whole portal over HTTP for the tests of pages, with
// people, a provider, a mail server and browsers that keep cookies, and with what
// several rooms of pages need in it: rows, certificates, orders, handovers. What
// one room alone needs stands with its tests.
package sitetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
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
	"petschaft/web/locale"
	"petschaft/web/locale/localetest"
	"petschaft/web/paths"
)

// People are the people of the rig, by their subject at the provider. nora looks after
// uni.example and labor.example (validated by mailbox), sven after
// institut.example, rita and rolf are registration officers, ada and bob are
// users, and niko is nobody.
var People = map[string]string{
	"nora": "Nora Netz", "sven": "Sven Fremd", "rita": "Rita Amt",
	"rolf": "Rolf Amt", "ada": "Ada Adler", "bob": "Bob Bach", "niko": "Niko Niemand",
}

func officer(sub string) bool { return sub == "rita" || sub == "rolf" }

// Rig is a portal over HTTP with a real database, provider and mail server. Its
// jobs rest until StartJobs is called.
type Rig struct {
	T *testing.T
	*portal.Portal
	Pool         *postgres.DB // for the test's own statements
	Clock        *trial.Clock
	IDP          *idp.Provider
	Sink         *sink.Sink
	Base, Issuer string
	Actors       map[string]person.Actor
	Group, Other org.GroupID        // nora's, sven's
	Organisation org.OrganisationID // nora's; sven has another
	Logged       *record
	tables       string // what Everything asks
	recorded     int64  // how many certificates Recorded made
}

// New is a rig that stands on the day of tests.
func New(t *testing.T, change ...func(*portal.Config)) *Rig {
	t.Helper()
	return NewOn(t, trial.Today(), change...)
}

// NewOn is New on another day.
func NewOn(t *testing.T, at time.Time, change ...func(*portal.Config)) *Rig {
	t.Helper()
	app, provider := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	r := &Rig{
		T: t, Clock: trial.ClockAt(at), Base: "http://" + app.Listener.Addr().String(), Issuer: "http://" + provider.Listener.Addr().String(),
		Actors: map[string]person.Actor{}, Logged: &record{},
	}
	r.Sink = trial.Must(sink.New(sink.Config{}))
	if err := r.Sink.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Sink.Close() })
	dbURL := pgtest.URL(t)
	r.Pool = pgtest.Open(t, dbURL)
	r.IDP = trial.Must(idp.New(r.providerConfig()))
	cfg := r.Config(dbURL)
	r.found(cfg)
	for _, f := range change {
		f(&cfg)
	}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), r.Logged), nil))
	r.Portal = trial.Must(portal.Open(t.Context(), cfg, log, r.Clock.Now, func(c *pgxpool.Config) {
		c.MaxConns = 8
		c.ConnConfig.Tracer = r.Pool.Config().ConnConfig.Tracer // so that pgtest.Queries counts the portal's
	}))
	t.Cleanup(r.Close)
	app.Config.Handler, provider.Config.Handler = localetest.Watch(t, r.Handler), r.IDP.Handler()
	app.Start()
	provider.Start()
	t.Cleanup(app.Close)
	t.Cleanup(provider.Close)
	r.fill()
	return r
}

func (r *Rig) providerConfig() idp.Config {
	c := idp.Config{Issuer: r.Issuer, Now: r.Clock.Now, Clients: []idp.Client{{
		ID: "portal", Secret: "geheim",
		RedirectURIs: []string{r.Base + "/signin/callback"}, PostLogoutRedirectURIs: []string{r.Base + "/signed-out"}, BackChannelLogoutURI: r.Base + paths.BackChannelLogout,
	}}}
	for sub, name := range People {
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

func (r *Rig) Config(dbURL string) portal.Config {
	return portal.Config{
		DatabaseURL: dbURL, Listen: "127.0.0.1:0", BaseURL: r.Base, OIDCIssuer: r.Issuer, OIDCClientID: "portal", OIDCClientSecret: "geheim",
		OIDCGroupsClaim: "groups", RAGroup: "ra", SMTPURL: "smtp://" + r.Sink.Addr() + "?tls=none",
		MailFrom: "Petschaft <portal@uni.example>", MailBounce: "bounce@uni.example",
		Secret: base64.StdEncoding.EncodeToString(make([]byte, 32)), PKIURL: r.Base,
		RowGap: time.Minute, RowDay: 10, ActorHour: 500, AddressHour: 30, BulkMails: 60, HandoverDay: 10, LookUpHour: 20, SignInPerMinute: 600, TokenSleep: 30, APIPerMinute: 1200, SecondOfficer: true, Version: "test",
		SecurityContact: []string{"mailto:security@uni.example"}, SecurityLanguages: []string{"de", "en"},
	}
}

// fill makes the accounts, contact groups, domains and organisations: nora is the
// technical contact of one that has uni.example with wildcards, sven of one that
// has institut.example.
func (r *Rig) fill() {
	f := campus.Founder{T: r.T, DB: r.DB, People: r.People, Org: r.Org}
	claims := func(sub string) person.Claims {
		given, family, _ := strings.Cut(People[sub], " ")
		return person.Claims{Issuer: r.Issuer, Subject: sub, Name: People[sub], GivenName: given, FamilyName: family}
	}
	for sub := range People {
		a := f.SignIn(claims(sub))
		a.Officer, a.Email = officer(sub), Email(sub)
		r.Actors[sub] = a
	}
	f.Officer = r.Actors["rita"]
	r.Group = f.Group(org.GroupInput{Name: "Netz Rechenzentrum", Notify: "netz@uni.example"}, r.Actors["nora"])
	r.Other = f.Group(org.GroupInput{Name: "Netz Institut"}, r.Actors["sven"])
	f.Domain("uni.example", r.Group, org.ByDomain)
	f.Domain("labor.example", r.Group, org.ByMailbox)
	f.Domain("institut.example", r.Other, org.ByDomain)
	r.Organisation = f.Organisation("Universität Probe", r.Actors["nora"])
	f.ServerName(r.Organisation, "uni.example", true)
	f.ServerName(f.Organisation("Institut Fremd", r.Actors["sven"]), "institut.example", true)
}

// StartJobs runs the portal's jobs until the test ends.
func (r *Rig) StartJobs() {
	r.T.Helper()
	if err := r.Work(r.T.Context()); err != nil {
		r.T.Fatal(err)
	}
	r.T.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := r.Queue.Stop(ctx); err != nil {
			r.T.Errorf("stop jobs: %v", err)
		}
	})
}

// Add makes a personal row local@uni.example as nora and returns its path.
func (r *Rig) Add(local string, aliases ...string) (mailbox.ID, string) {
	r.T.Helper()
	return r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: local, Primary: local + "@uni.example", Aliases: aliases})
}

// AddRow makes a row of uni.example as nora and returns its path.
func (r *Rig) AddRow(in mailbox.Input) (mailbox.ID, string) {
	r.T.Helper()
	row, err := r.Mailbox.Add(r.T.Context(), r.Actors["nora"], "uni.example", in)
	if err != nil {
		r.T.Fatalf("add %s: %v", in.Primary, err)
	}
	return row.ID, fmt.Sprintf("/email-domains/uni.example/rows/%d", row.ID)
}

// Link waits for the newest challenge mail to address and returns the path of
// its link; work must have been called.
func (r *Rig) Link(address string, after int64) string {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(r.T.Context(), 20*time.Second)
	defer cancel()
	m, err := r.Sink.WaitFor(ctx, func(m sink.Mail) bool { return m.For(address) && m.ID > after })
	if err != nil {
		r.T.Fatalf("no mail to %s: %v", address, err)
	}
	_, rest, ok := strings.Cut(m.Text, r.Base+paths.Link)
	if !ok {
		r.T.Fatalf("no link in the mail to %s:\n%s", address, m.Text)
	}
	return paths.Link + strings.Fields(rest)[0]
}

// Anonymous is a browser in which nobody is signed in.
func (r *Rig) Anonymous() *Browser {
	return &Browser{Rig: r, Lang: "de", Client: &http.Client{
		Jar:           trial.Must(cookiejar.New(nil)),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// As is a browser in which the person, a key of names, is signed in.
func (r *Rig) As(sub string) *Browser {
	r.T.Helper()
	b := r.Anonymous()
	b.SignIn(b.Get("/signin?next=/").Is(http.StatusSeeOther).To(), sub)
	return b
}

func (r *Rig) At(path string) string {
	if strings.HasPrefix(path, "/") {
		return r.Base + path
	}
	return path
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

// German is what a German page says for id.
func German(id string, args ...any) string { return locale.For("de").T(id, args...) }

// Until waits for what a job of the portal is about to do.
func (r *Rig) Until(what string, done func() bool) {
	r.T.Helper()
	trial.Until(r.T, what, done)
}
