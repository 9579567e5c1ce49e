package idp

import (
	"net/http"
	"net/url"
	"slices"
)

// endSession is OpenID Connect RP-Initiated Logout 1.0. With a good
// id_token_hint it ends that session at once and goes where the client wants;
// without one it asks first, so that no foreign page signs anybody out.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.problem(w, r, "request")
		return
	}
	if token := r.Form.Get("id_token_hint"); token != "" {
		p.endHinted(w, r, token)
		return
	}
	s, signedIn := p.browser(r)
	switch {
	case !signedIn:
		p.render(w, r, http.StatusOK, "signedout", nil)
	case r.PostForm.Get("confirm") == "":
		x, _ := p.person(s.Sub)
		p.render(w, r, http.StatusOK, "signout", x)
	case p.endIn(w, r, s.ID):
		p.render(w, r, http.StatusOK, "signedout", nil)
	}
}

func (p *Provider) endHinted(w http.ResponseWriter, r *http.Request, token string) {
	c, err := p.hint(token)
	if err != nil {
		p.problem(w, r, "hint")
		return
	}
	client, known := p.client(c.Audience[0])
	if id := r.Form.Get("client_id"); !known || id != "" && id != client.ID {
		p.problem(w, r, "client")
		return
	}
	to := r.Form.Get("post_logout_redirect_uri")
	if to != "" && !slices.Contains(client.PostLogoutRedirectURIs, to) {
		p.problem(w, r, "redirect")
		return
	}
	if !p.endIn(w, r, c.Session) {
		return
	}
	if to == "" {
		p.render(w, r, http.StatusOK, "signedout", nil)
		return
	}
	q := url.Values{}
	if state := r.Form.Get("state"); state != "" {
		q.Set("state", state)
	}
	http.Redirect(w, r, extend(to, q), http.StatusSeeOther)
}

// endIn ends the session sid and forgets the browser's cookie. It answers and
// returns false when the end could not be written down.
func (p *Provider) endIn(w http.ResponseWriter, r *http.Request, sid string) bool {
	s, there := p.find(func(s session) bool { return s.ID == sid })
	if err := p.end(sid); err != nil {
		p.problem(w, r, "store")
		return false
	}
	if there {
		_ = p.tellClient(r.Context(), s) // a client that is away must not keep anybody signed in here
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: p.prefix + "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return true
}
