package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"petschaft/web/locale"
)

// speakHuma makes huma speak our problems. It asks for them through variables of
// its own; they are set once, before the first API is opened, and never again.
var speakHuma = sync.OnceFunc(func() {
	huma.DefaultArrayNullable, huma.ValidateStrictCasing = false, true
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError { return &Problem{Status: status} }
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		return undecoded(ctx.Context(), status, errs)
	}
})

type apiKey struct{}

// undecoded is the problem of a request that could not be read. huma's own
// words are never shown: they quote what was sent and know one language.
func undecoded(ctx context.Context, status int, errs []error) *Problem {
	a, _ := ctx.Value(apiKey{}).(*API)
	switch status {
	case http.StatusUnprocessableEntity:
	case http.StatusRequestEntityTooLarge:
		return a.said(ctx, tooLarge, "api.too_large", "max", maxBody>>20)
	case http.StatusInternalServerError:
		return a.problem(ctx, errors.Join(errs...))
	default:
		return a.said(ctx, malformed, "api.malformed")
	}
	p, t := a.said(ctx, invalid, "api.invalid"), locale.From(ctx).T
	for _, err := range errs {
		d, ok := err.(*huma.ErrorDetail)
		if !ok {
			continue
		}
		id, args, below := words(d.Message)
		w := Wrong{Detail: t(id, args...), Code: id}
		w.Pointer, w.Parameter = located(d.Location, below)
		p.Errors = append(p.Errors, w)
	}
	slices.SortStableFunc(p.Errors, func(x, y Wrong) int {
		return strings.Compare(x.Pointer+x.Parameter, y.Pointer+y.Parameter)
	})
	return p
}

// plainWords are what huma says without blanks.
var plainWords = map[string]string{
	validation.MsgUnexpectedProperty:      "api.field.unknown",
	"unknown query parameter":             "api.field.unknown",
	"required query parameter is missing": "api.field.missing",
	validation.MsgExpectedBoolean:         "api.field.boolean",
	"invalid boolean":                     "api.field.boolean",
	validation.MsgExpectedInteger:         "api.field.integer",
	validation.MsgExpectedNumber:          "api.field.integer",
	"invalid integer":                     "api.field.integer",
	validation.MsgExpectedString:          "api.field.string",
	validation.MsgExpectedArray:           "api.field.array",
	validation.MsgExpectedObject:          "api.field.object",
}

var (
	oneOf    = regexp.MustCompile(`^expected value to be one of "(.*)"$`)
	lacks    = regexp.MustCompile(`^expected required property (.+) to be present$`)
	atLeast  = regexp.MustCompile(`^expected number >= (\S+)$`)
	atMost   = regexp.MustCompile(`^expected number <= (\S+)$`)
	itemsMax = regexp.MustCompile(`^expected array length <= (\d+)$`)
)

// words are the message for what huma says; below is the property that it
// misses in the object it speaks of.
func words(said string) (id string, args []any, below string) {
	if id := plainWords[said]; id != "" {
		return id, nil, ""
	}
	if m := lacks.FindStringSubmatch(said); m != nil {
		return "api.field.missing", nil, m[1]
	}
	if m := oneOf.FindStringSubmatch(said); m != nil {
		return "api.field.one_of", []any{"values", m[1]}, ""
	}
	if m := atLeast.FindStringSubmatch(said); m != nil {
		return "api.field.at_least", []any{"min", m[1]}, ""
	}
	if m := atMost.FindStringSubmatch(said); m != nil {
		return "api.field.at_most", []any{"max", m[1]}, ""
	}
	if m := itemsMax.FindStringSubmatch(said); m != nil {
		return "api.field.items", []any{"max", m[1]}, ""
	}
	return "api.field.other", nil, ""
}

var index = regexp.MustCompile(`\[(\d+)\]`)

// located turns huma's "body.aliases[0]" and "query.limit" into a pointer or the
// name of a parameter.
func located(where, below string) (pointer, parameter string) {
	part, rest, _ := strings.Cut(where, ".")
	if part != "body" && !strings.HasPrefix(part, "body[") {
		return "", rest
	}
	path := index.ReplaceAllString(strings.TrimPrefix(where, "body"), ".$1")
	if below != "" {
		path += "." + below
	}
	return pointed(strings.Split(path, ".")[1:]), ""
}

// pointed is a JSON pointer as a URI fragment (RFC 6901, 6).
func pointed(keys []string) string {
	var p strings.Builder
	for _, k := range keys {
		p.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(k))
	}
	return "#" + (&url.URL{Fragment: p.String()}).EscapedFragment()
}

// elsewhere are fields of forms that are called otherwise in a body, or are not
// in one at all.
var elsewhere = map[string]string{"alias1": "#/aliases/0", "alias2": "#/aliases/1", "number": "#/changed", "file": "", "": ""}

// parameters are the fields of faults that come from the address of a request.
var parameters = []string{"cursor", "q", "email", "class", "columns", "header_line"}

// place is where in a request a field of a fault stands.
func place(name string) (pointer, parameter string) {
	if slices.Contains(parameters, name) {
		return "", name
	}
	if p, ok := elsewhere[name]; ok {
		return p, ""
	}
	return pointed([]string{name}), ""
}
