package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
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
// with what userinfo adds where the ID token is silent. Where there is an ID
// token, a sign-in goes on without what userinfo does not tell; a refresh does
// only where userinfo refuses, and waits for one that is away. A refresh may come
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
	if p.Info != "" && !said.tells(d.cfg.GroupsClaim, "preferred_username", "name", "email", "email_verified") {
		err := d.complete(ctx, p, t, said)
		if mute, ok := errors.AsType[*silentError](err); ok && idToken != "" && (want.subject == "" || !mute.away) {
			d.log.WarnContext(ctx, "userinfo could not be read: what the ID token lacks counts as not said", "error", bare(err))
			err = nil
		}
		if err != nil {
			return person.Claims{}, "", err
		}
	}
	c, err = d.person(ctx, said)
	return c, idToken, err
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
	case said.says("azp") && said.text("azp") != d.cfg.ClientID, len(t.Audience) > 1 && !said.says("azp"):
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
