package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"regexp"
	"strings"
	"sync"
	"testing"

	"petschaft/internal/trial"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is the API's description, and the judge that holds answers against
// it: a library that shares nothing with what made the description.
type contract struct {
	document map[string]any
	compiler *jsonschema.Compiler
	paths    map[string]*regexp.Regexp // by template

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
	seen     map[string]bool // METHOD template status
}

const docURL = "https://portal.example/openapi.json"

func readContract(t *testing.T, body []byte) *contract {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("read the API's description: %v", err)
	}
	c := &contract{document: doc.(map[string]any), compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}, seen: map[string]bool{}, paths: map[string]*regexp.Regexp{}}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(docURL, doc); err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`\{[^}]+\}`)
	for template := range c.document["paths"].(map[string]any) {
		c.paths[template] = regexp.MustCompile("^" + part.ReplaceAllString(template, "[^/]+") + "$")
	}
	return c
}

// operation is what the description says of a method at a path, and its template;
// nil for none.
func (c *contract) operation(method, path string) (op map[string]any, template string) {
	path, _, _ = strings.Cut(path, "?")
	for template, pattern := range c.paths {
		if pattern.MatchString(path) {
			op, _ := c.document["paths"].(map[string]any)[template].(map[string]any)[strings.ToLower(method)].(map[string]any)
			return op, template
		}
	}
	return nil, ""
}

// holds fails the test for an answer that the description does not allow.
func (c *contract) holds(t *testing.T, method, path string, a answer) {
	t.Helper()
	op, template := c.operation(method, path)
	if op == nil {
		return
	}
	c.mu.Lock()
	c.seen[fmt.Sprintf("%s %s %d", method, template, a.status)] = true
	c.mu.Unlock()
	where := fmt.Sprintf("%s %s answered %d", method, path, a.status)
	response, ok := op["responses"].(map[string]any)[fmt.Sprint(a.status)].(map[string]any)
	if !ok {
		t.Errorf("%s, which the description does not know: %s", where, a.body)
		return
	}
	described, _ := response["headers"].(map[string]any)
	for _, name := range []string{"Location", "Etag", "Link", "Retry-After", "Www-Authenticate"} {
		if a.header.Get(name) != "" && !hasFold(described, name) {
			t.Errorf("%s with a header %s that the description does not know", where, name)
		}
	}
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 {
		if len(a.body) > 0 {
			t.Errorf("%s with a body that the description does not know: %s", where, a.body)
		}
		return
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if content[kind] == nil {
		t.Errorf("%s as %q, which the description does not know", where, kind)
		return
	}
	if kind != "application/json" && kind != "application/problem+json" {
		return
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		t.Errorf("%s with what is no JSON: %v: %s", where, err, a.body)
		return
	}
	escaped := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B")
	at := "#/paths/" + escaped.Replace(template) + "/" + strings.ToLower(method) + "/responses/" + fmt.Sprint(a.status) + "/content/" + escaped.Replace(kind) + "/schema"
	if err := c.schema(t, at).Validate(body); err != nil {
		t.Errorf("%s with what the description does not allow: %v: %s", where, err, a.body)
	}
}

func hasFold(m map[string]any, name string) bool {
	for k := range m {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

func (c *contract) schema(t *testing.T, at string) *jsonschema.Schema {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compiled[at] == nil {
		s, err := c.compiler.Compile(docURL + at)
		if err != nil {
			t.Fatalf("read schema %s: %v", at, err)
		}
		c.compiled[at] = s
	}
	return c.compiled[at]
}

func TestEveryExampleIsWhatItsSchemaSays(t *testing.T) {
	t.Parallel()
	c := newRig(t).contract
	examples := 0
	var look func(at string, node any)
	look = func(at string, node any) {
		m, ok := node.(map[string]any)
		if !ok {
			return
		}
		if m["schema"] != nil {
			all := []any{}
			if m["example"] != nil {
				all = append(all, m["example"])
			}
			if more, ok := m["examples"].(map[string]any); ok {
				for _, e := range more {
					all = append(all, e.(map[string]any)["value"])
				}
			}
			for _, e := range all {
				examples++
				if err := c.schema(t, at+"/schema").Validate(e); err != nil {
					t.Errorf("%s: %v: %s", at, err, trial.Must(json.Marshal(e)))
				}
			}
		}
		escaped := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B")
		for k, v := range m {
			look(at+"/"+escaped.Replace(k), v)
		}
	}
	look("#/paths", c.document["paths"])
	if examples < 50 {
		t.Errorf("only %d examples were found: the test cannot read the description any more", examples)
	}
}

func TestNothingIsLeftUndescribed(t *testing.T) {
	t.Parallel()
	doc := newRig(t).contract.document
	says := func(m map[string]any) bool { s, _ := m["description"].(string); return strings.TrimSpace(s) != "" }
	for name, s := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		properties, _ := s.(map[string]any)["properties"].(map[string]any)
		for p, of := range properties {
			if !says(of.(map[string]any)) {
				t.Errorf("%s.%s is not described", name, p)
			}
		}
	}
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			op := op.(map[string]any)
			where := strings.ToUpper(method) + " " + path
			if !says(op) || op["summary"] == nil || op["operationId"] == nil || op["security"] == nil {
				t.Errorf("%s lacks a description, a summary, an operationId or its security", where)
			}
			parameters, _ := op["parameters"].([]any)
			for _, p := range parameters {
				if p := p.(map[string]any); !says(p) {
					t.Errorf("%s: the parameter %s is not described", where, p["name"])
				}
			}
			for status, r := range op["responses"].(map[string]any) {
				content, _ := r.(map[string]any)["content"].(map[string]any)
				for kind, c := range content {
					c := c.(map[string]any)
					if strings.HasSuffix(kind, "json") && c["example"] == nil && c["examples"] == nil {
						t.Errorf("%s: the answer %s has no example", where, status)
					}
				}
				headers, _ := r.(map[string]any)["headers"].(map[string]any)
				for name, h := range headers {
					h := h.(map[string]any)
					schema, _ := h["schema"].(map[string]any)
					if !says(h) && !says(schema) {
						t.Errorf("%s: the header %s of the answer %s is not described", where, name, status)
					}
				}
			}
		}
	}
}
