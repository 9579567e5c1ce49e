package site_test

import (
	"strings"
	"testing"

	chromium "petschaft/internal/browser"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheJourneyOfWhatIsTyped(t *testing.T) { t.Parallel(); newWalk(t, "de").typing() }

func TestTheJourneyOfWhatIsTypedWithoutScript(t *testing.T) {
	t.Parallel()
	newWalk(t, "de", chromium.NoScript).typing()
}

// typing is nora, who orders a certificate and edits a row, and whose words outlive
// everything that may come between.
func (w *walk) typing() {
	p := w.enter("nora")
	w.keptOrder(p)
	id, row := w.Add("erika.muster")
	p.Goto(w.At(row + "/edit"))
	p.Fill(w.say("rows.name"), "Halb getippt")
	w.speaks(p, "en")
	w.stands(p, "rows.name", "Halb getippt")
	p.Enter(w.say("rows.name")) // which saves, and does not change the language back
	p.Has("Halb getippt", w.say("rows.saved"))

	p.Goto(w.At("/email-domains/uni.example"))
	p.Fill(w.say("rows.search"), "niemand")
	w.speaks(p, "de")
	w.stands(p, "rows.search", "niemand")

	p.Goto(w.At(row + "/edit"))
	p.Fill(w.say("rows.name"), "Zu spät")
	p.Fill(w.say("row.comment"), "Das tippe ich nicht noch einmal")
	trial.Must(0, w.Mailbox.Delete(w.T.Context(), w.Actors["nora"], "uni.example", id))
	p.Press(w.say("form.save"))
	p.Has(w.say("kept.gone_what"), w.say("row.comment"))
	p.Look("eine Zeile, die es nicht mehr gibt")
	w.stands(p, "row.comment", "Das tippe ich nicht noch einmal")
	w.speaks(p, "en")
	w.stands(p, "row.comment", "Das tippe ich nicht noch einmal")
	w.speaks(p, "de")
}

// keptOrder is an order with a key made in the browser, where it can make one:
// through languages, back, a reload and the end of a session.
func (w *walk) keptOrder(p *chromium.Page) {
	_, csr := sitetest.NewKey("www.uni.example")
	p.Goto(w.At("/orders/new"))
	if p.Scripts() {
		p.Await(w.say("key.browser"))
		p.Fill(w.say("key.server"), "www.uni.example")
		w.speaks(p, "en")
		p.Await(w.say("key.browser"))
		w.stands(p, "key.server", "www.uni.example")
		p.Download(w.say("key.make_file"))
		p.Await(w.say("key.file_saved"))
		csr = p.Run(`document.querySelector("[name=csr]").value`)
	} else {
		p.Fill(w.say("apply.csr"), csr)
		w.speaks(p, "en")
		w.stands(p, "apply.csr", csr)
	}
	w.speaks(p, "de")
	w.stands(p, "apply.csr", csr)
	p.Press(w.say("serverorder.next"))
	p.Fill(w.say("serverorder.comment"), "Bitte bald")
	w.speaks(p, "en")
	w.stands(p, "serverorder.comment", "Bitte bald")
	w.stands(p, "server.names", "www.uni.example")
	p.Look("the step of names in another language")
	p.Press(w.say("serverorder.check_button"))
	p.Has("Bitte bald", w.say("serverorder.checks"))
	p.Back()
	w.stands(p, "serverorder.comment", "Bitte bald")
	p.Reload()
	w.stands(p, "serverorder.comment", "Bitte bald")
	p.Press(w.say("serverorder.check_button"))
	w.speaks(p, "de")
	p.Has("Bitte bald", w.say("serverorder.checks"))

	trial.Must(w.Pool.Exec(w.T.Context(), `update login set ended = $1`, w.Clock.Now()))
	p.Press(w.say("serverorder.submit"))
	p.Has(w.say("signin.over_kept"))
	p.Look("eine Sitzung, die vorbei ist")
	p.Press(w.say("signin.over_button"))
	p.Press(sitetest.People["nora"])
	p.Has("Bitte bald", w.say("serverorder.checks"), w.say("kept.shown"))
	w.submit(p)
}

// speaks changes the language.
func (w *walk) speaks(p *chromium.Page, lang string) {
	w.T.Helper()
	names := map[string]string{"de": w.say("frame.german"), "en": w.say("frame.english")}
	p.Press(strings.ToUpper(lang) + " " + names[lang])
	w.lang = lang
}

// stands fails unless the field labelled by the message label holds text.
func (w *walk) stands(p *chromium.Page, label, text string) {
	w.T.Helper()
	if got := strings.TrimSpace(p.Value(w.say(label))); got != strings.TrimSpace(text) {
		w.T.Errorf("%s, %s: got %q, want %q", p.URL(), w.say(label), got, text)
	}
}
