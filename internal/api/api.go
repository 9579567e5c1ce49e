// Package api is the JSON API under /api/v1: a request with a bearer token
// comes in, one operation of a subject is called, JSON goes out. It turns
// faults into problems (RFC 9457), keeps the answers to requests that carry an
// Idempotency-Key, counts calls, and describes itself as OpenAPI. It decides no
// rule: the operations are those of the pages, and the token's reach narrows
// them where every statement is scoped. It never reads a cookie.
package api

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// Path is where the API is mounted.
const Path = "/api/v1"

// API serves the operations of its books.
type API struct {
	DB        *postgres.DB
	People    *person.Book
	Org       *org.Book
	Mailbox   *mailbox.Book
	Imports   *imports.Book
	Cert      *cert.Book
	Order     *order.Book
	Chains    *pki.Pool // of the authorities whose certificates are fetched with their chains
	Now       func() time.Time
	Log       *slog.Logger
	Base      string // the portal's own address, no slash at the end
	PerMinute int    // calls of one token
	// ClientIP is where a request comes from.
	ClientIP func(*http.Request) netip.Addr
}

// Open returns what serves the paths below Path, and the document that describes
// it (OpenAPI 3.1, as JSON).
func (a *API) Open() (chi.Router, []byte, error) {
	speakHuma()
	r := chi.NewRouter()
	r.Use(a.guarded, head)
	r.NotFound(func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, fault.New(fault.Missing, "fault.missing")) })
	r.MethodNotAllowed(a.wrongMethod(r))
	var document []byte
	r.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(document)
	})
	var described huma.API
	r.Group(func(r chi.Router) {
		r.Use(a.authenticated, a.limited, a.recorded, a.idempotent)
		described = humachi.New(r, a.config())
		a.register(described)
	})
	document, err := json.Marshal(described.OpenAPI())
	if err != nil {
		return nil, nil, fmt.Errorf("describe the API: %w", err)
	}
	return r, document, nil
}

// register is the table of contents of the API.
func (a *API) register(h huma.API) {
	a.emailDomains(h)
	a.addresses(h)
	a.changeAddresses(h)
	a.challenges(h)
	a.imports(h)
	a.clientCertificates(h)
	a.organisations(h)
	a.orders(h)
	a.certificates(h)
}

// head answers HEAD as GET, without the body.
func head(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			chi.RouteContext(r.Context()).RouteMethod = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// wrongMethod says which methods there are.
func (a *API) wrongMethod(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := chi.RouteContext(r.Context()).RoutePath
		for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete} {
			as := m
			if m == http.MethodHead {
				as = http.MethodGet
			}
			if routes.Match(chi.NewRouteContext(), as, path) {
				w.Header().Add("Allow", m)
			}
		}
		a.write(w, r, a.said(r.Context(), wrongMethod, "api.method"))
	}
}

// at is the address of a path below Path.
func (a *API) at(format string, args ...any) string {
	return a.Base + Path + fmt.Sprintf(format, args...)
}

// utc is t as answers show it.
func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func utcOr(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := utc(*t)
	return &u
}
