package site_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestPagesOfAnotherSiteCannotAct(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("ada.adler")
	nora := r.As("nora")
	for name, headers := range map[string][2]string{
		"fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "a sister host": {"Sec-Fetch-Site", "same-site"}, "an origin": {"Origin", "https://boese.example"},
	} {
		req := trial.Must(http.NewRequest(http.MethodPost, r.Base+row+"/deactivate", strings.NewReader("")))
		req.Header.Set(headers[0], headers[1])
		if got := nora.Send(req); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got status %d, want 403", name, got.StatusCode)
		}
	}
	nora.Get(row).Has("Deaktivieren")
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	for _, path := range []string{"/", "/email-domains", "/email-domains/uni.example", "/gibt-es-nicht", "/c/unbekannt", "/healthz"} {
		h := nora.Get(path).Header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'self'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: got policy %q, want %q in it", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: got policy %q, want nothing unsafe", path, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: got %s %q, want %q", path, name, got, want)
			}
		}
		if got := h.Get("Referrer-Policy"); got != "same-origin" && (path != "/c/unbekannt" || got != "no-referrer") {
			t.Errorf("%s: got Referrer-Policy %q", path, got)
		}
	}
}

func TestAnUnknownErrorShowsAnIDAndNoDetail(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	r.Fail("address_row_tally")
	page := nora.Get("/email-domains").Is(http.StatusInternalServerError).Has("Fehlernummer").Lacks("address_row_tally", "SQLSTATE", "relation")
	id := regexp.MustCompile(`<code>([A-Z2-7]{10})</code>`).FindStringSubmatch(page.Content)
	if id == nil || !strings.Contains(r.Logged.String(), id[1]) {
		t.Errorf("got reference %v, want one that the log holds", id)
	}
	if !strings.Contains(r.Logged.String(), "address_row_tally") {
		t.Error("the log lacks the cause")
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.As("nora").Post(sitetest.RowsOf, "name", strings.Repeat("x", 300<<10)).Is(http.StatusRequestEntityTooLarge)
}
