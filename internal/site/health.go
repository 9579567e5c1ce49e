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

// missing answers where there is no page. What somebody who is signed in sent
// there is shown to them, to be copied.
func (s *Site) missing(w http.ResponseWriter, r *http.Request) {
	err := fault.New(fault.Missing, "")
	if s.Actor(r).Account == 0 {
		s.Fail(w, r, err)
		return
	}
	s.Open(func(http.ResponseWriter, *http.Request) error { return err })(w, r)
}

func (s *Site) wrongMethod(w http.ResponseWriter, r *http.Request) {
	not := func(w http.ResponseWriter, r *http.Request) error {
		s.Problem(w, r, view.ProblemModel{Status: http.StatusMethodNotAllowed})
		return nil
	}
	if s.Actor(r).Account == 0 {
		_ = not(w, r)
		return
	}
	s.Open(not)(w, r)
}
