package site

import (
	"net/http"

	"petschaft/web/locale"
)

// setCookie sets a cookie of the portal itself for path, for so many seconds; 0:
// until the browser is closed.
func (s *Site) setCookie(w http.ResponseWriter, name, value, path string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.CookieName(name, path), Value: value, Path: path, MaxAge: seconds,
		Secure: s.Base.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// forget takes a cookie away that came with r.
func (s *Site) forget(w http.ResponseWriter, r *http.Request, name string) {
	if _, err := r.Cookie(name); err == nil {
		http.SetCookie(w, &http.Cookie{
			Name: name, Path: "/", MaxAge: -1, Secure: s.Base.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
}

// remember lets the browser know the language for a year.
func (s *Site) remember(w http.ResponseWriter, r *http.Request, lang string) {
	s.setCookie(w, locale.Cookie, lang, "/", 365*24*3600)
	if s.Base.Scheme == "https" {
		s.forget(w, r, locale.Cookie)
	}
}

// speak chooses the language of the answer. A choice that lies in the browser
// under the name that it had over https before is moved.
func (s *Site) speak(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := locale.FromRequest(r)
		if _, err := r.Cookie(locale.HostCookie); err != nil && s.Base.Scheme == "https" {
			if _, old := locale.Chosen(r); old {
				s.remember(w, r, l.Lang())
			}
		}
		w.Header().Set("Content-Language", l.Lang())
		w.Header().Add("Vary", "Accept-Language, Cookie")
		next.ServeHTTP(w, r.WithContext(locale.With(r.Context(), l)))
	})
}
