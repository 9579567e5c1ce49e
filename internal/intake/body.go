package intake

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// errClosed is a mistake of ours: a body was read that no route let in.
var errClosed = errors.New("the body was not let in")

// body is what one request sends.
type body struct {
	budget  *Budget
	raw     io.ReadCloser
	length  int64 // -1: it does not say
	asks    bool  // whether it shall send anything
	control *http.ResponseController

	open bool
	from share
	held int64 // of the budget
	left int64 // that may still come
	end  error // of reading
}

func (x *body) Read(p []byte) (int, error) {
	switch {
	case !x.open:
		return 0, errClosed
	case x.end != nil:
		return 0, x.end
	}
	n, err := x.raw.Read(p[:min(int64(len(p)), x.left+1)])
	if x.left -= int64(n); x.left < 0 {
		n, err = n-1, ErrLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrSlow.Because(err)
	}
	if x.end = err; errors.Is(err, io.EOF) {
		x.until(time.Time{}) // else the time would end the request itself
	}
	return n, err
}

func (x *body) Close() error { return x.raw.Close() }

// until gives the sender time; the zero time is all there is.
func (x *body) until(t time.Time) { _ = x.control.SetReadDeadline(t) } // what is no connection has none

func (x *body) free() {
	x.budget.give(x.held, x.from)
	x.held = 0
}

// leave throws away what was not read, as far as that helps its sender to hear
// the answer, and else ends the connection with it.
func (x *body) leave(h http.Header) {
	if errors.Is(x.end, io.EOF) {
		return
	}
	if slow := errors.Is(x.end, ErrSlow); !slow && !x.asks && x.length <= thrownAway {
		x.until(time.Now().Add(lingering))
		if _, err := io.CopyN(io.Discard, x.raw, thrownAway+1); errors.Is(err, io.EOF) {
			x.end = err
			x.until(time.Time{})
			return
		}
	}
	h.Set("Connection", "close")
}

// answer deals with the rest of a body before anything is said, so that nothing
// large waits for a sender that keeps still.
type answer struct {
	http.ResponseWriter
	body  *body
	begun bool
}

func (a *answer) begin() {
	if !a.begun {
		a.begun = true
		a.body.leave(a.Header())
	}
}

func (a *answer) WriteHeader(code int) {
	if code >= http.StatusOK {
		a.begin()
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(p)
}

// FlushError is for http.ResponseController.
func (a *answer) FlushError() error {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush is for who knows http.Flusher only.
func (a *answer) Flush() { _ = a.FlushError() }

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
