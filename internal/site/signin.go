package site

import (
	"crypto/rand"
	"net/http"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/internal/signin"
	"petschaft/internal/site/page"
	"petschaft/internal/trace"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

func (s *Site) signIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	next, why := q.Get("next"), signin.Demand(q.Get("again"))
	err := error(nil)
	switch why {
	case signin.Fresh, signin.Strong:
		err = s.Desk.Again(w, r, next, why)
	default:
		err = s.Desk.Begin(w, r, next)
	}
	return s.notSignedIn(w, r, err, r.URL.RequestURI())
}

func (s *Site) signedIn(w http.ResponseWriter, r *http.Request) error {
	done, err := s.Desk.Finish(w, r)
	if err != nil {
		if done.Demand == "" {
			return s.notSignedIn(w, r, err, paths.SignIn)
		}
		return s.notAgain(w, r, err, done)
	}
	if _, chosen := locale.Chosen(r); !chosen && done.Language != "" { // a browser in which nobody chose
		s.remember(w, r, done.Language)
	}
	s.forget(w, r, s.CookieName(page.SignedOutHere, "/"))
	http.Redirect(w, r, done.Next, http.StatusSeeOther)
	return nil
}

// notSignedIn says why a sign-in came to nothing and where to try again.
func (s *Site) notSignedIn(w http.ResponseWriter, r *http.Request, err error, again string) error {
	return s.signInProblem(w, r, err, view.ProblemModel{
		Title: page.T(r.Context(), "signin.failed_title"),
		Actions: []view.ButtonModel{
			{Label: page.T(r.Context(), "signin.again"), Href: again, Kind: view.Primary}, {Label: page.T(r.Context(), "problem.home"), Href: "/"},
		},
	})
}

// notAgain says why somebody who is signed in, and stays so, could not do so once more.
func (s *Site) notAgain(w http.ResponseWriter, r *http.Request, err error, done signin.Arrival) error {
	ctx := r.Context()
	m := view.ProblemModel{
		Title: page.T(ctx, "signin.again_title"), Kept: page.T(ctx, "signin.again_kept"),
		Actions: []view.ButtonModel{
			{Label: page.T(ctx, "signin.again"), Href: paths.SignInAgain(string(done.Demand), done.Next), Kind: view.Primary},
			{Label: page.T(ctx, "signin.again_back"), Href: done.Next},
		},
	}
	switch signin.WhyNot(err) {
	case signin.NotFresh:
		m.Todo = page.T(ctx, "signin.not_fresh_todo")
	case signin.NotStrong:
		m.Todo = page.T(ctx, "signin.not_strong_todo")
	case signin.OtherAccount:
		m.Todo = page.T(ctx, "signin.other_account_todo", "name", s.Actor(r).Name)
	}
	return s.signInProblem(w, r, err, m)
}

// signInProblem is m with what else is to be said of err, a sign-in that came to
// nothing.
func (s *Site) signInProblem(w http.ResponseWriter, r *http.Request, err error, m view.ProblemModel) error {
	f, ctx := postgres.Told(err), r.Context()
	if f == nil || f.Kind == fault.Internal || postgres.Away(f) {
		return err
	}
	m.Status, m.What = s.Status(w, f), page.T(ctx, f.ID, f.Args...)
	switch f.Kind {
	case fault.Conflict: // an old tab, or the way back in the browser's history
		m.Todo = page.T(ctx, "signin.stale_todo")
	case fault.Unavailable:
		m.Todo = page.T(ctx, "signin.down_todo")
	}
	why := signin.WhyNot(err)
	if why == signin.ClientRefused { // waiting does not help
		m.What, m.Todo = page.T(ctx, "signin.client_refused"), page.T(ctx, "signin.client_todo")
	}
	m.Reference = s.refusedSignIn(w, r, why, err)
	s.Problem(w, r, m)
	return nil
}

// refusedSignIn writes down why a sign-in came to nothing, and returns the reference
// that leads there, "" where there are too many of them to write down each.
func (s *Site) refusedSignIn(w http.ResponseWriter, r *http.Request, why signin.Why, err error) string {
	e := trace.Event{Kind: trace.SignIn, Fault: fault.Of(err).ID, Account: int64(signin.About(err)), Why: string(why), Reference: rand.Text()[:10]}
	switch why {
	case signin.ShutOut:
		e.Kind = trace.Locked
	case signin.Braked:
		e.Kind = trace.Brake
	case signin.NotFresh, signin.NotStrong:
		e.Kind = trace.StepUp
	}
	e.Cause, e.Detail = signin.Blame(err)
	trace.Behind(w).Told()
	if !s.trace.Refused(r, page.Route(r), e) {
		return ""
	}
	return e.Reference
}

// left is the cookie that tells the page after a sign-out who it was: keys of
// theirs may wait in this browser; and where another account goes on, if anywhere.
// No other page gets it.
const left = "petschaft_left"

// signOut ends the session here and leads to the provider, which ends its own.
// What the browser stores stays: a key for a certificate may wait there.
func (s *Site) signOut(w http.ResponseWriter, r *http.Request) error {
	by := s.Actor(r)
	to, err := s.Desk.SignOut(w, r)
	if err != nil {
		return err
	}
	if by.Account != 0 {
		who := page.ID(by.Account)
		if next := r.PostFormValue("next"); next != "" {
			who += "|" + signin.OwnPath(next)
		}
		s.setCookie(w, left, who, paths.SignedOut, 600)
	}
	s.setCookie(w, page.SignedOutHere, "1", "/", 0)
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (s *Site) signedOut(w http.ResponseWriter, r *http.Request) error {
	f := s.Frame(r, page.T(r.Context(), "signin.out_title"))
	f.SignIn = "" // the page's own button does it
	account, next := "", ""
	if c, err := r.Cookie(s.CookieName(left, paths.SignedOut)); err == nil {
		account, next, _ = strings.Cut(c.Value, "|")
	}
	again := view.ButtonModel{Label: page.T(r.Context(), "signin.again"), Href: paths.SignIn, Kind: view.Primary}
	if next != "" {
		again.Label, again.Href = page.T(r.Context(), "signin.over_button"), paths.SignInTo(signin.OwnPath(next))
	} else if wanted := r.URL.Query().Get("next"); wanted != "" {
		again.Href = paths.SignInTo(signin.OwnPath(wanted))
	}
	return s.Show(w, r, http.StatusOK, portalview.SignedOut(f, account, again))
}
