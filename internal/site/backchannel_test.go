package site_test

import (
	"net/http"
	"testing"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// The provider tells the portal over HTTP, and the browser's next request is nobody's.
func TestSigningOutAtTheProviderEndsTheSessionHere(t *testing.T) {
	t.Parallel()
	r := &refusals{Rig: sitetest.New(t)}
	nora := r.As("nora")
	secret, _ := r.secret()
	nora.Get("/email-domains").Is(http.StatusOK)
	if err := r.IDP.EndSessions(t.Context(), "nora"); err != nil {
		t.Fatal(err)
	}
	nora.Get("/email-domains").Is(http.StatusSeeOther)
	r.call("GET", "/api/v1/email-domains", secret).Is(http.StatusOK)
	r.lines()
	b := r.Anonymous()
	for what, token := range map[string]string{"none": "", "a made-up one": "a.b.c", "of another": trial.Must(r.IDP.LogoutToken("portal", "rita", "", func(c map[string]any) { c["aud"] = "x" }))} {
		a := b.Post(paths.BackChannelLogout, "logout_token", token).Is(http.StatusBadRequest)
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" || a.Content != `{"error":"invalid_request"}` {
			t.Errorf("%s: got %v and %q", what, a.Header, a.Content)
		}
		r.one(what, "kind=logout", "fault=signin.logout_refused", "why=")
	}
}
