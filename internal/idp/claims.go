package idp

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const accessType = "at+jwt" // RFC 9068, so that an ID token is never taken for an access token

// about is what the provider says of a person, as far as the scope goes.
type about struct {
	Username      string    `json:"preferred_username,omitempty"`
	Name          string    `json:"name,omitempty"`
	GivenName     string    `json:"given_name,omitempty"`
	FamilyName    string    `json:"family_name,omitempty"`
	Email         string    `json:"email,omitempty"`
	EmailVerified *bool     `json:"email_verified,omitempty"`
	Groups        *[]string `json:"groups,omitempty"` // a person without groups has an empty list

	also map[string]any
}

type idClaims struct {
	jwt.Claims
	about
	Nonce    string           `json:"nonce,omitempty"`
	AuthTime *jwt.NumericDate `json:"auth_time,omitempty"`
	ACR      string           `json:"acr,omitempty"`
	Session  string           `json:"sid"`
	AtHash   string           `json:"at_hash,omitempty"`
}

type accessClaims struct {
	jwt.Claims
	Session string `json:"sid"`
}

func (x Person) about(scope []string) about {
	var a about
	if slices.Contains(scope, "profile") {
		a.Username, a.Name, a.GivenName, a.FamilyName = x.Username, x.Name, x.GivenName, x.FamilyName
	}
	if slices.Contains(scope, "email") && x.Email != "" {
		a.Email, a.EmailVerified = x.Email, &x.EmailVerified
	}
	if slices.Contains(scope, "groups") {
		groups := append([]string{}, x.Groups...)
		a.Groups = &groups
	}
	if slices.Contains(x.Without, "groups") {
		a.Groups = nil
	}
	if slices.Contains(x.Without, "email_verified") {
		a.EmailVerified = nil
	}
	a.also = x.Also
	return a
}

func (p *Provider) times(life time.Duration) (issued, ends *jwt.NumericDate) {
	now := p.now()
	return jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(life))
}

func (p *Provider) accessToken(s session) (string, error) {
	signer, err := p.key.signer(accessType)
	if err != nil {
		return "", err
	}
	issued, ends := p.times(tokenLife)
	return jwt.Signed(signer).Claims(accessClaims{
		Claims:  jwt.Claims{Issuer: p.issuer, Subject: s.Sub, Audience: jwt.Audience{p.issuer}, IssuedAt: issued, Expiry: ends},
		Session: s.ID,
	}).Serialize()
}

// idToken says who began s. nonce is empty on refresh.
func (p *Provider) idToken(s session, x Person, nonce, access string) (string, error) {
	issued, ends := p.times(tokenLife)
	half := sha256.Sum256([]byte(access))
	return p.sign(idClaims{
		Claims: jwt.Claims{Issuer: p.issuer, Subject: s.Sub, Audience: jwt.Audience{s.Client}, IssuedAt: issued, Expiry: ends},
		about:  x.about(s.Scope),
		Nonce:  nonce, AuthTime: jwt.NewNumericDate(s.AuthTime), ACR: s.ACR, Session: s.ID,
		AtHash: base64.RawURLEncoding.EncodeToString(half[:16]),
	})
}

// sessionOf reads an access token and returns its living session.
func (p *Provider) sessionOf(access string) (session, error) {
	t, err := jwt.ParseSigned(access, []jose.SignatureAlgorithm{p.key.alg})
	if err != nil {
		return session{}, err
	}
	var c accessClaims
	if err := t.Claims(p.key.private.Public(), &c); err != nil {
		return session{}, err
	}
	if t.Headers[0].ExtraHeaders[jose.HeaderType] != accessType {
		return session{}, errors.New("not an access token")
	}
	if err := c.ValidateWithLeeway(jwt.Expected{Issuer: p.issuer, AnyAudience: jwt.Audience{p.issuer}, Time: p.now()}, 0); err != nil {
		return session{}, err
	}
	s, ok := p.find(func(s session) bool { return s.ID == c.Session })
	if !ok {
		return session{}, errors.New("the session has ended")
	}
	return s, nil
}

// hint reads an ID token of ours, also an expired one (RP-Initiated Logout, 2).
func (p *Provider) hint(token string) (idClaims, error) {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{p.key.alg})
	if err != nil {
		return idClaims{}, err
	}
	var c idClaims
	if err := t.Claims(p.key.private.Public(), &c); err != nil {
		return idClaims{}, err
	}
	if c.Issuer != p.issuer || len(c.Audience) != 1 || t.Headers[0].ExtraHeaders[jose.HeaderType] == accessType {
		return idClaims{}, fmt.Errorf("not an ID token of %s", p.issuer)
	}
	return c, nil
}
