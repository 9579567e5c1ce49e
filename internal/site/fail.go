package site

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// statuses is the one place that knows what a kind of fault is in HTTP.
var statuses = map[fault.Kind]int{
	fault.Internal:    http.StatusInternalServerError,
	fault.Invalid:     http.StatusUnprocessableEntity,
	fault.Denied:      http.StatusForbidden,
	fault.Missing:     http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.TooLarge:    http.StatusRequestEntityTooLarge,
	fault.TooMany:     http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable,
}

// Fail answers r with what err says: the words of a fault, or a reference id and
// no detail for everything nobody foresaw.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, err) }

func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := postgres.Told(err)
	m := view.ProblemModel{Status: s.status(w, f)}
	if f.ID != "" {
		m.What = t(r.Context(), f.ID, f.Args...)
	}
	switch {
	case f.Kind == fault.Internal:
		m.Reference = s.reference(r, err)
	case postgres.Away(f):
		s.reference(r, err)
		m.Unsure = true
		s.bare(w, r, m)
		return
	}
	s.problem(w, r, m)
}

// soon is when it is worth trying again what cannot be done just now.
const soon = 10 * time.Second

// status is f's status, with Retry-After where there is a time to name.
func (s *Site) status(w http.ResponseWriter, f *fault.Fault) int {
	wait := time.Duration(0)
	if f.Kind == fault.Unavailable {
		wait = soon
	}
	if !f.RetryAt.IsZero() {
		wait = max(time.Second, f.RetryAt.Sub(s.Now()).Truncate(time.Second)+time.Second)
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	}
	return statuses[f.Kind]
}

// reference logs err under a new id, which the person can tell the helpers. A
// database that is away needs none: one line tells of many requests.
func (s *Site) reference(r *http.Request, err error) string {
	if errors.Is(r.Context().Err(), context.Canceled) { // the person went away; nobody reads the answer
		return ""
	}
	if postgres.Away(err) {
		s.DB.Outage(r.Context(), s.Log, err)
		return ""
	}
	id := rand.Text()[:10]
	s.Log.ErrorContext(r.Context(), "request failed", "reference", id, "method", r.Method, "route", route(r), "error", err)
	return id
}

func (s *Site) problem(w http.ResponseWriter, r *http.Request, m view.ProblemModel) {
	// A page about a failure must not fail itself, so it lives without the
	// request's deadline.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	r = r.WithContext(ctx)
	f := s.frame(r, view.ProblemTitle(ctx, m))
	if len(m.Actions) > 0 { // one of them signs in, where that helps
		f.SignIn = ""
	}
	s.problemPage(w, r, f, m)
}

// bare is problem without navigation, which would ask the database.
func (s *Site) bare(w http.ResponseWriter, r *http.Request, m view.ProblemModel) {
	r = r.WithContext(context.WithoutCancel(r.Context()))
	s.problemPage(w, r, view.Frame{Title: view.ProblemTitle(r.Context(), m), Path: "/", Version: s.Version}, m)
}

func (s *Site) problemPage(w http.ResponseWriter, r *http.Request, f view.Frame, m view.ProblemModel) {
	if err := s.show(w, r, m.Status, view.ProblemPage(f, m)); err != nil {
		s.Log.WarnContext(r.Context(), "show problem", "error", err)
	}
}

// signedOutMeanwhile answers an action whose session is over. Nothing typed is
// lost: it is still in the browser's form, one step back.
func (s *Site) signedOutMeanwhile(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	next := "/"
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == s.Base.Host {
		next = u.RequestURI()
	}
	s.problem(w, r, view.ProblemModel{
		Status: http.StatusForbidden, Title: t(ctx, "signin.over_title"), What: t(ctx, "signin.over"), Todo: t(ctx, "signin.over_todo"),
		Actions: []view.ButtonModel{{Label: t(ctx, "frame.sign-in"), Href: paths.SignInTo(next), Kind: view.Primary}},
	})
	return nil
}

// wrong returns the words of what f says about each field, by its name, and
// what it says about the form as a whole.
func wrong(ctx context.Context, err error) (fields map[string]string, whole string) {
	f := fault.Of(err)
	fields = map[string]string{}
	if f == nil {
		return fields, ""
	}
	for _, x := range f.Fields {
		if fields[x.Name] == "" {
			fields[x.Name] = t(ctx, x.ID, x.Args...)
		}
	}
	if len(f.Fields) == 0 && f.ID != "" {
		whole = t(ctx, f.ID, f.Args...)
	}
	return fields, whole
}

// answerable tells whether a form is shown again because of err, with what was
// typed: wrong input, or a state or a brake that does not allow it.
func answerable(err error) bool {
	switch fault.Of(err).Kind {
	case fault.Invalid, fault.Conflict, fault.TooMany:
		return true
	}
	return false
}
