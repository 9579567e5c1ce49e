package site

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// apiDocument is what the reading page takes from an OpenAPI document (3.1).
type apiDocument struct {
	Tags  []struct{ Name, Description string }
	Paths map[string]map[string]apiCall

	Components struct{ Schemas map[string]*apiSchema }
}

// apiCall is an operation.
type apiCall struct {
	OperationID string
	Summary     string
	Description string
	Tags        []string
	Security    []map[string][]string
	Parameters  []apiParameter
	RequestBody *apiContent
	Responses   map[string]apiContent
	method      string
	path        string
}

type apiParameter struct {
	Name, In, Description string
	Required              bool
	Schema                *apiSchema
}

type apiContent struct {
	Content map[string]struct {
		Schema   *apiSchema
		Example  json.RawMessage
		Examples map[string]json.RawMessage
	}
}

type apiSchema struct {
	Ref         string `json:"$ref"`
	Type        any    // a text, or several
	Format      string
	Description string
	Enum        []any
	Examples    []any
	Items       *apiSchema
	Properties  map[string]*apiSchema
	Required    []string
	OneOf       []*apiSchema
}

func readAPI(document []byte) (d apiDocument, err error) {
	if err := json.Unmarshal(document, &d); err != nil {
		return d, fmt.Errorf("read the document of the API: %w", err)
	}
	return d, nil
}

// calls are the operations under a tag, by path and in the order of reading and
// writing.
func (d apiDocument) calls(tag string) (all []apiCall) {
	methods := []string{"get", "post", "put", "patch", "delete"}
	for path, of := range d.Paths {
		for method, c := range of {
			if slices.Contains(c.Tags, tag) {
				c.method, c.path = method, path
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(x, y apiCall) int {
		return cmp.Or(cmp.Compare(x.path, y.path), cmp.Compare(slices.Index(methods, x.method), slices.Index(methods, y.method)))
	})
	return all
}

// verb is the permission that a token needs.
func (c apiCall) verb() string {
	for _, s := range c.Security {
		for _, verbs := range s {
			return strings.Join(verbs, ", ")
		}
	}
	return ""
}

// success is the status and the content of the answer when all goes well.
func (c apiCall) success() (string, apiContent) {
	for _, status := range slices.Sorted(maps.Keys(c.Responses)) {
		if strings.HasPrefix(status, "2") {
			return status, c.Responses[status]
		}
	}
	return "", apiContent{}
}

// problems are the names of the kinds of problems that the call is answered
// with.
func (c apiCall) problems() (names []string) {
	for _, status := range slices.Sorted(maps.Keys(c.Responses)) {
		for _, m := range c.Responses[status].Content {
			names = append(names, slices.Sorted(maps.Keys(m.Examples))...)
		}
	}
	return names
}

// common are the names of the problems that all calls are answered with.
func (d apiDocument) common() (names []string) {
	n, count := 0, map[string]int{}
	for _, of := range d.Paths {
		for _, c := range of {
			n++
			for _, name := range c.problems() {
				count[name]++
			}
		}
	}
	for name, of := range count {
		if of == n {
			names = append(names, name)
		}
	}
	return names
}

// command calls it, with the examples of the document.
func (c apiCall) command(base string) string {
	path := c.path
	for _, p := range c.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", p.example())
		}
	}
	out := callAPI
	if c.method != "get" {
		out += " -X " + strings.ToUpper(c.method)
	}
	if c.RequestBody != nil {
		for _, kind := range c.RequestBody.kinds()[:1] {
			out += " -H 'Content-Type: " + kind + "'"
			if example := c.RequestBody.Content[kind].Example; kind == "application/json" && len(example) > 0 {
				out += " -d '" + string(example) + "'"
			} else {
				out += " --data-binary @file.csv"
			}
		}
	}
	return out + " " + base + path
}

func (p apiParameter) example() string {
	if p.Schema != nil && len(p.Schema.Examples) > 0 {
		return fmt.Sprint(p.Schema.Examples[0])
	}
	if p.Schema != nil && p.Schema.kind() == "integer" {
		return "4711"
	}
	return "{" + p.Name + "}"
}

// kinds are the media types.
func (c apiContent) kinds() []string { return slices.Sorted(maps.Keys(c.Content)) }

// schema names the object that it is, "" for none.
func (c apiContent) schema() string {
	for _, kind := range c.kinds() {
		if s := c.Content[kind].Schema; s != nil && s.Ref != "" {
			return s.name()
		}
	}
	return ""
}

func (c apiContent) example() string {
	for _, kind := range c.kinds() {
		if e := c.Content[kind].Example; len(e) > 0 {
			return indented(e)
		}
	}
	return ""
}

func indented(raw []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return string(raw)
	}
	return out.String()
}

func (s *apiSchema) name() string { return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:] }

// kind says of what type values are: "string (date-time) | null".
func (s *apiSchema) kind() string {
	if s == nil {
		return ""
	}
	var types []string
	switch t := s.Type.(type) {
	case string:
		types = []string{t}
	case []any:
		for _, x := range t {
			types = append(types, fmt.Sprint(x))
		}
	}
	if s.Ref != "" {
		types = []string{s.name()}
	}
	for _, x := range s.OneOf {
		types = append(types, x.kind())
	}
	for i, t := range types {
		switch {
		case t == "array":
			types[i] = "[" + s.Items.kind() + "]"
		case t == "string" && s.Format != "":
			types[i] += " (" + s.Format + ")"
		case t == "string" && len(s.Enum) > 0:
			types[i] = s.choices()
		}
	}
	return strings.Join(types, " | ")
}

func (s *apiSchema) choices() string {
	var all []string
	for _, x := range s.Enum {
		if x != nil {
			all = append(all, fmt.Sprintf("%q", x))
		}
	}
	return strings.Join(all, " | ")
}
