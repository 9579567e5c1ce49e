package catest

import (
	"cmp"
	"context"
	"time"

	"petschaft/internal/pki"
)

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

// SignCRL asks for a revocation list of one of Names.
func (c *Client) SignCRL(ctx context.Context, authority string, number int64, revoked []pki.Revocation, thisUpdate, nextUpdate time.Time) (pki.CRL, error) {
	var a listAnswer
	_, done, err := c.call(ctx, "/crl", listQuestion{Authority: authority, Number: number, Revoked: revoked, ThisUpdate: thisUpdate, NextUpdate: nextUpdate}, &a)
	if !done {
		return pki.CRL{}, cmp.Or(err, error(errRefused))
	}
	return pki.ParseCRL(a.CRL)
}

// Names are the authorities whose lists SignCRL signs.
func (c *Client) Names() []string { return []string{"mail", "tls"} }

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
