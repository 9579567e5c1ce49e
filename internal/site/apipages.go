package site

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

// apiPage explains the API as its document describes it.
func (s *Site) apiPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	d, err := s.describedAPI()
	if err != nil {
		return err
	}
	base := s.Base.Scheme + "://" + s.Base.Host + s.api.Path
	m := portalview.APIModel{
		Document: s.api.Path + "/openapi.json", Keep: keepSecret, Try: callAPI + " " + base + "/" + firstTry(person.TokenInput{}),
		Rules: apiRules(ctx), Problems: s.apiProblems(ctx, func(string) bool { return true }),
	}
	common := d.common()
	var every []string
	for _, p := range s.apiProblems(ctx, func(name string) bool { return slices.Contains(common, name) }) {
		every = append(every, p.Status)
	}
	m.Every = strings.Join(slices.Compact(every), ", ")
	for _, tag := range d.Tags {
		g := portalview.APIGroup{Name: tag.Name, Title: tagName(ctx, tag.Name), Text: tag.Description}
		for _, c := range d.calls(tag.Name) {
			g.Operations = append(g.Operations, s.apiOperation(ctx, base, d, c))
		}
		m.Groups = append(m.Groups, g)
	}
	for name, schema := range d.Components.Schemas {
		m.Schemas = append(m.Schemas, portalview.APISchema{Name: name, Fields: apiFields(ctx, schema)})
	}
	sort.Slice(m.Schemas, func(i, j int) bool { return m.Schemas[i].Name < m.Schemas[j].Name })
	return s.Show(w, r, http.StatusOK, portalview.API(s.Frame(r, page.T(ctx, "apidoc.title")), m))
}

func (s *Site) apiOperation(ctx context.Context, base string, d apiDocument, c apiCall) portalview.APIOperation {
	o := portalview.APIOperation{
		ID: c.OperationID, Method: strings.ToUpper(c.method), Path: c.path, Title: c.Summary, Text: c.Description, Verb: c.verb(),
		Try: c.command(base),
	}
	common := d.common()
	o.Problems = s.apiProblems(ctx, func(name string) bool { return slices.Contains(c.problems(), name) && !slices.Contains(common, name) })
	for _, p := range c.Parameters {
		o.Parameters = append(o.Parameters, portalview.APIField{Name: p.Name, Place: placeName(ctx, p.In), Type: p.Schema.kind(), Text: p.Description})
	}
	if c.RequestBody != nil {
		o.Asks = &portalview.APIBody{Types: strings.Join(c.RequestBody.kinds(), ", "), Schema: c.RequestBody.schema()}
		if schema := d.Components.Schemas[o.Asks.Schema]; schema != nil {
			o.Members = apiFields(ctx, schema)
		}
	}
	status, body := c.success()
	o.Answers = &portalview.APIBody{Status: status, Types: strings.Join(body.kinds(), ", "), Schema: body.schema(), Example: body.example()}
	return o
}

// apiFields are the members of an object, those it always has in front.
func apiFields(ctx context.Context, s *apiSchema) (fields []portalview.APIField) {
	names := slices.Clone(s.Required)
	var others []string
	for name := range s.Properties {
		if !slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for _, name := range append(names, others...) {
		if p := s.Properties[name]; p != nil {
			f := portalview.APIField{Name: name, Type: p.kind(), Text: p.Description}
			if !slices.Contains(s.Required, name) {
				f.Place = page.T(ctx, "apidoc.optional")
			}
			fields = append(fields, f)
		}
	}
	return fields
}

// apiProblems are the kinds of problems that are meant, by name.
func (s *Site) apiProblems(ctx context.Context, meant func(string) bool) (ps []portalview.APIProblem) {
	for _, p := range s.api.Problems {
		if meant(p.Name) {
			ps = append(ps, portalview.APIProblem{Status: strconv.Itoa(p.Status), Title: page.T(ctx, p.Title), Href: paths.APIProblem(p.Name)})
		}
	}
	return ps
}

// apiProblem is where the type of a problem leads.
func (s *Site) apiProblem(w http.ResponseWriter, r *http.Request) error {
	ctx, name := r.Context(), chi.URLParam(r, "kind")
	i := slices.IndexFunc(s.api.Problems, func(p APIProblem) bool { return p.Name == name })
	if i < 0 {
		return fault.New(fault.Missing, "")
	}
	p := s.api.Problems[i]
	example, err := json.MarshalIndent(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{s.Base.Scheme + "://" + s.Base.Host + paths.APIProblem(p.Name), page.T(ctx, p.Title), p.Status, "…"}, "", "  ")
	if err != nil {
		return err
	}
	m := portalview.APIProblemModel{Status: strconv.Itoa(p.Status) + " " + http.StatusText(p.Status), Text: page.T(ctx, p.Text), Example: string(example)}
	f := s.Frame(r, page.T(ctx, p.Title), view.Link{Label: page.T(ctx, "apidoc.title"), Href: paths.API})
	return s.Show(w, r, http.StatusOK, portalview.APIProblemPage(f, m))
}

// apiRules hold for every call.
func apiRules(ctx context.Context) []portalview.APIRule {
	return []portalview.APIRule{
		{Title: page.T(ctx, "apidoc.rule_token"), Text: page.T(ctx, "apidoc.rule_token_text")},
		{Title: page.T(ctx, "apidoc.rule_once"), Text: page.T(ctx, "apidoc.rule_once_text")},
		{Title: page.T(ctx, "apidoc.rule_version"), Text: page.T(ctx, "apidoc.rule_version_text")},
		{Title: page.T(ctx, "apidoc.rule_pages"), Text: page.T(ctx, "apidoc.rule_pages_text")},
		{Title: page.T(ctx, "apidoc.rule_bodies"), Text: page.T(ctx, "apidoc.rule_bodies_text")},
		{Title: page.T(ctx, "apidoc.rule_problems"), Text: page.T(ctx, "apidoc.rule_problems_text")},
	}
}

func tagName(ctx context.Context, name string) string {
	switch name {
	case "addresses":
		return page.T(ctx, "apidoc.tag_addresses")
	case "imports":
		return page.T(ctx, "apidoc.tag_imports")
	case "client-certificates":
		return page.T(ctx, "apidoc.tag_client_certificates")
	case "orders":
		return page.T(ctx, "apidoc.tag_orders")
	case "certificates":
		return page.T(ctx, "apidoc.tag_certificates")
	}
	return name
}

func placeName(ctx context.Context, in string) string {
	switch in {
	case "path":
		return page.T(ctx, "apidoc.in_path")
	case "query":
		return page.T(ctx, "apidoc.in_query")
	case "header":
		return page.T(ctx, "apidoc.in_header")
	}
	return in
}

// API is the JSON API as the site serves and explains it.
type API struct {
	Path     string // where it is mounted
	Handler  http.Handler
	Document []byte // OpenAPI 3.1, as JSON
	Problems []APIProblem
}

// APIProblem is a kind of problem that the API answers with: the name in its
// type, which is the address of a page, its status, and the message ids of what
// that page says.
type APIProblem struct {
	Name   string
	Status int
	Title  string
	Text   string
}
