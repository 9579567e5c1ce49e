package sink_test

import (
	"io"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"

	"petschaft/internal/sink"
)

const letter = "From: =?utf-8?Q?Pr=C3=BCfstelle?= <p@b.example>\r\nSubject: Best=?utf-8?Q?=C3=A4?=\r\n" +
	"Content-Type: multipart/alternative; boundary=A\r\n\r\n--A\r\n\r\n" +
	"Folgen Sie http://127.0.0.1:8080/c/abc?x=1&y=2. <script>alert(1)</script>\r\n--A\r\nContent-Type: text/html\r\n\r\n" +
	"<!doctype html><html><head lang=de><title>t</title></head><body><a href=\"http://127.0.0.1:8080/c/abc\">x</a></body></html>\r\n--A--\r\n"

func get(s *sink.Sink, path string) (string, *httptest.ResponseRecorder) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	text, _ := io.ReadAll(w.Body)
	return string(text), w
}

func filled(t *testing.T) *sink.Sink {
	t.Helper()
	s := start(t, sink.Config{})
	for _, to := range []string{"ada@y.example", "bo@y.example"} {
		if err := smtp.SendMail(s.Addr(), nil, "bounce@b.example", []string{to}, []byte(letter)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func has(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestTheListShowsWhatCame(t *testing.T) {
	t.Parallel()
	s := filled(t)
	page, _ := get(s, "/")
	has(t, page, `http-equiv="refresh"`, "ada@y.example", `href="/mail/2"`, "Folgen Sie http://127.0.0.1:8080/c/abc", "Alle E-Mails")
	if strings.Index(page, "/mail/2") > strings.Index(page, "/mail/1") {
		t.Error("the older mail comes first, want the newest")
	}
	page, _ = get(s, "/?to=ADA@y.example")
	if has(t, page, `href="/mail/1"`); strings.Contains(page, `href="/mail/2"`) {
		t.Errorf("the filter lets another recipient through:\n%s", page)
	}
	page, _ = get(s, "/?before=2")
	if has(t, page, `href="/mail/1"`); strings.Contains(page, `href="/mail/2"`) || strings.Contains(page, "refresh\"") {
		t.Errorf("an older page shows a newer mail or refreshes:\n%s", page)
	}
	page, _ = get(s, "/recipients")
	has(t, page, `href="/?to=bo%40y.example"`)
	page, _ = get(start(t, sink.Config{}), "/")
	has(t, page, "Noch ist nichts angekommen")
}

func TestALongListHasPages(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Config{})
	for range 51 {
		send(t, s, "x@y.example")
	}
	page, _ := get(s, "/")
	has(t, page, `before=2`, `href="/mail/2"`, "51 E-Mails")
	if strings.Contains(page, `href="/mail/1"`) {
		t.Error("the first page shows the 51st mail, want 50")
	}
	page, _ = get(s, "/?before=2")
	has(t, page, `href="/mail/1"`)
}

func TestOneMailHasThreeViews(t *testing.T) {
	t.Parallel()
	s := filled(t)
	page, _ := get(s, "/mail/1")
	has(t, page, "Prüfstelle", "<h1>Bestä</h1>", `<a href="http://127.0.0.1:8080/c/abc?x=1&amp;y=2">`, ">. &lt;script&gt;", "bounce@b.example")
	page, _ = get(s, "/mail/1?view=html")
	has(t, page, `src="/mail/1/part.html"`, `sandbox="allow-top-navigation-by-user-activation`)
	page, _ = get(s, "/mail/1?view=source")
	has(t, page, "boundary=A")
	if _, w := get(s, "/mail/9"); w.Code != 404 {
		t.Errorf("an unknown mail: got %d, want 404", w.Code)
	}
}

func TestTheHTMLOfAMailCanDoNothing(t *testing.T) {
	t.Parallel()
	page, w := get(filled(t), "/mail/1/part.html")
	has(t, page, `<head lang=de><base target="_top"><title>`)
	policy := w.Header().Get("Content-Security-Policy")
	has(t, policy, "sandbox ", "default-src 'none'")
	for _, never := range []string{"allow-scripts", "allow-same-origin", "script-src"} {
		if strings.Contains(policy, never) {
			t.Errorf("the policy has %s: %s", never, policy)
		}
	}
}

func TestTheReaderSpeaksTwoLanguages(t *testing.T) {
	t.Parallel()
	s := filled(t)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", "en-US")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	has(t, w.Body.String(), `<html lang="en">`, "All mails")

	_, chosen := get(s, "/language?to=de")
	r.Header.Set("Cookie", chosen.Result().Cookies()[0].String())
	w = httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	has(t, w.Body.String(), `<html lang="de">`)
}
