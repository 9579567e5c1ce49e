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
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
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
	w.T.Helper()
	nora, ada, bob := w.enter("nora"), w.enter("ada"), w.enter("bob")
	w.Second() // so that nora has a list to choose from
	password := w.begin(nora, w.At(fmt.Sprintf("/organisations/%d", w.Organisation)))
	w.passOn(ada, w.takeUp(ada, bob), password)
}

// handOver has three browsers open at once: nora who gives, ada who receives,
// and bob whom it does not concern.
func (w *walk) handOver() {
	w.rita = w.enter("rita")
	nora, ada, bob := w.enter("nora"), w.enter("ada"), w.enter("bob")
	kept := w.Second()
	reference := w.Aged("www.uni.example")
	own := w.At(fmt.Sprintf("/organisations/%d", w.Organisation))
	password := w.begin(nora, own)
	link := w.takeUp(ada, bob)
	w.notYet(nora, ada, bob, own, link)
	w.passOn(ada, link, password)
	w.after(nora, ada, own, reference)
	nora.Goto(w.At(fmt.Sprintf("/organisations/%d", kept)))
	nora.Has("Sternwarte Probe", w.say("handover.change_lead"))
	nora.Fill(w.say("organisation.server_name"), "sternwarte.example")
	nora.Press(w.say("organisation.ask_button"))
	nora.Has("sternwarte.example")
}

// begin is nora's part: from the address to the session password, which she
// notes down.
func (w *walk) begin(nora *chromium.Page, own string) string {
	w.T.Helper()
	w.section(nora, "nav.organisations")
	nora.FollowIn("main", "Universität Probe")
	if got := nora.Value(w.say("handover.email")); got != sitetest.Email("nora") {
		w.T.Errorf("got %q to be edited, want the address of the contact", got)
	}
	nora.Fill(w.say("handover.email"), "nobody@uni.example")
	nora.Press(w.say("handover.change"))
	nora.Has(w.say("handover.email.unknown", "address", w.Base))
	nora.Fill(w.say("handover.email"), sitetest.Email("ada"))
	nora.Press(w.say("handover.change"))
	nora.Has(sitetest.People["ada"], w.say("handover.procedure"), w.say("handover.step_pass", "name", sitetest.People["ada"]))
	nora.Press(w.say("handover.begin"))
	nora.Has(w.say("handover.once_title"))
	password := sitetest.Grouped.FindString(nora.Text())
	if password == "" {
		w.T.Fatalf("no session password on\n%s", nora.Text())
	}
	if got := nora.Offers("main", w.say("handover.print")); got != nora.Scripts() {
		w.T.Errorf("got a button to print %t, want it where scripts run: %t", got, nora.Scripts())
	}
	nora.FollowIn("main", w.say("handover.passed"))
	if !strings.HasPrefix(nora.URL(), own) {
		w.T.Errorf("got %s, want the organisation's page", nora.URL())
	}
	nora.Lacks(password)
	nora.Has(w.say("handover.open_offered", "name", sitetest.People["ada"]))
	return password
}

// takeUp is ada's first part; bob, to whom the link was passed on, sees nothing.
func (w *walk) takeUp(ada, bob *chromium.Page) (link string) {
	w.T.Helper()
	link = w.HandoverLink(sitetest.Email("ada"))
	bob.Goto(w.At(link))
	if got, want := bob.Status(), http.StatusNotFound; got != want {
		w.T.Errorf("somebody else follows the link: got status %d, want %d", got, want)
	}
	bob.Has(w.say("handover.foreign_title"))
	bob.Lacks("Universität Probe")
	ada.Goto(w.reader + "/?to=" + sitetest.Email("ada"))
	ada.FollowIn("ol.mails li:first-child", sitetest.Email("ada"))
	ada.FollowIn("pre", w.Base+"/handovers/")
	ada.Has(w.say("handover.receive_title", "organisation", "Universität Probe"), sitetest.People["nora"], w.say("handover.means"))
	ada.Lacks(w.say("handover.finish"))
	ada.Press(w.say("handover.accept"))
	ada.Has(w.say("handover.accepted_done"), w.say("handover.password_lead", "name", sitetest.People["nora"]))
	return link
}

// notYet: between accepting and the session password everything is as before.
func (w *walk) notYet(nora, ada, bob *chromium.Page, own, link string) {
	w.T.Helper()
	nora.Reload()
	nora.Has(w.say("handover.open_accepted", "name", sitetest.People["ada"]))
	w.section(nora, "nav.start")
	nora.Has(sitetest.People["ada"], "Universität Probe")
	for who, p := range map[string]*chromium.Page{"ada": ada, "bob": bob} {
		p.Goto(own)
		if got, want := p.Status(), http.StatusNotFound; got != want {
			w.T.Errorf("%s sees the organisation before the end: got status %d, want %d", who, got, want)
		}
	}
	bob.Goto(w.At(link))
	if got, want := bob.Status(), http.StatusNotFound; got != want {
		w.T.Errorf("somebody else after the acceptance: got status %d, want %d", got, want)
	}
}

// passOn is ada's second part: wrong once, then as she heard it.
func (w *walk) passOn(ada *chromium.Page, link, password string) {
	w.T.Helper()
	ada.Goto(w.At(link))
	ada.Fill(w.say("handover.password"), "ABCD-ABCD-ABCD-ABCD")
	ada.Press(w.say("handover.finish"))
	ada.Has(w.say("handover.password.wrong", "n", 4))
	ada.Fill(w.say("handover.password"), strings.NewReplacer("-", " ", "0", "o", "1", "I").Replace(strings.ToLower(password)))
	ada.Press(w.say("handover.finish"))
	ada.Has(w.say("handover.finished", "organisation", "Universität Probe"), w.say("handover.event_done", "name", sitetest.People["ada"]))
}

// after: ada downloads what was issued before and renews it; for nora it is gone.
func (w *walk) after(nora, ada *chromium.Page, own, reference string) {
	w.T.Helper()
	for _, path := range []string{own, w.At("/certificates/" + reference), w.At("/certificates/" + reference + "/renew")} {
		nora.Goto(path)
		if got, want := nora.Status(), http.StatusNotFound; got != want {
			w.T.Errorf("the old contact opens %s: got status %d, want %d", path, got, want)
		}
	}
	w.section(ada, "nav.certificates")
	ada.FollowIn("main", reference)
	ada.Has("www.uni.example")
	file := w.As("ada").Get("/certificates/" + reference + "/x509chain.pem").Is(http.StatusOK)
	block, _ := pem.Decode([]byte(file.Content))
	if block == nil {
		w.T.Fatalf("the chain file holds no PEM:\n%s", file.Content)
	}
	if leaf := trial.Must(x509.ParseCertificate(block.Bytes)); leaf.VerifyHostname("www.uni.example") != nil {
		w.T.Errorf("got a chain file for %v, want www.uni.example first", leaf.DNSNames)
	}
	w.As("nora").Get("/certificates/" + reference + "/x509chain.pem").Is(http.StatusNotFound)
	ada.FollowIn("main", w.say("server.renew"))
	ada.Press(w.say("serverorder.next"))
	ada.Press(w.say("serverorder.check_button"))
	renewal := w.submit(ada)
	w.decide(renewal, "").Press(w.say("serverorder.approve"))
	w.Until("the renewal is issued", func() bool {
		return trial.Must(w.Order.Server(w.T.Context(), w.Actors["ada"], renewal)).State == order.Issued
	})
	ada.Goto(w.At("/certificates/" + renewal))
	ada.Has("www.uni.example", w.say("cert.state_valid"))
}
