package site

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/web/pages"
	"petschaft/web/static"
)

// Routes is the table of contents of the portal.
func (s *Site) Routes() http.Handler {
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
		r.Use(speak, compressed, s.Desk.Load(s.Fail), s.bounded, s.guarded)
		r.NotFound(s.Open(func(http.ResponseWriter, *http.Request) error { return fault.New(fault.Missing, "") }))
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
	r.Get("/", s.Open(s.start))
	for _, name := range pages.Names {
		r.Get("/"+strings.Replace(name, "-", "/", 1), s.Open(s.footerPage(name)))
	}
	r.Get("/pki", s.Open(s.authorities))
	r.Get("/api", s.Open(s.apiPage))
	r.Get("/api/problems/{kind}", s.Open(s.apiProblem))
	r.Post("/language", s.Open(s.chooseLanguage))
	r.Get("/signin", s.Open(s.signIn))
	r.Get("/signin/callback", s.Open(s.signedIn))
	r.Post("/signout", s.Open(s.signOut))
	r.Get("/signed-out", s.Open(s.signedOut))
	r.Get("/c/{token}", s.Open(s.followLink))
}

// own is what everybody who is signed in has for themselves.
func (s *Site) own(r chi.Router) {
	r.Get("/sessions", s.In(s.sessions))
	r.Post("/sessions/end-others", s.In(s.endOtherSessions))
	r.Post("/sessions/{login}/end", s.In(s.endSession))
	r.Get("/tokens", s.In(s.tokens))
	r.Post("/tokens", s.In(s.makeToken))
	r.Get("/tokens/new", s.In(s.newToken))
	r.Get("/tokens/{number}", s.In(s.token))
	r.Get("/tokens/{number}/withdraw", s.In(s.askWithdrawToken))
	r.Post("/tokens/{number}/withdraw", s.In(s.withdrawToken))
	r.Get("/challenges/{challenge}", s.In(s.askedPage))
	r.Post("/challenges/{challenge}/confirm", s.In(s.confirm))
	r.Post("/challenges/{challenge}/decline", s.In(s.decline))
	r.Route("/client-certificates", s.clientCertificateRoutes)
	r.Route("/certificates", s.serverCertificateRoutes)
	r.Route("/orders", s.orderRoutes)
}

// clientCertificateRoutes is "Meine Client-Zertifikate". The page of a
// certificate is also for the contacts of its row and for officers.
func (s *Site) clientCertificateRoutes(r chi.Router) {
	r.Get("/", s.In(s.clientCertificates))
	r.Get("/apply/{row}", s.In(s.askApply))
	r.Post("/apply/{row}", s.In(s.apply))
	r.Get("/applications/{application}", s.In(s.application))
	r.Get("/applications/{application}/progress", s.In(s.applicationProgressOnly))
	r.Get("/{certificate}", s.In(s.certificate))
	r.Get("/{certificate}/certificate.pem", s.In(s.certificateFile))
	r.Get("/{certificate}/chain.pem", s.In(s.chainFile))
	r.Get("/{certificate}/evidence", s.In(s.certificateEvidence))
	r.Get("/{certificate}/evidence.json", s.In(s.certificateEvidenceFile))
	r.Get("/{certificate}/revoke", s.In(s.askRevoke))
	r.Post("/{certificate}/revoke", s.In(s.revoke))
	r.Get("/{certificate}/p12", s.In(s.p12))
	r.Get("/keys/{key}", s.In(s.ownKey))
}

// emailDomains is "Meine E-Mail-Domains".
func (s *Site) emailDomains(r chi.Router) {
	r.Get("/", s.In(s.domains))
	r.Post("/digest", s.In(s.setDigest))
	r.Get("/{domain}", s.In(s.domain))
	r.Post("/{domain}/join", s.In(s.joinGroup))
	r.Get("/{domain}/export.csv", s.In(s.exportRows))
	r.Get("/{domain}/template.csv", s.In(s.importTemplate))
	r.Get("/{domain}/new", s.In(s.newRow))
	r.Post("/{domain}/rows", s.In(s.addRow))
	r.Route("/{domain}/imports", s.importRoutes)
	r.Route("/{domain}/bulk", s.bulkRoutes)
	r.Route("/{domain}/rows/{row}", func(r chi.Router) {
		r.Get("/", s.In(s.row))
		r.Get("/delivery", s.In(s.rowDelivery))
		r.Get("/edit", s.In(s.editRow))
		r.Post("/edit", s.In(s.saveRow))
		for _, step := range rowSteps {
			r.Get("/"+step.path, s.In(s.askRowStep(step)))
			r.Post("/"+step.path, s.In(s.doRowStep(step)))
		}
		r.Get("/revoke", s.In(s.askRevokeAll))
		r.Post("/revoke", s.In(s.revokeAll))
		r.Get("/recipes/{kind}", s.In(s.askRecipe))
		r.Post("/recipes/{kind}", s.In(s.startRecipe))
		r.Get("/challenges/{challenge}/undeliverable", s.In(s.askUndeliverable))
		r.Post("/challenges/{challenge}/undeliverable", s.In(s.markUndeliverable))
	})
}

// office is "Verwaltung", for registration officers.
func (s *Site) office(r chi.Router) {
	r.Use(s.officersOnly)
	r.Get("/", s.In(s.officeStart))
	r.Get("/search", s.In(s.officeSearch))
	r.Get("/domains", s.In(s.officeDomains))
	r.Get("/domains/new", s.In(s.newDomain))
	r.Post("/domains", s.In(s.addDomain))
	r.Get("/domains/{id}", s.In(s.officeDomain))
	r.Post("/domains/{id}", s.In(s.saveDomain))
	r.Get("/groups", s.In(s.groups))
	r.Get("/groups/new", s.In(s.newGroup))
	r.Post("/groups", s.In(s.addGroup))
	r.Get("/groups/{id}", s.In(s.group))
	r.Post("/groups/{id}", s.In(s.saveGroup))
	r.Post("/groups/{id}/members", s.In(s.addMember))
	r.Get("/groups/{id}/members/{account}/remove", s.In(s.askRemoveMember))
	r.Post("/groups/{id}/members/{account}/remove", s.In(s.removeMember))
	r.Get("/people", s.In(s.people))
	r.Get("/people/{account}", s.In(s.person))
	r.Get("/people/{account}/lock", s.In(s.askLock))
	r.Post("/people/{account}/lock", s.In(s.lock))
	r.Post("/people/{account}/unlock", s.In(s.unlock))
	r.Get("/tokens", s.In(s.officeTokens))
	r.Get("/certificates", s.In(s.officeCertificates))
	r.Get("/server-certificates", s.In(s.officeServers))
	r.Get("/applications", s.In(s.officeApplications))
	r.Post("/applications/{application}/retry", s.In(s.retryApplication))
	r.Get("/mail", s.In(s.mailState))
	r.Post("/mail/challenges/{challenge}/retry", s.In(s.retryChallenge))
	r.Post("/mail/letters/{letter}/retry", s.In(s.retryLetter))
	r.Post("/mail/jobs/{job}/retry", s.In(s.retryJob))
	r.Get("/audit", s.In(s.auditLog))
	s.earlierRoutes(r)
	s.officeOrganisationRoutes(r)
	s.officeOrderRoutes(r)
}

// files are the certificates and lists of the authorities.
func (s *Site) files(r chi.Router) {
	r.Get("/pki/{authority}.crt", s.file(s.authorityFile("application/pkix-cert", ".crt", func(der []byte) []byte { return der })))
	r.Get("/pki/{authority}.pem", s.file(s.authorityFile("application/x-pem-file", ".pem", func(der []byte) []byte { return pki.PEM(der) })))
	r.Get("/pki/{authority}.crl", s.file(s.revocationList))
	r.Get("/pki/ocsp/{authority}/*", s.file(s.askByGet))
	r.Post("/pki/ocsp/{authority}", s.file(s.askByPost))
}

// bulkRoutes is work for many rows of one domain.
func (s *Site) bulkRoutes(r chi.Router) {
	r.Get("/", s.In(s.bulks))
	r.Post("/", s.In(s.prepareBulk))
	r.Get("/{bulk}", s.In(s.bulk))
	r.Get("/{bulk}/progress", s.In(s.bulkProgressOnly))
	r.Post("/{bulk}/start", s.In(s.startBulk))
	r.Post("/{bulk}/cancel", s.In(s.cancelBulk))
}

// earlierRoutes are about certificates from before the portal.
func (s *Site) earlierRoutes(r chi.Router) {
	r.Get("/earlier", s.In(s.earlierStart))
	r.Post("/earlier", s.In(s.uploadEarlier))
	r.Get("/earlier/{import}", s.In(s.earlierPlan))
	r.Post("/earlier/{import}/apply", s.In(s.applyEarlier))
	r.Post("/earlier/{import}/discard", s.In(s.discardEarlier))
	r.Get("/earlier/{import}/lines/{line}", s.In(s.askAssign))
	r.Post("/earlier/{import}/lines/{line}", s.In(s.assign))
}

// handoverRoutes are the pages of one handover; the mail to the successor leads
// here. The present contact acts from the organisation's page.
func (s *Site) handoverRoutes(r chi.Router) {
	r.Get("/", s.In(s.handover))
	r.Post("/accept", s.In(s.acceptHandover))
	r.Post("/decline", s.In(s.declineHandover))
	r.Post("/finish", s.In(s.finishHandover))
	r.Get("/cancel", s.In(s.askCancelHandover))
	r.Post("/cancel", s.In(s.cancelHandover))
}

// importRoutes is the CSV import of one e-mail domain.
func (s *Site) importRoutes(r chi.Router) {
	r.Get("/", s.In(s.imports))
	r.Post("/", s.In(s.uploadImport))
	r.Route("/{import}", func(r chi.Router) {
		r.Get("/", s.In(s.importPage))
		r.Get("/progress", s.In(s.importProgressOnly))
		r.Get("/reading", s.In(s.importReading))
		r.Post("/plan", s.In(s.planImport))
		r.Post("/apply", s.In(s.applyImport))
		r.Post("/discard", s.In(s.discardImport))
		r.Get("/faults.csv", s.In(s.importFaults))
		r.Get("/missing", s.In(s.importMissing))
		r.Get("/undo", s.In(s.askUndoImport))
		r.Post("/undo", s.In(s.undoImport))
	})
}

// officeOrderRoutes are orders and products, for registration officers.
func (s *Site) officeOrderRoutes(r chi.Router) {
	r.Get("/orders", s.In(s.officeOrders))
	r.Get("/orders/{reference}", s.In(s.officeOrder))
	r.Post("/orders/{reference}/take", s.In(s.takeOrder))
	r.Post("/orders/{reference}/approve", s.In(s.approveOrder))
	r.Post("/orders/{reference}/retry", s.In(s.retryOrder))
	for _, d := range []orderDecision{returning, rejecting} {
		r.Get("/orders/{reference}/"+d.path, s.In(s.askDecision(d)))
		r.Post("/orders/{reference}/"+d.path, s.In(s.doDecision(d)))
	}
	r.Get("/products", s.In(s.products))
	r.Post("/products/{product}/{switch}", s.In(s.switchProduct))
}

// officeOrganisationRoutes is the part of "Verwaltung" that keeps organisations
// and their names.
func (s *Site) officeOrganisationRoutes(r chi.Router) {
	r.Get("/organisations", s.In(s.officeOrganisations))
	r.Get("/organisations/new", s.In(s.newOrganisation))
	r.Post("/organisations", s.In(s.addOrganisation))
	r.Route("/organisations/{organisation}", func(r chi.Router) {
		r.Get("/", s.In(s.officeOrganisation))
		r.Post("/", s.In(s.saveOrganisation))
		r.Post("/reminders", s.In(s.officeReminders))
		r.Get("/contact", s.In(s.askReassign))
		r.Post("/contact", s.In(s.reassign))
		r.Get("/reassignment", s.In(s.reassignment))
		r.Post("/reassignment/confirm", s.In(s.confirmReassign))
		r.Post("/reassignment/drop", s.In(s.dropReassign))
		r.Post("/names", s.In(s.addName))
		r.Get("/names/{name}", s.In(s.officeName))
		r.Post("/names/{name}", s.In(s.validateName))
		r.Get("/names/{name}/end", s.In(s.askEndName))
		r.Post("/names/{name}/end", s.In(s.endName))
	})
	r.Get("/forecast", s.In(s.forecast))
}

// orderRoutes is "Meine offenen Aufträge", for technical contacts. The page of an
// order is also for officers.
func (s *Site) orderRoutes(r chi.Router) {
	r.Get("/", s.In(s.orders))
	r.Get("/new", s.In(s.askOrder(newOrder)))
	r.Post("/new", s.In(s.doOrder(newOrder)))
	r.Get("/{reference}", s.In(s.order))
	r.Get("/{reference}/progress", s.In(s.orderProgressOnly))
	r.Get("/{reference}/correct", s.In(s.askOrder(correction)))
	r.Post("/{reference}/correct", s.In(s.doOrder(correction)))
	r.Get("/{reference}/withdraw", s.In(s.askWithdraw))
	r.Post("/{reference}/withdraw", s.In(s.withdrawOrder))
}

// organisationRoutes is "Organisation", for technical contacts; officers read
// it, too.
func (s *Site) organisationRoutes(r chi.Router) {
	r.Get("/", s.In(s.organisations))
	r.Get("/handovers", s.In(s.toOrganisations))
	r.Post("/handovers", s.In(s.handOver))
	r.Get("/{organisation}", s.In(s.organisation))
	r.Post("/{organisation}/names", s.In(s.askName))
	r.Post("/{organisation}/names/{name}/withdraw", s.In(s.withdrawName))
	r.Post("/{organisation}/reminders", s.In(s.saveReminders))
	r.Post("/{organisation}/reminders/confirm", s.In(s.confirmReminders))
}

// recipes are the guided procedures, which belong to a row but have pages of
// their own.
func (s *Site) recipes(r chi.Router) {
	r.Get("/{recipe}", s.In(s.recipe))
	r.Post("/{recipe}/steps/{step}", s.In(s.doRecipeStep))
	r.Post("/{recipe}/steps/{step}/skip", s.In(s.skipRecipeStep))
	r.Post("/{recipe}/cancel", s.In(s.cancelRecipe))
}

// serverCertificateRoutes is "Meine Zertifikate", for technical contacts. The
// page of a certificate is also for officers.
func (s *Site) serverCertificateRoutes(r chi.Router) {
	r.Get("/", s.In(s.servers))
	r.Get("/{reference}", s.In(s.server))
	r.Get("/{reference}/revoke", s.In(s.askRevokeServer))
	r.Post("/{reference}/revoke", s.In(s.revokeServer))
	r.Get("/{reference}/renew", s.In(s.askOrder(renewal)))
	r.Post("/{reference}/renew", s.In(s.doOrder(renewal)))
	r.Get("/{reference}/evidence", s.In(s.serverEvidence))
	r.Get("/{reference}/evidence.json", s.In(s.serverEvidenceFile))
	r.Get("/{reference}/{file}", s.In(s.serverFile))
}
