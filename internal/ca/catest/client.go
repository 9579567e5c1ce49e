package catest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// Client asks the authority at URL. It tries once: asking again is the part of
// whoever keeps the intent.
type Client struct {
	URL     string
	Timeout time.Duration // of one call; 0: none but the context's
}

// Client returns one that waits as long as its context does.
func (s *Server) Client() *Client { return &Client{URL: s.URL} }

// question and answer are the protocol: JSON, bytes in base64.
type question struct {
	Intent     int64         `json:"intent"`
	Profile    pki.ProfileID `json:"profile"`
	SPKI       []byte        `json:"spki"`
	CommonName string        `json:"commonName"`
	GivenName  string        `json:"givenName"`
	Surname    string        `json:"surname"`
	Emails     []string      `json:"emails"`
	DNS        []string      `json:"dns,omitempty"`
	Days       int           `json:"days,omitempty"`
	Serial     []byte        `json:"serial"`
	NotBefore  time.Time     `json:"notBefore"`
}

type answer struct {
	Certificate []byte `json:"certificate"`
}

type listQuestion struct {
	Authority  string           `json:"authority"`
	Number     int64            `json:"number"`
	Revoked    []pki.Revocation `json:"revoked"`
	ThisUpdate time.Time        `json:"thisUpdate"`
	NextUpdate time.Time        `json:"nextUpdate"`
}

type listAnswer struct {
	CRL []byte `json:"crl"`
}

func (q question) request() (pki.Request, error) {
	key, err := pki.ReadKey(q.SPKI)
	return pki.Request{
		Intent: q.Intent, Profile: q.Profile, Key: key, CommonName: q.CommonName, GivenName: q.GivenName, Surname: q.Surname,
		Emails: q.Emails, DNS: q.DNS, Days: q.Days, Serial: q.Serial, NotBefore: q.NotBefore.UTC(),
	}, err
}

// Issue asks for the certificate of r and returns what came, right or wrong.
// "ca.unavailable" means that the outcome is unknown: ask again with the same
// intent. "ca.refused" means that nothing was signed.
func (c *Client) Issue(ctx context.Context, r pki.Request) (pki.Certificate, error) {
	var a answer
	err := c.call(ctx, "/issue", question{
		Intent: r.Intent, Profile: r.Profile, SPKI: r.Key.SPKI, CommonName: r.CommonName, GivenName: r.GivenName, Surname: r.Surname,
		Emails: r.Emails, DNS: r.DNS, Days: r.Days, Serial: r.Serial, NotBefore: r.NotBefore,
	}, &a)
	if err != nil {
		return pki.Certificate{}, err
	}
	return pki.ParseCertificate(a.Certificate)
}

// Ask asks for the certificate of r: yes, no for good, or an error when the
// outcome is unknown.
func (c *Client) Ask(ctx context.Context, r pki.Request) (pki.Answer, error) {
	got, err := c.Issue(ctx, r)
	if fault.Is(err, fault.Conflict) {
		return pki.Answer{No: err}, nil
	}
	if err != nil {
		return pki.Answer{}, err
	}
	return pki.Answer{Certificate: &got}, nil
}

// Collect asks what became of r.
func (c *Client) Collect(ctx context.Context, r pki.Request, _ string) (pki.Answer, error) {
	return c.Ask(ctx, r)
}

// Revoke asks that the certificate count no longer.
func (c *Client) Revoke(context.Context, pki.Certificate, pki.Reason) (pki.Answer, error) {
	return pki.Answer{}, nil
}

// SignCRL asks for a revocation list of one of Names.
func (c *Client) SignCRL(ctx context.Context, authority string, number int64, revoked []pki.Revocation, thisUpdate, nextUpdate time.Time) (pki.CRL, error) {
	var a listAnswer
	err := c.call(ctx, "/crl", listQuestion{Authority: authority, Number: number, Revoked: revoked, ThisUpdate: thisUpdate, NextUpdate: nextUpdate}, &a)
	if err != nil {
		return pki.CRL{}, err
	}
	return pki.ParseCRL(a.CRL)
}

// Names are the authorities whose lists SignCRL signs.
func (c *Client) Names() []string { return []string{"mail", "tls"} }

func (c *Client) call(ctx context.Context, path string, q, a any) error {
	body, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("ask the authority: %w", err)
	}
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask the authority: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return fault.New(fault.Unavailable, "ca.unavailable").Because(err)
	}
	defer reply.Body.Close()
	switch {
	case reply.StatusCode >= 500:
		return fault.New(fault.Unavailable, "ca.unavailable").Because(fmt.Errorf("the authority answers %s", reply.Status))
	case reply.StatusCode != http.StatusOK:
		return fault.New(fault.Conflict, "ca.refused").Because(fmt.Errorf("the authority answers %s", reply.Status))
	}
	if err := json.NewDecoder(io.LimitReader(reply.Body, 64<<20)).Decode(a); err != nil { // the first answer counts
		return fault.New(fault.Unavailable, "ca.unavailable").Because(err)
	}
	return nil
}

// RootCRL is never there: the pretend authority has no root whose key is
// elsewhere.
func (c *Client) RootCRL(context.Context) (pki.CRL, bool, error) { return pki.CRL{}, false, nil }

// Responders are none: whoever asks about its certificates is not answered here.
func (c *Client) Responders() []string { return nil }

// RenewResponders has nothing to renew.
func (c *Client) RenewResponders(context.Context) error { return nil }

// SignStatus answers for nobody.
func (c *Client) SignStatus(string, pki.Status, time.Time, time.Time) (pki.Response, error) {
	return pki.Response{}, pki.ErrNoResponder
}
