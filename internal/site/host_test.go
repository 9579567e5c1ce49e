package site_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// sent is the answer of a portal whose address is https://portal.example.
func sent(r *sitetest.Rig, method, host, path string, headers ...string) *http.Response {
	req := httptest.NewRequest(method, path, nil)
	req.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.Handler.ServeHTTP(w, req)
	return w.Result()
}

func behindTLS(c *portal.Config) { c.BaseURL = "https://portal.example" }

func TestThePortalAnswersForItsOwnNameOnly(t *testing.T) {
	t.Parallel()
	public, local := sitetest.New(t, behindTLS), sitetest.New(t)
	port := local.Base[strings.LastIndex(local.Base, ":"):]
	for _, c := range []struct {
		r          *sitetest.Rig
		host, path string
		want       int
	}{
		{public, "portal.example", "/", 200},
		{public, "Portal.Example:443", "/", 200},
		{public, "portal.example.", "/", 200},
		{public, "portal.example:8443", "/", 421},
		{public, "portal.example:80", "/", 421},
		{public, "evil.example", "/", 421},
		{public, "portal.example.evil.example", "/", 421},
		{public, "evil.example", "/static/seal.svg", 421},
		{public, "evil.example", "/api/v1/openapi.json", 421},
		{public, "evil.example", "/pki", 421},
		{public, "evil.example", "/healthz/", 421},
		{public, "", "/", 421},
		{public, "127.0.0.1:8080", "/", 421},
		{public, "localhost", "/", 421},
		{public, "[::1]", "/", 421},
		{public, "pki.example", "/pki/mail.crt", 200},
		{public, "127.0.0.1:8080", "/healthz", 200},
		{public, "10.0.0.7:8080", "/readyz", 200},
		{public, "portal.example", "/api/v1/openapi.json", 200},
		{local, "localhost" + port, "/", 200},
		{local, "localhost:9000", "/", 200}, // through a tunnel
		{local, "[::1]" + port, "/", 200},
		{local, "evil.example" + port, "/", 421},
		{local, "127.0.0.1.evil.example", "/", 421},
		{local, "10.0.0.7" + port, "/", 421},
	} {
		if got := sent(c.r, http.MethodGet, c.host, c.path); got.StatusCode != c.want {
			t.Errorf("%s%s: got status %d, want %d", c.host, c.path, got.StatusCode, c.want)
		}
	}
}

// TestAnotherNameLeadsToThePortal: browsers get a page with a link, programs a line.
func TestAnotherNameLeadsToThePortal(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t, behindTLS)
	for accept, want := range map[string]string{"text/html,*/*;q=0.8": `<a href="https://portal.example">`, "*/*": "Its address is https://portal.example\n"} {
		req := trial.Must(http.NewRequest(http.MethodGet, r.Base+"/orders", nil))
		req.Header.Set("Accept", accept)
		req.Header.Set("Accept-Language", "en")
		res := trial.Must(http.DefaultClient.Do(req))
		body := string(trial.Must(io.ReadAll(res.Body)))
		res.Body.Close()
		if res.StatusCode != http.StatusMisdirectedRequest || !strings.Contains(body, want) || res.Header.Get("Content-Language") != "en" {
			t.Errorf("%s: got status %d and %q, want 421 and %q", accept, res.StatusCode, body, want)
		}
	}
}

// TestCookiesOverTLSAreOfThisHostAlone: the language's, too, and the one that was
// kept under another name before is moved.
func TestCookiesOverTLSAreOfThisHostAlone(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t, behindTLS)
	for what, res := range map[string]*http.Response{
		"a language is chosen": sent(r, http.MethodPost, "portal.example", "/language?lang=en"),
		"somebody signs out":   sent(r, http.MethodPost, "portal.example", "/signout"),
	} {
		if len(res.Cookies()) == 0 {
			t.Errorf("%s: got no cookie", what)
		}
		for _, c := range res.Cookies() {
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: got %s, want it of this host alone", what, c)
			}
		}
	}
	res := sent(r, http.MethodGet, "portal.example", "/", "Cookie", "lang=en", "Accept-Language", "de")
	if got := res.Header.Get("Content-Language"); got != "en" {
		t.Errorf("the language that was chosen before: got %q, want en", got)
	}
	said := strings.Join(res.Header.Values("Set-Cookie"), "\n")
	for _, want := range []string{"__Host-lang=en; Path=/; Max-Age=31536000; HttpOnly; Secure", "lang=; Path=/; Max-Age=0"} {
		if !strings.Contains(said, want) {
			t.Errorf("got the cookies\n%s\nwant %q among them", said, want)
		}
	}
	res = sent(r, http.MethodGet, "portal.example", "/", "Cookie", "__Host-lang=de; lang=en")
	if got := res.Header.Get("Content-Language"); got != "de" || len(res.Cookies()) != 0 {
		t.Errorf("with both: got %q and %v, want de, and nothing moved", got, res.Cookies())
	}
}

// TestWhoSignedOutIsNotSignedInAgainByItself: the provider may still know them.
func TestWhoSignedOutIsNotSignedInAgainByItself(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	nora.Post("/signout").Is(http.StatusSeeOther)
	for range 2 {
		to := nora.Get("/email-domains/uni.example?q=x").Is(http.StatusSeeOther).To()
		if to != "/signed-out?next=%2Femail-domains%2Funi.example%3Fq%3Dx" {
			t.Fatalf("got led to %q, want to the page with a button", to)
		}
		nora.Get(to).Is(http.StatusOK).Has(`href="/signin?next=%2Femail-domains%2Funi.example%3Fq%3Dx"`, "Noch einmal anmelden")
	}
	nora.Get("/signed-out?next=https://evil.example/").Is(http.StatusOK).Has(`href="/signin?next=%2F"`)
	back := nora.SignIn(nora.Get("/signin?next=/email-domains").To(), "nora")
	nora.Get(back).Is(http.StatusOK)
	trial.Must(r.Pool.Exec(t.Context(), `update login set ended = $1`, r.Clock.Now()))
	if to := nora.Get("/email-domains").To(); to != "/signin?next=%2Femail-domains" {
		t.Errorf("whose session ended by itself: got led to %q, want to the sign-in", to)
	}
}
