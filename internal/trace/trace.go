// Package trace writes down what was refused: who was turned away, from where, at
// which route and by which fault. A flood of refusals never becomes a flood of
// lines. It holds no text that a stranger chose: of a request only the pattern of its
// route, the numbers of an account and a token, and an address that the portal
// believes. It decides nothing: who may do what, the rooms say that use it.
package trace

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"petschaft/internal/network"
)

// Kind is what sort of thing was refused.
type Kind string

const (
	CrossOrigin Kind = "cross_origin" // a form that another site's page sent
	Token       Kind = "api_token"    // a call of the API whose token does not count (401)
	Scope       Kind = "api_denied"   // a call of the API that its token or its maker may not make (403)
	Missing     Kind = "missing"      // a thing by its number or name that is not there, or is not for this person
	Office      Kind = "office"       // a page of registration officers, by somebody else
	Denied      Kind = "denied"       // anything else that a person may not do
	Locked      Kind = "locked"       // a sign-in with an account that an officer locked
	SignIn      Kind = "signin"       // any other sign-in that came to nothing
	Logout      Kind = "logout"       // a back-channel logout that does not hold
	Brake       Kind = "brake"        // more than a brake lets through
	StepUp      Kind = "step_up"      // a step whose sign-in is not fresh, or reached less than an officer's must
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{CrossOrigin, Token, Scope, Missing, Office, Denied, Locked, SignIn, Logout, Brake, StepUp}
}

// Event is something that was refused. What is unknown is left empty.
type Event struct {
	Kind      Kind
	Fault     string // its message id
	Account   int64
	Token     int64
	Why       string // what the rooms know of the reason beside the fault
	Reference string // that the page names
	Cause     string // for operators, in words
	Detail    string // what another program said; bounded by who passes it
}

// How many lines a minute may have. Beyond that events are counted, and once the
// minute is over one line says for each kind and address how many there were.
const (
	perAddress = 20  // of one kind, from one address (IPv6: from one /64)
	perKind    = 300 // of one kind, from wherever
	counted    = 100 // addresses of one kind that are counted each; others together
)

// Log writes refusals down. All its fields are needed; its methods may be called
// from any goroutine.
type Log struct {
	log      *slog.Logger
	now      func() time.Time
	clientIP func(*http.Request) netip.Addr
	count    func(Kind)

	mu     sync.Mutex
	minute time.Time
	lines  map[source]int // of this minute; the zero address is all of a kind
	held   map[source]int
}

// source is a kind of refusals and where they come from.
type source struct {
	kind Kind
	from netip.Prefix
}

// New makes a log: its lines go to log under the logger's name "security", clientIP
// says where a request comes from, and count hears of each refusal, also of one that
// gets no line.
func New(log *slog.Logger, now func() time.Time, clientIP func(*http.Request) netip.Addr, count func(Kind)) *Log {
	return &Log{
		log: log.With("logger", "security"), now: now, clientIP: clientIP, count: count,
		lines: map[source]int{}, held: map[source]int{},
	}
}

// Refused notes e, which happened to r at the route, a pattern. It returns whether
// e got a line of its own.
func (l *Log) Refused(r *http.Request, route string, e Event) bool {
	l.count(e.Kind)
	from := l.clientIP(r)
	if !l.fits(r.Context(), source{e.Kind, network.Of(from)}) {
		return false
	}
	message := "refused"
	if e.Kind == SignIn || e.Kind == Locked {
		message = "sign-in failed"
	}
	with := []slog.Attr{slog.String("kind", string(e.Kind)), slog.String("method", method(r.Method)), slog.String("route", route)}
	if from.IsValid() {
		with = append(with, slog.String("address", from.String()))
	}
	for _, n := range []struct {
		name   string
		number int64
	}{{"account", e.Account}, {"token", e.Token}} {
		if n.number != 0 {
			with = append(with, slog.Int64(n.name, n.number))
		}
	}
	for _, t := range [][2]string{{"fault", e.Fault}, {"why", e.Why}, {"reference", e.Reference}, {"cause", e.Cause}, {"error", e.Detail}} {
		if t[1] != "" {
			with = append(with, slog.String(t[0], t[1]))
		}
	}
	l.log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelWarn, message, with...)
	return true
}

// fits tells whether another line of s fits into the minute, and counts it.
func (l *Log) fits(ctx context.Context, s source) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(ctx, l.now())
	all := source{kind: s.kind}
	if l.lines[s] < perAddress && l.lines[all] < perKind {
		l.lines[s]++
		if s != all {
			l.lines[all]++
		}
		return true
	}
	if _, known := l.held[s]; !known && l.addresses(s.kind) >= counted {
		s = all
	}
	l.held[s]++
	return false
}

// addresses is how many addresses of a kind are counted.
func (l *Log) addresses(k Kind) (n int) {
	for s := range l.held {
		if s.kind == k && s.from.IsValid() {
			n++
		}
	}
	return n
}

// Sweep says of minutes that are over what was held back. Who serves calls it now
// and then, and at the end with last, which does not wait for the minute.
func (l *Log) Sweep(ctx context.Context, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if last {
		now = now.Add(time.Minute)
	}
	l.turn(ctx, now)
}

// turn begins a new minute at now, where the old one is over. It needs the lock.
func (l *Log) turn(ctx context.Context, now time.Time) {
	minute := now.Truncate(time.Minute)
	if minute.Equal(l.minute) {
		return
	}
	sources := make([]source, 0, len(l.held))
	for s := range l.held {
		sources = append(sources, s)
	}
	slices.SortFunc(sources, func(a, b source) int {
		if a.kind != b.kind {
			return slices.Index(Kinds(), a.kind) - slices.Index(Kinds(), b.kind)
		}
		return l.held[b] - l.held[a]
	})
	for _, s := range sources {
		from := "elsewhere"
		if s.from.IsValid() {
			from = s.from.String()
		}
		l.log.WarnContext(context.WithoutCancel(ctx), "refused more often", "kind", string(s.kind), "from", from, "times", l.held[s], "minute", l.minute.UTC().Format(time.RFC3339))
	}
	l.minute = minute
	clear(l.lines)
	clear(l.held)
}

// method is one of those that the portal knows: a stranger chooses it.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
