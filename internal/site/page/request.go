package page

import (
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"petschaft/internal/person"
	"petschaft/web/paths"
)

// Handler is a page or an action; what it returns is answered by Fail.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Open serves h to everybody.
func (p *Page) Open(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			p.Fail(w, r, err)
		}
	}
}

// In serves h to people who are signed in; others sign in first and come back. A
// form from the page of another account is not carried out.
func (p *Page) In(h Handler) http.HandlerFunc {
	return p.Open(func(w http.ResponseWriter, r *http.Request) error {
		if by, ok := p.Desk.Actor(r.Context()); ok {
			if OfAnother(r, by) {
				f, _ := p.Posted(r)
				return p.Foreign(w, r, f)
			}
			return h(w, r)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return p.signedOutMeanwhile(w, r)
		}
		http.Redirect(w, r, paths.SignInTo(r.URL.RequestURI()), http.StatusSeeOther)
		return nil
	})
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
// shows a form nothing was done, and the page that the form stood on is shown.
func (p *Page) Done(w http.ResponseWriter, r *http.Request, to, message string, args ...any) error {
	if s, ok := shownHere(r.Context()); ok {
		to, message = s.page, ""
	}
	if message != "" {
		p.Desk.Flash(r.Context(), message, args...)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
