// Package intake decides how many bytes of bodies may be under way at once in
// the whole process, and that no body is read before the route it was sent to
// has let it in: what is costly comes after the right to it. It never looks into
// a body, and does not know who sends it.
package intake

import (
	"context"
	"net/http"
	"sync"
	"time"

	"petschaft/internal/fault"
)

// How long a body may be, in bytes.
const (
	MostStranger = 16 << 10  // of whoever is not signed in, and of questions about revocation
	MostACME     = 64 << 10  // of what is signed with the key of an account
	MostForm     = 256 << 10 // of whoever is signed in; forms with files say more
)

// The budget of a process, in bytes. What a body takes in memory is some times
// its length while it is taken apart, so this is far below what a machine has.
const (
	all       = 32 << 20
	strangers = 8 << 20 // of it for whoever is not signed in: they never take the rest from others
	questions = 2 << 20 // beside it, for questions about revocation: no other body keeps them waiting
)

// Of a body that nobody lets in so much is thrown away, for so long, because
// a browser reads no answer before it has sent what it has to send.
const (
	thrownAway = 256 << 10
	lingering  = time.Second
)

var (
	// ErrLarge is that a body is longer than its route takes.
	ErrLarge = fault.New(fault.TooLarge, "problem.large")
	// ErrFull is that too many bodies are under way.
	ErrFull = fault.New(fault.Unavailable, "intake.full")
	// ErrSlow is that a body did not come in time.
	ErrSlow = fault.New(fault.Unavailable, "intake.slow")
)

// Budget is what bodies may take together. Use New. All of a process share one.
type Budget struct {
	all, strangers, questions int64 // the most of each

	mu                   sync.Mutex
	used, strange, asked int64
}

// New is the budget of a process: 32 MiB, of which 8 for whoever is not signed in, and
// 2 beside them for questions about revocation.
func New() *Budget { return &Budget{all: all, strangers: strangers, questions: questions} }

// Used is how many bytes are taken now.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used + b.asked
}

func (b *Budget) take(n int64, from share) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case from == ofQuestions && b.asked+n > b.questions, from != ofQuestions && b.used+n > b.all, from == ofStrangers && b.strange+n > b.strangers:
		return false
	}
	b.add(n, from)
	return true
}

func (b *Budget) give(n int64, from share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(-n, from)
}

func (b *Budget) add(n int64, from share) {
	if from == ofQuestions {
		b.asked += n
		return
	}
	b.used += n
	if from == ofStrangers {
		b.strange += n
	}
}

// share is the part of a budget that a body is taken from.
type share int

const (
	ofAll share = iota
	ofStrangers
	ofQuestions
)

func (t Terms) share() share {
	switch {
	case t.Question:
		return ofQuestions
	case t.Stranger:
		return ofStrangers
	}
	return ofAll
}

// Terms are on what a route lets a body in.
type Terms struct {
	Most     int64         // bytes; of a body that says that it is longer nothing is read
	Held     int64         // of them in memory at once; 0: all
	Within   time.Duration // so long the sender may take
	Stranger bool          // nobody is signed in
	Question bool          // it is about revocation, and has a part of the budget of its own
}

type key struct{}

// Closed hands requests on with a body that cannot be read before Admit. What
// was let in is given back when next returns.
func (b *Budget) Closed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		x := &body{budget: b, raw: r.Body, length: r.ContentLength, asks: r.Header.Get("Expect") != "", control: http.NewResponseController(w)}
		defer x.free()
		r = r.WithContext(context.WithValue(r.Context(), key{}, x)) // the server's own request keeps its body
		r.Body = x
		a := &answer{ResponseWriter: w, body: x}
		next.ServeHTTP(a, r)
		a.begin()
	})
}

// Admit lets the body of r in, which came through Closed: from then on it is read
// as any other, to ErrLarge where it is longer than t allows or ErrSlow where it
// does not come in time. It fails with ErrLarge or ErrFull before a byte was read.
// A request without a body has nothing to let in; letting in twice does nothing.
func Admit(r *http.Request, t Terms) error {
	x, ok := r.Context().Value(key{}).(*body)
	if !ok || x.open {
		return nil
	}
	held := t.Held
	if held == 0 {
		held = t.Most
	}
	switch {
	case x.length > t.Most:
		return ErrLarge
	case x.length >= 0:
		held = min(held, x.length)
	}
	if !x.budget.take(held, t.share()) {
		return ErrFull
	}
	x.open, x.held, x.from, x.left = true, held, t.share(), t.Most
	x.until(time.Now().Add(t.Within))
	return nil
}
