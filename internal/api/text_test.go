package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

func TestWhatIsNoTextIsRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	id := r.row("alt")
	latin1 := string(trial.Must(os.ReadFile("testdata/90-powershell-latin1.json")))
	latin1 = strings.ReplaceAll(latin1, "institut.example", "uni.example")
	add := func(name string) string {
		return fmt.Sprintf(`{"kind": "personal", "name": "%s", "primary": "neu@uni.example"}`, name)
	}
	for name, c := range map[string]struct {
		method, path, kind, body string
		status                   int
		code                     string
	}{
		"ISO-8859-1":             {"POST", "/addresses", "application/json", latin1, 400, "text.json"},
		"ISO-8859-1, declared":   {"POST", "/addresses", "application/json; charset=iso-8859-1", latin1, 415, "api.charset_json"},
		"a declared charset":     {"POST", "/addresses", `application/json; charset="windows-1252"`, add("x"), 415, "api.charset_json"},
		"in a merge patch":       {"PATCH", fmt.Sprintf("/addresses/%d", id), "application/merge-patch+json", "{\"name\": \"K\xe4the\"}", 400, "text.json"},
		"UTF-16":                 {"POST", "/addresses", "application/json", "\xff\xfe{\x00}\x00", 400, "text.json"},
		"half a surrogate pair":  {"POST", "/addresses", "application/json", add(`M\ud800ller`), 400, "text.json_escape"},
		"NUL":                    {"POST", "/addresses", "application/json", add(`M\u0000ller`), 400, "text.json_escape"},
		"an address with NUL":    {"GET", "/addresses?q=%00", "", "", 400, "text.address"},
		"one that is not UTF-8":  {"GET", "/addresses?q=M%fcller", "", "", 400, "text.address"},
		"a path that is not":     {"GET", "/addresses/%ff", "", "", 400, "text.address"},
		"nothing that must be":   {"POST", "/addresses", "application/json", "", 400, "api.malformed"},
		"too long, with rubbish": {"POST", "/addresses", "application/json", add(strings.Repeat("\xff", 2<<20)), 413, "api.too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			before := r.scalar(`select count(*) from address_row`)
			a := r.call(c.method, uni+c.path, token, c.body, "Content-Type", c.kind)
			if a.status != c.status || a.code() != c.code {
				t.Errorf("got %d %s, want %d %s: %s", a.status, a.code(), c.status, c.code, a.body)
			}
			if n := r.scalar(`select count(*) from address_row`); n != before {
				t.Errorf("there are %d rows more", n-before)
			}
		})
	}
	if n := r.scalar(`select count(*) from address_row where name like '%' || chr(65533) || '%'`); n != 0 {
		t.Errorf("%d rows hold U+FFFD", n)
	}
}

func TestJSONInUTF8IsTakenAsItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for i, c := range []struct{ kind, before, name, want string }{
		{"application/json", "", "Müller", "Müller"},
		{"application/json; charset=utf-8", "", "Müller", "Müller"},
		{"Application/JSON;charset=\"UTF-8\"", "\xef\xbb\xbf", "Müller", "Müller"},
		{"application/json", "", `M\u00fcller \ud83d\ude00`, "Müller 😀"},
	} {
		body := fmt.Sprintf(`%s{"kind": "personal", "name": "%s", "primary": "m%d@uni.example"}`, c.before, c.name, i)
		a := r.call(http.MethodPost, uni+"/addresses", token, body, "Content-Type", c.kind)
		wants(t, a, 201)
		var got struct{ Name string }
		if a.to(t, &got); got.Name != c.want {
			t.Errorf("%q: got the name %q, want %q", body, got.Name, c.want)
		}
	}
}

// oddTexts are what a program may send where a text belongs.
var oddTexts = []string{
	"\x00", "M\xfcller", "a\x00b", "\xed\xa0\x80", "\u202e\u200b", "", " ", "%", "'", `\`, "\u0301\u0301", "\ufffd", "-1", "0", "9223372036854775808",
	"1e400", "null", "../..", "\r\nX: y", strings.Repeat("ä", 3000), strings.Repeat("😀", 700), "\U0010ffff", "2027-02-30", "a@b", "xn--", "*",
}

// TestNoTextMakesTheAPIFail sends odd texts to each operation, one place at a
// time: in the path, as each parameter, in headers, in the body. It asks as many
// as it can in a few seconds, each operation at least once.
func TestNoTextMakesTheAPIFail(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *portal.Config) { c.APIPerMinute = 1_000_000 })
	token := r.tokenOf("nora")
	seed := mathrand.Uint64()
	t.Logf("seed %d", seed)
	dice := mathrand.New(mathrand.NewPCG(seed, 0))
	for end, round := time.Now().Add(8*time.Second), 0; round < len(oddTexts) && (round == 0 || time.Now().Before(end)); round++ {
		for i, e := range matrix {
			path, body := e.fill(r)
			s := oddTexts[(i+round)%len(oddTexts)]
			for _, q := range oddRequests(r, dice, e, path, body, s) {
				a := r.ask(e.method, "/api/v1"+q.path, token, q.body, q.headers...)
				if a.status >= 500 {
					t.Errorf("%s %s with %q in %s: got %d: %s", e.method, q.path, s, q.place, a.status, a.body)
				}
			}
		}
	}
}

type oddRequest struct {
	place, path string
	body        any
	headers     []string
}

// oddRequests are requests of e with s in one place each.
func oddRequests(r *rig, dice *mathrand.Rand, e entry, path string, body any, s string) []oddRequest {
	plain := []string{"Content-Type", e.kind}
	path, query, _ := strings.Cut(path, "?")
	at := "?" + query
	var all []oddRequest
	parts := strings.Split(path, "/")
	place := 1 + dice.IntN(len(parts)-1)
	parts[place] = url.PathEscape(s)
	all = append(all, oddRequest{"the path", strings.Join(parts, "/") + at, body, plain})
	for _, name := range append(r.contract.parameters(e.method, e.template), s) {
		all = append(all, oddRequest{"parameter " + name, path + "?" + url.QueryEscape(name) + "=" + url.QueryEscape(s), body, plain})
	}
	if h := strings.NewReplacer("\x00", "", "\r", "", "\n", "").Replace(s); len(h) < 1000 {
		all = append(all, oddRequest{"headers", path + at, body, append(plain, "Idempotency-Key", h, "If-Match", h, "Accept-Language", h, "User-Agent", h)})
	}
	switch b := body.(type) {
	case map[string]any:
		for name := range b {
			odd := maps.Clone(b)
			odd[name] = s
			raw := bytes.ReplaceAll(trial.Must(json.Marshal(odd)), trial.Must(json.Marshal(s)), []byte(`"`+s+`"`))
			all = append(all, oddRequest{"member " + name, path + at, odd, plain}, oddRequest{"member " + name + ", raw", path + at, string(raw), plain})
		}
	case string:
		all = append(all, oddRequest{"the body", path + at, b + s + "\n", plain}, oddRequest{"the whole body", path + at, s, plain})
	}
	return all
}

// parameters are the names that an operation takes in the query.
func (c *contract) parameters(method, template string) (names []string) {
	op, _ := c.operation(method, template)
	list, _ := op["parameters"].([]any)
	for _, p := range list {
		if p := p.(map[string]any); p["in"] == "query" {
			names = append(names, p["name"].(string))
		}
	}
	return names
}
