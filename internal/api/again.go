package api

import (
	"bytes"
	"maps"
	"net/http"

	"petschaft/internal/person"
)

// replayed marks an answer that tells of what was done before.
const replayed = "Idempotent-Replayed"

// again gives an answer a second time, to the same request of somebody who still
// may ask it: the operation is asked for the right and for nothing else.
func (a *API) again(w http.ResponseWriter, r *http.Request, body *hashed, g keptAnswer, next http.Handler) {
	now := &withheld{ResponseWriter: w, header: w.Header().Clone(), status: http.StatusOK}
	next.ServeHTTP(now, r)
	refused := !actor(r.Context()).Deed.Allowed()
	switch {
	case refused && !keeps(now.status): // before the body is looked at
		now.send()
	case !bytes.Equal(body.digest(), g.Digest):
		a.fail(w, r, person.ErrKeyReused)
	case refused && now.status != *g.Status: // what was sent beside address and body is different
		now.send()
	default:
		g.send(w)
	}
}

func (g keptAnswer) send(w http.ResponseWriter) {
	for name, value := range g.Headers {
		w.Header().Set(name, value)
	}
	w.Header().Set(replayed, "true")
	w.WriteHeader(*g.Status)
	_, _ = w.Write(g.Body)
}

// withheld is an answer that may be sent later.
type withheld struct {
	http.ResponseWriter
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *withheld) Header() http.Header         { return w.header }
func (w *withheld) WriteHeader(status int)      { w.status = status }
func (w *withheld) Write(b []byte) (int, error) { return w.body.Write(b) }
func (w *withheld) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *withheld) send() {
	maps.Copy(w.ResponseWriter.Header(), w.header)
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(w.body.Bytes())
}

// recorder is an answer that is written and remembered.
type recorder struct {
	http.ResponseWriter
	deed   *person.Deed
	status int
	body   bytes.Buffer
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	if w.deed.Again() {
		w.Header().Set(replayed, "true")
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
