package site_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// The matrix says what each route answers to whom. Roles are the columns:
// somebody who is not signed in, a user without any right, the contact of the
// domain in question, the contact of another domain, a registration officer.
var roles = [...]string{"anonymous", "niko", "nora", "sven", "rita"}

// answers are the statuses for the roles, in their order.
type answers [len(roles)]int

var (
	everybody  = answers{200, 200, 200, 200, 200}
	signedIn   = answers{303, 200, 200, 200, 200} // who is not signed in goes to sign in
	reading    = answers{303, 404, 200, 404, 200} // a foreign domain does not exist; officers read every domain
	editing    = answers{303, 404, 200, 404, 403} // officers edit only after joining the contact group
	officers   = answers{303, 403, 403, 403, 200}
	missing    = answers{303, 404, 404, 404, 404}
	redirected = answers{303, 303, 303, 303, 303}
	seeing     = answers{303, 200, 200, 404, 200} // what niko holds in nora's domain
)

// posted are the statuses of an action: without a session it is refused, and
// nothing is lost.
func posted(niko, nora, sven, rita int) answers { return answers{403, niko, nora, sven, rita} }

// entry is one line of the matrix: a route and the form that is sent to it. A
// matrixRig fills the pattern with what it makes, anew for each request.
type entry struct {
	method, pattern string
	form            []string
	want            answers
}

func (e entry) ask(b *sitetest.Browser, path string) sitetest.Answer {
	b.Rig.T.Helper()
	if e.method == http.MethodPost {
		return b.Post(path, e.filled(b)...)
	}
	return b.Ask(e.method, path)
}

// matrix has a line for every route; TestNoRouteIsMissingInTheMatrix holds it.
var matrix = []entry{
	{"GET", "/", nil, everybody},
	{"GET", "/imprint", nil, everybody},
	{"GET", "/privacy", nil, everybody},
	{"GET", "/accessibility", nil, everybody},
	{"GET", "/help", nil, everybody},
	{"GET", "/help/keys", nil, everybody},
	{"GET", "/help/install", nil, everybody},
	{"GET", "/help/signing", nil, everybody},
	{"GET", "/terms", nil, everybody},
	{"GET", "/pki", nil, everybody},
	{"GET", "/api", nil, everybody},
	{"GET", "/api/problems/{kind}", nil, everybody},
	{"GET", "/pki/{authority}.crt", nil, everybody},
	{"GET", "/pki/{authority}.pem", nil, everybody},
	{"GET", "/pki/{authority}.crl", nil, everybody},
	{"GET", "/pki/ocsp/{authority}/*", nil, everybody},                       // which says that it is no question
	{"POST", "/pki/ocsp/{authority}", nil, answers{415, 415, 415, 415, 415}}, // a form is none
	{"GET", "/healthz", nil, everybody},
	{"GET", "/readyz", nil, everybody},
	{"GET", "/favicon.ico", nil, answers{301, 301, 301, 301, 301}},
	{"GET", "/.well-known/security.txt", nil, everybody},
	{"GET", "/report", nil, everybody},
	{"POST", "/report", []string{"reason", "0", "words", "Lag im Netz", "certificate", "{fingerprint}"}, everybody},
	{"GET", "/report/key", nil, everybody},
	{"POST", "/report/key", []string{"certificate", "{csr}"}, everybody},
	{"GET", "/report/key/proof", nil, everybody},
	{"POST", "/report/key/proof", []string{"csr", "{csr}"}, answers{422, 422, 422, 422, 422}}, // it proves nothing
	{"GET", "/office/keys", nil, officers},
	{"POST", "/office/keys", []string{"which", strings.Repeat("0a", 32)}, posted(403, 403, 403, 303)},
	{"GET", "/office/keys/{key}", nil, officers},
	{"POST", "/office/keys/{key}", []string{"note", "x"}, posted(403, 403, 403, 303)},
	{"GET", "/office/reports", nil, officers},
	{"GET", "/office/reports/{report}", nil, officers},
	{"POST", "/office/reports/{report}", []string{"answer", "x"}, posted(403, 403, 403, 303)},
	{"GET", "/signed-out", nil, everybody},
	{"GET", "/signin", nil, redirected},
	{"GET", "/signin/callback", nil, answers{409, 409, 409, 409, 409}},
	{"POST", "/signin/backchannel-logout", []string{"logout_token", "none"}, answers{400, 400, 400, 400, 400}}, // it is the provider's
	{"POST", "/signout", nil, redirected},
	{"POST", "/language", []string{"lang", "en"}, redirected},
	{"GET", "/kept/{token}", nil, missing}, // each sees only their own: kept_test.go
	{"POST", "/signin", []string{"as", "{ada}", "path", "/nowhere", "page", "/", "body", ""}, answers{303, 403, 403, 403, 403}},
	{"GET", "/c/{token}", nil, answers{404, 404, 404, 404, 404}}, // an unknown link; links_test.go opens real ones

	{"GET", "/fresh", nil, redirected}, // whoever has just signed in has nothing to do there
	{"GET", "/sessions", nil, signedIn},
	{"POST", "/sessions/end-others", nil, posted(303, 303, 303, 303)},
	{"POST", "/sessions/{login}/end", nil, posted(404, 404, 404, 404)}, // ada's login, which is nobody's here
	// The token is nora's, for the domain with the number 1.
	{"GET", "/tokens", nil, signedIn},
	{"GET", "/tokens/new", nil, answers{303, 403, 200, 200, 403}},
	{"POST", "/tokens", []string{"form", "x", "name", "Test", "domains", "1", "domain_verbs", "addresses.read", "ends", "{soon}"}, posted(403, 200, 422, 403)},
	{"GET", "/tokens/{number}", nil, reading},
	{"GET", "/tokens/{number}/withdraw", nil, reading},
	{"POST", "/tokens/{number}/withdraw", nil, posted(404, 303, 404, 303)},
	{"GET", "/office/tokens", nil, officers},
	{"GET", "/client-certificates/", nil, signedIn},
	// The row is linked to niko, in nora's domain; application and certificate are his.
	{"GET", "/client-certificates/apply/{row}", nil, answers{303, 200, 404, 404, 404}},
	{"POST", "/client-certificates/apply/{row}", []string{"csr", "{csr}", "terms", "on", "version", "{terms}"}, posted(303, 404, 404, 404)},
	{"GET", "/client-certificates/applications/{application}", nil, answers{303, 200, 404, 404, 200}},
	{"GET", "/client-certificates/applications/{application}/progress", nil, answers{303, 200, 404, 404, 200}},
	{"GET", "/client-certificates/applications/{application}/withdraw", nil, answers{303, 200, 404, 404, 404}},
	{"POST", "/client-certificates/applications/{application}/withdraw", nil, posted(303, 404, 404, 404)},
	{"GET", "/client-certificates/{certificate}", nil, seeing},
	{"GET", "/client-certificates/{certificate}/certificate.pem", nil, seeing},
	{"GET", "/client-certificates/{certificate}/chain.pem", nil, seeing},
	{"GET", "/client-certificates/{certificate}/evidence", nil, seeing},
	{"GET", "/client-certificates/{certificate}/evidence.json", nil, seeing},
	{"GET", "/client-certificates/{certificate}/revoke", nil, answers{303, 200, 409, 404, 200}}, // the row is active
	{"POST", "/client-certificates/{certificate}/revoke", []string{"reason", "0"}, posted(303, 409, 404, 303)},
	{"GET", "/client-certificates/{certificate}/p12", nil, answers{303, 200, 404, 404, 404}}, // for its holder only
	{"GET", "/client-certificates/keys/{key}", nil, missing},                                 // an unknown one; keys_test.go follows real ones
	{"GET", "/challenges/{challenge}", nil, missing},                                         // whose link was never opened in this browser
	{"POST", "/challenges/{challenge}/confirm", nil, posted(404, 404, 404, 404)},
	{"POST", "/challenges/{challenge}/decline", nil, posted(404, 404, 404, 404)},

	{"GET", "/email-domains/", nil, answers{303, 403, 200, 200, 200}},
	{"GET", "/email-domains/{domain}", nil, reading},
	{"POST", "/email-domains/digest", []string{"wants", "yes"}, posted(403, 303, 303, 403)},
	{"POST", "/email-domains/{domain}/join", nil, posted(404, 403, 404, 303)},
	{"GET", "/email-domains/{domain}/export.csv", nil, reading},
	{"GET", "/email-domains/{domain}/template.csv", nil, reading},
	{"GET", "/email-domains/{domain}/new", nil, editing},
	{"POST", "/email-domains/{domain}/rows", []string{"kind", "personal", "name", "Neu", "primary", "neu@uni.example"}, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/bulk/", nil, reading},
	{"POST", "/email-domains/{domain}/bulk/", []string{"verb", "deactivate", "all", "1"}, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/bulk/{bulk}", nil, reading}, // nora's
	{"GET", "/email-domains/{domain}/bulk/{bulk}/progress", nil, reading},
	{"POST", "/email-domains/{domain}/bulk/{bulk}/start", nil, posted(404, 303, 404, 403)},
	{"POST", "/email-domains/{domain}/bulk/{bulk}/cancel", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/imports/", nil, reading},
	{"POST", "/email-domains/{domain}/imports/", nil, posted(404, 422, 404, 403)}, // without a file
	{"GET", "/email-domains/{domain}/imports/{import}/", nil, reading},
	{"GET", "/email-domains/{domain}/imports/{import}/progress", nil, reading},
	{"GET", "/email-domains/{domain}/imports/{import}/reading", nil, editing},
	{"POST", "/email-domains/{domain}/imports/{import}/plan", nil, posted(404, 303, 404, 403)},
	{"POST", "/email-domains/{domain}/imports/{import}/apply", nil, posted(404, 303, 404, 403)},
	{"POST", "/email-domains/{domain}/imports/{import}/discard", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/imports/{import}/faults.csv", nil, reading},
	{"GET", "/email-domains/{domain}/imports/{import}/missing", nil, reading},
	{"GET", "/email-domains/{domain}/imports/{import}/undo", nil, editing},
	{"POST", "/email-domains/{domain}/imports/{import}/undo", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/", nil, reading},
	{"GET", "/email-domains/{domain}/rows/{row}/delivery", nil, reading},
	{"GET", "/email-domains/{domain}/rows/{row}/edit", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/edit", []string{"kind", "personal", "name", "Anders", "version", "1"}, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/challenges", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/challenges", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/deactivate", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/deactivate", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/activate", nil, answers{303, 404, 409, 404, 403}}, // it is active
	{"POST", "/email-domains/{domain}/rows/{row}/activate", nil, posted(404, 409, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/unlink", nil, answers{303, 404, 409, 404, 403}}, // it has no link
	{"POST", "/email-domains/{domain}/rows/{row}/unlink", nil, posted(404, 409, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/check-link", nil, answers{303, 404, 409, 404, 403}}, // it has no link
	{"POST", "/email-domains/{domain}/rows/{row}/check-link", nil, posted(404, 409, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/delete", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/delete", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/revoke", nil, answers{303, 404, 409, 404, 409}}, // it is active; and has no certificate
	{"POST", "/email-domains/{domain}/rows/{row}/revoke", []string{"reason", "5"}, posted(404, 409, 404, 409)},
	{"GET", "/email-domains/{domain}/rows/{row}/recipes/{kind}", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/recipes/{kind}", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/challenges/{challenge}/undeliverable", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/challenges/{challenge}/undeliverable", nil, posted(404, 303, 404, 403)},

	// A recipe for a row of nora's domain.
	{"GET", "/recipes/{recipe}", nil, reading},
	{"POST", "/recipes/{recipe}/steps/{step}", nil, posted(404, 303, 404, 403)},
	{"POST", "/recipes/{recipe}/steps/{step}/skip", nil, posted(404, 409, 404, 403)}, // this one is needed
	{"POST", "/recipes/{recipe}/cancel", nil, posted(404, 303, 404, 403)},

	// The organisation is nora's; the name is one that she asked for. sven has
	// another organisation, and is led to it.
	{"GET", "/organisations/", nil, answers{303, 403, 303, 303, 200}},
	{"GET", "/organisations/handovers", nil, redirected},
	{"POST", "/organisations/handovers", []string{"row", "{organisation}", "email", "niemand@uni.example"}, posted(404, 422, 404, 403)},
	{"GET", "/organisations/{organisation}", nil, reading},
	{"POST", "/organisations/{organisation}/names", []string{"server_name", "neu.example"}, posted(404, 303, 404, 403)},
	{"POST", "/organisations/{organisation}/names/{name}/withdraw", nil, posted(404, 303, 404, 403)}, // an officer declines it
	{"POST", "/organisations/{organisation}/reminders/confirm", nil, posted(404, 303, 404, 403)},
	{"POST", "/organisations/{organisation}/reminders", []string{"reminders", "netz@uni.example"}, posted(404, 303, 404, 303)},

	// nora hands her organisation over to niko; she looks at it on its own page.
	{"GET", "/handovers/{handover}/", nil, answers{303, 200, 303, 404, 404}},
	{"POST", "/handovers/{handover}/accept", nil, posted(303, 403, 404, 404)},
	{"POST", "/handovers/{handover}/decline", nil, posted(303, 403, 404, 404)},
	{"POST", "/handovers/{handover}/finish", []string{"password", "falsch"}, posted(422, 403, 404, 404)},
	{"GET", "/handovers/{handover}/cancel", nil, answers{303, 403, 200, 404, 404}},
	{"POST", "/handovers/{handover}/cancel", nil, posted(403, 303, 404, 404)},

	// The server certificate is of nora's organisation; to sven's section he is let.
	{"GET", "/certificates/", nil, answers{303, 403, 200, 200, 200}},
	{"GET", "/certificates/{reference}", nil, reading},
	{"GET", "/certificates/{reference}/evidence", nil, reading},
	{"GET", "/certificates/{reference}/evidence.json", nil, reading},
	{"GET", "/certificates/{reference}/{file}", nil, reading},
	{"GET", "/certificates/{reference}/revoke", nil, reading},
	{"POST", "/certificates/{reference}/revoke", []string{"reason", "0"}, posted(404, 303, 404, 303)},
	{"GET", "/certificates/{reference}/renew", nil, answers{303, 404, 200, 404, 200}},
	{"POST", "/certificates/{reference}/renew", []string{"step", "submit", "key", "same", "names", "www.uni.example", "product", "tls-single"}, posted(404, 303, 404, 303)},
	{"GET", "/office/server-certificates", nil, officers},

	// The order is of nora's organisation.
	{"GET", "/orders/", nil, answers{303, 403, 200, 200, 200}},
	{"GET", "/orders/new", nil, answers{303, 403, 200, 200, 403}},
	{"POST", "/orders/new", []string{"step", "names", "csr", "{csr}"}, posted(403, 200, 200, 403)},
	{"GET", "/orders/{reference}", nil, reading},
	{"GET", "/orders/{reference}/progress", nil, reading},
	{"GET", "/orders/{reference}/correct", nil, editing},
	{"POST", "/orders/{reference}/correct", []string{"step", "submit", "key", "same", "names", "www.uni.example", "product", "tls-single"}, posted(404, 303, 404, 403)},
	{"GET", "/orders/{reference}/withdraw", nil, editing},
	{"POST", "/orders/{reference}/withdraw", nil, posted(404, 303, 404, 403)},
	{"GET", "/office/orders", nil, officers},
	{"GET", "/office/orders/{reference}", nil, officers},
	{"POST", "/office/orders/{reference}/take", nil, posted(403, 403, 403, 303)},
	{"POST", "/office/orders/{reference}/approve", []string{"version", "1"}, posted(403, 403, 403, 303)},
	{"POST", "/office/orders/{reference}/retry", nil, posted(403, 403, 403, 409)}, // it did not fail
	{"GET", "/office/orders/{reference}/return", nil, officers},
	{"POST", "/office/orders/{reference}/return", []string{"version", "1", "reason", "Test"}, posted(403, 403, 403, 303)},
	{"GET", "/office/orders/{reference}/reject", nil, officers},
	{"POST", "/office/orders/{reference}/reject", []string{"version", "1", "reason", "Test"}, posted(403, 403, 403, 303)},
	{"GET", "/office/products", nil, officers},
	{"POST", "/office/products/{product}/{switch}", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/products/{product}/authority", nil, officers},
	{"POST", "/office/products/{product}/authority", []string{"authority", ""}, posted(403, 403, 403, 303)},

	{"GET", "/office/", nil, officers},
	{"GET", "/office/search", nil, officers},
	{"GET", "/office/domains", nil, officers},
	{"GET", "/office/domains/new", nil, officers},
	{"POST", "/office/domains", []string{"name", "neu.example", "group", "1", "validation", "mailbox"}, posted(403, 403, 403, 303)},
	{"GET", "/office/domains/{id}", nil, officers},
	{"POST", "/office/domains/{id}", []string{"group", "1", "validation", "mailbox"}, posted(403, 403, 403, 303)},
	{"GET", "/office/groups", nil, officers},
	{"GET", "/office/groups/new", nil, officers},
	{"POST", "/office/groups", []string{"name", "Neue Gruppe"}, posted(403, 403, 403, 303)},
	{"GET", "/office/groups/{id}", nil, officers},
	{"POST", "/office/groups/{id}", []string{"name", "Umbenannt"}, posted(403, 403, 403, 303)},
	{"POST", "/office/groups/{id}/members", []string{"who", "nobody"}, posted(403, 403, 403, 422)},
	{"GET", "/office/groups/{id}/members/{account}/remove", nil, officers},
	{"POST", "/office/groups/{id}/members/{account}/remove", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/people", nil, officers},
	{"GET", "/office/people/{account}", nil, officers},
	{"GET", "/office/people/{account}/lock", nil, officers},
	{"POST", "/office/people/{account}/lock", []string{"why", "Test"}, posted(403, 403, 403, 303)},
	{"POST", "/office/people/{account}/unlock", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/certificates", nil, officers},
	{"GET", "/office/certificates/unexpected", nil, officers},
	{"GET", "/office/certificates/unexpected/{certificate}/certificate.pem", nil, answers{303, 403, 403, 403, 404}},
	{"GET", "/office/certificates/unexpected/{certificate}/revoke", nil, answers{303, 403, 403, 403, 404}}, // what is somebody's is none
	{"POST", "/office/certificates/unexpected/{certificate}/revoke", []string{"reason", "0"}, posted(403, 403, 403, 404)},
	{"GET", "/office/applications", nil, officers},
	{"GET", "/office/waits", nil, officers},
	{"POST", "/office/applications/{application}/retry", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/mail", nil, officers},
	{"POST", "/office/mail/challenges/{challenge}/retry", nil, posted(403, 403, 403, 409)}, // it has not failed
	{"POST", "/office/mail/letters/{letter}/retry", nil, posted(403, 403, 403, 404)},
	{"POST", "/office/mail/jobs/{job}/retry", nil, posted(403, 403, 403, 404)},
	{"GET", "/office/audit", nil, officers},
	{"GET", "/office/audit/export", nil, officers},
	{"GET", "/office/earlier", nil, officers},
	{"POST", "/office/earlier", nil, posted(403, 403, 403, 422)}, // no file; earlier_test.go sends some
	{"GET", "/office/earlier/{import}", nil, officers},
	{"POST", "/office/earlier/{import}/apply", nil, posted(403, 403, 403, 303)},
	{"POST", "/office/earlier/{import}/discard", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/earlier/{import}/lines/{line}", nil, officers},
	{"POST", "/office/earlier/{import}/lines/{line}", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/organisations", nil, officers},
	{"GET", "/office/organisations/new", nil, officers},
	{"POST", "/office/organisations", []string{"name", "Neu", "country", "DE", "who", "nobody"}, posted(403, 403, 403, 422)},
	{"GET", "/office/organisations/{organisation}/", nil, officers},
	{"POST", "/office/organisations/{organisation}/", []string{"name", "Umbenannt", "country", "DE"}, posted(403, 403, 403, 303)},
	{"POST", "/office/organisations/{organisation}/reminders", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/organisations/{organisation}/contact", nil, officers},
	{"POST", "/office/organisations/{organisation}/contact", []string{"who", "nobody"}, posted(403, 403, 403, 422)},
	{"GET", "/office/organisations/{organisation}/reassignment", nil, officers},
	{"POST", "/office/organisations/{organisation}/reassignment/confirm", nil, posted(403, 403, 403, 409)}, // the form names none
	{"POST", "/office/organisations/{organisation}/reassignment/drop", nil, posted(403, 403, 403, 409)},
	{"POST", "/office/organisations/{organisation}/names", []string{"server_name", "noch.example"}, posted(403, 403, 403, 303)},
	{"GET", "/office/organisations/{organisation}/names/{name}", nil, officers},
	{"POST", "/office/organisations/{organisation}/names/{name}", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/organisations/{organisation}/names/{name}/end", nil, officers},
	{"POST", "/office/organisations/{organisation}/names/{name}/end", []string{"why", "Test"}, posted(403, 403, 403, 303)},
	{"GET", "/office/forecast", nil, officers},
	{"GET", "/office/absent", nil, officers},
}

// unlisted are routes of files, which anybody may have, and of the API, whose matrix is in its room.
var unlisted = []string{"/static/*", "/api/v1/*"}

func TestEveryRouteAnswersEachRoleAsItShould(t *testing.T) {
	t.Parallel()
	for i, role := range roles {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r := &matrixRig{Rig: sitetest.New(t)}
			r.login = loginID(r.As("ada"))
			trial.Must(0, r.Cert.SignOldLists(t.Context()))
			for _, e := range matrix {
				b := r.Anonymous()
				if role != "anonymous" {
					b = r.As(role)
				}
				path := r.filled(e.pattern)
				a := e.ask(b, path)
				if a.StatusCode != e.want[i] {
					t.Errorf("%s %s as %s: got status %d, want %d:\n%.600s", e.method, path, role, a.StatusCode, e.want[i], a.Excerpt())
				}
				if role == "anonymous" && e.method == http.MethodGet && e.want == signedIn && !strings.HasPrefix(a.To(), "/signin?next="+url.QueryEscape(path)) {
					t.Errorf("GET %s: got led to %q, want to the sign-in and back", path, a.To())
				}
			}
		})
	}
}

func TestNoRouteIsMissingInTheMatrix(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	var there []string
	err := chi.Walk(r.Handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !slices.Contains(unlisted, pattern) {
			there = append(there, method+" "+pattern)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, e := range matrix {
		listed = append(listed, e.method+" "+e.pattern)
	}
	for _, route := range there {
		if !slices.Contains(listed, route) {
			t.Errorf("%s has no line in the matrix: say who may", route)
		}
	}
	for _, route := range listed {
		if !slices.Contains(there, route) {
			t.Errorf("the matrix speaks of %s, which is no route", route)
		}
	}
}

func TestNobodyOfAnotherSiteMakesAPersonAct(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	req := trial.Must(http.NewRequest(http.MethodPost, r.At("/office/groups"), strings.NewReader("name=Fremd")))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Origin", "https://evil.example")
	rita.Send(req).Is(http.StatusForbidden).Has("fremden Seite")
	rita.Get("/office/groups").Lacks("Fremd")
	for _, method := range []string{"HEAD", "OPTIONS", "PUT", "DELETE"} {
		req := httptest.NewRequest(method, r.At("/office/groups"), nil)
		req.RequestURI = ""
		if a := rita.Send(req); a.StatusCode >= 500 {
			t.Errorf("%s: got status %d", method, a.StatusCode)
		}
	}
}
