// Package catest is a pretend certificate authority that answers over real
// HTTP, and the client that asks it. It decides how an authority may misbehave:
// slow, silent, forgetful, wrong, or gone at the worst moment. It is for tests
// only and keeps nothing.
package catest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"petschaft/internal/pki"
)

// Mode is how the server treats a call to issue.
type Mode int

const (
	Good      Mode = iota // one certificate for one intent, whoever asks however often
	Slow                  // signs, and answers when Release is called
	Hanging               // never answers
	Twice                 // the answer stands in the body two times
	Forgetful             // signs anew at every call, with another serial
	OtherKey              // certifies a key of its own
	OtherName             // certifies another address and name
	Broken                // 500, nothing signed
	Cut                   // signs, then cuts the connection: the outcome is unknown
	Refusing              // 422, nothing signed
)

// Server is a pretend authority.
type Server struct {
	URL string

	issuers map[string]pki.Issuer // "mail", "tls"
	root    *x509.Certificate
	mu      sync.Mutex
	next    []Mode // for the next calls, then always
	always  Mode
	kept    map[int64][]byte
	signed  map[int64]int
	calls   int
	release chan struct{}
	came    chan int64
}

// New starts an authority that is Good until told otherwise, and gone when t
// ends.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{issuers: map[string]pki.Issuer{}, kept: map[int64][]byte{}, signed: map[int64]int{}, release: make(chan struct{}), came: make(chan int64, 1000)}
	if err := s.found(); err != nil {
		t.Fatalf("make the pretend authority: %v", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /issue", s.issue)
	mux.HandleFunc("POST /crl", s.crl)
	server := httptest.NewServer(mux)
	s.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections() // who hangs is let go
		server.Close()
	})
	return s
}

// found makes a root and an issuing authority for each purpose under it.
func (s *Server) found() error {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	begin := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // before any clock of a test
	a := pki.Authority{Organisation: "Vertrauen AG", Country: "DE", Role: "Root CA", Years: 40, NotBefore: begin}
	if s.root, err = pki.NewRoot(a, rootKey); err != nil {
		return err
	}
	for name, purpose := range map[string]x509.ExtKeyUsage{"mail": x509.ExtKeyUsageEmailProtection, "tls": x509.ExtKeyUsageServerAuth} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		a.Role, a.Leaf, a.Purposes = name+" CA", true, []x509.ExtKeyUsage{purpose}
		issuing, err := pki.Issuer{Certificate: s.root, Signer: rootKey}.SignAuthority(a, key.Public())
		if err != nil {
			return err
		}
		s.issuers[name] = pki.Issuer{Certificate: issuing, Signer: key}
	}
	return nil
}

// Always sets the mode of all calls to come.
func (s *Server) Always(m Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.always = nil, m
}

// Next sets the modes of the next calls; afterwards the authority is as before.
func (s *Server) Next(m ...Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, m...)
}

// Release lets every Slow call answer that waits now.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.release)
	s.release = make(chan struct{})
}

// Came waits for the next call to issue and returns its intent; what was signed
// for it is signed by then.
func (s *Server) Came(ctx context.Context) (int64, error) {
	select {
	case intent := <-s.came:
		return intent, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Calls is how often issuing was asked for.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Signed is how many certificates were signed for intent.
func (s *Server) Signed(intent int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signed[intent]
}

// All is how many certificates were signed in all.
func (s *Server) All() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, of := range s.signed {
		n += of
	}
	return n
}

// Chain is the issuing authority for mail and the root.
func (s *Server) Chain() [][]byte { return s.chain("mail") }

// TLSChain is the issuing authority for servers and the root.
func (s *Server) TLSChain() [][]byte { return s.chain("tls") }

func (s *Server) chain(name string) [][]byte {
	return [][]byte{s.issuers[name].Certificate.Raw, s.root.Raw}
}

func (s *Server) issue(w http.ResponseWriter, r *http.Request) {
	var q question
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&q); err != nil {
		http.Error(w, "not a request to issue", http.StatusBadRequest)
		return
	}
	mode, release := s.begin()
	der, status := s.answer(mode, q)
	select {
	case s.came <- q.Intent:
	default: // nobody reads, and that many are enough
	}
	switch {
	case status != http.StatusOK:
		http.Error(w, "no", status)
		return
	case mode == Hanging:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case mode == Cut:
		panic(http.ErrAbortHandler)
	case mode == Slow:
		select {
		case <-release:
		case <-r.Context().Done():
			return
		}
	}
	reply := json.NewEncoder(w)
	reply.Encode(answer{Certificate: der}) // who asked may have gone
	if mode == Twice {
		reply.Encode(answer{Certificate: der})
	}
}

func (s *Server) begin() (Mode, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	mode := s.always
	if len(s.next) > 0 {
		mode, s.next = s.next[0], s.next[1:]
	}
	return mode, s.release
}

// answer signs as mode says.
func (s *Server) answer(mode Mode, q question) ([]byte, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch mode {
	case Broken:
		return nil, http.StatusInternalServerError
	case Refusing:
		return nil, http.StatusUnprocessableEntity
	case Hanging:
		return nil, http.StatusOK
	}
	if der := s.kept[q.Intent]; der != nil && mode != Forgetful {
		return der, http.StatusOK
	}
	request, err := q.request()
	if err != nil {
		return nil, http.StatusUnprocessableEntity
	}
	switch mode {
	case Forgetful:
		request.Serial = pki.NewSerial()
	case OtherName:
		if len(request.DNS) > 0 {
			request.DNS = []string{"www.foreign.example"}
		} else {
			request.Emails = []string{"eve@foreign.example"}
		}
	case OtherKey:
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, http.StatusInternalServerError
		}
		if request.Key, err = pki.NewKey(own.Public()); err != nil {
			return nil, http.StatusInternalServerError
		}
	}
	p, _ := request.Profile.Profile()
	c, err := s.issuers[p.Authority].Sign(request, request.NotBefore)
	if err != nil {
		return nil, http.StatusUnprocessableEntity
	}
	s.signed[q.Intent]++
	s.kept[q.Intent] = c.DER
	return c.DER, http.StatusOK
}

func (s *Server) crl(w http.ResponseWriter, r *http.Request) {
	var q listQuestion
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<20)).Decode(&q); err != nil {
		http.Error(w, "not a request for a list", http.StatusBadRequest)
		return
	}
	list, err := s.issuers[q.Authority].SignCRL(q.Number, q.Revoked, q.ThisUpdate, q.NextUpdate)
	if err != nil {
		http.Error(w, "no", http.StatusUnprocessableEntity)
		return
	}
	json.NewEncoder(w).Encode(listAnswer{CRL: list.DER}) // who asked may have gone
}
