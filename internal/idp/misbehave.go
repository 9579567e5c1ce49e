package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Misbehaviour is a lie that a client has to notice.
type Misbehaviour int

const (
	Honest             Misbehaviour = iota
	WrongNonce                      // the ID token carries another nonce
	NoNonce                         // the ID token carries none
	WrongAudience                   // the ID token is for another client
	WrongIssuer                     // the ID token is from another issuer
	Expired                         // the ID token ended an hour ago
	FromTheFuture                   // the ID token is issued in an hour
	AlgNone                         // the ID token is unsigned
	AlgHS256                        // the ID token is signed with the client's secret
	WrongKey                        // the ID token is signed by a key that is not published
	WrongAnswerIssuer               // the answer at the redirect URI names another iss (RFC 9207)
	OtherState                      // the answer at the redirect URI carries another state
	NoIDToken                       // the token answer has no ID token
	OtherSubOnUserinfo              // userinfo speaks of somebody else
	NoAuthTime                      // the ID token does not say when somebody signed in
	OldAuthTime                     // the ID token says that somebody signed in an hour ago
	FutureAuthTime                  // the ID token says that somebody will sign in in an hour
	IgnoresMaxAge                   // whoever has signed in here is not asked again, however long ago; but with prompt=login
)

// Misbehave makes the provider lie from now on; Honest ends it. Only tests of
// clients have a reason to call it.
func (p *Provider) Misbehave(m Misbehaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lie = m
}

func (p *Provider) lies(m Misbehaviour) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lie == m
}

// sign bends the claims as told and signs them as told.
func (p *Provider) sign(c idClaims) (string, error) {
	p.mu.Lock()
	lie, secret := p.lie, p.clients[c.Audience[0]].Secret
	p.mu.Unlock()

	c = bend(c, lie, p.now())
	if lie == AlgNone {
		return unsigned(c)
	}
	signer, err := p.signer(lie, secret, "JWT")
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(c).Claims(c.also).Serialize()
}

// signer signs as told, for a client with that secret.
func (p *Provider) signer(lie Misbehaviour, secret string, typ jose.ContentType) (jose.Signer, error) {
	switch lie {
	case AlgHS256:
		// HS256 wants 32 bytes; a client that accepts it at all would pad alike (RFC 2104, 2).
		key := append([]byte(secret), make([]byte, 32)...)
		return jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key[:max(32, len(secret))]}, nil)
	case WrongKey:
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: other, KeyID: p.key.id}}, nil)
	}
	return p.key.signer(typ)
}

func bend(c idClaims, lie Misbehaviour, now time.Time) idClaims {
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(now.Add(d)) }
	switch lie {
	case WrongNonce:
		c.Nonce = rand.Text()
	case NoNonce:
		c.Nonce = ""
	case WrongAudience:
		c.Audience = jwt.Audience{"somebody-else"}
	case WrongIssuer:
		c.Issuer += "/other"
	case Expired:
		c.IssuedAt, c.Expiry = at(-2*time.Hour), at(-time.Hour)
	case NoAuthTime:
		c.AuthTime = nil
	case OldAuthTime:
		c.AuthTime = at(-time.Hour)
	case FutureAuthTime:
		c.AuthTime = at(time.Hour)
	case FromTheFuture:
		c.IssuedAt, c.NotBefore, c.Expiry = at(time.Hour), at(time.Hour), at(2*time.Hour)
	}
	return c
}

func unsigned(c any) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64.EncodeToString(body) + ".", nil
}
