package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
	"petschaft/internal/trace"
	"petschaft/web/locale"
	"petschaft/web/paths"
)

// Kind is a type of problem: its name in the type URI, which is the address of a
// page, its status, and the message ids of its title and of what that page says.
type Kind struct {
	Name   string
	Status int
	Title  string
	Text   string
}

var (
	malformed       = Kind{"malformed", 400, "api.problem.malformed", "api.problem.malformed_text"}
	unauthenticated = Kind{"unauthenticated", 401, "api.problem.unauthenticated", "api.problem.unauthenticated_text"}
	denied          = Kind{"denied", 403, "api.problem.denied", "api.problem.denied_text"}
	insufficient    = Kind{"insufficient-scope", 403, "api.problem.scope", "api.problem.scope_text"}
	missing         = Kind{"missing", 404, "api.problem.missing", "api.problem.missing_text"}
	wrongMethod     = Kind{"method-not-allowed", 405, "api.problem.method", "api.problem.method_text"}
	conflict        = Kind{"conflict", 409, "api.problem.conflict", "api.problem.conflict_text"}
	inProgress      = Kind{"in-progress", 409, "api.problem.progress", "api.problem.progress_text"}
	precondition    = Kind{"precondition-failed", 412, "api.problem.precondition", "api.problem.precondition_text"}
	tooLarge        = Kind{"too-large", 413, "api.problem.large", "api.problem.large_text"}
	unsupported     = Kind{"unsupported-media-type", 415, "api.problem.media", "api.problem.media_text"}
	invalid         = Kind{"invalid", 422, "api.problem.invalid", "api.problem.invalid_text"}
	keyReused       = Kind{"key-reused", 422, "api.problem.key", "api.problem.key_text"}
	tooMany         = Kind{"too-many", 429, "api.problem.many", "api.problem.many_text"}
	internal        = Kind{"internal", 500, "api.problem.internal", "api.problem.internal_text"}
	unavailable     = Kind{"unavailable", 503, "api.problem.unavailable", "api.problem.unavailable_text"}
)

// Kinds are all types of problems, by status.
func Kinds() []Kind {
	return []Kind{
		malformed, unauthenticated, denied, insufficient, missing, wrongMethod, conflict, inProgress, precondition, tooLarge,
		unsupported, invalid, keyReused, tooMany, internal, unavailable,
	}
}

// kinds is the one place that knows what a kind of fault is in the API; special
// are the faults that HTTP has a status of their own for.
var (
	kinds = map[fault.Kind]Kind{
		fault.Internal: internal, fault.Invalid: invalid, fault.Denied: denied, fault.Missing: missing, fault.Conflict: conflict,
		fault.TooLarge: tooLarge, fault.TooMany: tooMany, fault.Unavailable: unavailable,
	}
	special = []struct {
		fault *fault.Fault
		kind  Kind
		words string // instead of those that speak of a page
	}{
		{mailbox.ErrChanged, precondition, "api.changed_meanwhile"},
		{fault.ErrForm, invalid, "api.invalid"},
		{person.ErrToken, unauthenticated, ""},
		{person.ErrAsleep, unauthenticated, ""},
		{person.ErrScope, insufficient, "api.scope"},
		{person.ErrKeyReused, keyReused, ""},
		{text.ErrAddress, malformed, ""},
		{text.ErrJSON, malformed, ""},
		{text.ErrJSONEscape, malformed, ""},
		{errNoToken, unauthenticated, ""},
		{errKeyForm, malformed, ""},
		{errInProgress, inProgress, ""},
		{errMatchForm, malformed, ""},
		{errMalformed, malformed, ""},
		{errMedia, unsupported, ""},
		{errEncoding, unsupported, ""},
		{errCharset, unsupported, ""},
		{errCharsetJSON, unsupported, ""},
	}
)

// What is wrong with a request before any operation is asked.
var (
	errNoToken     = fault.New(fault.Denied, "api.no_token")
	errKeyForm     = fault.New(fault.Invalid, "api.key_form")
	errInProgress  = fault.New(fault.Conflict, "api.in_progress")
	errMatchForm   = fault.New(fault.Invalid, "api.match_form")
	errMalformed   = fault.New(fault.Invalid, "api.malformed")
	errMedia       = fault.New(fault.Invalid, "api.media")
	errEncoding    = fault.New(fault.Invalid, "api.encoding")
	errCharset     = fault.New(fault.Invalid, "api.charset")
	errCharsetJSON = fault.New(fault.Invalid, "api.charset_json")
)

// Problem is what went wrong (RFC 9457).
type Problem struct {
	Type      string  `json:"type" format:"uri" doc:"What kind of problem this is: the address of a page that explains it. It stays the same in every version."`
	Title     string  `json:"title" doc:"The kind in words, in the language that Accept-Language asks for."`
	Status    int     `json:"status" doc:"The status of the answer."`
	Detail    string  `json:"detail" doc:"What went wrong this time, in the language that Accept-Language asks for."`
	Code      string  `json:"code,omitempty" doc:"What went wrong this time, for programs."`
	Row       string  `json:"row,omitempty" doc:"The row that has an address that this one needs: where it is in this API."`
	Reference string  `json:"reference,omitempty" doc:"For status 500: what to tell the helpers."`
	Errors    []Wrong `json:"errors,omitempty" doc:"What is wrong with which part of the request."`

	header http.Header
}

// Wrong is one thing that is wrong with a request.
type Wrong struct {
	Pointer   string `json:"pointer,omitempty" doc:"Where in the body, as a JSON pointer in a URI fragment (RFC 6901, 6)."`
	Parameter string `json:"parameter,omitempty" doc:"Which parameter of the address, or which header."`
	Detail    string `json:"detail" doc:"What is wrong with it."`
	Code      string `json:"code" doc:"What is wrong with it, for programs."`
	Row       string `json:"row,omitempty" doc:"The row that has the address already: where it is in this API."`
}

// Error is for nobody: a problem is an answer.
func (p *Problem) Error() string { return p.Code }

// GetStatus is the status to answer with.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers to answer with.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of a problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// said is a problem of kind k with the words of id.
func (a *API) said(ctx context.Context, k Kind, id string, args ...any) *Problem {
	t := locale.From(ctx).T
	p := &Problem{Type: a.Base + paths.APIProblem(k.Name), Title: t(k.Title), Status: k.Status, Detail: t(id, args...), Code: id, header: http.Header{}}
	p.header.Set("Content-Language", locale.From(ctx).Lang())
	return p
}

// problem is err as the API tells it: the words of a fault, or a reference and
// no detail for everything nobody foresaw.
func (a *API) problem(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	f := postgres.Told(err)
	if postgres.Away(f) {
		a.trouble(ctx, "call of the API", err)
	}
	k, id := kinds[f.Kind], f.ID
	for _, s := range special {
		if errors.Is(f, s.fault) {
			k, id = s.kind, cmp.Or(s.words, id)
		}
	}
	leaveTrace(ctx, k, f)
	switch {
	case k == internal:
		p := a.said(ctx, k, k.Text)
		p.Code, p.Reference = "", a.reference(ctx, err)
		return p
	case id == "":
		id = k.Text
	}
	p := a.said(ctx, k, id, f.Args...)
	p.Code, p.Row = f.ID, a.inTheWay(f.Args)
	t := locale.From(ctx).T
	for _, x := range f.Fields {
		w := Wrong{Detail: t(x.ID, x.Args...), Code: x.ID, Row: a.inTheWay(x.Args)}
		w.Pointer, w.Parameter = place(x.Name)
		p.Errors = append(p.Errors, w)
	}
	p.challenge(f)
	switch {
	case !f.RetryAt.IsZero():
		p.after(f.RetryAt.Sub(a.Now()))
	case f.Kind == fault.Unavailable:
		p.after(soon)
	}
	return p
}

// refusals are the kinds that leave a trace, and as what.
var refusals = map[Kind]trace.Kind{
	unauthenticated: trace.Token, denied: trace.Scope, insufficient: trace.Scope, missing: trace.Missing, tooMany: trace.Brake,
}

// leaveTrace notes that a call is refused with f, a problem of kind k.
func leaveTrace(ctx context.Context, k Kind, f *fault.Fault) {
	refused, ok := refusals[k]
	if !ok {
		return
	}
	why := ""
	if refused == trace.Token && !errors.Is(f, errNoToken) {
		why = person.WhichToken(f).Why
	}
	trace.Of(ctx).Refused(refused, f.ID, why)
}

// inTheWay is the row that a fault's blanks name, empty for none.
func (a *API) inTheWay(args []any) string {
	blanks := map[any]any{}
	for i := 0; i+1 < len(args); i += 2 {
		blanks[args[i]] = args[i+1]
	}
	row, ok := blanks["row"].(int64)
	if !ok {
		return ""
	}
	return a.at("/email-domains/%s/addresses/%d", blanks["domain"], row)
}

// challenge says how to authenticate (RFC 6750, 3).
func (p *Problem) challenge(f *fault.Fault) {
	with := `Bearer realm="petschaft"`
	switch {
	case errors.Is(f, errNoToken):
	case errors.Is(f, person.ErrToken), errors.Is(f, person.ErrAsleep):
		with += `, error="invalid_token"`
	case errors.Is(f, person.ErrScope):
		with += `, error="insufficient_scope"`
		if len(f.Args) == 2 {
			if verb, ok := f.Args[1].(string); ok {
				with += `, scope="` + verb + `"`
			}
		}
	default:
		return
	}
	p.header.Set("WWW-Authenticate", with)
}

// soon is when it is worth trying again what cannot be done just now.
const soon = 10 * time.Second

// after says when to try again.
func (p *Problem) after(d time.Duration) {
	p.header.Set("Retry-After", strconv.Itoa(max(1, int(d.Seconds())+1)))
}

// reference logs err under a new id, which the caller can tell the helpers.
func (a *API) reference(ctx context.Context, err error) string {
	if errors.Is(ctx.Err(), context.Canceled) { // nobody reads the answer
		return ""
	}
	id, route := rand.Text()[:10], ""
	if c := chi.RouteContext(ctx); c != nil {
		route = c.RoutePattern()
	}
	a.Log.ErrorContext(ctx, "call of the API failed", "reference", id, "route", route, "error", err)
	return id
}

// trouble logs what went wrong beside an answer. A database that is away is one
// line for many calls.
func (a *API) trouble(ctx context.Context, what string, err error) {
	switch {
	case !postgres.Away(err):
		a.Log.ErrorContext(ctx, what, "error", err)
	case !errors.Is(ctx.Err(), context.Canceled):
		a.DB.Outage(ctx, a.Log, err)
	}
}

// fail answers r with what err says.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	a.write(w, r, a.problem(r.Context(), err))
}

func (a *API) write(w http.ResponseWriter, r *http.Request, p *Problem) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		a.Log.WarnContext(r.Context(), "write problem", "error", err)
	}
}
