package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"petschaft/internal/person"
	"petschaft/internal/sheet"
	"petschaft/web/locale"
	"petschaft/web/paths"
)

// Media types of bodies.
const (
	jsonType  = "application/json"
	patchType = "application/merge-patch+json"
	csvType   = "text/csv"
	errorType = "application/problem+json"
)

// maxBody bounds a body, maxImport that of a file.
const (
	maxBody   = 1 << 20
	maxImport = sheet.MaxBytes
)

// operation is one of the API: what the document says of it, the verb that a
// token needs for it, the media types of its body (none: it reads none), the
// problems that it answers with besides those of every operation, and examples
// of what is asked and answered.
type operation struct {
	huma.Operation
	verb    person.Verb
	types   []string
	fails   []Kind
	files   []string // media types of the answer where it is a file
	asks    any
	answers any
}

// add makes op an operation of h. do is called with who acts; an error of it is
// answered as a problem.
func add[I, O any](h huma.API, a *API, op operation, do func(ctx context.Context, by person.Actor, in *I) (*O, error)) {
	op.Security = []map[string][]string{{"token": {string(op.verb)}}}
	op.Description = strings.TrimSpace(op.Description)
	op.Responses = map[string]*huma.Response{}
	for _, kind := range op.files {
		op.file(kind)
	}
	if op.types != nil && op.RequestBody == nil {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
		op.MaxBodyBytes = maxBody + 1 // huma refuses a body as long as the bound
	}
	op.Middlewares = huma.Middlewares{a.gate(op.verb, op.types)}
	problem := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	for _, k := range op.problems() {
		a.describe(op.Responses, k, problem)
	}
	if op.Method == http.MethodPost {
		op.Parameters = append(op.Parameters, idempotencyKey())
	}
	huma.Register(h, op.Operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, actor(ctx), in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
	op.complete()
}

// gate lets in whose token was made for v, with a body that can be read.
func (a *API) gate(v person.Verb, types []string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		err := may(r.Context(), v)
		if err == nil {
			err = a.admit(r, types)
		}
		if err == nil {
			err = a.worded(r.Context(), readable(r, types), maxBody)
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if deed := actor(r.Context()).Deed; deed != nil && len(types) == 0 {
			deed.Digest() // nobody else reads the body, and no transaction waits for a slow sender
		}
		next(ctx)
	}
}

// problems are all that the operation answers with.
func (op operation) problems() []Kind {
	all := append([]Kind{malformed, unauthenticated, insufficient, invalid, tooMany, internal, unavailable}, op.fails...)
	if strings.Contains(op.Path, "{") {
		all = append(all, missing)
	}
	if op.types != nil {
		all = append(all, tooLarge, unsupported)
	}
	if op.Method == http.MethodPost {
		all = append(all, inProgress, keyReused)
	}
	return all
}

// idempotencyKey is made anew for each operation: huma writes into what it is given.
func idempotencyKey() *huma.Param {
	return &huma.Param{
		Name: "Idempotency-Key", In: "header", Example: "2027-03-14-alice",
		Description: "Makes the request happen once: whoever sends the same request with the same key again within 24 hours gets the same answer again, " +
			"also where the first one was lost, as long as the right to it is there. The same key with another request is refused. " +
			"Any text of your own, unique to what you want to happen.",
		Schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(maxKey), Pattern: "^[ -~]+$"},
	}
}

// describe puts a kind of problem into the document.
func (a *API) describe(rs map[string]*huma.Response, k Kind, schema *huma.Schema) {
	words, status := locale.For("en"), strconv.Itoa(k.Status)
	r := rs[status]
	if r == nil {
		r = &huma.Response{
			Description: words.T(k.Title), Headers: map[string]*huma.Param{},
			Content: map[string]*huma.MediaType{errorType: {Schema: schema, Examples: map[string]*huma.Example{}}},
		}
		rs[status] = r
	} else {
		r.Description += "; " + words.T(k.Title)
	}
	p := Problem{Type: a.Base + paths.APIProblem(k.Name), Title: words.T(k.Title), Status: k.Status, Detail: words.T(k.Text)}
	r.Content[errorType].Examples[k.Name] = &huma.Example{Summary: p.Title, Value: p}
	text := &huma.Schema{Type: huma.TypeString}
	switch k {
	case unauthenticated, insufficient:
		r.Headers["WWW-Authenticate"] = &huma.Param{Description: "How to authenticate (RFC 6750).", Schema: text}
	case tooMany, inProgress, unavailable:
		r.Headers["Retry-After"] = &huma.Param{Description: "After how many seconds it is worth trying again.", Schema: &huma.Schema{Type: huma.TypeInteger}}
	}
}

// file puts a media type of the answer into the document.
func (op operation) file(kind string) {
	if op.Responses["200"] == nil {
		op.Responses["200"] = &huma.Response{Description: "The file.", Content: map[string]*huma.MediaType{}}
	}
	op.Responses["200"].Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
}

// complete puts into the document what huma does not: further media types of the
// body, and examples of what is asked and answered.
func (op operation) complete() {
	for _, t := range op.types {
		if op.RequestBody.Content[t] == nil {
			op.RequestBody.Content[t] = &huma.MediaType{Schema: op.RequestBody.Content[op.types[0]].Schema}
		}
	}
	if op.RequestBody != nil && op.asks != nil {
		for _, m := range op.RequestBody.Content {
			m.Example = op.asks
		}
	}
	for status, r := range op.Responses {
		if m := r.Content[jsonType]; m != nil && strings.HasPrefix(status, "2") && op.answers != nil {
			m.Example = op.answers
		}
	}
}

// config is what the document says of the whole.
func (a *API) config() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Petschaft", Version: "1",
				Description: "E-mail addresses, their challenges and certificates, and server certificates, for programs. " +
					"Whatever a token does is done by the person who made it, within the reach that was chosen for it. " +
					"Times are RFC 3339 in UTC. Unknown fields and parameters are refused. Problems follow RFC 9457.",
			},
			Servers: []*huma.Server{{URL: a.Base + Path}},
			Tags: []*huma.Tag{
				{Name: "addresses", Description: "Rows of e-mail addresses of the domains that you look after."},
				{Name: "imports", Description: "Many rows at once, from a file."},
				{Name: "client-certificates", Description: "Certificates issued for addresses of your domains."},
				{Name: "orders", Description: "Orders for server certificates of your organisations."},
				{Name: "certificates", Description: "Server certificates of your organisations."},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {
					Type: "http", Scheme: "bearer", BearerFormat: "pts_…",
					Description: "An API token, made in the portal under “API-Tokens”. The names beside an operation are the verbs that the token needs.",
				}},
			},
		},
		Formats: huma.DefaultFormats, DefaultFormat: jsonType, RejectUnknownQueryParameters: true,
	}
}
