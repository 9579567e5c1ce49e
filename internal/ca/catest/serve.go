package catest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"petschaft/internal/pki"
)

// called counts a call and is the mode that it is treated in, and what Release
// opens.
func (s *Server) called(modes *queue, count map[int64]int, intent int64) (Mode, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count[intent]++
	return modes.pop(intent, count[intent]), s.release
}

// serve answers calls of Ask or Collect, whose work is do.
func (s *Server) serve(count map[int64]int, came chan int64, do func(Mode, question) outcome) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q question
		if !read(w, r, 1<<20, &q) {
			return
		}
		mode, release := s.called(&s.modes, count, q.Intent)
		a := s.away(mode)
		if a.status == 0 {
			s.set(func() { a = do(mode, q) })
		}
		tell(came, q.Intent)
		if !transport(w, r, mode, a.status, release) {
			return
		}
		switch a.status {
		case http.StatusOK:
			p, _ := q.Profile.Profile()
			send(w, mode, http.StatusOK, answer{Certificate: a.der, Chain: s.chain(p.Authority), Reference: a.about.reference})
		case http.StatusAccepted:
			s.retry(w, TooMany)
			send(w, mode, http.StatusAccepted, answer{
				Reference: a.about.reference, Person: a.about.mode == Person, Words: "Being processed by the pretend authority",
			})
		default:
			s.refuse(w, mode, a.status)
		}
	}
}

// away is the answer of an authority that does nothing; status 0: it works.
func (s *Server) away(mode Mode) outcome {
	switch {
	case mode == Broken:
		return outcome{status: http.StatusInternalServerError}
	case mode == Refusing:
		return outcome{status: http.StatusUnprocessableEntity}
	case mode.tooMany():
		return outcome{status: http.StatusTooManyRequests}
	case mode == Hanging || mode == HTML:
		return outcome{status: http.StatusOK}
	}
	return outcome{}
}

// transport is what happens to an answer on its way; false: there is none any
// more.
func transport(w http.ResponseWriter, r *http.Request, mode Mode, status int, release chan struct{}) bool {
	switch {
	case mode == Hanging:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case mode == HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><title>Sign in</title><p>Your session has ended.") // who asked may have gone
		return false
	case mode == Cut && status < http.StatusBadRequest, mode == PendingCut && status == http.StatusAccepted:
		panic(http.ErrAbortHandler)
	case mode == Slow:
		select {
		case <-release:
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	var q revokeQuestion
	if !read(w, r, 1<<20, &q) {
		return
	}
	intent := s.intentOf(q.Certificate)
	mode, release := s.called(&s.revoking, s.revokes, intent)
	a := s.away(mode)
	switch {
	case a.status != 0:
	case mode == Pending:
		a.status = http.StatusAccepted
	default:
		s.set(func() { a.status = s.doRevoke(mode, intent, q) })
	}
	tell(s.cameRevoke, intent)
	if !transport(w, r, mode, a.status, release) {
		return
	}
	switch a.status {
	case http.StatusOK:
		send(w, mode, http.StatusOK, answer{})
	case http.StatusAccepted:
		s.retry(w, TooMany)
		send(w, mode, http.StatusAccepted, answer{Words: "The revocation is being processed"})
	default:
		s.refuse(w, mode, a.status)
	}
}

// doRevoke is the status of the answer.
func (s *Server) doRevoke(mode Mode, intent int64, q revokeQuestion) int {
	_, before := s.revoked[string(q.Certificate)]
	switch {
	case intent == 0:
		return http.StatusNotFound
	case before:
		return http.StatusConflict
	}
	s.revoked[string(q.Certificate)] = q.Reason
	if mode == AlreadyRevoked {
		return http.StatusConflict
	}
	return http.StatusOK
}

// intentOf is the intent that the certificate was signed for; 0: it is not from
// here.
func (s *Server) intentOf(der []byte) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for intent, all := range s.signed {
		for _, one := range all {
			if string(one) == string(der) {
				return intent
			}
		}
	}
	return 0
}

func (s *Server) crl(w http.ResponseWriter, r *http.Request) {
	var q listQuestion
	if !read(w, r, 16<<20, &q) {
		return
	}
	list, err := s.issuers[q.Authority].SignCRL(q.Number, q.Revoked, q.ThisUpdate, q.NextUpdate)
	if err != nil {
		s.refuse(w, Good, http.StatusUnprocessableEntity)
		return
	}
	send(w, Good, http.StatusOK, listAnswer{CRL: list.DER})
}

// refuse says no, or not now.
func (s *Server) refuse(w http.ResponseWriter, mode Mode, status int) {
	words := "The pretend authority says no"
	if status == http.StatusTooManyRequests {
		words = "Too many requests"
		s.retry(w, mode)
	}
	if status == http.StatusConflict {
		words = "The certificate is revoked already"
	}
	http.Error(w, words, status)
}

// retry says in the way of mode when to come again.
func (s *Server) retry(w http.ResponseWriter, mode Mode) {
	s.mu.Lock()
	wait, now := s.wait, s.now
	s.mu.Unlock()
	switch mode {
	case TooMany:
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	case TooManyDate:
		w.Header().Set("Retry-After", now().Add(wait).UTC().Format(http.TimeFormat))
	}
}

func read(w http.ResponseWriter, r *http.Request, most int64, into any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, most)).Decode(into)
	if err != nil {
		http.Error(w, "this cannot be read", http.StatusBadRequest)
	}
	return err == nil
}

func send(w http.ResponseWriter, mode Mode, status int, a any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := json.NewEncoder(w)
	body.Encode(a) // who asked may have gone
	if mode == Twice {
		body.Encode(a)
	}
}

func tell(came chan int64, intent int64) {
	select {
	case came <- intent:
	default: // nobody reads, and that many are enough
	}
}

// revokeQuestion is the protocol of Revoke.
type revokeQuestion struct {
	Certificate []byte     `json:"certificate"`
	Reason      pki.Reason `json:"reason"`
}
