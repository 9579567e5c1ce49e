package signin

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// TestOperatorsAreToldTheCauseInWords: each thing that is wrong with a provider
// reads otherwise, and no line holds a page or the key of a message.
func TestOperatorsAreToldTheCauseInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const discovery, html = "/.well-known/openid-configuration", "<!DOCTYPE html><html><body>no</body></html>"
	issuer := w.idp.URL
	for want, front := range map[string]func(http.Handler) http.Handler{
		"the provider does not take PETSCHAFT_OIDC_CLIENT_ID or PETSCHAFT_OIDC_CLIENT_SECRET":       saying("/token", http.StatusUnauthorized, html),
		"asked for tokens, the provider answers 502 Bad Gateway":                                    saying("/token", http.StatusBadGateway, html),
		"asked for " + issuer + discovery + ", the provider answers 404 Not Found":                  saying(discovery, http.StatusNotFound, html),
		"asked for " + issuer + discovery + ", the provider answers 302 Found":                      saying(discovery, http.StatusFound, ""),
		`PETSCHAFT_OIDC_ISSUER is "` + issuer + `" and the provider calls itself "` + issuer + `/"`: saying(discovery, http.StatusOK, `{"issuer":"`+issuer+`/"}`),
		"the provider does not answer as it should":                                                 saying(discovery, http.StatusOK, html),
	} {
		w.before(front)
		blames(t, w.desk.Try(t.Context()), want)
	}

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	blames(t, desk(gone.URL).Try(t.Context()), "the provider cannot be reached")
	foreign := httptest.NewUnstartedServer(http.NotFoundHandler())
	foreign.Config.ErrorLog = log.New(io.Discard, "", 0)
	foreign.StartTLS()
	defer foreign.Close()
	blames(t, desk(foreign.URL).Try(t.Context()), "the provider's certificate is of an authority that is not known here")
	blames(t, person.ErrLocked, "the account is locked")
	blames(t, stale(io.EOF), "an old tab")
	blames(t, refusal("access_denied"), "did not let the person in")
	blames(t, refusal("invalid_scope"), "it refuses what the portal asks")
}

func desk(issuer string) *Desk {
	return &Desk{cfg: Config{Issuer: issuer, BaseURL: trial.Must(url.Parse("https://portal.example"))}, client: newClient()}
}

func blames(t *testing.T, err error, want string) {
	t.Helper()
	cause, detail := Blame(err)
	if !strings.Contains(cause, want) {
		t.Errorf("got %q, want %q", cause, want)
	}
	if said := cause + detail; strings.Contains(said, fault.Of(err).ID) || strings.Contains(said, "<html") {
		t.Errorf("a key or a page stands in %q, %q", cause, detail)
	}
}

// What stands in the address of an answer anybody may have put there.
func TestNothingOfAnAnswersAddressIsBlamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, q := range []url.Values{
		{"iss": {"https://chosen.example"}},
		{"iss": {w.idp.URL}, "error": {"chosen"}, "error_description": {"chosen"}},
		{"iss": {w.idp.URL}, "error": {"access_denied"}, "error_description": {"chosen"}, "error_uri": {"https://chosen.example"}},
	} {
		q.Set("state", b.begin("/").Query().Get("state"))
		var err error
		b.within(func(ctx context.Context) {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, paths.SignedIn+"?"+q.Encode(), nil)
			_, err = w.desk.Finish(httptest.NewRecorder(), r)
		})
		if cause, detail := Blame(err); err == nil || strings.Contains(cause+detail, "chosen") {
			t.Errorf("%v: got %q, %q", q, cause, detail)
		}
	}
	if got := refusal("access_denied").Error(); !strings.Contains(got, "access_denied") {
		t.Errorf("a code that is known is missing in %q", got)
	}
}
