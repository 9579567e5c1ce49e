package site

import (
	"context"
	"net/http"
	"time"

	"petschaft/internal/fault"
	"petschaft/web/view"
)

// healthy says that the process answers.
func (s *Site) healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n"))
}

// ready says that requests can be served: the database answers. The sign-in
// provider may be away; people who are signed in go on.
func (s *Site) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := s.DB.Ping(ctx); err != nil {
		s.DB.Outage(r.Context(), s.Log, err)
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte("database away\n"))
		return
	}
	w.Write([]byte("ready\n"))
}

func (s *Site) missing(w http.ResponseWriter, r *http.Request) {
	s.Fail(w, r, fault.New(fault.Missing, ""))
}

func (s *Site) wrongMethod(w http.ResponseWriter, r *http.Request) {
	s.Problem(w, r, view.ProblemModel{Status: http.StatusMethodNotAllowed})
}
