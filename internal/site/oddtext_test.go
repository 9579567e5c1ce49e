package site_test

import (
	"bytes"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// oddTexts are what somebody may send where a text belongs.
var oddTexts = []string{
	"\x00", "M\xfcller", "a\x00b", "\xed\xa0\x80", "\u202e\u200b", "", " ", "%", "'", `\`, "\u0301\u0301", "\ufffd", "-1", "0", "9223372036854775808",
	"1e400", "../..", "\r\nX: y", strings.Repeat("ä", 3000), strings.Repeat("😀", 700), "\U0010ffff", "2027-02-30", "a@b", "xn--", "*", "１＠２",
}

// TestNoTextMakesAPageFail sends odd texts to every route as each role, one
// place at a time: in the path, in the query, in a header, in a form, in a form
// with a file. It asks as many as it can in a few seconds, each route at least
// once with each place.
func TestNoTextMakesAPageFail(t *testing.T) {
	t.Parallel()
	names := namesAsked(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i, role := range roles {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r := &matrixRig{rig: newRig(t)}
			r.login = r.as("ada").loginID()
			o := odd{r: r, dice: rand.New(rand.NewPCG(seed, uint64(i))), names: names, b: r.anonymous()}
			paths := make([]string, len(matrix))
			for n, e := range matrix {
				paths[n] = r.filled(e.pattern)
			}
			for end, round := time.Now().Add(3*time.Second), 0; round < 500 && (round == 0 || time.Now().Before(end)); round++ {
				for n, e := range matrix {
					if role != "anonymous" && (n == 0 || matrix[n-1].pattern == "/signout") {
						o.b = r.as(role)
					}
					o.ask(e, paths[n], oddTexts[(n+round)%len(oddTexts)], round)
				}
				if role != "anonymous" {
					o.b.get("/sessions").status(http.StatusOK) // or nothing was reached
				}
			}
		})
	}
}

// namesAsked are all names of parameters and fields that the pages ask for.
func namesAsked(t *testing.T) (names []string) {
	t.Helper()
	asked := regexp.MustCompile(`(?:\.Get\(|\.Has\(|FormValue\(|Form\[)"([a-z_0-9]+)"`)
	for _, pattern := range []string{"*.go", "../signin/*.go"} {
		for _, file := range must(filepath.Glob(pattern)) {
			for _, m := range asked.FindAllStringSubmatch(string(must(os.ReadFile(file))), -1) {
				names = append(names, m[1])
			}
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); !slices.Contains(names, "action") || len(names) < 30 {
		t.Fatalf("found only %q in the sources", names)
	}
	return names
}

type odd struct {
	r     *matrixRig
	b     *browser
	dice  *rand.Rand
	names []string
}

func (o odd) name() string { return o.names[o.dice.IntN(len(o.names))] }

// ask sends s to the route of e in each place; in later rounds in one of them.
func (o odd) ask(e entry, path, s string, round int) {
	o.r.t.Helper()
	parts := strings.Split(path, "/")
	parts[1+o.dice.IntN(len(parts)-1)] = url.PathEscape(s)
	name := o.name()
	query := path + "?" + url.Values{name: {s}, o.name(): {s}}.Encode()
	if round == 0 && path == "/office/audit" {
		query = path + "?action=" + url.QueryEscape("a\x00b")
	}
	requests := []*http.Request{
		must(http.NewRequest(e.method, o.r.at(strings.Join(parts, "/")), nil)),
		must(http.NewRequest(e.method, o.r.at(query), nil)),
		o.withHeaders(e, path, s),
	}
	if e.method == http.MethodPost {
		requests = append(requests, o.form(e, path, s), o.files(path, s))
	}
	if round > 0 {
		requests = requests[o.dice.IntN(len(requests)):][:1]
	}
	for _, q := range requests {
		if a := o.b.send(q); a.StatusCode >= 500 {
			o.r.t.Errorf("%s %s with %.60q (%s): got status %d:\n%.600s", q.Method, q.URL, s, name, a.StatusCode, a.excerpt())
		}
	}
}

func (o odd) withHeaders(e entry, path, s string) *http.Request {
	q := must(http.NewRequest(e.method, o.r.at(path), nil))
	s = strings.NewReplacer("\x00", "", "\r", "", "\n", "").Replace(s)
	for _, name := range []string{"User-Agent", "Referer", "X-Forwarded-For", "Idempotency-Key", "If-None-Match"} {
		q.Header.Set(name, s)
	}
	return q
}

// form is the form of e with s in two of its fields and in one that it may not
// have.
func (o odd) form(e entry, path, s string) *http.Request {
	v := url.Values{o.name(): {s}, s: {"x"}}
	at := -1
	if len(e.form) > 0 {
		at = 2 * o.dice.IntN(len(e.form)/2)
	}
	for i := 0; i+1 < len(e.form); i += 2 {
		if v.Set(e.form[i], e.form[i+1]); i == at {
			v.Set(e.form[i], s)
		}
	}
	q := must(http.NewRequest(http.MethodPost, o.r.at(path), strings.NewReader(v.Encode())))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return q
}

func (o odd) files(path, s string) *http.Request {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField(o.name(), s)
	part := must(w.CreateFormFile("file", s))
	_, _ = part.Write([]byte("E-Mail;Name\n" + s + ";" + s + "\n"))
	_ = w.Close()
	q := must(http.NewRequest(http.MethodPost, o.r.at(path), &body))
	q.Header.Set("Content-Type", w.FormDataContentType())
	return q
}

func TestAnAddressThatIsNoTextIsToldInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	for _, path := range []string{"/office/audit?action=%00", "/office/audit?action=%ff", "/office/groups/%00", "/c/%fe", "/pki/%00.crl"} {
		rita.get(path).status(http.StatusBadRequest).has("kein Text in UTF-8", "Zur Übersicht")
	}
	before := must(r.Org.Groups(t.Context(), r.actors["rita"]))
	rita.post("/office/groups", "name", "Netz\x00").status(http.StatusBadRequest).has("Das Formular enthält")
	rita.post("/office/groups", "name", "M\xfcller").status(http.StatusBadRequest)
	if after := must(r.Org.Groups(t.Context(), r.actors["rita"])); len(after) != len(before) {
		t.Errorf("got %d groups, want %d as before", len(after), len(before))
	}
	rita.lang = "en"
	rita.get("/office/audit?action=%00").has("not UTF-8 text")
	q := must(http.NewRequest(http.MethodGet, r.at("/"), nil))
	q.Header.Set("User-Agent", "M\xfcller")
	rita.send(q).status(http.StatusOK)
}
