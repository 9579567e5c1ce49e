package idp

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

var scopes = []string{"openid", "profile", "email", "groups", "offline_access"}

// cookieName is its own: the portal may run on another port of the same host,
// and ports share cookies.
const cookieName = "petschaft_demo_idp"

// request is an authentication request that may be answered.
type request struct {
	client    Client
	redirect  string
	state     string
	nonce     string
	challenge string
	prompt    string
	hint      string
	maxAge    string   // seconds; "": not asked
	acr       []string // the best first
	scope     []string
	refused   *refusal // to be told to the client at the redirect URI
}

// refusal is an error of RFC 6749, 4.1.2.1.
type refusal struct{ code, text string }

// read checks q. It returns a problem for the error page when nobody may be
// redirected anywhere (RFC 6749, 4.1.2.1).
func (p *Provider) read(q url.Values) (request, string) {
	c, ok := p.client(q.Get("client_id"))
	if !ok {
		return request{}, "client"
	}
	if !slices.Contains(c.RedirectURIs, q.Get("redirect_uri")) {
		return request{}, "redirect"
	}
	req := request{
		client: c, redirect: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge"), prompt: q.Get("prompt"), hint: q.Get("login_hint"),
		maxAge: q.Get("max_age"), acr: strings.Fields(q.Get("acr_values")),
	}
	for _, s := range strings.Fields(q.Get("scope")) {
		if slices.Contains(scopes, s) {
			req.scope = append(req.scope, s)
		}
	}
	req.refused = refuse(q, req)
	return req, ""
}

func refuse(q url.Values, req request) *refusal {
	for name, values := range q {
		if len(values) > 1 {
			return &refusal{"invalid_request", name + " more than once"}
		}
	}
	switch {
	case q.Has("request"):
		return &refusal{"request_not_supported", ""}
	case q.Has("request_uri"):
		return &refusal{"request_uri_not_supported", ""}
	case q.Get("response_type") != "code":
		return &refusal{"unsupported_response_type", "only code"}
	case q.Has("response_mode") && q.Get("response_mode") != "query":
		return &refusal{"invalid_request", "response_mode: only query"}
	case !slices.Contains(req.scope, "openid"):
		return &refusal{"invalid_scope", "scope without openid"}
	case q.Get("code_challenge_method") != "S256":
		return &refusal{"invalid_request", "PKCE with S256 is required"}
	case len(req.challenge) != 43:
		return &refusal{"invalid_request", "code_challenge: not a SHA-256 in base64url"}
	}
	return nil
}

// back redirects to the client with its state and, as RFC 9207 wants, our name.
func (p *Provider) back(w http.ResponseWriter, r *http.Request, req request, q url.Values) {
	q.Set("iss", p.issuer)
	if p.lies(WrongAnswerIssuer) {
		q.Set("iss", p.issuer+"/other")
	}
	if req.state != "" {
		q.Set("state", req.state)
	}
	if p.lies(OtherState) {
		q.Set("state", rand.Text())
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, extend(req.redirect, q), http.StatusSeeOther)
}

// extend adds q to the query that uri may already have.
func extend(uri string, q url.Values) string {
	if len(q) == 0 {
		return uri
	}
	if strings.Contains(uri, "?") {
		return uri + "&" + q.Encode()
	}
	return uri + "?" + q.Encode()
}

func (p *Provider) backRefused(w http.ResponseWriter, r *http.Request, req request, no refusal) {
	q := url.Values{"error": {no.code}}
	if no.text != "" {
		q.Set("error_description", no.text)
	}
	p.back(w, r, req, q)
}

// authorize shows the accounts, always: whoever tries the portal out wants to
// change places often. From the cookie only prompt=none is answered, and max_age by
// a provider that is quick or misbehaves.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.problem(w, r, "request")
		return
	}
	req, problem := p.read(r.Form)
	switch {
	case problem != "":
		p.problem(w, r, problem)
	case req.refused != nil:
		p.backRefused(w, r, req, *req.refused)
	case req.prompt == "none":
		p.silent(w, r, req)
	case req.maxAge != "" && req.prompt == "" && (p.quick || p.lies(IgnoresMaxAge)):
		p.again(w, r, req)
	default:
		p.accounts(w, r, req)
	}
}

// again is the click of whoever has signed in in this browser before.
func (p *Provider) again(w http.ResponseWriter, r *http.Request, req request) {
	s, ok := p.browser(r)
	x, known := p.person(s.Sub)
	if !ok || !known {
		p.accounts(w, r, req)
		return
	}
	s.Client, s.Scope, s.Refresh, s.ACR = req.client.ID, req.scope, "", x.reached(req.acr)
	if !p.lies(IgnoresMaxAge) {
		s.AuthTime = p.now()
	}
	p.grant(w, r, req, s)
}

// reached is the first of asked that a sign-in of x can reach, "" for none.
func (x Person) reached(asked []string) string {
	for _, a := range asked {
		if slices.Contains(x.Reaches, a) {
			return a
		}
	}
	return ""
}

func (p *Provider) silent(w http.ResponseWriter, r *http.Request, req request) {
	s, ok := p.browser(r)
	if !ok {
		p.backRefused(w, r, req, refusal{"login_required", ""})
		return
	}
	s.Client, s.Scope, s.Refresh = req.client.ID, req.scope, ""
	p.grant(w, r, req, s)
}

// browser is the session that this browser's cookie belongs to.
func (p *Provider) browser(r *http.Request) (session, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	hash := hashed(c.Value)
	return p.find(func(s session) bool { return s.Cookie == hash })
}

// login is the click on an account. The request comes again in the query and
// is checked again.
func (p *Provider) login(w http.ResponseWriter, r *http.Request) {
	req, problem := p.read(r.URL.Query())
	if problem != "" {
		p.problem(w, r, problem)
		return
	}
	if req.refused != nil {
		p.backRefused(w, r, req, *req.refused)
		return
	}
	if r.PostFormValue("refuse") != "" {
		p.backRefused(w, r, req, refusal{"access_denied", ""})
		return
	}
	x, ok := p.person(r.PostFormValue("person"))
	if !ok {
		p.problem(w, r, "person")
		return
	}
	cookie, hash := secret()
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: cookie, Path: p.prefix + "/", HttpOnly: true,
		Secure: strings.HasPrefix(p.issuer, "https:"), SameSite: http.SameSiteLaxMode,
	})
	p.grant(w, r, req, session{
		ID: rand.Text(), Sub: x.Sub, Client: req.client.ID, Scope: req.scope, AuthTime: p.now(), ACR: x.reached(req.acr), Cookie: hash,
	})
}

func (p *Provider) grant(w http.ResponseWriter, r *http.Request, req request, s session) {
	if err := p.keep(s); err != nil {
		p.backRefused(w, r, req, refusal{"server_error", err.Error()})
		return
	}
	code := p.issueCode(grant{session: s, redirect: req.redirect, challenge: req.challenge, nonce: req.nonce})
	p.back(w, r, req, url.Values{"code": {code}})
}
