package site

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view/portalview"
)

// addressed lets through what was asked of the portal's own host. What is asked
// of another name is not ours to answer (RFC 9110, 15.5.20), but for the files of
// the authorities, whose address is a setting of its own, and for who looks after
// the process.
func (s *Site) addressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		if s.ownHost(r.Host) || strings.HasPrefix(p, paths.AuthorityFiles) || p == "/healthz" || p == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		l := locale.FromRequest(r)
		if page.Within(p, s.api.Path) {
			l = locale.Accepted(r.Header.Get("Accept-Language"))
		}
		w.Header().Set("Content-Language", l.Lang())
		own := s.Base.Scheme + "://" + s.Base.Host
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusMisdirectedRequest)
			_ = portalview.OtherHost(own).Render(locale.With(r.Context(), l), w)
			return
		}
		http.Error(w, l.T("problem.other_host", "address", own), http.StatusMisdirectedRequest)
	})
}

// ownHost tells whether a Host header means this portal. Proxies may leave out the
// port. A portal that lives on loopback, as the demo does, is meant by all names of loopback, on any port: it may be
// looked at through a tunnel.
func (s *Site) ownHost(given string) bool {
	name, port := apart(given)
	own, at := apart(s.Base.Host)
	if strings.EqualFold(name, own) && (port == "" || port == cmp.Or(at, map[string]string{"http": "80", "https": "443"}[s.Base.Scheme])) {
		return true
	}
	return loopback(s.Base.Host) && loopback(given)
}

func loopback(host string) bool {
	name, _ := apart(host)
	a, err := netip.ParseAddr(name)
	return strings.EqualFold(name, "localhost") || err == nil && a.IsLoopback()
}

// apart are the name and the port of a host. A dot at the end of a name changes
// nothing (RFC 3986, 3.2.2).
func apart(host string) (name, port string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	return strings.TrimSuffix(name, "."), port
}
