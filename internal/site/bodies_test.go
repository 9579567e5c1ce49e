package site_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// announced is the status with which the portal answers a POST that says it will send so many bytes and
// sends none of them.
func announced(r *sitetest.Rig, path string, bytes int, headers ...string) int {
	r.T.Helper()
	host := strings.TrimPrefix(r.Base, "http://")
	c := trial.Must(net.Dial("tcp", host))
	defer c.Close()
	trial.Must(0, c.SetDeadline(time.Now().Add(20*time.Second))) // a guard: who reads first never answers
	trial.Must(fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n%s\r\n\r\n", path, host, bytes, strings.Join(headers, "\r\n")))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		r.T.Errorf("POST %s: no answer before the body: %v", path, err)
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// cookie is the header that tells who b is.
func cookie(b *sitetest.Browser) string {
	var all []string
	for _, c := range b.Client.Jar.Cookies(trial.Must(url.Parse(b.Rig.Base))) {
		all = append(all, c.Name+"="+c.Value)
	}
	return "Cookie: " + strings.Join(all, "; ")
}

const (
	asForm     = "Content-Type: application/x-www-form-urlencoded"
	asFiles    = "Content-Type: multipart/form-data; boundary=x"
	asQuestion = "Content-Type: application/ocsp-request"
	sameSite   = "Sec-Fetch-Site: same-origin"
	crossSite  = "Sec-Fetch-Site: cross-site"
)

// TestNothingIsReadOfWhatStrangersSend: on every route that takes something, 4 MiB
// that are announced are answered before one byte of them.
func TestNothingIsReadOfWhatStrangersSend(t *testing.T) {
	t.Parallel()
	r := &matrixRig{Rig: sitetest.New(t)}
	r.login = loginID(r.As("ada"))
	for _, e := range matrix {
		if e.method != http.MethodPost {
			continue
		}
		path, ocsp := r.filled(e.pattern), strings.HasPrefix(e.pattern, "/pki/ocsp/")
		for _, c := range []struct {
			kind, from string
			want       int
		}{
			{asForm, sameSite, 413},
			{asFiles, sameSite, 413},
			{asForm, crossSite, 403},
			{asQuestion, sameSite, 413},
		} {
			if ocsp && c.kind != asQuestion {
				c.want = 415
			}
			if got := announced(r.Rig, path, 4<<20, c.kind, c.from); got != c.want {
				t.Errorf("POST %s, %s, %s: got status %d, want %d", path, c.kind, c.from, got, c.want)
			}
		}
	}
	for path, want := range map[string]int{"/gibt-es-nicht": 404, "/office": 405, "/api/v1/email-domains/uni.example/addresses": 401, "/api/v1/nichts": 404, "/pki/ocsp/fremd": 404} {
		if got := announced(r.Rig, path, 4<<20, asQuestion); got != want {
			t.Errorf("POST %s: got status %d, want %d", path, got, want)
		}
	}
}

// TestAForeignFileIsNotRead: who is signed in and may not send files there.
func TestAForeignFileIsNotRead(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	for _, c := range []struct {
		who, path string
		want      int
	}{
		{"niko", "/office/earlier", 403},
		{"nora", "/office/earlier", 403},
		{"niko", "/office/groups", 403},
		{"sven", "/email-domains/uni.example/imports", 404},
		{"rita", "/email-domains/uni.example/imports", 403},
	} {
		if got := announced(r, c.path, 4<<20, asFiles, sameSite, cookie(r.As(c.who))); got != c.want {
			t.Errorf("%s, %s: got status %d, want %d", c.who, c.path, got, c.want)
		}
	}
	nora := cookie(r.As("nora"))
	if got := announced(r, sitetest.RowsOf, 257<<10, asForm, sameSite, nora); got != 413 {
		t.Errorf("a form that is too long: got status %d, want 413", got)
	}
	if got := announced(r, "/orders/new", 17<<20, asFiles, sameSite, nora); got != 413 {
		t.Errorf("a file that is too long: got status %d, want 413", got)
	}
}

func TestAStrangersFormIsShort(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	anonymous := r.Anonymous()
	anonymous.Post("/language", "lang", "en", "comment", strings.Repeat("x", 15<<10)).Is(http.StatusSeeOther)
	anonymous.Post("/language", "lang", "de", "comment", strings.Repeat("x", 17<<10)).Is(http.StatusRequestEntityTooLarge).Has("at most 16 KiB")
	anonymous.Post("/orders/new", "as", "1", "comment", strings.Repeat("x", 8<<10)).Is(http.StatusForbidden).Has("goes along")
	anonymous.Post("/orders/new", "as", "1", "comment", strings.Repeat("x", 15<<10)).Is(http.StatusForbidden).Has("go one step back").Lacks("goes along")
	anonymous.Post("/orders/new", "as", "1", "comment", strings.Repeat("x", 17<<10)).Is(http.StatusRequestEntityTooLarge).Has("go one step back", "not signed in")
}

// TestALongFormOutlivesItsSession: the cookie of a session that has ended lets
// more in than a stranger may send.
func TestALongFormOutlivesItsSession(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("erika.muster")
	long := strings.Repeat("Zeile mit Umlauten äöü\n", 1400) // some 56 KiB on the way
	nora, over := overAForm(r, row+"/edit", "name", "Getippt", "kind", "personal", "version", "1", "comment", long)
	over.Has("geht mit")
	nora.Get("/email-domains").Is(http.StatusSeeOther) // in another tab, meanwhile
	back := nora.SignIn(nora.Post("/signin", carried(over.Content)...).Is(http.StatusSeeOther).To(), "nora")
	nora.Get(back).Is(http.StatusOK).Has(`value="Getippt"`, long[:1000])
}
