package page

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"petschaft/internal/draft"
	"petschaft/internal/intake"
	"petschaft/internal/person"
	"petschaft/web/paths"
)

// Handler is a page or an action; what it returns is answered by Fail.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Open serves h to everybody, with the form that was sent, which is short for
// whoever is not signed in.
func (p *Page) Open(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, p.terms(r), h) }
}

// serve reads what is sent with r and serves h.
func (p *Page) serve(w http.ResponseWriter, r *http.Request, t intake.Terms, h Handler) {
	sent, err := read(r, t)
	if err != nil {
		p.unread(w, r, err)
		return
	}
	if err := h(w, sent); err != nil {
		p.Fail(w, sent, err)
	}
}

// In serves h to people who are signed in, with the form that they sent; others
// sign in first and come back. A form from the page of another account is not
// carried out.
func (p *Page) In(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if by, ok := p.Desk.Actor(r.Context()); ok {
			p.serve(w, r, p.terms(r), p.own(by, h))
			return
		}
		p.signInFirst(w, r)
	}
}

// own is h for forms from pages of by.
func (p *Page) own(by person.Actor, h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if OfAnother(r, by) {
			f, _ := p.Posted(r)
			return p.Foreign(w, r, f)
		}
		return h(w, r)
	}
}

// InWithFiles is In for an h that reads what is sent itself (ReadFiles, Stream),
// once it has asked for the right.
func (p *Page) InWithFiles(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, ok := p.Desk.Actor(r.Context()); !ok {
			p.signInFirst(w, r)
			return
		}
		if err := h(w, r); err != nil {
			p.Fail(w, r, err)
		}
	}
}

// Denied answers somebody who is signed in and may not: of what they sent it
// reads no more than could be left for the account whose form it is.
func (p *Page) Denied(w http.ResponseWriter, r *http.Request, why error) {
	by, t := p.Actor(r), p.terms(r)
	t.Most = draft.MostUnsigned
	sent, err := read(r, t)
	if err != nil {
		p.Fail(w, r, why)
		return
	}
	err = p.own(by, func(http.ResponseWriter, *http.Request) error { return why })(w, sent)
	if err != nil {
		p.Fail(w, sent, err)
	}
}

// signInFirst sends who is not signed in there, and a form that is not too long
// along.
func (p *Page) signInFirst(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		to := paths.SignInTo(r.URL.RequestURI())
		if p.signedOutHere(r) {
			to = paths.SignedOutTo(r.URL.RequestURI())
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	sent, err := read(r, p.terms(r))
	switch {
	case errors.Is(err, intake.ErrLarge):
		p.sessionOver(w, r, http.StatusRequestEntityTooLarge, draft.Form{})
	case err != nil:
		p.unread(w, r, err)
	default:
		f, _ := p.Posted(sent)
		p.sessionOver(w, sent, http.StatusForbidden, f)
	}
}

// Actor is who acts; only under In.
func (p *Page) Actor(r *http.Request) person.Actor {
	a, _ := p.Desk.Actor(r.Context())
	return a
}

// Show writes a page, or a part of one, with a status: all of it, or nothing
// where it cannot be rendered, so that whoever gets the error can still answer.
// To a form that did nothing the answer is the address where it is shown.
func (p *Page) Show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	whole := templ.GetBuffer()
	defer templ.ReleaseBuffer(whole)
	if err := page.Render(r.Context(), whole); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	if p.elsewhere(w, r, status) {
		return nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = whole.WriteTo(w) // fails where the reader went away: nobody is left to tell
	return nil
}

// Done redirects to where the result is seen, with a message for it. Where r only
// shows a form nothing was done, and the page that the form stood on is shown. A
// message about what goes on is given While it does.
func (p *Page) Done(w http.ResponseWriter, r *http.Request, to, message string, args ...any) error {
	if s, ok := shownHere(r.Context()); ok {
		to, message = s.page, ""
	}
	if message != "" {
		p.Desk.Flash(r.Context(), message, lasting(r.Context(), args)...)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
