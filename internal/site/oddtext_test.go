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

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
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
			r := &matrixRig{Rig: sitetest.New(t)}
			r.login = loginID(r.As("ada"))
			o := odd{r: r, dice: rand.New(rand.NewPCG(seed, uint64(i))), names: names, b: r.Anonymous()}
			paths := make([]string, len(matrix))
			for n, e := range matrix {
				paths[n] = r.filled(e.pattern)
			}
			for end, round := time.Now().Add(3*time.Second), 0; round < 500 && (round == 0 || time.Now().Before(end)); round++ {
				for n, e := range matrix {
					if role != "anonymous" && (n == 0 || matrix[n-1].pattern == "/signout") {
						o.b = r.As(role)
					}
					o.ask(e, paths[n], oddTexts[(n+round)%len(oddTexts)], round)
				}
				if role != "anonymous" {
					o.b.Get("/sessions").Is(http.StatusOK) // or nothing was reached
				}
			}
		})
	}
}

// namesAsked are all names of parameters and fields that the pages ask for.
func namesAsked(t *testing.T) (names []string) {
	t.Helper()
	asked := regexp.MustCompile(`(?:\.Get\(|\.Has\(|FormValue\(|Form\[)"([a-z_0-9]+)"`)
	for _, pattern := range []string{"*.go", "*/*.go", "../signin/*.go"} {
		for _, file := range trial.Must(filepath.Glob(pattern)) {
			for _, m := range asked.FindAllStringSubmatch(string(trial.Must(os.ReadFile(file))), -1) {
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
	b     *sitetest.Browser
	dice  *rand.Rand
	names []string
}

func (o odd) name() string { return o.names[o.dice.IntN(len(o.names))] }

// ask sends s to the route of e in each place; in later rounds in one of them.
func (o odd) ask(e entry, path, s string, round int) {
	o.r.T.Helper()
	parts := strings.Split(path, "/")
	parts[1+o.dice.IntN(len(parts)-1)] = url.PathEscape(s)
	name := o.name()
	query := path + "?" + url.Values{name: {s}, o.name(): {s}}.Encode()
	if round == 0 && path == "/office/audit" {
		query = path + "?action=" + url.QueryEscape("a\x00b")
	}
	requests := []*http.Request{
		trial.Must(http.NewRequest(e.method, o.r.At(strings.Join(parts, "/")), nil)),
		trial.Must(http.NewRequest(e.method, o.r.At(query), nil)),
		o.withHeaders(e, path, s),
	}
	if e.method == http.MethodPost {
		requests = append(requests, o.form(e, path, s), o.files(path, s))
	}
	if round > 0 {
		requests = requests[o.dice.IntN(len(requests)):][:1]
	}
	for _, q := range requests {
		if a := o.b.Send(q); a.StatusCode >= 500 {
			o.r.T.Errorf("%s %s with %.60q (%s): got status %d:\n%.600s", q.Method, q.URL, s, name, a.StatusCode, a.Excerpt())
		}
	}
}

func (o odd) withHeaders(e entry, path, s string) *http.Request {
	q := trial.Must(http.NewRequest(e.method, o.r.At(path), nil))
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
	q := trial.Must(http.NewRequest(http.MethodPost, o.r.At(path), strings.NewReader(v.Encode())))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return q
}

func (o odd) files(path, s string) *http.Request {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField(o.name(), s)
	part := trial.Must(w.CreateFormFile("file", s))
	_, _ = part.Write([]byte("E-Mail;Name\n" + s + ";" + s + "\n"))
	_ = w.Close()
	q := trial.Must(http.NewRequest(http.MethodPost, o.r.At(path), &body))
	q.Header.Set("Content-Type", w.FormDataContentType())
	return q
}

func TestAnAddressThatIsNoTextIsToldInWords(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	for _, path := range []string{"/office/audit?action=%00", "/office/audit?action=%ff", "/office/groups/%00", "/c/%fe", "/pki/%00.crl"} {
		rita.Get(path).Is(http.StatusBadRequest).Has("kein Text in UTF-8", "Zur Übersicht")
	}
	before := trial.Must(r.Org.Groups(t.Context(), r.Actors["rita"]))
	rita.Post("/office/groups", "name", "Netz\x00").Is(http.StatusBadRequest).Has("Das Formular enthält")
	rita.Post("/office/groups", "name", "M\xfcller").Is(http.StatusBadRequest)
	if after := trial.Must(r.Org.Groups(t.Context(), r.Actors["rita"])); len(after) != len(before) {
		t.Errorf("got %d groups, want %d as before", len(after), len(before))
	}
	rita.Lang = "en"
	rita.Get("/office/audit?action=%00").Has("not UTF-8 text")
	q := trial.Must(http.NewRequest(http.MethodGet, r.At("/"), nil))
	q.Header.Set("User-Agent", "M\xfcller")
	rita.Send(q).Is(http.StatusOK)
}
