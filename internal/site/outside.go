package site

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/signin"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/internal/trace"
)

// headers sets what every answer carries. Chromium follows the redirect of the
// sign-out form only to origins that form-action names, hence the provider's.
func (s *Site) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		action := "'self'"
		if o := s.Desk.EndSessionOrigin(); o != "" {
			action += " " + o
		}
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "+
			"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+action)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if s.Base.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// readable lets no address through that is no text, and takes out of the headers
// what is none. The API says itself what is wrong with an address.
func (s *Site) readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text.Headers(r.Header)
		if err := text.Address(r.URL); err != nil && !page.Within(r.URL.Path, s.api.Path) {
			s.speak(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Unreadable(w, r, fault.Of(err)) })).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guarded lets nothing through that another site's page sent.
func (s *Site) guarded(next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	if err := p.AddTrustedOrigin(s.Base.Scheme + "://" + s.Base.Host); err != nil {
		panic(err) // the base address was checked when the portal was put together
	}
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Fail(w, r, page.ErrForeignPage)
	}))
	return p.Handler(next)
}

// officersOnly lets registration officers through. Who is not signed in goes on
// to where every page sends them first.
func (s *Site) officersOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if by, ok := s.Desk.Actor(r.Context()); ok {
			if err := person.OfficersOnly(by); err != nil {
				if s.Desk.IsWeak(r.Context()) {
					err = signin.ErrWeak
				}
				s.Denied(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// known notes who asks, in case it is refused.
func (s *Site) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if by, ok := s.Desk.Actor(r.Context()); ok {
			trace.Of(r.Context()).By(int64(by.Account), 0)
		}
		next.ServeHTTP(w, r)
	})
}

// traced writes down what is refused, in pages and in the API.
func (s *Site) traced(next http.Handler) http.Handler { return s.trace.Watch(next, wholeRoute) }

// wholeRoute is the pattern of r's route also where r was refused on the way there.
func wholeRoute(r *http.Request) string {
	route := page.Route(r)
	if c := chi.RouteContext(r.Context()); c != nil && strings.HasSuffix(route, "/*") {
		if whole := c.Routes.Find(chi.NewRouteContext(), r.Method, r.URL.Path); whole != "" {
			return whole
		}
	}
	return route
}

// observed tells Observe how each request went.
func (s *Site) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, answer := time.Now(), middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(answer, r)
		s.observe(r.Method, page.Route(r), answer.Status(), time.Since(began))
	})
}

// recovered turns a panic into the same page as any failure nobody foresaw.
func (s *Site) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.Fail(w, r, fmt.Errorf("panic: %v", p))
			}
		}()
		next.ServeHTTP(w, r)
	})
}
