package organisations_test

import (
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// Whoever looks up too many people reads when it goes on, and what was typed
// stays.
func TestTooManyLookUpsKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	own := fmt.Sprintf("/organisations/%d", r.Organisation)
	form := append(formOf(nora.Get(own), handovers), "email")
	for i := range 20 {
		nora.Post(handovers, append(form, fmt.Sprintf("wer%d@uni.example", i))...).Is(http.StatusUnprocessableEntity).Has("noch niemand angemeldet")
	}
	held := nora.Post(handovers, append(form, sitetest.Email("ada"))...).Is(http.StatusTooManyRequests)
	held.Has("so viele Adressen nachgeschlagen", "Weiter geht es ab", `value="`+sitetest.Email("ada")+`"`, "Fehler: ").Lacks("Ada Adler")
	if held.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	nora.Lang = "en"
	nora.Post(handovers, append(form, sitetest.Email("ada"))...).Is(http.StatusTooManyRequests).Has("looked up as many addresses").Lacks("Ada Adler")
	r.As("rita").Get("/office/audit").Is(http.StatusOK).Has("Konto zu einer Adresse nachgeschlagen", "wer19@uni.example")
}

// While no place is left to work a session password out, both sides read that and
// find what they typed.
func TestABusyPortalKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora, ada := r.As("nora"), r.As("ada")
	begun := append(formOf(review(r, nora, "ada"), handovers), "step", "offer")
	r.Handover.Waiting = -1
	busy := nora.Post(handovers, begun...).Is(http.StatusServiceUnavailable).Has("mehrere Sitzungspasswörter berechnet", `value="`+sitetest.Email("ada")+`"`)
	if busy.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	r.Handover.Waiting = 0
	password := sitetest.Grouped.FindString(nora.Post(handovers, begun...).Is(http.StatusOK).Text())
	var link string
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select '/handovers/' || max(id) from handover`).Scan(&link))
	ada.Post(link + "/accept").Is(http.StatusSeeOther)
	r.Handover.Waiting = -1
	ada.Post(link+"/finish", "password", password).Is(http.StatusServiceUnavailable).Has("mehrere Sitzungspasswörter berechnet", `name="password"`)
	r.Handover.Waiting = 0
	ada.Post(link+"/finish", "password", password).Is(http.StatusSeeOther)
}
