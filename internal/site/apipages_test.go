package site_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"petschaft/internal/api"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheReadingPageHoldsEveryOperationOfTheDocument(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	anyone := r.Anonymous()
	var document struct {
		Paths      map[string]map[string]struct{ Summary string }
		Components struct{ Schemas map[string]any }
	}
	trial.Must(0, json.Unmarshal([]byte(anyone.Get("/api/v1/openapi.json").Content), &document))
	page := anyone.Get("/api").Is(http.StatusOK)
	n := 0
	for path, of := range document.Paths {
		for method, c := range of {
			n++
			page.Has(strings.ToUpper(method)+" "+path, c.Summary)
		}
	}
	if n < 20 {
		t.Errorf("the document has %d operations, want all of them", n)
	}
	for name := range document.Components.Schemas {
		page.Has(`id="schema-` + name + `"`)
	}
	page.Has("Der erste Aufruf", r.Base+"/api/v1/email-domains", "addresses.read", "Idempotency-Key", "kann fehlen", `"personal" | "functional"`, "Alles Weitere geht nur auf den Seiten").Lacks("%!", "<nil>")
	if most := 600_000; len(page.Content) > most {
		t.Errorf("the page has %d bytes, want at most %d", len(page.Content), most)
	}
	anyone.Lang = "en"
	anyone.Get("/api").Has("First call", "optional", "Everything else is done on the pages.")
}

func TestEveryKindOfProblemHasAPage(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	anyone := r.Anonymous()
	all := anyone.Get("/api")
	if len(api.Kinds()) < 10 {
		t.Error("hardly any kinds of problems")
	}
	for _, k := range api.Kinds() {
		path := "/api/problems/" + k.Name
		all.Has(path)
		anyone.Get(path).Is(http.StatusOK).Has(r.Base+path, http.StatusText(k.Status))
	}
	anyone.Get("/api/problems/unheard-of").Is(http.StatusNotFound)
	problem := anyone.Get("/api/v1/email-domains").Is(http.StatusUnauthorized)
	var p struct{ Type string }
	trial.Must(0, json.Unmarshal([]byte(problem.Content), &p))
	anyone.Get(p.Type).Is(http.StatusOK)
}
