package site_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheJourneyOfManyRowsWithScript(t *testing.T) { t.Parallel(); newWalk(t, "de").many() }

func TestTheJourneyOfManyRowsWithoutScript(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "de", chromium.NoScript)
	w.challenged(w.enter("nora"))
}

func TestTheJourneyOfManyRowsInEnglishOnATelephone(t *testing.T) {
	t.Parallel()
	w := newWalk(t, "en", chromium.Wide(360))
	w.challenged(w.enter("nora"))
}

// challenged challenges some of a domain's rows at once, and looks at the pages
// where scripts run.
func (w *walk) challenged(p *chromium.Page) {
	w.T.Helper()
	look := func(name string) {
		if p.Scripts() && w.lang == "de" { // one of the three is enough: it looks at every width
			p.Look(name)
		}
	}
	for i, name := range []string{"Adler, Ada", "Bach, Bob", "Clausen-von der Heyden, Christiane Maria", "Dorn, Dirk", "Prüfungsamt", "Zander, Zora"} {
		w.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: fmt.Sprintf("person.mit.langem.namen%d@uni.example", i)})
	}
	gone, _ := w.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Weg, Willi", Primary: "weg@uni.example"})
	trial.Must(0, w.Mailbox.Deactivate(w.T.Context(), w.Actors["nora"], "uni.example", gone))
	table := w.At("/email-domains/uni.example")
	p.Goto(table)
	if got := p.Offers("main", w.say("bulk.next")); got == p.Scripts() {
		w.T.Errorf("before anything is ticked: the bar is there: %v, with scripts: %v", got, p.Scripts())
	}
	for _, name := range []string{"Adler, Ada (person.mit.langem.namen0@uni.example)", "Bach, Bob (person.mit.langem.namen1@uni.example)", "Weg, Willi (weg@uni.example)"} {
		p.Choose(w.say("bulk.tick_row", "name", name))
	}
	if p.Scripts() {
		p.Has(w.say("bulk.ticked", "count", "3"))
		p.Choose(w.say("bulk.tick_page"))
		p.Has(w.say("bulk.ticked", "count", "7"))
		p.Choose(w.say("bulk.tick_row", "name", "Zander, Zora (person.mit.langem.namen5@uni.example)"))
		p.Has(w.say("bulk.ticked", "count", "6"))
	}
	look("bulk-table")
	p.Pick(w.say("bulk.with"), w.say("bulk.verb_challenge"))
	p.Press(w.say("bulk.next"))
	p.Has(w.say("bulk.left_out", "n", 1), w.say("mailbox.challenge.inactive"), "Bach, Bob")
	look("bulk-draft")
	p.Press(w.say("bulk.verb_challenge"))
	p.Has(w.say("bulk.leave"))
	look("bulk-running")
	for range 8 { // the portal's time stands still, and so does the pace
		w.Clock.Advance(10 * time.Second)
		w.pacedOut(p)
	}
	p.Await(w.say("bulk.over"))
	p.Has(w.say("bulk.row_left_out"), w.say("bulk.row_done")) // it came by itself, where there are scripts
	look("bulk-result")
}

// long looks at a name that nothing breaks, at its row and in the table, and at
// what of the table is printed: its style takes the sheet of paper for a screen.
func (w *walk) long(p *chromium.Page) {
	_, row := w.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: strings.Repeat("Lang", 75), Primary: "lang@uni.example", Comment: "eins\nzwei"})
	p.Goto(w.At(row))
	p.Look("row-long")
	if got := p.Run(`document.querySelector("dl").innerText`); !strings.Contains(got, "eins\nzwei") {
		w.T.Errorf("got %q, want the comment on two lines", got)
	}
	p.Goto(w.At("/email-domains/uni.example"))
	p.Look("table-long")
	if printed := printedControls(p); printed != "" {
		w.T.Errorf("a printed table has controls:\n%s", printed)
	}
}

// printedControls are the controls that page, which is of no use after, prints.
func printedControls(p *chromium.Page) string {
	return p.Run(`(() => {
		for (const r of document.styleSheets[0].cssRules) if (r.media && r.media.mediaText === "print") r.media.mediaText = "all";
		const seen = Array.from(document.querySelectorAll("button, input, select, textarea, summary, .btn, .helplinks, thead svg")).filter((e) => e.checkVisibility());
		return seen.map((e) => e.outerHTML).join("\n");
	})()`)
}

// many challenges some rows, and then sets a comment in all of the domain.
func (w *walk) many() {
	p := w.enter("nora")
	w.challenged(p)
	table := w.At("/email-domains/uni.example")
	p.Goto(table)
	p.Choose(w.say("bulk.tick_row", "name", "Adler, Ada (person.mit.langem.namen0@uni.example)"))
	p.Choose(w.say("bulk.all", "n", 7))
	p.Pick(w.say("bulk.with"), w.say("bulk.verb_comment"))
	p.Press(w.say("bulk.next"))
	p.Has(w.say("bulk.ask_comment", "n", 7))
	p.Fill(w.say("rows.comment"), "31.12.2027")
	p.Look("bulk-comment")
	p.Press(w.say("bulk.verb_comment"))
	p.Await(w.say("bulk.over"))
	if p.Scripts() && w.lang == "de" {
		w.long(p)
	}
	p.Goto(table + "/bulk")
	p.Has(w.say("bulk.verb_challenge"), w.say("bulk.verb_comment"), sitetest.People["nora"])
	p.Look("bulk-list")
}

// pacedOut waits until the bulk's worker has used up what the pace allows.
func (w *walk) pacedOut(p *chromium.Page) {
	w.T.Helper()
	w.Until("the work goes on", func() (waits bool) {
		trial.Must(0, w.Pool.QueryRow(w.T.Context(), `select not exists (select from bulk where state = 'running' and next <= $1)`, w.Clock.Now()).Scan(&waits))
		return waits
	})
}
