package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/idp"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/web/paths"
)

// rig is a portal on a database of its own, with somebody signed in who is a
// contact and an officer.
type rig struct {
	*portal.Portal
	config  portal.Config
	front   *httptest.Server
	cookies []*http.Cookie
	actor   person.Actor
	group   org.GroupID // looks after all domains
	closers []func()
	change  func(*pgxpool.Config) // of the portal's pool, nil: as it is
}

func (r *rig) close() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
}

// fresh makes an empty database beside the one of the url.
func fresh(ctx context.Context, server, name string) (string, error) {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	for _, sql := range []string{"drop database if exists " + name + " with (force)", "create database " + name} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func newRig(ctx context.Context, c commands, smtp string) (*rig, error) {
	database, err := fresh(ctx, c.Database, "bench")
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, database)
	if err != nil {
		return nil, err
	}
	_, err = postgres.Migrate(ctx, db)
	db.Close()
	if err != nil {
		return nil, err
	}
	r := &rig{}
	front := httptest.NewUnstartedServer(nil)
	provider := httptest.NewUnstartedServer(nil)
	r.closers = append(r.closers, front.Close, provider.Close)
	base, issuer := "http://"+front.Listener.Addr().String(), "http://"+provider.Listener.Addr().String()
	p, err := idp.New(idp.Config{
		Issuer:  issuer,
		People:  []idp.Person{{Sub: "bench", Username: "bench", Name: "Bea Bench", Email: "bea@bench.example", EmailVerified: true, Groups: []string{"ra", "bench"}}},
		Clients: []idp.Client{{ID: "petschaft", Secret: "bench", RedirectURIs: []string{base + paths.SignedIn}, PostLogoutRedirectURIs: []string{base + paths.SignedOut}}},
	})
	if err != nil {
		return nil, err
	}
	provider.Config.Handler = p.Handler()
	provider.Start()
	r.config = portal.Config{
		DatabaseURL: database, Listen: "127.0.0.1:0", BaseURL: base, OIDCIssuer: issuer, OIDCClientID: "petschaft", OIDCClientSecret: "bench",
		OIDCGroupsClaim: "groups", RAGroup: "ra", SMTPURL: smtp, MailFrom: "portal@bench.example", MailBounce: "ra@bench.example",
		Secret: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", RowDay: 1 << 30, ActorHour: 1 << 30, AddressHour: 1 << 30, BulkMails: 60, HandoverDay: 10, LookUpHour: 20, SignInPerMinute: 1 << 30, TokenSleep: 30, APIPerMinute: 1 << 30,
	}
	r.front = front
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	r.closers = append(r.closers, func() { r.Close() })
	front.Start()
	if err := r.signIn(ctx, base); err != nil {
		return nil, err
	}
	r.group, err = r.Org.AddGroup(ctx, r.actor, org.GroupInput{Name: "Bench", Claims: []string{"bench"}})
	if err != nil {
		return nil, err
	}
	// A group of the provider counts from the first sign-in after the portal knew it.
	return r, r.signIn(ctx, base)
}

func (r *rig) open(ctx context.Context) (err error) {
	r.Portal, err = portal.Open(ctx, r.config, slog.New(slog.DiscardHandler), func() time.Time { return time.Now().UTC() }, func(c *pgxpool.Config) {
		if r.change != nil {
			r.change(c)
		}
	})
	if err == nil {
		r.front.Config.Handler = r.Handler
	}
	return err
}

// reopen starts the portal again, as a restart of the process would.
func (r *rig) reopen(ctx context.Context) error {
	r.Close()
	return r.open(ctx)
}

// signIn does what a person does, with the real exchange.
func (r *rig) signIn(ctx context.Context, base string) error {
	jar, _ := cookiejar.New(nil)
	var login string
	c := &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(req.URL.Path, "/authorize") {
			login = strings.Replace(req.URL.String(), "/authorize?", "/login?", 1)
			return http.ErrUseLastResponse
		}
		return nil
	}}
	for _, step := range []func() (*http.Response, error){
		func() (*http.Response, error) { return c.Get(base + paths.SignIn) },
		func() (*http.Response, error) { return c.PostForm(login, url.Values{"person": {"bench"}}) },
	} {
		resp, err := step()
		if err != nil {
			return err
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	r.cookies = jar.Cookies(u)
	var account person.ID
	if err := r.DB.QueryRow(ctx, `select id from account where subject = 'bench'`).Scan(&account); err != nil {
		return err
	}
	// As a job sees them, so that none finds less right than the form that ordered it.
	r.actor, err = r.People.Acting(ctx, r.DB, time.Now().UTC(), person.Behalf{Account: account})
	r.actor.Officer = slices.Contains(r.actor.Groups, r.config.RAGroup)
	return err
}

// host is what the portal is called in its address; no other name is answered.
func (r *rig) host() string { return r.front.Listener.Addr().String() }

// get asks for a page inside the process and fails on anything but 200.
func (r *rig) get(path string) (string, error) {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Host = r.host()
	for _, c := range r.cookies {
		req.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	r.Handler.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		return "", fmt.Errorf("%s: status %d", path, rec.Code)
	}
	return rec.Body.String(), nil
}

// domain registers one that the actor looks after.
func (r *rig) domain(ctx context.Context, name string) (org.ID, error) {
	now := time.Now()
	_, err := r.Org.AddDomain(ctx, r.actor, org.DomainInput{
		Name: name, Group: r.group, Validation: org.ByDomain,
		Proof: org.Proof{Method: "bench", By: "bench", From: now, Until: now.AddDate(1, 0, 0)},
	})
	if err != nil {
		return 0, err
	}
	d, err := r.Org.Domain(ctx, r.actor, name)
	return d.ID, err
}
