package site_test

import (
	"net/http"
	"testing"
	"time"

	"petschaft/internal/person"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestContactsWhoDoNotSignInInABrowser looks at them, and at a token that sleeps.
func TestContactsWhoDoNotSignInInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSight(t, lang)
			token(s.Rig, "nora", person.DomainVerbs())
			s.look("rita", "office-absent-none", "/office/absent", http.StatusOK)
			trial.Must(s.Pool.Exec(t.Context(), `update account set signed_in = signed_in - interval '100 days' where subject in ('nora', 'sven')`))
			s.look("rita", "office-absent", "/office/absent", http.StatusOK)
			s.look("rita", "token-asleep", "/tokens/1", http.StatusOK)
		})
	}
}

// TestOfficersReadWhoDoesNotSignIn reads it without a browser.
func TestOfficersReadWhoDoesNotSignIn(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	token(r, "nora", person.DomainVerbs())
	r.As("rita").Get("/office/absent").Is(http.StatusOK).Has("Niemand fehlt").Lacks("Nora Netz")
	r.Clock.Advance(100 * 24 * time.Hour)
	rita := r.As("rita")
	rita.Get("/office/absent").Is(http.StatusOK).Has("seit mindestens 90 Tagen", "Nora Netz", "Universität Probe", "Netz Rechenzentrum", "(sonst niemand)", "1 Token")
	rita.Get("/office/absent?days=180").Has("Niemand fehlt").Lacks("Nora Netz")
	rita.Get("/office/absent?days=nie").Has("seit mindestens 90 Tagen")
	rita.Get("/office").Has("Kontakte ohne Anmeldung")
}
