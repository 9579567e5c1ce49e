package page

import "net/http"

// SignedOutHere is the cookie that tells that somebody signed out in this browser:
// nobody is signed in again before a button is pressed, whatever page is opened.
const SignedOutHere = "petschaft_out"

// CookieName is what a cookie of the portal is called: over https it begins so that
// browsers take it from this host alone (RFC 6265bis, 4.1.3).
func (p *Page) CookieName(name, path string) string {
	switch {
	case p.Base.Scheme != "https":
		return name
	case path == "/":
		return "__Host-" + name
	}
	return "__Secure-" + name
}

// signedOutHere tells whether somebody signed out in the browser of r, and nobody
// signed in since.
func (p *Page) signedOutHere(r *http.Request) bool {
	_, err := r.Cookie(p.CookieName(SignedOutHere, "/"))
	return err == nil
}
