// Package site is every page: it reads requests, calls one operation, and
// renders or redirects. It turns faults into status codes and words, and domain
// values into view models. It decides no rule: whether a button stands on a
// page is asked of the same function that guards the operation.
package site

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"petschaft/internal/bulk"
	"petschaft/internal/cert"
	"petschaft/internal/earlier"
	"petschaft/internal/handover"
	"petschaft/internal/imports"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/recipe"
	"petschaft/internal/signin"
	"petschaft/web/locale"
	"petschaft/web/pages"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// Site serves the pages.
type Site struct {
	Door
	Desk     *signin.Desk
	People   *person.Book
	Org      *org.Book
	Handover *handover.Book
	Mailbox  *mailbox.Book
	Imports  *imports.Book
	Bulk     *bulk.Book
	Cert     *cert.Book
	Earlier  *earlier.Book
	Order    *order.Book
	Recipe   *recipe.Book
	CA       []Authority // the root first; empty while none is set up
	Chains   *pki.Pool   // from their certificates
	// RootList is the revocation list of a root whose key is elsewhere; false
	// where the cert room keeps that list like any other. Nil: likewise.
	RootList func(context.Context) (pki.CRL, bool, error)
	Outbox   *mail.Outbox
	Queue    *queue.Queue
	DB       *postgres.DB
	Pages    *pages.Pages
	Now      func() time.Time
	Log      *slog.Logger
	Version  string
	API      API
	// Observe hears of each answered request: its method, route pattern,
	// status and time.
	Observe func(method, route string, status int, took time.Duration)

	exports      gate
	describedAPI func() (apiDocument, error)
}

// API is the JSON API as the site serves and explains it.
type API struct {
	Path     string // where it is mounted
	Handler  http.Handler
	Document []byte // OpenAPI 3.1, as JSON
	Problems []APIProblem
}

// APIProblem is a kind of problem that the API answers with: the name in its
// type, which is the address of a page, its status, and the message ids of what
// that page says.
type APIProblem struct {
	Name   string
	Status int
	Title  string
	Text   string
}

// Door is how requests come in from outside.
type Door struct {
	Base      *url.URL       // the portal's own address
	Proxies   []netip.Prefix // who is believed about where a request comes from
	Forwarded bool           // they say it in Forwarded (RFC 7239), else in X-Forwarded-For
}

// handler is a page or an action; what it returns is answered by fail.
type handler func(w http.ResponseWriter, r *http.Request) error

// open serves h to everybody.
func (s *Site) open(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

// in serves h to people who are signed in; others sign in first and come back.
func (s *Site) in(h handler) http.HandlerFunc {
	return s.open(func(w http.ResponseWriter, r *http.Request) error {
		if _, ok := s.Desk.Actor(r.Context()); ok {
			return h(w, r)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return s.signedOutMeanwhile(w, r)
		}
		http.Redirect(w, r, paths.SignInTo(r.URL.RequestURI()), http.StatusSeeOther)
		return nil
	})
}

// actor is who acts; only under in.
func (s *Site) actor(r *http.Request) person.Actor {
	a, _ := s.Desk.Actor(r.Context())
	return a
}

// t words id in the reader's language.
func t(ctx context.Context, id string, args ...any) string { return locale.From(ctx).T(id, args...) }

// show writes a page, or a part of one, with a status: all of it, or nothing
// where it cannot be rendered, so that whoever gets the error can still answer.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	whole := templ.GetBuffer()
	defer templ.ReleaseBuffer(whole)
	if err := page.Render(r.Context(), whole); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = whole.WriteTo(w) // fails where the reader went away: nobody is left to tell
	return nil
}

// done redirects to where the result is seen, with a message for it.
func (s *Site) done(w http.ResponseWriter, r *http.Request, to, message string, args ...any) error {
	if message != "" {
		s.Desk.Flash(r.Context(), message, args...)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// frame is what surrounds a page called title: navigation for who asks, and
// the message that a redirect left. crumbs lead to the page.
func (s *Site) frame(r *http.Request, title string, crumbs ...view.Link) view.Frame {
	ctx := r.Context()
	f := view.Frame{Title: title, Path: r.URL.RequestURI(), Version: s.Version, SignIn: paths.SignInTo(r.URL.RequestURI())}
	if r.Method != http.MethodGet || within(r.URL.Path, paths.SignIn) { // nothing to come back to
		f.Path, f.SignIn = "/", paths.SignIn
	}
	if len(crumbs) > 0 {
		f.Crumbs = append(crumbs, view.Link{Label: title})
	}
	if id, args, ok := s.Desk.PopFlash(ctx); ok {
		f.Flash = &view.NoticeModel{Kind: view.Good, Text: t(ctx, id, args...)}
	}
	by, ok := s.Desk.Actor(ctx)
	if !ok {
		return f
	}
	f.Nav = s.nav(r, by)
	f.Person = &view.Person{
		Name: by.Name, Detail: by.Email, SignOut: paths.SignOut,
		Links: personLinks(r, f.Nav),
	}
	return f
}
