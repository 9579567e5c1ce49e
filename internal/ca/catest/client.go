package catest

import (
	"context"
	"errors"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// Client asks the authority at URL. It tries once: asking again is the part of
// whoever keeps the intent.
type Client struct {
	URL     string
	Timeout time.Duration    // of one call; 0: none but the context's
	Now     func() time.Time // nil: the machine's clock
}

// Client returns one that waits as long as its context does.
func (s *Server) Client() *Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Client{URL: s.URL, Now: s.now}
}

// question and answer are the protocol: JSON, bytes in base64.
type question struct {
	Intent     int64         `json:"intent"`
	Profile    pki.ProfileID `json:"profile"`
	SPKI       []byte        `json:"spki"`
	CSR        []byte        `json:"csr,omitempty"`
	CommonName string        `json:"commonName"`
	GivenName  string        `json:"givenName"`
	Surname    string        `json:"surname"`
	Sponsor    pki.Sponsor   `json:"sponsor"`
	Emails     []string      `json:"emails"`
	DNS        []string      `json:"dns,omitempty"`
	Days       int           `json:"days,omitempty"`
	Serial     []byte        `json:"serial"`
	NotBefore  time.Time     `json:"notBefore"`
	Reference  string        `json:"reference,omitempty"` // the caller's
	Own        string        `json:"own,omitempty"`       // the authority's
}

type answer struct {
	Certificate []byte   `json:"certificate,omitempty"`
	Chain       [][]byte `json:"chain,omitempty"`
	Reference   string   `json:"reference,omitempty"`
	Words       string   `json:"words,omitempty"`
	Person      bool     `json:"person,omitempty"`
}

func (q question) request() (pki.Request, error) {
	key, err := pki.ReadKey(q.SPKI)
	return pki.Request{
		Intent: q.Intent, Profile: q.Profile, Key: key, CSR: q.CSR, CommonName: q.CommonName, GivenName: q.GivenName, Surname: q.Surname,
		Sponsor: q.Sponsor, Emails: q.Emails, DNS: q.DNS, Days: q.Days, Serial: q.Serial, NotBefore: q.NotBefore.UTC(), Reference: q.Reference,
	}, err
}

func questionOf(r pki.Request, own string) question {
	return question{
		Intent: r.Intent, Profile: r.Profile, SPKI: r.Key.SPKI, CSR: r.CSR, CommonName: r.CommonName, GivenName: r.GivenName, Surname: r.Surname,
		Sponsor: r.Sponsor, Emails: r.Emails, DNS: r.DNS, Days: r.Days, Serial: r.Serial, NotBefore: r.NotBefore, Reference: r.Reference, Own: own,
	}
}

// errAway is that the outcome of a call is unknown, and errRefused that the
// authority says no.
var (
	errAway    = fault.New(fault.Unavailable, "ca.unavailable")
	errRefused = fault.New(fault.Conflict, "ca.refused")
)

// Ask asks for the certificate of r and returns what came, right or wrong: yes,
// no for good, or later. Under a Reference, or without one under an intent, that
// it knows the authority answers as it did. An error, "ca.unavailable", means
// that the outcome is unknown: ask again, with the same.
func (c *Client) Ask(ctx context.Context, r pki.Request) (pki.Answer, error) {
	return c.issued(ctx, "/issue", questionOf(r, ""))
}

// Collect asks what became of r, by the reference of the authority, else by that
// of r. Nothing is begun: of what nobody asked for it is a no, pki.ErrUnasked.
func (c *Client) Collect(ctx context.Context, r pki.Request, ref string) (pki.Answer, error) {
	return c.issued(ctx, "/collect", questionOf(r, ref))
}

// Revoke asks that the certificate count no longer. Done is the zero Answer, also
// when it was done before.
func (c *Client) Revoke(ctx context.Context, of pki.Certificate, why pki.Reason) (pki.Answer, error) {
	a, _, err := c.call(ctx, "/revoke", revokeQuestion{Certificate: of.DER, Reason: why}, &answer{})
	if errors.Is(a.No, errRevoked) {
		return pki.Answer{}, nil
	}
	return a, err
}

func (c *Client) issued(ctx context.Context, path string, q question) (pki.Answer, error) {
	var came answer
	a, done, err := c.call(ctx, path, q, &came)
	if !done {
		return a, err
	}
	got, err := pki.ParseCertificate(came.Certificate)
	if err != nil {
		return pki.Answer{}, errAway.Because(err)
	}
	return pki.Answer{Certificate: &got, Chain: came.Chain, Reference: came.Reference}, nil
}
