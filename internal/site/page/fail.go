package page

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/intake"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/signin"
	"petschaft/internal/trace"
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

// errMissing is that there is no such thing, whatever it is.
var errMissing = fault.New(fault.Missing, "fault.missing")

// Fail answers r with what err says: the words of a fault, or a reference id and
// no detail for everything nobody foresaw.
func (p *Page) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if s, ok := shownHere(r.Context()); ok && onlyShown(err) {
		http.Redirect(w, r, s.page, http.StatusSeeOther)
		return
	}
	f := postgres.Told(err)
	m := view.ProblemModel{Status: p.Status(w, f)}
	if f.ID != "" && (r.Method == http.MethodGet || !errors.Is(f, errMissing)) { // of a form there is more to say
		m.What = T(r.Context(), f.ID, f.Args...)
	}
	if errors.Is(f, intake.ErrFull) || errors.Is(f, intake.ErrSlow) {
		m.Todo = T(r.Context(), "problem.resend-todo")
	}
	switch {
	case errors.Is(f, signin.ErrWeak): // the frame has the button
		m.Todo = T(r.Context(), "signin.weak_todo")
	case f.Kind == fault.Internal:
		m.Reference = p.Reference(r, err)
	case postgres.Away(f):
		p.Reference(r, err)
		m.Unsure = true
		p.bare(w, r, m)
		return
	}
	p.Problem(w, r, m)
}

// soon is when it is worth trying again what cannot be done just now.
const soon = 10 * time.Second

// Status is f's status, with Retry-After where there is a time to name. What is
// refused by it leaves a trace.
func (p *Page) Status(w http.ResponseWriter, f *fault.Fault) int {
	if k := refusal(f); k != "" {
		trace.Behind(w).Refused(k, f.ID, "")
	}
	wait := time.Duration(0)
	if f.Kind == fault.Unavailable {
		wait = soon
	}
	if !f.RetryAt.IsZero() {
		wait = max(time.Second, f.RetryAt.Sub(p.Now()).Truncate(time.Second)+time.Second)
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	}
	return statuses[f.Kind]
}

// ErrForeignPage is that another site's page sent the form.
var ErrForeignPage = fault.New(fault.Denied, "fault.foreign_page")

// refusal is which kind of refusal f is, "" for none.
func refusal(f *fault.Fault) trace.Kind {
	switch {
	case errors.Is(f, ErrForeignPage):
		return trace.CrossOrigin
	case errors.Is(f, signin.ErrWeak):
		return trace.StepUp
	case errors.Is(f, person.ErrOfficersOnly):
		return trace.Office
	case f.Kind == fault.Denied:
		return trace.Denied
	case f.Kind == fault.Missing:
		return trace.Missing
	case f.Kind == fault.TooMany:
		return trace.Brake
	}
	return ""
}

// Reference logs err under a new id, which the person can tell the helpers. A
// database that is away needs none: one line tells of many requests.
func (p *Page) Reference(r *http.Request, err error) string {
	if errors.Is(r.Context().Err(), context.Canceled) { // the person went away; nobody reads the answer
		return ""
	}
	if postgres.Away(err) {
		p.DB.Outage(r.Context(), p.Log, err)
		return ""
	}
	id := rand.Text()[:10]
	p.Log.ErrorContext(r.Context(), "request failed", "reference", id, "method", r.Method, "route", Route(r), "error", err)
	return id
}

// Problem answers r with a page about a failure.
func (p *Page) Problem(w http.ResponseWriter, r *http.Request, m view.ProblemModel) {
	// A page about a failure must not fail itself, so it lives without the
	// request's deadline.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	r = r.WithContext(ctx)
	f := p.Frame(r, view.ProblemTitle(ctx, m))
	if len(m.Actions) > 0 || m.Form != nil { // one of them signs in, where that helps
		f.SignIn = ""
	}
	p.problemPage(w, r, f, m)
}

// bare is Problem without navigation, which would ask the database.
func (p *Page) bare(w http.ResponseWriter, r *http.Request, m view.ProblemModel) {
	r = r.WithContext(context.WithoutCancel(r.Context()))
	p.problemPage(w, r, view.Frame{Title: view.ProblemTitle(r.Context(), m), Path: "/", Version: p.version}, m)
}

func (p *Page) problemPage(w http.ResponseWriter, r *http.Request, f view.Frame, m view.ProblemModel) {
	m.Typed = append(m.Typed, Typed(r)...)
	if err := p.Show(w, r, m.Status, view.ProblemPage(f, m)); err != nil {
		p.Log.WarnContext(r.Context(), "show problem", "error", err)
	}
}

// Wrong returns the words of what f says about each field, by its name, and
// what it says about the form as a whole.
func Wrong(ctx context.Context, err error) (fields map[string]string, whole string) {
	f := fault.Of(err)
	fields = map[string]string{}
	if f == nil || Unsent(ctx) {
		return fields, ""
	}
	for _, x := range f.Fields {
		if fields[x.Name] == "" {
			fields[x.Name] = T(ctx, x.ID, x.Args...)
		}
	}
	if len(f.Fields) == 0 && f.ID != "" {
		whole = T(ctx, f.ID, f.Args...)
	}
	return fields, whole
}

// Answerable tells whether a form is shown again because of err, with what was
// typed: wrong input, or a state or a brake that does not allow it.
func Answerable(err error) bool {
	switch fault.Of(err).Kind {
	case fault.Invalid, fault.Conflict, fault.TooMany:
		return true
	}
	return false
}

// Fails words what a fault says, for the summary of a form that has no fields
// of these names.
func Fails(ctx context.Context, err error) (fails []view.Fail) {
	f := fault.Of(err)
	if Unsent(ctx) {
		return nil
	}
	for _, x := range f.Fields {
		fails = append(fails, view.Fail{Text: T(ctx, x.ID, x.Args...)})
	}
	if len(fails) == 0 && f.ID != "" {
		fails = append(fails, view.Fail{Text: T(ctx, f.ID, f.Args...)})
	}
	return fails
}

// Refused is the frame and the status of a form that comes back because of err:
// none of a form that nobody sent yet.
func (p *Page) Refused(w http.ResponseWriter, f view.Frame, err error) (view.Frame, int) {
	if f.Unsent {
		return f, http.StatusOK
	}
	f.Failed = true
	return f, p.Status(w, fault.Of(err))
}

// WrongAt is Wrong, with a broken constraint said beside the field it is about.
func WrongAt(ctx context.Context, err error, constraint *fault.Fault, field string) (map[string]string, string) {
	fields, whole := Wrong(ctx, err)
	if whole != "" && errors.Is(err, constraint) {
		fields[field], whole = whole, ""
	}
	return fields, whole
}

// Route is the pattern that r matched: logs hold it instead of the path, which
// may hold a token.
func Route(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		return c.RoutePattern()
	}
	return ""
}
