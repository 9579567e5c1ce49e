// Package catest is a pretend certificate authority that answers over real
// HTTP, and the client that asks it. It decides how an authority may misbehave:
// slow, silent, forgetful, wrong, or gone at the worst moment. It is for tests
// and the demo only, and keeps nothing.
package catest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"petschaft/internal/pki"
)

// Server is a pretend authority.
type Server struct {
	URL string

	issuers map[string]pki.Issuer // "mail", "tls"
	root    *x509.Certificate

	mu       sync.Mutex
	modes    queue
	revoking queue
	verdicts map[int64]bool // by intent: approved or declined
	looks    int
	wait     time.Duration
	now      func() time.Time
	release  chan struct{}

	byOwn       map[string]*matter
	byReference map[string]*matter
	byIntent    map[int64]*matter
	signed      map[int64][][]byte
	revoked     map[string]pki.Reason // by DER

	asks, collects, revokes map[int64]int
	came                    chan int64
	cameCollect, cameRevoke chan int64
}

// Found makes an authority that is Good until told otherwise. It answers by Handler,
// at the URL that whoever serves that sets.
func Found(organisation string) (*Server, error) {
	const many = 1000
	s := &Server{
		issuers: map[string]pki.Issuer{}, verdicts: map[int64]bool{}, wait: 2 * time.Minute, now: time.Now, release: make(chan struct{}),
		byOwn: map[string]*matter{}, byReference: map[string]*matter{}, byIntent: map[int64]*matter{},
		signed: map[int64][][]byte{}, revoked: map[string]pki.Reason{}, asks: map[int64]int{}, collects: map[int64]int{}, revokes: map[int64]int{},
		came: make(chan int64, many), cameCollect: make(chan int64, many), cameRevoke: make(chan int64, many),
	}
	return s, s.found(organisation)
}

// Handler answers a Client.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /issue", s.serve(s.asks, s.came, s.ask))
	mux.HandleFunc("POST /collect", s.serve(s.collects, s.cameCollect, s.collect))
	mux.HandleFunc("POST /revoke", s.revoke)
	mux.HandleFunc("POST /crl", s.crl)
	return mux
}

// New is Found, served until t ends. Of several in one test each has its own
// organisation, as its issuers say.
func New(t testing.TB, organisation ...string) *Server {
	t.Helper()
	s, err := Found(append(organisation, "Vertrauen AG")[0])
	if err != nil {
		t.Fatalf("make the pretend authority: %v", err)
	}
	server := httptest.NewServer(s.Handler())
	s.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections() // who hangs is let go
		server.Close()
	})
	return s
}

// found makes a root and an issuing authority for each purpose under it.
func (s *Server) found(organisation string) error {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	begin := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // before any clock of a test
	a := pki.Authority{Organisation: organisation, Country: "DE", Role: "Root CA", Years: 40, NotBefore: begin}
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

// Release lets every Slow call answer that waits now.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.release)
	s.release = make(chan struct{})
}

// Came waits for the next Ask and returns its intent; what was signed for it is
// signed by then.
func (s *Server) Came(ctx context.Context) (int64, error) { return next(ctx, s.came) }

// CameCollect is Came for Collect, and CameRevoke for Revoke.
func (s *Server) CameCollect(ctx context.Context) (int64, error) { return next(ctx, s.cameCollect) }
func (s *Server) CameRevoke(ctx context.Context) (int64, error)  { return next(ctx, s.cameRevoke) }

func next(ctx context.Context, came chan int64) (int64, error) {
	select {
	case intent := <-came:
		return intent, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Calls is how often it was asked, for whatever.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, of := range s.asks {
		n += of
	}
	return n
}

// Count is what happened for one intent.
type Count struct {
	Asked, Collected, Revoking int // calls, whatever came of them
	Signed, Revoked            int // certificates
}

// Count of intent.
func (s *Server) Count(intent int64) Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Count{Asked: s.asks[intent], Collected: s.collects[intent], Revoking: s.revokes[intent], Signed: len(s.signed[intent])}
	for _, der := range s.signed[intent] {
		if _, is := s.revoked[string(der)]; is {
			c.Revoked++
		}
	}
	return c
}

// Signed is how many certificates were signed for intent.
func (s *Server) Signed(intent int64) int { return s.Count(intent).Signed }

// Certificates are those that were signed for intent, in their order.
func (s *Server) Certificates(intent int64) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.signed[intent])
}

// Revoked tells whether the certificate was revoked, and why.
func (s *Server) Revoked(der []byte) (pki.Reason, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reason, is := s.revoked[string(der)]
	return reason, is
}

// All is how many certificates were signed in all.
func (s *Server) All() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, of := range s.signed {
		n += len(of)
	}
	return n
}

// Chain is the issuing authority for mail and the root.
func (s *Server) Chain() [][]byte { return s.chain("mail") }

func (s *Server) chain(name string) [][]byte {
	return [][]byte{s.issuers[name].Certificate.Raw, s.root.Raw}
}
