package site_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/sheet"
	"petschaft/internal/trial"
)

// sample is a file as mail systems and Excel write them.
func sample(name string) []byte {
	return trial.Must(os.ReadFile(filepath.Join("..", "sheet", "testdata", name)))
}

func TestTheImportJourneyWithScript(t *testing.T) { t.Parallel(); newWalk(t, "de").importing() }

func TestTheImportJourneyWithoutScript(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "de", chromium.NoScript)
	sven := w.enter("sven")
	w.systemExport(sven)
	w.tooLarge(sven)
}

func TestTheImportJourneyInEnglishOnATelephone(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "en", chromium.Wide(360))
	w.systemExport(w.enter("sven"))
}

// importing: each sample becomes a plan and then rows; one is undone.
func (w *walk) importing() {
	sven := w.enter("sven")
	w.systemExport(sven)
	w.sameAgain(sven)
	w.takenBack(sven)
	w.braked(sven)
	w.tooLarge(sven)

	w.enter("niko") // an account begins with the first sign-in
	w.officer()
	w.faulty(w.enter("niko"))
}

// upload brings a file to a domain and leads to how it was understood.
func (w *walk) upload(p *chromium.Page, domain, name string, content []byte) {
	w.T.Helper()
	w.section(p, "nav.email_domains")
	p.FollowIn("main", domain)
	p.FollowIn("main", w.say("import.title"))
	p.Attach(w.say("import.file_label"), name, content)
	p.Press(w.say("import.upload"))
	p.Has(w.say("import.reading_title", "file", name))
}

// plan makes the plan and waits for it.
func (w *walk) plan(p *chromium.Page) {
	w.T.Helper()
	p.Press(w.say("import.make_plan"))
	p.Await(w.say("import.will"))
}

// systemExport: the umlauts of an old file are corrected, spoilt and corrected
// again; then it is applied, and its people get their challenges.
func (w *walk) systemExport(p *chromium.Page) {
	w.upload(p, "institut.example", "network-export.csv", sample("network-export.csv"))
	p.Has("Müller", "O'Brien-Schäfer", "seit 2019; Büro 204")
	p.Pick(w.say("import.encoding"), w.say("import.encoding_utf8"))
	p.Press(w.say("import.preview"))
	p.Lacks("Müller")
	p.Pick(w.say("import.encoding"), w.say("import.encoding_1252"))
	p.Press(w.say("import.make_plan")) // with columns of the other reading: they are shown once more
	p.Has(w.say("import.format_changed"), "Müller")
	w.plan(p)
	p.Has(w.say("import.will_add", "n", 7), w.say("import.leaves_skipped", "n", 2), w.say("import.no_mail"), "Müller, Jürgen", "Öykü")
	last := w.newest()
	p.Press(w.say("import.apply_add", "n", 7))
	p.Await(w.say("import.applied_text", "added", 7, "changed", 0))
	p.Has(w.say("import.legend_added"))
	if got := w.newest(); got != last {
		w.T.Errorf("the import sent a mail")
	}
	at := p.URL()
	p.Press(w.say("import.challenge_new", "n", 7))
	p.Has("Müller, Jürgen", "Prüfungsamt")
	p.Press(w.say("bulk.verb_challenge"))
	for range 12 { // the portal's time stands still, and so does the pace
		w.Clock.Advance(10 * time.Second)
		w.pacedOut(p)
	}
	p.Await(w.say("bulk.over"))
	w.Rig.Link("oeykue.zeta@institut.example", last)
	w.Rig.Link("strasse@institut.example", last)
	p.Goto(at)
}

// sameAgain: the same file once more changes nothing, and is thrown away.
func (w *walk) sameAgain(p *chromium.Page) {
	w.upload(p, "institut.example", "noch einmal.csv", sample("network-export.csv"))
	w.plan(p)
	p.Has(w.say("mailbox.import.nothing"), w.say("import.leaves_unchanged", "n", 7))
	if p.Offers("", w.say("import.apply_add", "n", 7)) {
		w.T.Error("a plan that does nothing can be applied")
	}
	p.Press(w.say("import.discard"))
	p.Has(w.say("import.discarded_done", "file", "noch einmal.csv"), w.say("import.state_discarded"), "network-export.csv")
}

// takenBack: Excel's own format is understood, applied, and undone.
func (w *walk) takenBack(p *chromium.Page) {
	w.upload(p, "institut.example", "excel-utf16.csv", sample("excel-utf16.csv"))
	w.plan(p)
	p.Has(w.say("import.will_add", "n", 1), "Weiß, Änne", w.say("import.missing_button", "n", 7))
	p.Press(w.say("import.apply_add", "n", 1))
	p.Await(w.say("import.applied_text", "added", 1, "changed", 0))
	at := p.URL()
	p.Follow(w.say("import.missing_button", "n", 7))
	p.Has(w.say("import.missing_title"), "Müller, Jürgen", w.say("import.missing_deactivate", "n", 7))
	p.Goto(at)
	p.Follow(w.say("import.undo"))
	p.Has(w.say("import.undo_what", "n", 1))
	p.Press(w.say("import.undo"))
	p.Await(w.say("import.undone_text"))
	w.section(p, "nav.email_domains")
	p.FollowIn("main", "institut.example")
	p.Lacks("Weiß, Änne")
	p.Has("Müller, Jürgen")
}

// braked: a plan that changes many rows wants their number, and shows what
// changes; somebody who edits one of them meanwhile is not overwritten.
func (w *walk) braked(p *chromium.Page) {
	changed := strings.NewReplacer("14.03.2027", "verl\xe4ngert", "seit 2019; B", "ab 2020; B").Replace(string(sample("network-export.csv")))
	w.upload(p, "institut.example", "neue Kommentare.csv", []byte(changed))
	w.plan(p)
	p.Has(w.say("import.will_change", "n", 2), w.say("import.brake", "n", 2, "of", 7), "14.03.2027", "verlängert", "ab 2020; Büro 204")
	at := p.URL()
	p.Press(w.say("import.apply_change", "n", 2))
	if got, want := p.Status(), http.StatusUnprocessableEntity; got != want {
		w.T.Errorf("applied without the number: got status %d, want %d", got, want)
	}
	p.Has(w.say("mailbox.import.number"))

	other := w.enter("sven") // another tab
	w.section(other, "nav.email_domains")
	other.FollowIn("main", "institut.example")
	other.FollowIn("main", "Müller, Jürgen")
	other.FollowIn("main", w.say("row.edit"))
	other.Fill(w.say("rows.comment"), "von Hand")
	other.Press(w.say("form.save"))
	other.Has(w.say("rows.saved"))

	p.Goto(at)
	p.Fill(w.say("import.number"), "2")
	p.Press(w.say("import.apply_change", "n", 2))
	p.Await(w.say("mailbox.import.trouble_meanwhile"))
	p.Has(w.say("import.class_faulty"), "Müller, Jürgen", w.say("mailbox.import.meanwhile"))
	p.Press(w.say("import.again"))
	p.Await(w.say("import.brake", "n", 2, "of", 7))
	p.Has("von Hand")
	p.Fill(w.say("import.number"), "2")
	p.Press(w.say("import.apply_change", "n", 2))
	p.Await(w.say("import.applied_text", "added", 0, "changed", 2))
	p.Has(w.say("import.legend_edited"))
}

// tooLarge: a file over the limit is refused, by the script before it is sent,
// else on a page that the browser really shows. With scripts, a file can be
// dragged onto the page.
func (w *walk) tooLarge(p *chromium.Page) {
	const heading = "Anzeigename;Primäre E-Mail;Postfachtyp\r\n"
	words := w.say("sheet.too_many_bytes", "max", sheet.MaxBytes>>20)
	p.Goto(w.At("/email-domains/institut.example/imports"))
	p.Attach(w.say("import.file_label"), "groß.csv", []byte(strings.Repeat(heading, sheet.MaxBytes/len(heading)+1)))
	if p.Scripts() {
		p.Await(words)
		p.Drag(w.say("import.file_label"), "gezogen.csv", heading+"Gezogen, Gerda;gerda@institut.example;persönlich\r\n")
		p.Lacks(words)
		p.Press(w.say("import.upload"))
		p.Has(w.say("import.reading_title", "file", "gezogen.csv"), "Gezogen, Gerda")
		return
	}
	p.Press(w.say("import.upload"))
	if got, want := p.Status(), http.StatusRequestEntityTooLarge; got != want {
		w.T.Errorf("a file over the limit: got status %d, want %d", got, want)
	}
	p.Has(words)
}

// faulty: German headings, and lines with every fault, each with its number; the
// good ones go in.
func (w *walk) faulty(p *chromium.Page) {
	w.upload(p, "fakultaet.example", "faults-german-headers.csv", sample("faults-german-headers.csv"))
	w.plan(p)
	p.Has(w.say("import.will_add", "n", 3), w.say("mailbox.primary.domain", "domain", "fakultaet.example"), "max@anderswo.example", w.say("mailbox.alias.many"))
	file := string(p.Save(w.say("import.faults_file")))
	for _, words := range []string{w.say("import.why"), "Fremd, Max", w.say("mailbox.alias.many")} {
		if !strings.Contains(file, words) {
			w.T.Errorf("the file of faults lacks %q:\n%s", words, file)
		}
	}
	p.FollowIn("nav.chips", w.say("import.class_new"))
	p.Has("=HYPERLINK", w.say("mailbox.import.hint_applicant"))
	p.Press(w.say("import.apply_add", "n", 3))
	p.Await(w.say("import.applied_text", "added", 3, "changed", 0))
}
