package servers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func count(t *testing.T, a sitetest.Answer, words string, want int) {
	t.Helper()
	if got := strings.Count(a.Text(), words); got != want {
		t.Errorf("%q stands %d times on the page, want %d", words, got, want)
	}
}

// TestAnOrderThatWaitsForANameLeadsToIt, says so once, and what happens then.
func TestAnOrderThatWaitsForANameLeadsToIt(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	name := trial.Must(r.Org.AskName(t.Context(), r.Actors["nora"], r.Organisation, org.NameInput{Name: "neu.example"}))
	reference := r.Ordered("neu.example")
	own := r.As("nora").Get("/orders/"+reference).Has(fmt.Sprintf(`href="/organisations/%d#names"`, r.Organisation), "entscheidet die Registrierungsstelle über den Auftrag")
	office := r.As("rita").Get("/office/orders/"+reference).Has(fmt.Sprintf(`href="/office/organisations/%d/names/%d"`, r.Organisation, name), "sobald unter „Was geprüft wurde“").Lacks("Wartet auf die Registrierungsstelle")
	for _, a := range []sitetest.Answer{own, office} {
		count(t, a, "Die Prüfung von neu.example fehlt", 1)
		a.Lacks("neu.example: ", "von selbst weiter")
	}
	trial.Must(0, r.Org.EditOrganisation(t.Context(), r.Actors["rita"], r.Organisation, org.OrganisationInput{Name: "Universität Probe", Country: "DE", AutoApprove: true}))
	r.As("nora").Get("/orders/" + reference).Has("nach der Regel der Organisation von selbst genehmigt")
}

// TestAnOrderMadeTwiceIsToldToBoth, with the way to the other one: before it is
// submitted, on its page, and to who decides.
func TestAnOrderMadeTwiceIsToldToBoth(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	csr := sitetest.NewCSR("www.uni.example")
	wish := order.Submission{Wish: order.Wish{Organisation: r.Organisation, Product: "tls-single", CSR: csr, Names: []string{"www.uni.example"}}}
	first := trial.Must(r.Order.Submit(t.Context(), r.Actors["nora"], wish))
	nora := r.As("nora")
	nora.Post("/orders/new", "step", "check", "csr", csr, "names", "www.uni.example", "organisation", fmt.Sprint(r.Organisation), "product", "tls-single").Is(http.StatusOK).
		Has("Vielleicht wurde versehentlich zweimal bestellt", `href="/orders/`+first+`"`)
	second := trial.Must(r.Order.Submit(t.Context(), r.Actors["nora"], wish))
	nora.Get("/orders/"+second).Has("zweimal bestellt", `href="/orders/`+first+`"`)
	r.As("rita").Get("/office/orders/"+second).Has("zweimal bestellt", `href="/office/orders/`+first+`"`, "Auftrag genehmigen")
	trial.Must(0, r.Order.Withdraw(t.Context(), r.Actors["nora"], first))
	nora.Get("/orders/" + second).Lacks("zweimal bestellt")
}

// TestAFragmentSaysWhenThePageAroundItIsNoLongerTrue: the badge, the steps and the
// buttons of an order, also from one state under way to the next.
func TestAFragmentSaysWhenThePageAroundItIsNoLongerTrue(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	reference := r.Ordered("www.uni.example")
	trial.Must(0, r.Order.Approve(t.Context(), r.Actors["rita"], reference, 1))
	nora, rita := r.As("nora"), r.As("rita")
	fragment := "/orders/" + reference + "/progress?seen=issuing"
	nora.Get("/orders/"+reference).Has(`data-refresh="`+fragment+`"`, "Auftrag zurückziehen").Lacks("data-over")
	nora.Get(fragment).Is(http.StatusOK).Has("data-refresh").Lacks("data-over")
	nora.Get("/orders/" + reference + "/progress?seen=review").Has("data-over")
	trial.Must(0, r.Order.Fulfil(t.Context(), trial.Must(r.Order.Server(t.Context(), r.Actors["nora"], reference)).ID))
	nora.Get(fragment).Has("data-over", "unter „Meine Zertifikate“").Lacks("data-refresh")
	nora.Get("/orders/"+reference).Has("ausgestellt").Lacks("data-over", "data-refresh", "Auftrag zurückziehen")
	rita.Get(fragment).Has("data-over", "in der Verwaltung").Lacks("Meine Zertifikate")
	rita.Get("/office/orders/" + reference).Has("in der Verwaltung").Lacks("unter „Meine Zertifikate“")
}

// TestAPageOnWhichPeopleWaitLooksAgain, slowly, on both sides, and only what is new
// is answered.
func TestAPageOnWhichPeopleWaitLooksAgain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	name := trial.Must(r.Org.AskName(t.Context(), r.Actors["nora"], r.Organisation, org.NameInput{Name: "neu.example"}))
	reference := r.Ordered("neu.example")
	nora, rita := r.As("nora"), r.As("rita")
	waits := func(state order.State) {
		t.Helper()
		fragment := fmt.Sprintf("/orders/%s/progress?seen=%s", reference, state)
		for _, a := range []sitetest.Answer{nora.Get("/orders/" + reference), rita.Get("/office/orders/" + reference)} {
			a.Has(`data-refresh="` + fragment + `" data-every="20"`).Lacks("data-over")
		}
		nora.Get(fragment).Is(http.StatusNoContent)
		rita.Get(fragment).Is(http.StatusNoContent)
		for _, other := range []order.State{order.Waiting, order.Received, order.Review, order.Returned} {
			if other != state {
				nora.Get(fmt.Sprintf("/orders/%s/progress?seen=%s", reference, other)).Is(http.StatusOK).Has("data-over")
			}
		}
	}
	waits(order.Waiting)
	trial.Must(0, r.Org.ValidateName(t.Context(), r.Actors["rita"], name, org.Check{Proof: org.Proof{Method: "DNS TXT", By: "Rita Amt", From: r.Clock.Now().Add(-time.Hour)}}))
	trial.Must(0, r.Order.Recheck(t.Context(), r.Organisation))
	waits(order.Received)
	trial.Must(0, r.Order.Take(t.Context(), r.Actors["rita"], reference))
	waits(order.Review)
	trial.Must(0, r.Order.Return(t.Context(), r.Actors["rita"], reference, order.Decision{Version: 1, Reason: "Bitte den Namen ändern"}))
	waits(order.Returned)
	trial.Must(0, r.Order.Withdraw(t.Context(), r.Actors["nora"], reference))
	nora.Get("/orders/"+reference).Lacks("data-refresh", "data-every")
}

// TestWhatGoesOnIsNotSaidWhenItIsOver: a certificate may come, or be revoked, before
// the page of the step that began it is made.
func TestWhatGoesOnIsNotSaidWhenItIsOver(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	said := func(reference string) string {
		return sitetest.German("serverorder.approved_done", "reference", reference)
	}
	rita, slow, fast := r.As("rita"), r.Ordered("www.uni.example"), r.Ordered("mail.uni.example")
	rita.Post("/office/orders/"+slow+"/approve", "version", "1").Is(http.StatusSeeOther).Follow().Has(said(slow))
	begun := rita.Post("/office/orders/"+fast+"/approve", "version", "1").Is(http.StatusSeeOther)
	trial.Must(0, r.Order.Fulfil(t.Context(), trial.Must(r.Order.Server(t.Context(), r.Actors["rita"], fast)).ID))
	begun.Follow().Has("ausgestellt").Lacks(said(fast))
	rita.Get("/office/orders/" + fast).Lacks(said(fast))
}
