package site_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/internal/recipe"
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

func (e entry) ask(b *browser, path string) answer {
	b.r.t.Helper()
	if e.method == http.MethodPost {
		form := slices.Clone(e.form)
		for i := range form {
			switch form[i] {
			case "{csr}":
				form[i] = newCSR("antrag")
			case "{terms}":
				form[i] = b.r.Order.Terms
			}
		}
		return b.post(path, form...)
	}
	return b.get(path)
}

// matrix has a line for every route; TestNoRouteIsMissingInTheMatrix holds it.
var matrix = []entry{
	{"GET", "/", nil, everybody},
	{"GET", "/imprint", nil, everybody},
	{"GET", "/privacy", nil, everybody},
	{"GET", "/accessibility", nil, everybody},
	{"GET", "/help", nil, everybody},
	{"GET", "/terms", nil, everybody},
	{"GET", "/pki", nil, everybody},
	{"GET", "/pki/{authority}.crt", nil, everybody},
	{"GET", "/pki/{authority}.pem", nil, everybody},
	{"GET", "/pki/{authority}.crl", nil, everybody},
	{"GET", "/healthz", nil, everybody},
	{"GET", "/readyz", nil, everybody},
	{"GET", "/favicon.ico", nil, answers{301, 301, 301, 301, 301}},
	{"GET", "/signed-out", nil, everybody},
	{"GET", "/signin", nil, redirected},
	{"GET", "/signin/callback", nil, answers{409, 409, 409, 409, 409}},
	{"POST", "/signout", nil, redirected},
	{"POST", "/language", []string{"lang", "en"}, redirected},
	{"GET", "/c/{token}", nil, answers{404, 404, 404, 404, 404}}, // an unknown link; links_test.go opens real ones

	{"GET", "/sessions", nil, signedIn},
	{"POST", "/sessions/end-others", nil, posted(303, 303, 303, 303)},
	{"POST", "/sessions/{login}/end", nil, posted(404, 404, 404, 404)}, // ada's login, which is nobody's here
	{"GET", "/client-certificates/", nil, signedIn},
	// The row is linked to niko, in nora's domain; application and certificate are his.
	{"GET", "/client-certificates/apply/{row}", nil, answers{303, 200, 404, 404, 404}},
	{"POST", "/client-certificates/apply/{row}", []string{"csr", "{csr}", "terms", "on", "version", "{terms}"}, posted(303, 404, 404, 404)},
	{"GET", "/client-certificates/applications/{application}", nil, answers{303, 200, 404, 404, 200}},
	{"GET", "/client-certificates/applications/{application}/progress", nil, answers{303, 200, 404, 404, 200}},
	{"GET", "/client-certificates/{certificate}", nil, seeing},
	{"GET", "/client-certificates/{certificate}/certificate.pem", nil, seeing},
	{"GET", "/client-certificates/{certificate}/chain.pem", nil, seeing},
	{"GET", "/client-certificates/{certificate}/revoke", nil, answers{303, 200, 409, 404, 200}}, // the row is active
	{"POST", "/client-certificates/{certificate}/revoke", []string{"reason", "0"}, posted(303, 409, 404, 303)},
	{"GET", "/challenges/{challenge}", nil, missing}, // whose link was never opened in this browser
	{"POST", "/challenges/{challenge}/confirm", nil, posted(404, 404, 404, 404)},
	{"POST", "/challenges/{challenge}/decline", nil, posted(404, 404, 404, 404)},

	{"GET", "/email-domains/", nil, answers{303, 403, 200, 200, 200}},
	{"GET", "/email-domains/{domain}", nil, reading},
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
	{"GET", "/email-domains/{domain}/rows/{row}/delete", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/delete", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/recipes/{kind}", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/recipes/{kind}", nil, posted(404, 303, 404, 403)},
	{"GET", "/email-domains/{domain}/rows/{row}/challenges/{challenge}/undeliverable", nil, editing},
	{"POST", "/email-domains/{domain}/rows/{row}/challenges/{challenge}/undeliverable", nil, posted(404, 303, 404, 403)},

	// A recipe for a row of nora's domain.
	{"GET", "/recipes/{recipe}", nil, reading},
	{"POST", "/recipes/{recipe}/steps/{step}", nil, posted(404, 303, 404, 403)},
	{"POST", "/recipes/{recipe}/steps/{step}/skip", nil, posted(404, 409, 404, 403)}, // this one is needed
	{"POST", "/recipes/{recipe}/cancel", nil, posted(404, 303, 404, 403)},

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
	{"GET", "/office/applications", nil, officers},
	{"POST", "/office/applications/{application}/retry", nil, posted(403, 403, 403, 303)},
	{"GET", "/office/mail", nil, officers},
	{"POST", "/office/mail/challenges/{challenge}/retry", nil, posted(403, 403, 403, 409)}, // it has not failed
	{"POST", "/office/mail/letters/{letter}/retry", nil, posted(403, 403, 403, 404)},
	{"POST", "/office/mail/jobs/{job}/retry", nil, posted(403, 403, 403, 404)},
	{"GET", "/office/audit", nil, officers},
}

// unlisted are routes that serve files, whoever asks.
var unlisted = []string{"/static/*"}

func TestEveryRouteAnswersEachRoleAsItShould(t *testing.T) {
	t.Parallel()
	for i, role := range roles {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r := &matrixRig{rig: newRig(t)}
			r.login = r.as("ada").loginID()
			must(0, r.Cert.SignOldLists(t.Context()))
			for _, e := range matrix {
				b := r.anonymous()
				if role != "anonymous" {
					b = r.as(role)
				}
				path := r.filled(e.pattern)
				a := e.ask(b, path)
				if a.StatusCode != e.want[i] {
					t.Errorf("%s %s as %s: got status %d, want %d:\n%.600s", e.method, path, role, a.StatusCode, e.want[i], a.excerpt())
				}
				if role == "anonymous" && e.method == http.MethodGet && e.want == signedIn && !strings.HasPrefix(a.to(), "/signin?next="+url.QueryEscape(path)) {
					t.Errorf("GET %s: got led to %q, want to the sign-in and back", path, a.to())
				}
			}
		})
	}
}

// matrixRig makes what paths speak of.
type matrixRig struct {
	*rig
	rows  int
	login int64 // ada's
}

// filled puts into the pattern what is freshly made for it: a row of nora's
// domain, its challenge where the path speaks of one, ada as the person, and
// ada's login.
func (r *matrixRig) filled(pattern string) string {
	r.t.Helper()
	must(0, r.Org.RemoveMember(r.t.Context(), r.actors["rita"], r.group, r.actors["rita"].Account)) // she may have joined
	fill := map[string]any{
		"{domain}": "uni.example", "{token}": "unknown", "{login}": r.login, "{letter}": 999_999, "{job}": 999_999,
		"{account}": r.actors["ada"].Account, "{id}": r.other, "{authority}": "mail", "{kind}": recipe.Left, "{step}": recipe.Deactivate,
	}
	if strings.HasPrefix(pattern, "/office/groups/{id}/members/") {
		fill["{account}"] = r.actors["sven"].Account
		must(0, r.Org.AddMember(r.t.Context(), r.actors["rita"], r.other, r.actors["sven"].Account))
	}
	if strings.Contains(pattern, "{import}") {
		fill["{import}"] = r.imported(pattern)
	}
	if strings.Contains(pattern, "{application}") || strings.HasPrefix(pattern, "/client-certificates/") {
		r.fillCertified(pattern, fill)
	} else if strings.Contains(pattern, "{row}") || strings.Contains(pattern, "{challenge}") {
		r.rows++
		id, _ := r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: "Zeile", Primary: fmt.Sprintf("zeile-%d@uni.example", r.rows)})
		fill["{row}"] = id
		if strings.Contains(pattern, "{challenge}") {
			must(0, r.Mailbox.Challenge(r.t.Context(), r.actors["nora"], "uni.example", id))
			var c int64
			must(0, r.db.QueryRow(r.t.Context(), `select id from challenge where row_id = $1`, id).Scan(&c))
			fill["{challenge}"] = c
		}
	}
	if strings.Contains(pattern, "{recipe}") {
		r.rows++
		id, _ := r.add(fmt.Sprintf("ablauf-%d", r.rows))
		fill["{recipe}"] = must(r.Recipe.Start(r.t.Context(), r.actors["nora"], "uni.example", id, recipe.Left))
	}
	if strings.Contains(pattern, "/bulk/") { // there is a row to be meant
		r.rows++
		id, _ := r.add(fmt.Sprintf("viele-%d", r.rows))
		chosen := mailbox.View{IDs: []mailbox.ID{id}}
		fill["{bulk}"] = must(r.Bulk.Prepare(r.t.Context(), r.actors["nora"], "uni.example", bulk.Deactivate, chosen))
	}
	path := pattern
	for blank, v := range fill {
		path = strings.ReplaceAll(path, blank, fmt.Sprint(v))
	}
	if path != "/" {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// fillCertified makes a row that is linked to niko and, where the pattern speaks
// of them, his application and his certificate for it.
func (r *matrixRig) fillCertified(pattern string, fill map[string]any) {
	r.t.Helper()
	r.rows++
	row := r.linkRow(fmt.Sprintf("zeile-%d", r.rows), "niko")
	fill["{row}"] = row
	switch {
	case strings.Contains(pattern, "{certificate}"):
		fill["{certificate}"] = r.certified("niko", row)
	case strings.HasPrefix(pattern, "/office/"):
		fill["{application}"] = r.failed("niko", row)
	case strings.Contains(pattern, "{application}"):
		fill["{application}"] = r.applied("niko", row)
	}
}

// loginID is the row of login that the browser holds.
func (b *browser) loginID() (id int64) {
	b.r.t.Helper()
	must(0, b.r.db.QueryRow(b.r.t.Context(), `select max(id) from login`).Scan(&id))
	return id
}

func TestNoRouteIsMissingInTheMatrix(t *testing.T) {
	t.Parallel()
	r := newRig(t)
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
	r := newRig(t)
	rita := r.as("rita")
	req := must(http.NewRequest(http.MethodPost, r.at("/office/groups"), strings.NewReader("name=Fremd")))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Origin", "https://evil.example")
	rita.send(req).status(http.StatusForbidden).has("fremden Seite")
	rita.get("/office/groups").lacks("Fremd")
	for _, method := range []string{"HEAD", "OPTIONS", "PUT", "DELETE"} {
		req := httptest.NewRequest(method, r.at("/office/groups"), nil)
		req.RequestURI = ""
		if a := rita.send(req); a.StatusCode >= 500 {
			t.Errorf("%s: got status %d", method, a.StatusCode)
		}
	}
}
