package idp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// token is RFC 6749, 3.2, for codes and refresh tokens.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request", "unreadable form")
		return
	}
	c, err := p.authenticate(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		fail(w, http.StatusUnauthorized, "invalid_client", err.Error())
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		p.exchange(w, r, c)
	case "refresh_token":
		p.refresh(w, r, c)
	default:
		fail(w, http.StatusBadRequest, "unsupported_grant_type", "")
	}
}

// authenticate knows client_secret_basic and client_secret_post, one at a time.
func (p *Provider) authenticate(r *http.Request) (Client, error) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if rawID, rawSecret, ok := r.BasicAuth(); ok {
		if r.PostForm.Has("client_secret") {
			return Client{}, errors.New("two ways of authentication at once")
		}
		var err, err2 error
		id, err = url.QueryUnescape(rawID)
		secret, err2 = url.QueryUnescape(rawSecret)
		if err := errors.Join(err, err2); err != nil {
			return Client{}, err
		}
	}
	c, ok := p.client(id)
	if !ok || c.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1 {
		return Client{}, errors.New("unknown client or wrong secret")
	}
	return c, nil
}

func (p *Provider) exchange(w http.ResponseWriter, r *http.Request, c Client) {
	g, err := p.takeCode(r.PostForm.Get("code"), c.ID)
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid_grant", err.Error())
		return
	}
	if r.PostForm.Get("redirect_uri") != g.redirect {
		fail(w, http.StatusBadRequest, "invalid_grant", "another redirect_uri")
		return
	}
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		fail(w, http.StatusBadRequest, "invalid_grant", "code_verifier does not fit")
		return
	}
	s, refresh := g.session, ""
	if slices.Contains(s.Scope, "offline_access") {
		refresh, s.Refresh = secret()
	}
	if err := p.renew(s); err != nil {
		fail(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	p.tokens(w, s, g.nonce, refresh)
}

// refresh leaves the refresh token as it is: clients here have a secret, which
// binds it (RFC 9700, 2.2.2).
func (p *Provider) refresh(w http.ResponseWriter, r *http.Request, c Client) {
	token := r.PostForm.Get("refresh_token")
	hash := hashed(token)
	s, ok := p.find(func(s session) bool { return s.Refresh == hash && s.Client == c.ID })
	if !ok {
		fail(w, http.StatusBadRequest, "invalid_grant", "unknown refresh token or session ended")
		return
	}
	p.tokens(w, s, "", token)
}

func (p *Provider) tokens(w http.ResponseWriter, s session, nonce, refresh string) {
	x, ok := p.person(s.Sub)
	if !ok {
		fail(w, http.StatusBadRequest, "invalid_grant", "the account is gone")
		return
	}
	access, err := p.accessToken(s)
	if err != nil {
		fail(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	id, err := p.idToken(s, x, nonce, access)
	if err != nil {
		fail(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	body := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()),
		"scope": strings.Join(s.Scope, " "), "id_token": id,
	}
	if refresh != "" {
		body["refresh_token"] = refresh
	}
	if p.lies(NoIDToken) {
		delete(body, "id_token")
	}
	answer(w, http.StatusOK, body)
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	access, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s, err := p.sessionOf(access)
	x, known := p.person(s.Sub)
	if err != nil || !known {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		fail(w, http.StatusUnauthorized, "invalid_token", "")
		return
	}
	sub := x.Sub
	if p.lies(OtherSubOnUserinfo) {
		sub += "-other"
	}
	said := map[string]any{}
	about := x.about(s.Scope)
	text, err := json.Marshal(about)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		fail(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	maps.Copy(said, about.also)
	said["sub"] = sub
	answer(w, http.StatusOK, said)
}

func fail(w http.ResponseWriter, status int, code, text string) {
	body := map[string]string{"error": code}
	if text != "" {
		body["error_description"] = text
	}
	answer(w, status, body)
}
