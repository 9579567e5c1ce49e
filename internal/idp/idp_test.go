package idp_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"petschaft/internal/idp"
)

type claims struct {
	Username      string   `json:"preferred_username"`
	Name          string   `json:"name"`
	Email         string   `json:"email"`
	EmailVerified bool     `json:"email_verified"`
	Groups        []string `json:"groups"`
	Session       string   `json:"sid"`
	AuthTime      int64    `json:"auth_time"`
}

func TestAClientLearnsWhoSignedIn(t *testing.T) {
	t.Parallel()
	r := start(t)
	verifier := oauth2.GenerateVerifier()
	q := r.pick(r.oauth.AuthCodeURL("st", oidc.Nonce("n1"), oauth2.S256ChallengeOption(verifier)), "1001")
	if got := q.Get("state"); got != "st" {
		t.Errorf("state: got %q, want %q", got, "st")
	}
	if got := q.Get("iss"); got != r.issuer {
		t.Errorf("iss: got %q, want %q", got, r.issuer)
	}
	tok, id := r.signIn("1001")
	if id.Subject != "1001" || id.Nonce != "n1" {
		t.Errorf("got sub %q and nonce %q, want 1001 and n1", id.Subject, id.Nonce)
	}
	if err := id.VerifyAccessToken(tok.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		t.Fatal(err)
	}
	if c.Username != "ada" || c.Name != "Ada Äcker" || c.Email != "ada@uni.example" || !c.EmailVerified || c.Session == "" || c.AuthTime == 0 {
		t.Errorf("got claims %+v, want Ada's", c)
	}
	if want := []string{"staff", "ra"}; !slices.Equal(c.Groups, want) {
		t.Errorf("groups: got %q, want %q", c.Groups, want)
	}
	info, err := r.oidc.UserInfo(t.Context(), oauth2.StaticTokenSource(tok))
	if err != nil {
		t.Fatalf("userinfo: %v", err)
	}
	if info.Subject != "1001" || info.Email != "ada@uni.example" {
		t.Errorf("userinfo: got %q, %q, want Ada's", info.Subject, info.Email)
	}
}

func TestClaimsFollowTheScope(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.oauth.Scopes = []string{"openid"}
	tok, id := r.signIn("1001")
	var all map[string]any
	if err := id.Claims(&all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"name", "email", "groups"} {
		if _, there := all[name]; there {
			t.Errorf("got the claim %s, want none without its scope", name)
		}
	}
	if tok.RefreshToken != "" {
		t.Error("got a refresh token, want none without offline_access")
	}
}

func TestACodeIsGoodOnceForItsClientAddressAndVerifier(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		spoil  func(r *rig)
		option func(verifier string) oauth2.AuthCodeOption
	}{
		{name: "a wrong verifier is refused", option: func(string) oauth2.AuthCodeOption { return oauth2.VerifierOption(oauth2.GenerateVerifier()) }},
		{name: "a missing verifier is refused", option: func(string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("x", "y") }},
		{name: "another redirect_uri is refused", option: oauth2.VerifierOption, spoil: func(r *rig) { r.oauth.RedirectURL += "/x" }},
		{name: "another client is refused", option: oauth2.VerifierOption, spoil: func(r *rig) {
			r.p.SetClient(idp.Client{ID: "other", Secret: "s"})
			r.oauth.ClientID, r.oauth.ClientSecret = "other", "s"
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			verifier := oauth2.GenerateVerifier()
			q := r.pick(r.oauth.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), "1001")
			if c.spoil != nil {
				c.spoil(r)
			}
			_, err := r.oauth.Exchange(t.Context(), q.Get("code"), c.option(verifier))
			wantCode(t, err, "invalid_grant")
		})
	}
}

func TestASecondUseOfACodeEndsTheSession(t *testing.T) {
	t.Parallel()
	r := start(t)
	verifier := oauth2.GenerateVerifier()
	q := r.pick(r.oauth.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), "1001")
	tok, err := r.oauth.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.oauth.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	wantCode(t, err, "invalid_grant")
	_, err = r.refresh(tok)
	wantCode(t, err, "invalid_grant")
	if _, err := r.oidc.UserInfo(t.Context(), oauth2.StaticTokenSource(tok)); err == nil {
		t.Error("userinfo still answers, want the access token dead")
	}
}

func TestACodeEndsAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r := start(t, func(c *idp.Config) { c.Now = func() time.Time { return now } })
	verifier := oauth2.GenerateVerifier()
	q := r.pick(r.oauth.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), "1001")
	now = now.Add(5*time.Minute + time.Second)
	_, err := r.oauth.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	wantCode(t, err, "invalid_grant")
}

func TestClientsAuthenticateBothWays(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "post": oauth2.AuthStyleInParams} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.oauth.Endpoint.AuthStyle = way
			r.signIn("1001")
			r.oauth.ClientSecret = "wrong"
			_, err := r.oauth.Exchange(t.Context(), "x")
			wantCode(t, err, "invalid_client")
		})
	}
}

func (r *rig) refresh(tok *oauth2.Token) (*oauth2.Token, error) {
	return r.oauth.TokenSource(r.t.Context(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
}

func TestRefreshCarriesTheClaimsOfNow(t *testing.T) {
	t.Parallel()
	r := start(t)
	tok, first := r.signIn("1001")
	changed := ada
	changed.Name, changed.Groups = "Ada Berg", nil
	r.p.SetPerson(changed)

	again, err := r.refresh(tok)
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	id, err := r.verify(again)
	if err != nil {
		t.Fatal(err)
	}
	var before, after claims
	if err := errors.Join(first.Claims(&before), id.Claims(&after)); err != nil {
		t.Fatal(err)
	}
	if after.Name != "Ada Berg" || after.Groups == nil || len(after.Groups) != 0 {
		t.Errorf("got name %q, groups %#v, want the new name and an empty list", after.Name, after.Groups)
	}
	if after.Session != before.Session || after.AuthTime != before.AuthTime || id.Nonce != "" {
		t.Errorf("got %+v with nonce %q, want sid and auth_time kept and no nonce", after, id.Nonce)
	}
	r.p.RemovePerson("1001")
	_, err = r.refresh(tok)
	wantCode(t, err, "invalid_grant")
}

func TestTokensSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(c *idp.Config) {
		c.KeyFile, c.StateFile = filepath.Join(dir, "key.pem"), filepath.Join(dir, "sessions.json")
	}
	r := start(t, keep)
	tok, _ := r.signIn("1001")
	second := start(t, keep)
	if _, err := second.refresh(tok); err != nil {
		t.Errorf("refresh after a restart: %v", err)
	}
	raw, _ := tok.Extra("id_token").(string)
	keys := oidc.NewRemoteKeySet(t.Context(), second.issuer+"/jwks")
	if _, err := keys.VerifySignature(t.Context(), raw); err != nil {
		t.Errorf("the key changed: %v", err)
	}
}

func TestAnRSAKeySignsRS256(t *testing.T) {
	t.Parallel()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, func(c *idp.Config) { c.Key = k })
	r.signIn("1001")
}

func TestBadConfigIsRefused(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"", "localhost:8080", "http://localhost:8080/", "http://h/?q", "ftp://h"} {
		if _, err := idp.New(idp.Config{Issuer: issuer}); err == nil {
			t.Errorf("issuer %q: got a provider, want an error", issuer)
		}
	}
}

func TestDownAnswers503Everywhere(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.p.SetDown(true)
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks", "/authorize", "/"} {
		if res := r.do(r.browser.Get(r.issuer + path)); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: got %d, want 503", path, res.StatusCode)
		}
	}
	r.p.SetDown(false)
	r.signIn("1001")
}

func TestLiesAreNoticedByAnHonestClient(t *testing.T) {
	t.Parallel()
	lies := map[string]idp.Misbehaviour{
		"another audience": idp.WrongAudience, "another issuer": idp.WrongIssuer, "expired": idp.Expired,
		"alg none": idp.AlgNone, "HS256": idp.AlgHS256, "another key": idp.WrongKey, "from the future": idp.FromTheFuture,
		"no token at all": idp.NoIDToken,
	}
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.p.Misbehave(lie)
			verifier := oauth2.GenerateVerifier()
			q := r.pick(r.oauth.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), "1001")
			tok, err := r.oauth.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.verify(tok); err == nil {
				t.Error("got a verified token, want go-oidc to refuse it")
			}
		})
	}
}

func TestLiesInTheAnswerReachTheClient(t *testing.T) {
	t.Parallel()
	r := start(t)
	ask := r.oauth.AuthCodeURL("st", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	r.p.Misbehave(idp.WrongAnswerIssuer)
	if got := r.pick(ask, "1001").Get("iss"); got == r.issuer {
		t.Errorf("iss: got the true one, want another")
	}
	r.p.Misbehave(idp.OtherState)
	if got := r.pick(ask, "1001").Get("state"); got == "st" {
		t.Errorf("state: got the true one, want another")
	}
	r.p.Misbehave(idp.WrongNonce)
	if _, id := r.signIn("1001"); id.Nonce == "n1" {
		t.Errorf("nonce: got the true one, want another")
	}
}

func TestSignOutEndsTheSessionAndGoesBack(t *testing.T) {
	t.Parallel()
	r := start(t)
	tok, _ := r.signIn("1001")
	raw := tok.Extra("id_token").(string)
	q := url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {signedOut + "x"}, "state": {"s 1"}}
	if res := r.do(r.browser.Get(r.issuer + "/end-session?" + q.Encode())); res.StatusCode != http.StatusBadRequest {
		t.Errorf("another address: got %d, want 400", res.StatusCode)
	}
	if _, err := r.refresh(tok); err != nil {
		t.Fatalf("the refused sign-out ended the session: %v", err)
	}
	q.Set("post_logout_redirect_uri", signedOut)
	res := r.do(r.browser.Get(r.issuer + "/end-session?" + q.Encode()))
	if got, want := res.Header.Get("Location"), signedOut+"?state=s+1"; got != want {
		t.Errorf("got a redirect to %q, want %q", got, want)
	}
	_, err := r.refresh(tok)
	wantCode(t, err, "invalid_grant")
}

func TestSignOutWithoutProofAsksFirst(t *testing.T) {
	t.Parallel()
	r := start(t)
	tok, _ := r.signIn("1001")
	if page := text(r.do(r.browser.Get(r.issuer + "/end-session"))); !strings.Contains(page, "Möchten Sie sich abmelden?") {
		t.Errorf("got %q, want the question", page)
	}
	if _, err := r.refresh(tok); err != nil {
		t.Fatalf("asking ended the session: %v", err)
	}
	r.do(r.browser.PostForm(r.issuer+"/end-session", url.Values{"confirm": {"1"}}))
	_, err := r.refresh(tok)
	wantCode(t, err, "invalid_grant")
	if res := r.do(r.browser.Get(r.issuer + "/end-session?id_token_hint=" + tok.AccessToken)); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an access token as hint: got %d, want 400", res.StatusCode)
	}
}
