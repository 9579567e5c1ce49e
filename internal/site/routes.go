package site

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"petschaft/internal/fault"
	"petschaft/web/pages"
	"petschaft/web/static"
)

// Routes is the table of contents of the portal.
func (s *Site) Routes() http.Handler {
	s.describedAPI = sync.OnceValues(func() (apiDocument, error) { return readAPI(s.API.Document) })
	r := chi.NewRouter()
	r.Use(s.observed, s.recovered, timely, s.headers, s.readable, middleware.GetHead)
	compressed := middleware.Compress(5, "text/html", "text/css", "text/javascript", "image/svg+xml")
	r.With(compressed).Handle(static.Prefix+"*", static.Handler())
	r.Get("/favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, static.Path("seal.svg"), http.StatusMovedPermanently)
	})
	r.Get("/healthz", s.healthy)
	r.Get("/readyz", s.ready)
	s.files(r)
	r.Mount(s.API.Path, http.HandlerFunc(s.API.Handler.ServeHTTP)) // a matrix of its own is beside it
	r.Group(func(r chi.Router) {
		r.Use(speak, compressed, s.Desk.Load, s.bounded, s.guarded)
		r.NotFound(s.open(func(http.ResponseWriter, *http.Request) error { return fault.New(fault.Missing, "") }))
		r.MethodNotAllowed(s.wrongMethod)
		s.outside(r)
		s.own(r)
		r.Route("/email-domains", s.emailDomains)
		r.Route("/recipes", s.recipes)
		r.Route("/organisations", s.organisationRoutes)
		r.Route("/handovers/{handover}", s.handoverRoutes)
		r.Route("/office", s.office)
	})
	return r
}

// outside is what nobody needs to sign in for.
func (s *Site) outside(r chi.Router) {
	r.Get("/", s.open(s.start))
	for _, name := range pages.Names {
		r.Get("/"+strings.Replace(name, "-", "/", 1), s.open(s.footerPage(name)))
	}
	r.Get("/pki", s.open(s.authorities))
	r.Get("/api", s.open(s.apiPage))
	r.Get("/api/problems/{kind}", s.open(s.apiProblem))
	r.Post("/language", s.open(s.chooseLanguage))
	r.Get("/signin", s.open(s.signIn))
	r.Get("/signin/callback", s.open(s.signedIn))
	r.Post("/signout", s.open(s.signOut))
	r.Get("/signed-out", s.open(s.signedOut))
	r.Get("/c/{token}", s.open(s.followLink))
}

// own is what everybody who is signed in has for themselves.
func (s *Site) own(r chi.Router) {
	r.Get("/sessions", s.in(s.sessions))
	r.Post("/sessions/end-others", s.in(s.endOtherSessions))
	r.Post("/sessions/{login}/end", s.in(s.endSession))
	r.Get("/tokens", s.in(s.tokens))
	r.Post("/tokens", s.in(s.makeToken))
	r.Get("/tokens/new", s.in(s.newToken))
	r.Get("/tokens/{number}", s.in(s.token))
	r.Get("/tokens/{number}/withdraw", s.in(s.askWithdrawToken))
	r.Post("/tokens/{number}/withdraw", s.in(s.withdrawToken))
	r.Get("/challenges/{challenge}", s.in(s.askedPage))
	r.Post("/challenges/{challenge}/confirm", s.in(s.confirm))
	r.Post("/challenges/{challenge}/decline", s.in(s.decline))
	r.Route("/client-certificates", s.clientCertificateRoutes)
	r.Route("/certificates", s.serverCertificateRoutes)
	r.Route("/orders", s.orderRoutes)
}

// clientCertificateRoutes is "Meine Client-Zertifikate". The page of a
// certificate is also for the contacts of its row and for officers.
func (s *Site) clientCertificateRoutes(r chi.Router) {
	r.Get("/", s.in(s.clientCertificates))
	r.Get("/apply/{row}", s.in(s.askApply))
	r.Post("/apply/{row}", s.in(s.apply))
	r.Get("/applications/{application}", s.in(s.application))
	r.Get("/applications/{application}/progress", s.in(s.applicationProgressOnly))
	r.Get("/{certificate}", s.in(s.certificate))
	r.Get("/{certificate}/certificate.pem", s.in(s.certificateFile))
	r.Get("/{certificate}/chain.pem", s.in(s.chainFile))
	r.Get("/{certificate}/evidence", s.in(s.certificateEvidence))
	r.Get("/{certificate}/evidence.json", s.in(s.certificateEvidenceFile))
	r.Get("/{certificate}/revoke", s.in(s.askRevoke))
	r.Post("/{certificate}/revoke", s.in(s.revoke))
	r.Get("/{certificate}/p12", s.in(s.p12))
	r.Get("/keys/{key}", s.in(s.ownKey))
}

// emailDomains is "Meine E-Mail-Domains".
func (s *Site) emailDomains(r chi.Router) {
	r.Get("/", s.in(s.domains))
	r.Post("/digest", s.in(s.setDigest))
	r.Get("/{domain}", s.in(s.domain))
	r.Post("/{domain}/join", s.in(s.joinGroup))
	r.Get("/{domain}/export.csv", s.in(s.exportRows))
	r.Get("/{domain}/template.csv", s.in(s.importTemplate))
	r.Get("/{domain}/new", s.in(s.newRow))
	r.Post("/{domain}/rows", s.in(s.addRow))
	r.Route("/{domain}/imports", s.importRoutes)
	r.Route("/{domain}/bulk", s.bulkRoutes)
	r.Route("/{domain}/rows/{row}", func(r chi.Router) {
		r.Get("/", s.in(s.row))
		r.Get("/delivery", s.in(s.rowDelivery))
		r.Get("/edit", s.in(s.editRow))
		r.Post("/edit", s.in(s.saveRow))
		for _, step := range rowSteps {
			r.Get("/"+step.path, s.in(s.askRowStep(step)))
			r.Post("/"+step.path, s.in(s.doRowStep(step)))
		}
		r.Get("/revoke", s.in(s.askRevokeAll))
		r.Post("/revoke", s.in(s.revokeAll))
		r.Get("/recipes/{kind}", s.in(s.askRecipe))
		r.Post("/recipes/{kind}", s.in(s.startRecipe))
		r.Get("/challenges/{challenge}/undeliverable", s.in(s.askUndeliverable))
		r.Post("/challenges/{challenge}/undeliverable", s.in(s.markUndeliverable))
	})
}

// office is "Verwaltung", for registration officers.
func (s *Site) office(r chi.Router) {
	r.Use(s.officersOnly)
	r.Get("/", s.in(s.officeStart))
	r.Get("/search", s.in(s.officeSearch))
	r.Get("/domains", s.in(s.officeDomains))
	r.Get("/domains/new", s.in(s.newDomain))
	r.Post("/domains", s.in(s.addDomain))
	r.Get("/domains/{id}", s.in(s.officeDomain))
	r.Post("/domains/{id}", s.in(s.saveDomain))
	r.Get("/groups", s.in(s.groups))
	r.Get("/groups/new", s.in(s.newGroup))
	r.Post("/groups", s.in(s.addGroup))
	r.Get("/groups/{id}", s.in(s.group))
	r.Post("/groups/{id}", s.in(s.saveGroup))
	r.Post("/groups/{id}/members", s.in(s.addMember))
	r.Get("/groups/{id}/members/{account}/remove", s.in(s.askRemoveMember))
	r.Post("/groups/{id}/members/{account}/remove", s.in(s.removeMember))
	r.Get("/people", s.in(s.people))
	r.Get("/people/{account}", s.in(s.person))
	r.Get("/people/{account}/lock", s.in(s.askLock))
	r.Post("/people/{account}/lock", s.in(s.lock))
	r.Post("/people/{account}/unlock", s.in(s.unlock))
	r.Get("/tokens", s.in(s.officeTokens))
	r.Get("/certificates", s.in(s.officeCertificates))
	r.Get("/server-certificates", s.in(s.officeServers))
	r.Get("/applications", s.in(s.officeApplications))
	r.Post("/applications/{application}/retry", s.in(s.retryApplication))
	r.Get("/mail", s.in(s.mailState))
	r.Post("/mail/challenges/{challenge}/retry", s.in(s.retryChallenge))
	r.Post("/mail/letters/{letter}/retry", s.in(s.retryLetter))
	r.Post("/mail/jobs/{job}/retry", s.in(s.retryJob))
	r.Get("/audit", s.in(s.auditLog))
	s.earlierRoutes(r)
	s.officeOrganisationRoutes(r)
	s.officeOrderRoutes(r)
}

// observed tells Observe how each request went.
func (s *Site) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, answer := time.Now(), middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(answer, r)
		s.Observe(r.Method, route(r), answer.Status(), time.Since(began))
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
				s.fail(w, r, fmt.Errorf("panic: %v", p))
			}
		}()
		next.ServeHTTP(w, r)
	})
}
