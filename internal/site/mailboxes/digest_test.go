package mailboxes_test

import (
	"net/http"
	"testing"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestTheDigestIsOrderedOnTheDomainsPage, and the language chosen there is that
// of letters.
func TestTheDigestIsOrderedOnTheDomainsPage(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	nora.Get("/email-domains").Is(http.StatusOK).Has("Wochenübersicht bestellen")
	nora.Post("/email-domains/digest", "wants", "yes").Is(http.StatusSeeOther)
	nora.Get("/email-domains").Has("Wochenübersicht abbestellen")
	nora.Post("/email-domains/digest").Is(http.StatusSeeOther)
	nora.Get("/email-domains").Has("Wochenübersicht bestellen")
	nora.Post("/language", "lang", "en").Is(http.StatusSeeOther)
	var lang string
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select language from account where id = $1`, r.Actors["nora"].Account).Scan(&lang))
	if lang != "en" {
		t.Errorf("got the language %q, want the one that was chosen", lang)
	}
}
