package trace

import (
	"context"
	"net/http"
	"strings"
)

// Note is what the rooms that answer a request say of it: who asks, and what was
// refused. Whoever answers a request that nobody watches talks to a nil Note, which
// forgets it.
type Note struct {
	event   Event
	refused bool
}

// By says who asks; token is 0 in a session.
func (n *Note) By(account, token int64) {
	if n != nil {
		n.event.Account, n.event.Token = account, token
	}
}

// Refused says that the request is refused: a kind, the id of the fault, and what
// else is known of the reason. The last one counts.
func (n *Note) Refused(k Kind, fault, why string) {
	if n != nil {
		n.event.Kind, n.event.Fault, n.event.Why, n.refused = k, fault, why, true
	}
}

// Told says that somebody wrote it down already.
func (n *Note) Told() {
	if n != nil {
		n.refused = false
	}
}

type noteKey struct{}

// Of is the note of a request, by its context.
func Of(ctx context.Context) *Note {
	n, _ := ctx.Value(noteKey{}).(*Note)
	return n
}

// Behind is the note of the request that w answers.
func Behind(w http.ResponseWriter) *Note {
	for {
		switch x := w.(type) {
		case *watched:
			return x.note
		case interface{ Unwrap() http.ResponseWriter }:
			w = x.Unwrap()
		default:
			return nil
		}
	}
}

// watched leads from an answer to the note of its request.
type watched struct {
	http.ResponseWriter
	note *Note
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Watch answers like next, and then writes down what was refused. route is the
// pattern that a request matched; that there is nothing where no pattern leads, or
// that a page without a number or a name in its address is not there, is no refusal.
func (l *Log) Watch(next http.Handler, route func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &Note{}
		defer func() { // also of an answer that broke off
			if at := route(r); n.refused && (n.event.Kind != Missing || strings.Contains(at, "{")) {
				l.Refused(r, at, n.event)
			}
		}()
		next.ServeHTTP(&watched{w, n}, r.WithContext(context.WithValue(r.Context(), noteKey{}, n)))
	})
}
