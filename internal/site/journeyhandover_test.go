package site_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"

	chromium "petschaft/internal/browser"
	"petschaft/internal/order"
)

func TestTheJourneyOfAHandoverWithScript(t *testing.T) {
	t.Parallel()
	newWalk(t, "de").handOver()
}

func TestTheJourneyOfAHandoverWithoutScript(t *testing.T) {
	t.Parallel()
	newWalk(t, "de", chromium.NoScript).passed()
}

func TestTheJourneyOfAHandoverInEnglishOnATelephone(t *testing.T) {
	t.Parallel()
	newWalk(t, "en", chromium.Wide(360)).passed()
}

// passed is the short way of nora's organisation to ada.
func (w *walk) passed() {
	w.t.Helper()
	nora, ada, bob := w.enter("nora"), w.enter("ada"), w.enter("bob")
	w.second() // so that nora has a list to choose from
	password := w.begin(nora, w.at(fmt.Sprintf("/organisations/%d", w.organisation)))
	w.passOn(ada, w.takeUp(ada, bob), password)
}

// handOver has three browsers open at once: nora who gives, ada who receives,
// and bob whom it does not concern.
func (w *walk) handOver() {
	w.rita = w.enter("rita")
	nora, ada, bob := w.enter("nora"), w.enter("ada"), w.enter("bob")
	kept := w.second()
	reference := w.aged("www.uni.example")
	own := w.at(fmt.Sprintf("/organisations/%d", w.organisation))
	password := w.begin(nora, own)
	link := w.takeUp(ada, bob)
	w.notYet(nora, ada, bob, own, link)
	w.passOn(ada, link, password)
	w.after(nora, ada, own, reference)
	nora.Goto(w.at(fmt.Sprintf("/organisations/%d", kept)))
	nora.Has("Sternwarte Probe", w.say("handover.change_lead"))
	nora.Fill(w.say("organisation.server_name"), "sternwarte.example")
	nora.Press(w.say("organisation.ask_button"))
	nora.Has("sternwarte.example")
}

// begin is nora's part: from the address to the session password, which she
// notes down.
func (w *walk) begin(nora *chromium.Page, own string) string {
	w.t.Helper()
	w.section(nora, "nav.organisations")
	nora.FollowIn("main", "Universität Probe")
	if got := nora.Value(w.say("handover.email")); got != email("nora") {
		w.t.Errorf("got %q to be edited, want the address of the contact", got)
	}
	nora.Fill(w.say("handover.email"), "nobody@uni.example")
	nora.Press(w.say("handover.change"))
	nora.Has(w.say("handover.email.unknown", "address", w.base))
	nora.Fill(w.say("handover.email"), email("ada"))
	nora.Press(w.say("handover.change"))
	nora.Has(names["ada"], w.say("handover.procedure"), w.say("handover.step_pass", "name", names["ada"]))
	nora.Press(w.say("handover.begin"))
	nora.Has(w.say("handover.once_title"))
	password := grouped.FindString(nora.Text())
	if password == "" {
		w.t.Fatalf("no session password on\n%s", nora.Text())
	}
	if got := nora.Offers("main", w.say("handover.print")); got != nora.Scripts() {
		w.t.Errorf("got a button to print %t, want it where scripts run: %t", got, nora.Scripts())
	}
	nora.FollowIn("main", w.say("handover.passed"))
	if !strings.HasPrefix(nora.URL(), own) {
		w.t.Errorf("got %s, want the organisation's page", nora.URL())
	}
	nora.Lacks(password)
	nora.Has(w.say("handover.open_offered", "name", names["ada"]))
	return password
}

// takeUp is ada's first part; bob, to whom the link was passed on, sees nothing.
func (w *walk) takeUp(ada, bob *chromium.Page) (link string) {
	w.t.Helper()
	link = w.handoverLink(email("ada"))
	bob.Goto(w.at(link))
	if got, want := bob.Status(), http.StatusNotFound; got != want {
		w.t.Errorf("somebody else follows the link: got status %d, want %d", got, want)
	}
	bob.Has(w.say("handover.foreign_title"))
	bob.Lacks("Universität Probe")
	ada.Goto(w.reader + "/?to=" + email("ada"))
	ada.FollowIn("ol.mails li:first-child", email("ada"))
	ada.FollowIn("pre", w.base+"/handovers/")
	ada.Has(w.say("handover.receive_title", "organisation", "Universität Probe"), names["nora"], w.say("handover.means"))
	ada.Lacks(w.say("handover.finish"))
	ada.Press(w.say("handover.accept"))
	ada.Has(w.say("handover.accepted_done"), w.say("handover.password_lead", "name", names["nora"]))
	return link
}

// notYet: between accepting and the session password everything is as before.
func (w *walk) notYet(nora, ada, bob *chromium.Page, own, link string) {
	w.t.Helper()
	nora.Reload()
	nora.Has(w.say("handover.open_accepted", "name", names["ada"]))
	w.section(nora, "nav.start")
	nora.Has(names["ada"], "Universität Probe")
	for who, p := range map[string]*chromium.Page{"ada": ada, "bob": bob} {
		p.Goto(own)
		if got, want := p.Status(), http.StatusNotFound; got != want {
			w.t.Errorf("%s sees the organisation before the end: got status %d, want %d", who, got, want)
		}
	}
	bob.Goto(w.at(link))
	if got, want := bob.Status(), http.StatusNotFound; got != want {
		w.t.Errorf("somebody else after the acceptance: got status %d, want %d", got, want)
	}
}

// passOn is ada's second part: wrong once, then as she heard it.
func (w *walk) passOn(ada *chromium.Page, link, password string) {
	w.t.Helper()
	ada.Goto(w.at(link))
	ada.Fill(w.say("handover.password"), "ABCD-ABCD-ABCD-ABCD")
	ada.Press(w.say("handover.finish"))
	ada.Has(w.say("handover.password.wrong", "n", 4))
	ada.Fill(w.say("handover.password"), strings.NewReplacer("-", " ", "0", "o", "1", "I").Replace(strings.ToLower(password)))
	ada.Press(w.say("handover.finish"))
	ada.Has(w.say("handover.finished", "organisation", "Universität Probe"), w.say("handover.event_done", "name", names["ada"]))
}

// after: ada downloads what was issued before and renews it; for nora it is gone.
func (w *walk) after(nora, ada *chromium.Page, own, reference string) {
	w.t.Helper()
	for _, path := range []string{own, w.at("/certificates/" + reference), w.at("/certificates/" + reference + "/renew")} {
		nora.Goto(path)
		if got, want := nora.Status(), http.StatusNotFound; got != want {
			w.t.Errorf("the old contact opens %s: got status %d, want %d", path, got, want)
		}
	}
	w.section(ada, "nav.certificates")
	ada.FollowIn("main", reference)
	ada.Has("www.uni.example")
	file := w.as("ada").get("/certificates/" + reference + "/x509chain.pem").status(http.StatusOK)
	block, _ := pem.Decode([]byte(file.body))
	if block == nil {
		w.t.Fatalf("the chain file holds no PEM:\n%s", file.body)
	}
	if leaf := must(x509.ParseCertificate(block.Bytes)); leaf.VerifyHostname("www.uni.example") != nil {
		w.t.Errorf("got a chain file for %v, want www.uni.example first", leaf.DNSNames)
	}
	w.as("nora").get("/certificates/" + reference + "/x509chain.pem").status(http.StatusNotFound)
	ada.FollowIn("main", w.say("server.renew"))
	ada.Press(w.say("serverorder.next"))
	ada.Press(w.say("serverorder.check_button"))
	renewal := w.submit(ada)
	w.decide(renewal, "").Press(w.say("serverorder.approve"))
	w.until("the renewal is issued", func() bool {
		return must(w.Order.Server(w.t.Context(), w.actors["ada"], renewal)).State == order.Issued
	})
	ada.Goto(w.at("/certificates/" + renewal))
	ada.Has("www.uni.example", w.say("cert.state_valid"))
}
