package idp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"petschaft/internal/idp"
)

const (
	callback  = "http://127.0.0.1:8080/signin/callback"
	signedOut = "http://127.0.0.1:8080/"
)

var ada = idp.Person{
	Sub: "1001", Username: "ada", Name: "Ada Äcker", GivenName: "Ada", FamilyName: "Äcker",
	Email: "ada@uni.example", EmailVerified: true, Groups: []string{"staff", "ra"},
	Role: map[string]string{"de": "Registriert.", "en": "Registers."},
}

// rig is a provider on a real port and a browser and a client in front of it.
type rig struct {
	t       *testing.T
	p       *idp.Provider
	issuer  string
	browser *http.Client // keeps cookies, follows no redirect
	oidc    *oidc.Provider
	oauth   oauth2.Config
}

func start(t *testing.T, change ...func(*idp.Config)) *rig {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	cfg := idp.Config{
		Issuer: "http://" + srv.Listener.Addr().String(),
		Clients: []idp.Client{{
			ID: "portal", Secret: "a secret: 100 % & more", RedirectURIs: []string{callback},
			PostLogoutRedirectURIs: []string{signedOut},
		}},
		People: []idp.Person{ada, {Sub: "1002", Username: "bo", Name: "Bo"}},
	}
	for _, c := range change {
		c(&cfg)
	}
	p, err := idp.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	srv.Config.Handler = p.Handler()
	srv.Start()
	t.Cleanup(srv.Close)

	known, err := oidc.NewProvider(t.Context(), cfg.Issuer)
	if err != nil {
		t.Fatalf("discovery: %v", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{
		t: t, p: p, issuer: cfg.Issuer, oidc: known,
		browser: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		oauth: oauth2.Config{
			ClientID: "portal", ClientSecret: cfg.Clients[0].Secret, Endpoint: known.Endpoint(), RedirectURL: callback,
			Scopes: []string{"openid", "profile", "email", "groups", "offline_access"},
		},
	}
}

// pick clicks on the account sub and returns the answer at the redirect URI.
func (r *rig) pick(authorize, sub string) url.Values {
	r.t.Helper()
	to := strings.Replace(authorize, "/authorize?", "/login?", 1)
	res := r.do(r.browser.PostForm(to, url.Values{"person": {sub}}))
	return r.answer(res)
}

func (r *rig) answer(res *http.Response) url.Values {
	r.t.Helper()
	u, err := res.Location()
	if err != nil {
		r.t.Fatalf("got status %d without a redirect, want one to the client", res.StatusCode)
	}
	if got := u.Scheme + "://" + u.Host + u.Path; got != callback {
		r.t.Fatalf("got a redirect to %s, want %s", got, callback)
	}
	return u.Query()
}

// do closes the answer after reading it into res.Body.
func (r *rig) do(res *http.Response, err error) *http.Response {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	res.Body = io.NopCloser(strings.NewReader(string(text)))
	return res
}

func text(res *http.Response) string {
	all, _ := io.ReadAll(res.Body)
	return string(all)
}

// signIn is the whole way from the button to the tokens.
func (r *rig) signIn(sub string) (*oauth2.Token, *oidc.IDToken) {
	r.t.Helper()
	verifier := oauth2.GenerateVerifier()
	q := r.pick(r.oauth.AuthCodeURL("st", oidc.Nonce("n1"), oauth2.S256ChallengeOption(verifier)), sub)
	tok, err := r.oauth.Exchange(r.t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		r.t.Fatalf("exchange: %v", err)
	}
	id, err := r.verify(tok)
	if err != nil {
		r.t.Fatalf("verify: %v", err)
	}
	return tok, id
}

func (r *rig) verify(tok *oauth2.Token) (*oidc.IDToken, error) {
	raw, _ := tok.Extra("id_token").(string)
	return r.oidc.Verifier(&oidc.Config{ClientID: "portal"}).Verify(context.Background(), raw)
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) || re.ErrorCode != want {
		t.Errorf("got %v, want the OAuth error %s", err, want)
	}
}
