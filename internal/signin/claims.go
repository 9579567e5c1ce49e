package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// skew is how far the provider's clock may be off.
const skew = time.Minute

// algorithms are the signatures an ID token may have: never none, never one
// whose key the client shares.
func algorithms() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
		oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
	}
}

// expected is what an ID token must fit: the nonce of a sign-in, or the
// subject of the login that is refreshed.
type expected struct {
	nonce   string
	subject string
}

// errOtherPerson says that a refresh spoke of somebody else.
var errOtherPerson = errors.New("the provider's answer is about somebody else")

func refused(err error) error {
	return fault.New(fault.Denied, "signin.refused").Because(err)
}

// claims checks the answer t of the token endpoint and returns what it says,
// with what userinfo adds where the ID token is silent. A refresh may come
// without an ID token (OpenID Connect Core 1.0, 12.2); idToken is then "".
func (d *Desk) claims(ctx context.Context, p *provider, t *oauth2.Token, want expected) (c person.Claims, idToken string, err error) {
	said := statement{}
	idToken, _ = t.Extra("id_token").(string)
	switch {
	case idToken != "":
		if said, err = d.verify(ctx, p, t, idToken, want); err != nil {
			return person.Claims{}, "", err
		}
	case want.subject == "":
		return person.Claims{}, "", refused(errors.New("no ID token in the answer"))
	case p.Info == "":
		return person.Claims{}, "", errors.New("a refresh without ID token, and no userinfo to ask")
	default:
		said.set("sub", want.subject)
	}
	if p.Info != "" && !said.has("preferred_username", "name", "email", d.cfg.GroupsClaim) {
		if err := d.complete(ctx, p, t, said); err != nil {
			return person.Claims{}, "", err
		}
	}
	return said.person(d.cfg.Issuer, d.cfg.GroupsClaim), idToken, nil
}

// verify is OpenID Connect Core 1.0, 3.1.3.7.
func (d *Desk) verify(ctx context.Context, p *provider, t *oauth2.Token, idToken string, want expected) (statement, error) {
	now := d.now()
	keys := &watched{set: p.keys}
	v := oidc.NewVerifier(d.cfg.Issuer, keys, &oidc.Config{
		ClientID: d.cfg.ClientID, SupportedSigningAlgs: algorithms(), Now: func() time.Time { return now.Add(-skew) },
	})
	token, err := v.Verify(ctx, idToken)
	if keys.away {
		return nil, providerDown(err)
	}
	if err != nil {
		return nil, refused(err)
	}
	said := statement{}
	if err := token.Claims(&said); err != nil {
		return nil, refused(err)
	}
	if err := d.fits(token, said, now, want); err != nil {
		return nil, err
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(t.AccessToken); err != nil {
			return nil, refused(err)
		}
	}
	return said, nil
}

// fits holds what go-oidc leaves to its caller or takes too lightly: it lets
// one known issuer pass under two names and a token be five minutes early.
func (d *Desk) fits(t *oidc.IDToken, said statement, now time.Time, want expected) error {
	switch {
	case t.Issuer != d.cfg.Issuer:
		return refused(fmt.Errorf("ID token from %q", t.Issuer))
	case t.IssuedAt.After(now.Add(skew)) || said.time("nbf").After(now.Add(skew)):
		return refused(errors.New("ID token from the future"))
	case said.has("azp") && said.text("azp") != d.cfg.ClientID, len(t.Audience) > 1 && !said.has("azp"):
		return refused(fmt.Errorf("ID token for %q, authorized %q", t.Audience, said.text("azp")))
	case !properSubject(t.Subject):
		return refused(errors.New("ID token without a proper subject"))
	case want.subject != "" && t.Subject != want.subject:
		return refused(errOtherPerson)
	case want.subject == "" && subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(want.nonce)) != 1:
		return refused(errors.New("ID token with another nonce"))
	}
	return nil
}

// properSubject is at most 255 characters (OpenID Connect Core 1.0, 2) and
// nothing a database cannot hold.
func properSubject(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, unicode.IsControl)
}

// complete adds to said what only userinfo tells; it must speak of the same
// subject (OpenID Connect Core 1.0, 5.3.2).
func (d *Desk) complete(ctx context.Context, p *provider, t *oauth2.Token, said statement) error {
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(t))
	if err != nil {
		return providerDown(fmt.Errorf("ask userinfo: %w", err))
	}
	if info.Subject != said.text("sub") {
		return refused(errOtherPerson)
	}
	more := statement{}
	if err := info.Claims(&more); err != nil {
		return refused(err)
	}
	for name, value := range more {
		if _, ok := said[name]; !ok {
			said[name] = value
		}
	}
	return nil
}

// watched remembers whether the keys could not be fetched: go-oidc's verifier
// loses the difference between that and a bad signature.
type watched struct {
	set  oidc.KeySet
	away bool
}

// VerifySignature is for go-oidc, which wraps only errors of fetching.
func (k *watched) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.set.VerifySignature(ctx, token)
	k.away = errors.Unwrap(err) != nil
	return payload, err
}

// statement is a set of claims as received. Whatever has an odd type counts
// as not said.
type statement map[string]json.RawMessage

func (s statement) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { _, ok := s[n]; return !ok })
}

func (s statement) set(name, text string) {
	s[name], _ = json.Marshal(text)
}

func (s statement) text(name string) string {
	var v string
	json.Unmarshal(s[name], &v)
	return v
}

func (s statement) time(name string) time.Time {
	var seconds float64
	if json.Unmarshal(s[name], &seconds) != nil {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// truth also takes the word, which some providers send.
func (s statement) truth(name string) bool {
	var v bool
	json.Unmarshal(s[name], &v)
	return v || s.text(name) == "true"
}

// groupLimit bounds what one person's claim may put into the database.
const (
	groupLimit  = 2000
	groupLength = 200
)

// list is a list of texts, or one text alone.
func (s statement) list(name string) []string {
	var parts []any
	if json.Unmarshal(s[name], &parts) != nil {
		parts = []any{s.text(name)}
	}
	all := []string{}
	for _, x := range parts {
		g, ok := x.(string)
		if ok && g != "" && len(g) <= groupLength && !strings.ContainsFunc(g, unicode.IsControl) {
			all = append(all, g)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), groupLimit)]
}

func (s statement) person(issuer, groups string) person.Claims {
	short := func(name string) string {
		t := s.text(name)
		return strings.ToValidUTF8(t[:min(len(t), 500)], "")
	}
	return person.Claims{
		Issuer: issuer, Subject: s.text("sub"),
		Username: short("preferred_username"), Name: short("name"),
		GivenName: short("given_name"), FamilyName: short("family_name"),
		Email: short("email"), EmailVerified: s.truth("email_verified"),
		Groups: s.list(groups),
	}
}
