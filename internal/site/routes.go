package site

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/office"
	"petschaft/internal/site/page"
	"petschaft/internal/site/servers"
	"petschaft/web/pages"
	"petschaft/web/static"
)

// Routes is the table of contents of the portal.
func (s *Site) Routes() http.Handler {
	r := chi.NewRouter()
	r.Use(s.observed, s.traced, s.recovered, timely, s.intake.Closed, s.headers, s.addressed, s.readable, middleware.GetHead)
	compressed := middleware.Compress(5, "text/html", "text/css", "text/javascript", "image/svg+xml")
	r.With(compressed).Handle(static.Prefix+"*", static.Handler())
	r.Get("/favicon.ico", http.RedirectHandler(static.Path("seal.svg"), http.StatusMovedPermanently).ServeHTTP)
	r.Get("/healthz", s.healthy)
	r.Get("/readyz", s.ready)
	r.Get("/.well-known/security.txt", s.keys.SecurityText)
	s.files(r)
	r.Mount(s.api.Path, http.HandlerFunc(s.api.Handler.ServeHTTP)) // a matrix of its own is beside it
	r.Group(func(r chi.Router) {
		r.Use(s.speak, compressed, s.guarded, s.Desk.Load(s.Fail), s.known, s.Keeping) // what is sent is read by the route
		r.NotFound(s.missing)
		r.MethodNotAllowed(s.wrongMethod)
		s.outside(r)
		s.forms(r)
		r.Get("/kept/{token}", s.In(s.keptForm(s.shown())))
	})
	return r
}

// forms are the pages that people work with, and all forms on them.
func (s *Site) forms(r chi.Router) {
	s.own(r)
	r.Route("/email-domains", s.domainRoutes)
	r.Route("/recipes", func(r chi.Router) {
		r.Get("/{recipe}", s.In(s.recipes.One))
		r.Post("/{recipe}/steps/{step}", s.In(s.recipes.DoStep))
		r.Post("/{recipe}/steps/{step}/skip", s.In(s.recipes.SkipStep))
		r.Post("/{recipe}/cancel", s.In(s.recipes.Cancel))
	})
	r.Route("/organisations", s.organisationRoutes)
	r.Route("/handovers/{handover}", func(r chi.Router) { // the mail to the successor leads here
		r.Get("/", s.In(s.organisations.OneHandover))
		r.Post("/accept", s.In(s.organisations.AcceptHandover))
		r.Post("/decline", s.In(s.organisations.DeclineHandover))
		r.Post("/finish", s.In(s.organisations.FinishHandover))
		s.step(r, "/cancel", s.organisations.AskCancelHandover, s.organisations.CancelHandover)
	})
	r.Route("/office", s.officeRoutes)
	r.Get("/report", s.Open(s.keys.AskTell)) // a certificate, by anybody, signed in or not
	r.Post("/report", s.Open(s.keys.Tell))
	r.Get("/report/key", s.Open(s.keys.AskProof))
	r.Post("/report/key", s.Open(s.keys.Challenge))
	r.Get("/report/key/proof", s.Open(s.keys.AskProve))
	r.Post("/report/key/proof", s.Open(s.keys.Prove))
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
	r.Post("/signin", s.Open(s.signInWith))
	r.Get("/signin/callback", s.Open(s.signedIn))
	r.Post("/signin/backchannel-logout", s.Open(s.loggedOutThere))
	r.Post("/signout", s.Open(s.signOut))
	r.Get("/signed-out", s.Open(s.signedOut))
	r.Get("/c/{token}", s.Open(s.mailboxes.FollowLink))
}

// own is what everybody who is signed in has for themselves.
func (s *Site) own(r chi.Router) {
	r.Get("/fresh", s.In(s.askFresh))
	r.Get("/sessions", s.In(s.sessions))
	r.Post("/sessions/end-others", s.In(s.endOtherSessions))
	r.Post("/sessions/{login}/end", s.In(s.endSession))
	r.Get("/tokens", s.In(s.tokens))
	r.Post("/tokens", s.In(s.makeToken))
	r.Get("/tokens/new", s.In(s.newToken))
	r.Get("/tokens/{number}", s.In(s.token))
	s.step(r, "/tokens/{number}/withdraw", s.askWithdrawToken, s.withdrawToken)
	r.Get("/challenges/{challenge}", s.In(s.mailboxes.Asked))
	r.Post("/challenges/{challenge}/confirm", s.In(s.mailboxes.Confirm))
	r.Post("/challenges/{challenge}/decline", s.In(s.mailboxes.Decline))
	r.Route("/client-certificates", s.clientCertificateRoutes)
	r.Route("/certificates", s.serverCertificateRoutes)
	r.Route("/orders", func(r chi.Router) { // "Meine offenen Aufträge"; one of them is also for officers
		r.Get("/", s.In(s.servers.Orders))
		s.step(r, "/new", s.servers.AskOrder(servers.NewOrder), s.servers.DoOrder(servers.NewOrder))
		r.Get("/{reference}", s.In(s.servers.OneOrder))
		r.Get("/{reference}/progress", s.In(s.servers.OrderProgress))
		s.step(r, "/{reference}/correct", s.servers.AskOrder(servers.Correction), s.servers.DoOrder(servers.Correction))
		s.step(r, "/{reference}/withdraw", s.servers.AskWithdraw, s.servers.Withdraw)
	})
}

// clientCertificateRoutes is "Meine Client-Zertifikate". The page of a
// certificate is also for the contacts of its row and for officers.
func (s *Site) clientCertificateRoutes(r chi.Router) {
	r.Get("/", s.In(s.clients.List))
	s.step(r, "/apply/{row}", s.clients.AskApply, s.clients.Apply)
	r.Get("/applications/{application}", s.In(s.clients.Application))
	r.Get("/applications/{application}/progress", s.In(s.clients.ApplicationProgress))
	s.step(r, "/applications/{application}/withdraw", s.clients.AskTakeBack, s.clients.TakeBack)
	r.Get("/{certificate}", s.In(s.clients.Certificate))
	r.Get("/{certificate}/certificate.pem", s.In(s.clients.File))
	r.Get("/{certificate}/chain.pem", s.In(s.clients.Chain))
	r.Get("/{certificate}/evidence", s.In(s.clients.Evidence))
	r.Get("/{certificate}/evidence.json", s.In(s.clients.EvidenceFile))
	s.step(r, "/{certificate}/revoke", s.clients.AskRevoke, s.clients.Revoke)
	r.Get("/{certificate}/p12", s.In(s.clients.P12))
	r.Get("/keys/{key}", s.In(s.clients.OwnKey))
}

// domainRoutes is "Meine E-Mail-Domains".
func (s *Site) domainRoutes(r chi.Router) {
	r.Get("/", s.In(s.mailboxes.Domains))
	r.Post("/digest", s.In(s.mailboxes.SetDigest))
	r.Get("/{domain}", s.In(s.mailboxes.Domain))
	r.Post("/{domain}/join", s.In(s.mailboxes.Join))
	r.Get("/{domain}/export.csv", s.In(s.mailboxes.Export))
	r.Get("/{domain}/template.csv", s.In(s.mailboxes.Template))
	r.Get("/{domain}/new", s.In(s.mailboxes.NewRow))
	r.Post("/{domain}/rows", s.In(s.mailboxes.AddRow))
	r.Route("/{domain}/imports", s.importRoutes)
	r.Route("/{domain}/bulk", func(r chi.Router) {
		s.step(r, "/", s.bulk.List, s.bulk.Prepare)
		r.Get("/{bulk}", s.In(s.bulk.One))
		r.Get("/{bulk}/progress", s.In(s.bulk.Progress))
		r.Post("/{bulk}/start", s.In(s.bulk.Start))
		r.Post("/{bulk}/cancel", s.In(s.bulk.Cancel))
	})
	r.Route("/{domain}/rows/{row}", func(r chi.Router) {
		r.Get("/", s.In(s.mailboxes.Row))
		r.Get("/delivery", s.In(s.mailboxes.Delivery))
		s.step(r, "/edit", s.mailboxes.EditRow, s.mailboxes.SaveRow)
		for _, step := range mailboxes.Steps {
			r.Get("/"+step.Path, s.In(s.mailboxes.AskStep(step)))
			r.Post("/"+step.Path, s.In(s.mailboxes.DoStep(step)))
		}
		s.step(r, "/revoke", s.mailboxes.AskRevoke, s.mailboxes.Revoke)
		s.step(r, "/recipes/{kind}", s.recipes.Ask, s.recipes.Start)
		s.step(r, "/challenges/{challenge}/undeliverable", s.mailboxes.AskUndeliverable, s.mailboxes.MarkUndeliverable)
	})
}

// officeRoutes is "Verwaltung", for registration officers.
func (s *Site) officeRoutes(r chi.Router) {
	r.Use(s.officersOnly)
	r.Get("/", s.In(s.office.Start))
	r.Get("/search", s.In(s.office.Search))
	r.Get("/domains", s.In(s.office.Domains))
	r.Get("/domains/new", s.In(s.office.NewDomain))
	r.Post("/domains", s.In(s.office.AddDomain))
	s.step(r, "/domains/{id}", s.office.Domain, s.office.SaveDomain)
	r.Get("/groups", s.In(s.office.Groups))
	r.Get("/groups/new", s.In(s.office.NewGroup))
	r.Post("/groups", s.In(s.office.AddGroup))
	s.step(r, "/groups/{id}", s.office.Group, s.office.SaveGroup)
	r.Post("/groups/{id}/members", s.In(s.office.AddMember))
	s.step(r, "/groups/{id}/members/{account}/remove", s.office.AskRemoveMember, s.office.RemoveMember)
	r.Get("/people", s.In(s.office.AllPeople))
	r.Get("/absent", s.In(s.office.Absent))
	r.Get("/people/{account}", s.In(s.office.Person))
	s.step(r, "/people/{account}/lock", s.office.AskLock, s.office.Lock)
	r.Post("/people/{account}/unlock", s.In(s.office.Unlock))
	r.Get("/tokens", s.In(s.officeTokens))
	r.Get("/certificates", s.In(s.office.Certificates))
	r.Get("/certificates/unexpected", s.In(s.office.Unexpected))
	r.Get("/certificates/unexpected/{certificate}/certificate.pem", s.In(s.office.UnexpectedFile))
	s.step(r, "/certificates/unexpected/{certificate}/revoke", s.office.AskRevokeUnexpected, s.office.RevokeUnexpected)
	s.step(r, "/keys", s.keys.Keys, s.keys.LookAt)
	s.step(r, "/keys/{key}", s.keys.Key, s.keys.Fall)
	r.Get("/reports", s.In(s.keys.Reports))
	s.step(r, "/reports/{report}", s.keys.Report, s.keys.Answer)
	r.Get("/server-certificates", s.In(s.servers.OfficeList))
	r.Get("/applications", s.In(s.office.Applications))
	r.Post("/applications/{application}/retry", s.In(s.office.RetryApplication))
	r.Get("/waits", s.In(s.office.Waits))
	r.Get("/mail", s.In(s.office.MailState))
	r.Post("/mail/challenges/{challenge}/retry", s.In(s.office.RetryChallenge))
	r.Post("/mail/letters/{letter}/retry", s.In(s.office.RetryLetter))
	r.Post("/mail/jobs/{job}/retry", s.In(s.office.RetryJob))
	r.Get("/audit", s.In(s.office.AuditLog))
	r.Get("/audit/export", s.In(s.office.AuditExport))
	s.earlierRoutes(r)
	s.officeOrganisationRoutes(r)
	s.officeOrderRoutes(r)
}

// earlierRoutes are about certificates from before the portal.
func (s *Site) earlierRoutes(r chi.Router) {
	r.Get("/earlier", s.In(s.earlier.Start))
	r.Post("/earlier", s.InWithFiles(s.earlier.Upload))
	r.Get("/earlier/{import}", s.In(s.earlier.Plan))
	r.Post("/earlier/{import}/apply", s.In(s.earlier.Apply))
	r.Post("/earlier/{import}/discard", s.In(s.earlier.Discard))
	s.step(r, "/earlier/{import}/lines/{line}", s.earlier.AskAssign, s.earlier.Assign)
}

// importRoutes is the CSV import of one e-mail domain.
func (s *Site) importRoutes(r chi.Router) {
	r.Get("/", s.In(s.imports.List))
	r.Post("/", s.InWithFiles(s.imports.Upload))
	r.Route("/{import}", func(r chi.Router) {
		r.Get("/", s.In(s.imports.One))
		r.Get("/progress", s.In(s.imports.Progress))
		r.Get("/reading", s.In(s.imports.Reading))
		r.Post("/plan", s.In(s.imports.Plan))
		r.Post("/apply", s.In(s.imports.Apply))
		r.Post("/discard", s.In(s.imports.Discard))
		r.Get("/faults.csv", s.In(s.imports.Faults))
		r.Get("/missing", s.In(s.imports.Missing))
		s.step(r, "/undo", s.imports.AskUndo, s.imports.Undo)
	})
}

// officeOrderRoutes are orders and products, for registration officers.
func (s *Site) officeOrderRoutes(r chi.Router) {
	r.Get("/orders", s.In(s.office.Orders))
	r.Get("/orders/{reference}", s.In(s.office.OneOrder))
	r.Post("/orders/{reference}/take", s.In(s.office.TakeOrder))
	r.Post("/orders/{reference}/approve", s.In(s.office.ApproveOrder))
	r.Post("/orders/{reference}/retry", s.In(s.office.RetryOrder))
	for _, d := range []office.Decision{office.Returning, office.Rejecting} {
		s.step(r, "/orders/{reference}/"+d.Path, s.office.AskDecision(d), s.office.DoDecision(d))
	}
	r.Get("/products", s.In(s.office.Products))
	s.step(r, "/products/{product}/authority", s.office.ProductAuthority, s.office.SaveProductAuthority)
	r.Post("/products/{product}/{switch}", s.In(s.office.SwitchProduct))
}

// officeOrganisationRoutes are organisations and their names in "Verwaltung".
func (s *Site) officeOrganisationRoutes(r chi.Router) {
	r.Get("/organisations", s.In(s.office.AllOrganisations))
	r.Get("/organisations/new", s.In(s.office.NewOrganisation))
	r.Post("/organisations", s.In(s.office.AddOrganisation))
	r.Route("/organisations/{organisation}", func(r chi.Router) {
		s.step(r, "/", s.office.Organisation, s.office.SaveOrganisation)
		r.Post("/reminders", s.In(s.office.Reminders))
		s.step(r, "/contact", s.organisations.AskReassign, s.organisations.Reassign)
		r.Get("/reassignment", s.In(s.organisations.Reassignment))
		r.Post("/reassignment/confirm", s.In(s.organisations.ConfirmReassign))
		r.Post("/reassignment/drop", s.In(s.organisations.DropReassign))
		r.Post("/names", s.In(s.office.AddName))
		s.step(r, "/names/{name}", s.office.Name, s.office.ValidateName)
		s.step(r, "/names/{name}/end", s.office.AskEndName, s.office.EndName)
	})
	r.Get("/forecast", s.In(s.office.Forecast))
}

// organisationRoutes is "Organisation", for technical contacts and officers.
func (s *Site) organisationRoutes(r chi.Router) {
	r.Get("/", s.In(s.organisations.List))
	s.step(r, "/handovers", s.organisations.ToList, s.organisations.HandOver)
	r.Get("/{organisation}", s.In(s.organisations.Organisation))
	r.Post("/{organisation}/names", s.In(s.organisations.AskName))
	r.Post("/{organisation}/names/{name}/withdraw", s.In(s.organisations.WithdrawName))
	r.Post("/{organisation}/reminders", s.In(s.organisations.SaveReminders))
	r.Post("/{organisation}/reminders/confirm", s.In(s.organisations.ConfirmReminders))
}

// serverCertificateRoutes is "Meine Zertifikate", for technical contacts; one certificate is for officers, too.
func (s *Site) serverCertificateRoutes(r chi.Router) {
	r.Get("/", s.In(s.servers.List))
	r.Get("/{reference}", s.In(s.servers.Certificate))
	s.step(r, "/{reference}/revoke", s.servers.AskRevoke, s.servers.Revoke)
	s.step(r, "/{reference}/renew", s.servers.AskOrder(servers.Renewal), s.servers.DoOrder(servers.Renewal))
	r.Get("/{reference}/evidence", s.In(s.servers.Evidence))
	r.Get("/{reference}/evidence.json", s.In(s.servers.EvidenceFile))
	r.Get("/{reference}/{file}", s.In(s.servers.File))
}

// step is a page that asks, and what is sent from it.
func (s *Site) step(r chi.Router, path string, ask, do page.Handler) {
	r.Get(path, s.In(ask))
	r.Post(path, s.In(do))
}
