package site_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	chromium "petschaft/internal/browser"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/text"
	"petschaft/internal/trial"
)

func TestTheJourneyOfAnOrderWithScript(t *testing.T) { t.Parallel(); newWalk(t, "de").orders() }

func TestTheJourneyOfAnOrderWithoutScript(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "de", chromium.NoScript)
	w.byRule(w.oneOrder())
}

func TestTheJourneyOfAnOrderInEnglishOnATelephone(t *testing.T) {
	t.Parallel()
	newWalk(t, "en", chromium.Wide(360)).oneOrder()
}

// oneOrder is the short way, for nora.
func (w *walk) oneOrder() *chromium.Page {
	w.T.Helper()
	w.rita = w.enter("rita")
	nora := w.enter("nora")
	w.fulfil(nora, w.order(nora, "www.uni.example"))
	return nora
}

// orders is the technical contact nora and the officer rita, from a name that is
// not validated to a certificate, its renewal, and all that can come between.
func (w *walk) orders() {
	w.rita = w.enter("rita")
	nora := w.enter("nora")
	reference := w.waits(nora)
	w.fulfil(nora, reference)
	w.renewed(nora, reference)
	w.correct(nora)
	w.refused(nora)
	w.withdrawn(nora)
	w.byRule(nora)
}

// order leads nora through the steps and returns the order's reference number.
func (w *walk) order(p *chromium.Page, names ...string) string {
	w.T.Helper()
	w.filledIn(p, names...)
	return w.submit(p)
}

// filledIn leads nora to the summary of an order.
func (w *walk) filledIn(p *chromium.Page, names ...string) {
	w.T.Helper()
	_, csr := sitetest.NewKey(names[0])
	w.section(p, "nav.orders")
	p.FollowIn("main", w.say("serverorder.new"))
	w.ownRequest(p)
	p.Fill(w.say("apply.csr"), csr)
	p.Press(w.say("serverorder.next"))
	p.Has(names[0], "EC P-256")
	p.Fill(w.say("server.names"), strings.Join(names, "\n"))
	if len(names) > 1 {
		p.Choose(w.say("server.product_multi"))
	} else {
		p.Choose(w.say("server.product_single"))
	}
	p.Press(w.say("serverorder.check_button"))
	p.Has(append(names, w.say("serverorder.checks"))...)
}

// submit presses the last button; going back and pressing it again leads to the
// same order.
func (w *walk) submit(p *chromium.Page) string {
	w.T.Helper()
	p.Press(w.say("serverorder.submit"))
	reference := p.URL()[strings.LastIndex(p.URL(), "/")+1:]
	if _, ok := text.ParseReference(reference); !ok {
		w.T.Fatalf("after submitting: got %s, want the order's page", p.URL())
	}
	p.Has(w.say("serverorder.submitted_done", "reference", reference))
	return reference
}

// decide opens the order as rita from the office's list.
func (w *walk) decide(reference, filter string) *chromium.Page {
	w.T.Helper()
	p := w.rita
	w.section(p, "nav.office")
	p.FollowIn("main", w.say("office.orders"))
	if filter != "" {
		p.FollowIn("main", w.say(filter))
	}
	p.FollowIn("main", reference)
	p.Has(w.say("serverorder.checks"))
	return p
}

// waits is an order whose name is only asked for; an officer validates it.
func (w *walk) waits(nora *chromium.Page) string {
	w.T.Helper()
	name := trial.Must(w.Org.AskName(w.T.Context(), w.Actors["nora"], w.Organisation, org.NameInput{Name: "neu.example"}))
	reference := w.order(nora, "www.neu.example", "www.uni.example")
	nora.Has(w.say("serverorder.waits_name"))
	p := w.decide(reference, "serverorder.which_waiting")
	p.Has(w.say("serverorder.wait"))
	if p.Offers("main", w.say("serverorder.approve")) {
		w.T.Error("an order with a name that is not validated can be approved")
	}
	trial.Must(0, w.Org.ValidateName(w.T.Context(), w.Actors["rita"], name, org.Check{Proof: org.Proof{Method: "DNS TXT", By: "Rita Amt", From: w.Clock.Now().Add(-time.Hour)}}))
	trial.Must(0, w.Order.Recheck(w.T.Context(), w.Organisation))
	nora.Reload()
	nora.Has(w.say("serverorder.waits_office"))
	return reference
}

// fulfil approves the order and waits for its certificate.
func (w *walk) fulfil(nora *chromium.Page, reference string) {
	w.T.Helper()
	p := w.decide(reference, "")
	p.Press(w.say("serverorder.take"))
	p.Has(w.say("serverorder.state_review"))
	p.Press(w.say("serverorder.approve")) // what it says depends on how fast the certificate comes
	w.section(nora, "nav.orders")
	w.Until("the certificate is there", func() bool {
		return trial.Must(w.Order.Server(w.T.Context(), w.Actors["nora"], reference)).State == order.Issued
	})
	if p.Scripts() { // what was said of the step before is not said beside what is so now
		p.Await(w.say("order.issued_title"))
		p.Lacks(w.say("serverorder.approved_done", "reference", reference))
	}
	nora.Goto(w.At("/orders/" + reference))
	nora.Has(w.say("order.issued_title"))
	nora.FollowIn("main", w.say("order.to_certificate"))
	nora.Has(reference, w.say("cert.state_valid"))
	w.section(nora, "nav.orders")
	nora.Lacks(reference)
}

// renewed asks for the same key once more, when the time has come.
func (w *walk) renewed(nora *chromium.Page, reference string) {
	w.T.Helper()
	if nora.Goto(w.At("/certificates/" + reference)); nora.Offers("main", w.say("server.renew")) {
		w.T.Error("a fresh certificate can be renewed")
	}
	old := w.Aged("www.uni.example", "mail.uni.example")
	nora.Goto(w.At("/certificates/" + old))
	nora.FollowIn("main", w.say("server.renew"))
	nora.Press(w.say("serverorder.next"))
	if got := nora.Value(w.say("server.names")); !strings.Contains(got, "mail.uni.example") {
		w.T.Errorf("got the names %q, want those of the old certificate", got)
	}
	nora.Choose(w.say("server.product_multi"))
	nora.Press(w.say("serverorder.check_button"))
	next := w.submit(nora)
	nora.Goto(w.At("/certificates/" + old + "/renew"))
	if got, want := nora.Status(), http.StatusConflict; got != want {
		w.T.Errorf("a renewal that is under way, asked for again: got status %d, want %d", got, want)
	}
	w.fulfil(nora, next)
	nora.Goto(w.At("/certificates/" + old))
	nora.Has(w.say("server.state_replaced"), next)
}

// correct is an order that comes back, with a reason.
func (w *walk) correct(nora *chromium.Page) {
	w.T.Helper()
	reference, last := w.order(nora, "www.uni.example"), w.newest()
	p := w.decide(reference, "")
	p.FollowIn("main", w.say("serverorder.return"))
	p.Press(w.say("serverorder.return"))
	p.Has(w.say("field.required"))
	p.Fill(w.say("serverorder.reason"), "Bitte auch ohne www")
	p.Press(w.say("serverorder.return"))
	p.Has(w.say("serverorder.returned_done", "reference", reference))
	_ = last
	w.section(nora, "nav.start")
	nora.Has(w.say("start.order_returned", "reference", reference, "name", "www.uni.example"))
	w.section(nora, "nav.orders")
	nora.FollowIn("main", reference)
	nora.Has("Bitte auch ohne www", w.say("serverorder.waits_you"))
	nora.FollowIn("main", w.say("serverorder.correct_verb"))
	nora.Press(w.say("serverorder.next"))
	nora.Fill(w.say("server.names"), "www.uni.example, uni.example")
	nora.Press(w.say("serverorder.check_button"))
	nora.Has(w.say("serverorder.names.many", "n", 1))
	nora.Choose(w.say("server.product_multi"))
	nora.Press(w.say("serverorder.check_button"))
	nora.Press(w.say("serverorder.submit"))
	nora.Has(w.say("serverorder.corrected", "reference", reference))
	w.fulfil(nora, reference)
}

// refused ends with a reason, and stays to be found.
func (w *walk) refused(nora *chromium.Page) {
	w.T.Helper()
	reference := w.order(nora, "spiele.uni.example")
	p := w.decide(reference, "")
	p.FollowIn("main", w.say("serverorder.reject_verb"))
	p.Fill(w.say("serverorder.reason"), "Nicht für Spiele")
	p.Press(w.say("serverorder.reject_verb"))
	p.Has(w.say("serverorder.rejected_done", "reference", reference))
	w.section(nora, "nav.orders")
	nora.Lacks(reference)
	nora.FollowIn("main", w.say("serverorder.which_rejected"))
	nora.FollowIn("main", reference)
	nora.Has("Nicht für Spiele")
}

func (w *walk) withdrawn(nora *chromium.Page) {
	w.T.Helper()
	reference := w.order(nora, "weg.uni.example")
	nora.FollowIn("main", w.say("serverorder.withdraw_verb"))
	nora.Press(w.say("serverorder.withdraw_verb"))
	nora.Has(w.say("serverorder.withdrawn_done", "reference", reference))
	if nora.Offers("main", w.say("serverorder.withdraw_verb")) {
		w.T.Error("a withdrawn order can be withdrawn again")
	}
}

// allNew looks at what stood on the page of an order that was issued meanwhile: the
// badge, the steps, the buttons, the counter in the menu, all without loading it.
func (w *walk) allNew(nora *chromium.Page) {
	w.T.Helper()
	for what, want := range map[string]string{
		`document.body.dataset.stays`:                                    "yes",
		`document.querySelector("main .head .state").textContent.trim()`: w.say("serverorder.state_issued"),
		`document.querySelectorAll("main .steps li:not(.done)").length`:  "0",
		`document.querySelectorAll(".top .count").length`:                "0",
	} {
		if got := nora.Run("String(" + what + ")"); got != want {
			w.T.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	if nora.Offers("main", w.say("serverorder.withdraw_verb")) {
		w.T.Error("what is issued can be withdrawn")
	}
}

// byRule needs nobody: the organisation's rule approves.
func (w *walk) byRule(nora *chromium.Page) {
	w.T.Helper()
	trial.Must(0, w.Org.EditOrganisation(w.T.Context(), w.Actors["rita"], w.Organisation, org.OrganisationInput{Name: "Universität Probe", Country: "DE", AutoApprove: true}))
	w.filledIn(nora, "sofort.uni.example")
	trial.Must(0, w.Pool.Tx(w.T.Context(), func(tx pgx.Tx) error {
		_, err := tx.Exec(w.T.Context(), `lock table certificate in share mode`) // nothing is issued before she has seen the page
		w.submit(nora)
		nora.Has(w.say("serverorder.waits_authority"))
		if nora.Scripts() {
			nora.Run(`document.body.dataset.stays = "yes"`)
		}
		return err
	}))
	if nora.Scripts() {
		nora.Await(w.say("order.issued_title")) // by itself
	}
	nora.Await(w.say("serverorder.issued_text"))
	if nora.Scripts() {
		w.allNew(nora)
	}
	nora.FollowIn("main", w.say("order.to_certificate"))
	nora.Has("sofort.uni.example", w.say("cert.state_valid"))
}
