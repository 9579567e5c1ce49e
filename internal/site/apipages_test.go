package site_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"petschaft/internal/api"
)

func TestTheReadingPageHoldsEveryOperationOfTheDocument(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	anyone := r.anonymous()
	var document struct {
		Paths      map[string]map[string]struct{ Summary string }
		Components struct{ Schemas map[string]any }
	}
	must(0, json.Unmarshal([]byte(anyone.get("/api/v1/openapi.json").body), &document))
	page := anyone.get("/api").status(http.StatusOK)
	n := 0
	for path, of := range document.Paths {
		for method, c := range of {
			n++
			page.has(strings.ToUpper(method)+" "+path, c.Summary)
		}
	}
	if n < 20 {
		t.Errorf("the document has %d operations, want all of them", n)
	}
	for name := range document.Components.Schemas {
		page.has(`id="schema-` + name + `"`)
	}
	page.has("Der erste Aufruf", r.base+"/api/v1/email-domains", "addresses.read", "Idempotency-Key", "kann fehlen", `"personal" | "functional"`).lacks("%!", "<nil>")
	if most := 600_000; len(page.body) > most {
		t.Errorf("the page has %d bytes, want at most %d", len(page.body), most)
	}
	anyone.lang = "en"
	anyone.get("/api").has("The first call", "may be left out")
}

func TestEveryKindOfProblemHasAPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	anyone := r.anonymous()
	all := anyone.get("/api")
	if len(api.Kinds()) < 10 {
		t.Error("hardly any kinds of problems")
	}
	for _, k := range api.Kinds() {
		path := "/api/problems/" + k.Name
		all.has(path)
		anyone.get(path).status(http.StatusOK).has(r.base+path, http.StatusText(k.Status))
	}
	anyone.get("/api/problems/unheard-of").status(http.StatusNotFound)
	problem := anyone.get("/api/v1/email-domains").status(http.StatusUnauthorized)
	var p struct{ Type string }
	must(0, json.Unmarshal([]byte(problem.body), &p))
	anyone.get(p.Type).status(http.StatusOK)
}
