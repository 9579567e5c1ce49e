package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// entry is one operation: a request that succeeds, and the verb that it needs.
type entry struct {
	method, template string
	verb             person.Verb
	kind             string // of the body; empty: none is read
	status           int
	// fill makes what the request speaks of and returns path and body.
	fill func(r *rig) (path string, body any)
	// foreign is the same for what the token does not reach; nil: the operation
	// reaches nothing by its path.
	foreign func(r *rig) string
}

func (e entry) String() string { return e.method + " " + e.template }

// ask sends the request with a token.
func (e entry) ask(r *rig, token, path string, body any, headers ...string) answer {
	if e.kind != "" {
		headers = append([]string{"Content-Type", e.kind}, headers...)
	}
	return r.call(e.method, path, token, body, headers...)
}

const uni = "/email-domains/uni.example"

// at is a path that nothing has to be made for.
func at(path string, body any) func(*rig) (string, any) {
	return func(*rig) (string, any) { return path, body }
}

func foreign(path string) func(*rig) string { return func(*rig) string { return path } }

// ofRow is a path below a new row.
func ofRow(below string, body any) func(*rig) (string, any) {
	return func(r *rig) (string, any) { return fmt.Sprintf(uni+"/addresses/%d%s", r.row(rand()), below), body }
}

// foreignRow is a path below a row of sven's.
func foreignRow(below string) func(*rig) string {
	return func(r *rig) string {
		return fmt.Sprintf("/email-domains/institut.example/addresses/%d%s", r.svensRow(), below)
	}
}

const theirs = "/email-domains/institut.example"

// matrix has a line for every operation; TestEveryRouteIsDescribedAndInTheMatrix holds it.
var matrix = slices.Concat([]entry{
	{"GET", "/email-domains", person.ReadAddresses, "", 200, at("/email-domains", nil), nil},
	{"GET", "/email-domains/{domain}/addresses", person.ReadAddresses, "", 200, at(uni+"/addresses", nil), foreign(theirs + "/addresses")},
	{"POST", "/email-domains/{domain}/addresses", person.WriteAddresses, "application/json", 201, func(*rig) (string, any) {
		return uni + "/addresses", map[string]any{"kind": "personal", "name": "Neu", "primary": rand() + "@uni.example"}
	}, foreign(theirs + "/addresses")},
	{"GET", "/email-domains/{domain}/addresses/{id}", person.ReadAddresses, "", 200, ofRow("", nil), foreignRow("")},
	{"PATCH", "/email-domains/{domain}/addresses/{id}", person.WriteAddresses, "application/merge-patch+json", 200, ofRow("", map[string]any{"comment": "neu"}), foreignRow("")},
	{"DELETE", "/email-domains/{domain}/addresses/{id}", person.WriteAddresses, "", 204, ofRow("", nil), foreignRow("")},
	{"GET", "/addresses", person.ReadAddresses, "", 200, at("/addresses?email=ada@uni.example", nil), nil},
	{"POST", "/email-domains/{domain}/addresses/{id}/challenges", person.SendChallenges, "", 201, ofRow("/challenges", nil), foreignRow("/challenges")},
	{"GET", "/email-domains/{domain}/addresses/{id}/challenges", person.ReadAddresses, "", 200, ofRow("/challenges", nil), foreignRow("/challenges")},
	{"POST", "/email-domains/{domain}/imports", person.WriteImports, "text/csv", 202, at(uni+"/imports", sample), foreign(theirs + "/imports")},
	{"GET", "/email-domains/{domain}/imports/{id}", person.WriteImports, "", 200, ofImport(""), foreignImport("")},
	{"GET", "/email-domains/{domain}/imports/{id}/lines", person.WriteImports, "", 200, ofImport("/lines"), foreignImport("/lines")},
	{"POST", "/email-domains/{domain}/imports/{id}/apply", person.WriteImports, "application/json", 202, ofImport("/apply"), foreignImport("/apply")},
	{"GET", "/client-certificates", person.ReadClientCertificates, "", 200, at("/client-certificates?email=ada@uni.example", nil), nil},
	{"GET", "/client-certificates/{id}", person.ReadClientCertificates, "", 200, ofClient("", nil), foreignClient("")},
	{
		"POST", "/client-certificates/{id}/revocation", person.RevokeClientCertificates, "application/json", 200,
		ofClient("/revocation", map[string]any{"reason": "superseded"}), foreignClient("/revocation"),
	},
}, serverMatrix)

// routes are those of the running API, as METHOD /path.
func (r *rig) routes() []string {
	var all []string
	api, _, err := r.API.Open()
	trial.Must(api, err)
	trial.Must(0, chi.Walk(api, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		all = append(all, method+" "+pattern)
		return nil
	}))
	return all
}

func TestEveryRouteIsDescribedAndInTheMatrix(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var described, listed []string
	for path, item := range r.contract.document["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, e := range matrix {
		listed = append(listed, e.String())
	}
	there := slices.DeleteFunc(r.routes(), func(s string) bool { return s == "GET /openapi.json" })
	for _, x := range []struct {
		some, all []string
		lack      string
	}{
		{there, described, "is not described"},
		{there, listed, "has no line in the matrix"},
		{described, there, "is described and there is no such route"},
		{listed, there, "is in the matrix and there is no such route"},
	} {
		for _, route := range x.some {
			if !slices.Contains(x.all, route) {
				t.Errorf("%s %s", route, x.lack)
			}
		}
	}
}

func TestATokenDoesWhatItsVerbsSayAndNothingElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, v := range person.Verbs() {
		token := r.tokenOf("nora", v)
		for _, e := range matrix {
			path, body := e.fill(r)
			a := e.ask(r, token, path, body)
			if e.verb == v {
				if a.status != e.status {
					t.Errorf("%s with %s: got %d, want %d: %s", e, v, a.status, e.status, a.body)
				}
				continue
			}
			if a.status != http.StatusForbidden || a.code() != "token.scope" {
				t.Errorf("%s with %s: got %d %s, want 403: %s", e, v, a.status, a.code(), a.body)
			}
			if got, want := a.header.Get("WWW-Authenticate"), fmt.Sprintf(`Bearer realm="petschaft", error="insufficient_scope", scope="%s"`, e.verb); got != want {
				t.Errorf("%s: got WWW-Authenticate %s, want %s", e, got, want)
			}
		}
	}
}

func TestWhatATokenDoesNotReachDoesNotExist(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.tokenOf("nora")
	narrow := r.tokenWith("nora", person.TokenInput{
		Form: rand(), Name: "only the laboratory", Verbs: person.DomainVerbs(), Domains: []int64{int64(r.domains["labor.example"])}, Ends: r.clock.Now().AddDate(0, 1, 0),
	})
	for _, e := range matrix {
		if e.foreign == nil {
			continue
		}
		path, body := e.fill(r)
		if a := e.ask(r, nora, e.foreign(r), body); a.status != http.StatusNotFound {
			t.Errorf("%s of another group: got %d, want 404: %s", e, a.status, a.body)
		}
		if !slices.Contains(person.DomainVerbs(), e.verb) {
			continue
		}
		if a := e.ask(r, narrow, path, body); a.status != http.StatusNotFound {
			t.Errorf("%s of a domain of the maker's that the token does not reach: got %d, want 404: %s", e, a.status, a.body)
		}
	}
	for _, path := range []string{"/addresses?email=ada@uni.example", "/client-certificates?email=ada@uni.example", "/email-domains"} {
		r.client("ada@uni.example")
		a := r.call("GET", path, narrow, nil)
		wants(t, a, 200)
		if strings.Contains(string(a.body), "uni.example\"") {
			t.Errorf("GET %s tells a token that reaches labor.example alone of uni.example: %s", path, a.body)
		}
	}
}

func TestWithoutATokenNothingIsTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good := r.tokenOf("nora")
	last := "A"
	if strings.HasSuffix(good, "A") {
		last = "B"
	}
	for _, e := range matrix {
		path, body := e.fill(r)
		for name, headers := range map[string][]string{
			"nothing":                {},
			"a token in a cookie":    {"Cookie", "token=" + good + "; session=" + good},
			"a mistyped token":       {"Authorization", "Bearer " + good[:len(good)-1] + last},
			"a made-up token":        {"Authorization", "Bearer pts_" + strings.Repeat("a", 49)},
			"a token as a password":  {"Authorization", "Basic " + good},
			"a token in the address": {"X-Query", "1"},
		} {
			to := path
			if name == "a token in the address" {
				sign := "?"
				if strings.Contains(path, "?") {
					sign = "&"
				}
				to += sign + "access_token=" + good
			}
			a := e.ask(r, "", to, body, headers...)
			if a.status != http.StatusUnauthorized || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s with %s: got %d %s, want 401: %s", e, name, a.status, a.header.Get("WWW-Authenticate"), a.body)
			}
		}
	}
	if n := r.scalar("select count(*) from audit_line where action = 'api.called'"); n > 0 {
		t.Errorf("strangers left %d lines in the audit record", n)
	}
}
