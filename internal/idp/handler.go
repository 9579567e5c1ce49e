package idp

import (
	"encoding/json"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// bodyLimit is far above any request of the protocol.
const bodyLimit = 64 << 10

// Handler serves every endpoint below the issuer's path.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	at := func(method, path string, h http.HandlerFunc) { mux.HandleFunc(method+" "+p.prefix+path, h) }

	at("GET", "/.well-known/openid-configuration", p.discovery)
	at("GET", "/jwks", p.jwks)
	at("GET", "/authorize", p.authorize)
	at("POST", "/authorize", p.authorize)
	at("POST", "/login", p.login)
	at("POST", "/token", p.token)
	at("GET", "/userinfo", p.userinfo)
	at("POST", "/userinfo", p.userinfo)
	at("GET", "/end-session", p.endSession)
	at("POST", "/end-session", p.endSession)
	at("GET", "/style.css", style)
	at("GET", "/{$}", p.home)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		mux.ServeHTTP(w, r)
	})
}

// discovery is OpenID Connect Discovery 1.0, 3.
func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer":                                p.issuer,
		"authorization_endpoint":                p.issuer + "/authorize",
		"token_endpoint":                        p.issuer + "/token",
		"userinfo_endpoint":                     p.issuer + "/userinfo",
		"jwks_uri":                              p.issuer + "/jwks",
		"end_session_endpoint":                  p.issuer + "/end-session",
		"scopes_supported":                      scopes,
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(p.key.alg)},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":      []string{"S256"},
		"claims_supported": []string{
			"sub", "preferred_username", "name", "given_name", "family_name", "email",
			"email_verified", "groups", "nonce", "auth_time", "sid",
		},
		"ui_locales_supported":                           languages,
		"authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
	})
}

func (p *Provider) jwks(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.key.public()}})
}

func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(text)
}
