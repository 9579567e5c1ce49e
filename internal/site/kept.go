package site

import (
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/draft"
	"petschaft/internal/signin"
	"petschaft/internal/site/page"
	"petschaft/internal/trace"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// shown are the pages with forms once more, without what stands before them.
func (s *Site) shown() http.Handler {
	r := chi.NewRouter()
	r.NotFound(s.missing)
	r.MethodNotAllowed(s.wrongMethod)
	s.forms(r)
	return r
}

// keptForm shows a form that was kept, by asking forms for it in a request that can
// write nothing.
func (s *Site) keptForm(forms http.Handler) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		f, err := s.Drafts.Open(ctx, s.Actor(r).Account, chi.URLParam(r, "token"), func(hash []byte) bool { return s.Desk.Left(ctx, hash) })
		if errors.Is(err, draft.ErrForeign) {
			s.Problem(w, r, foreign(r))
			return nil
		}
		if errors.Is(err, draft.ErrGone) {
			s.Problem(w, r, view.ProblemModel{
				Status: http.StatusNotFound, Title: page.T(ctx, "kept.old_title"), What: page.T(ctx, "kept.gone"), Todo: page.T(ctx, "kept.old_todo"),
			})
			return nil
		}
		if err != nil {
			return err
		}
		shown, err := page.Showing(r, f)
		if err != nil {
			return page.ErrUnreadable.Because(err)
		}
		forms.ServeHTTP(w, shown)
		trace.Of(ctx).Told() // what was refused was so when it was sent
		return nil
	}
}

// foreign says to who opens a form that was left in this browser that it is not
// theirs; not whose it is.
func foreign(r *http.Request) view.ProblemModel {
	ctx := r.Context()
	return view.ProblemModel{
		Status: http.StatusForbidden, Title: page.T(ctx, "kept.foreign_title"), What: page.T(ctx, "kept.foreign"), Kept: page.T(ctx, "kept.foreign_kept"), Todo: page.T(ctx, "kept.foreign_todo"),
		Actions: []view.ButtonModel{{
			Label: page.T(ctx, "frame.sign-out"), Kind: view.Primary, Action: paths.SignOut, Hidden: []view.Hidden{{Name: "next", Value: r.URL.Path}},
		}},
	}
}

// signInWith signs somebody in whose session ended over a form, and leads back to
// the form.
func (s *Site) signInWith(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	owner, f, err := page.Left(r)
	if err != nil {
		return err
	}
	token, err := s.Leave(ctx, owner, f) // ErrFull: the browser has it still
	if err != nil {
		return err
	}
	next := paths.KeptForm(token)
	if by := s.Actor(r); by.Account != 0 { // in another tab, meanwhile
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return s.notSignedIn(w, r, s.Desk.Begin(w, r, next), paths.SignInTo(next))
}

// chooseLanguage remembers the language for a year, and for the letters to who
// is signed in, and goes back to the page: with the form that came along.
func (s *Site) chooseLanguage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if !q.Has("lang") {
		q = r.PostForm
	}
	l := locale.For(q.Get("lang"))
	s.remember(w, r, l.Lang())
	next, to := signin.OwnPath(q.Get("next")), q.Get("to")
	by := s.Actor(r)
	if by.Account != 0 {
		if err := s.people.SetLanguage(r.Context(), by, l.Lang()); err != nil {
			return err
		}
	}
	spoken := r.WithContext(locale.With(r.Context(), l))
	switch f, ok := s.Posted(r); {
	case to == paths.SignIn: // it carries a form already
		_, left, err := page.Left(r)
		if err != nil {
			return err
		}
		return s.SessionOver(w, spoken, left)
	case to == "" || signin.OwnPath(to) != to || !ok:
	case q.Get("by") == "get":
		next = to + "?" + r.PostForm.Encode()
	default:
		f.Path, f.Page = to, next
		if by.Account == 0 {
			return s.SessionOver(w, spoken, f)
		}
		if page.OfAnother(r, by) {
			return s.Foreign(w, spoken, f)
		}
		kept, err := s.Keep(r.Context(), by, f)
		if err != nil {
			return err
		}
		next = kept
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
