package site_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
)

const bulksOf = "/email-domains/uni.example/bulk"

// until asks for the page again, as a person without script does, until it has
// the words.
func (b *browser) until(path string, words ...string) answer {
	b.r.t.Helper()
	var a answer
	b.r.until(fmt.Sprintf("%s has %q", path, words), func() bool {
		a = b.get(path).status(http.StatusOK)
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(a.text(), w) })
	})
	return a
}

func TestTickedRowsAreChallengedFromDraftToResult(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ada, _ := r.add("ada.adler", "ada@uni.example")
	bob, bobs := r.add("bob.bach")
	r.add("nicht.gemeint")
	nora := r.as("nora")
	nora.post(bobs + "/deactivate").status(http.StatusSeeOther)
	table := nora.get("/email-domains/uni.example").status(http.StatusOK).has("ada.adler auswählen", "Alle 3 Zeilen", "Challenges senden", "Weiter", "Sammelaktionen")
	if !strings.Contains(table.body, fmt.Sprintf(`name="row" value="%d"`, ada)) {
		t.Errorf("the row of ada has no box:\n%s", table.excerpt())
	}
	page := nora.post(bulksOf, "verb", "challenge", "row", fmt.Sprint(ada), "row", fmt.Sprint(bob)).status(http.StatusSeeOther).to()
	nora.get(page).status(http.StatusOK).has("Für eine Zeile Challenges senden?", "Es gehen 2 Mails hinaus", "Eine Zeile wird ausgelassen",
		"Challenges lassen sich nur für aktive Zeilen senden. (1)", "vorgesehen", "ada.adler@uni.example").lacks("nicht.gemeint")
	nora.get(page + "?show=left_out&why=mailbox.challenge.inactive").has("bob.bach@uni.example").lacks("ada.adler@uni.example")
	nora.get(bulksOf).has("Noch keine Sammelaktion")

	running := nora.post(page+"/start").status(http.StatusSeeOther).follow().has("0 von einer Zeile", "Voraussichtlich fertig", "Sie können diese Seite verlassen",
		"Sammelaktion abbrechen", "Nora Netz", "läuft", `data-refresh="`+page+`/progress"`)
	running.lacks("/start")
	nora.get(page+"/progress").status(http.StatusOK).has("0 von einer Zeile", "<progress").lacks("<html", "<h1")
	nora.get("/email-domains/uni.example").has("Sammelaktion läuft: Challenges senden", `href="`+page+`"`)
	nora.post(page + "/start").status(http.StatusSeeOther) // a second click changes nothing
	r.work()
	nora.until(page, "Fertig", "1 von 2 Zeilen erledigt, 1 ausgelassen").has("erledigt", "ausgelassen").lacks("data-refresh", "/cancel")
	nora.get(page + "/progress").has("data-over").lacks("data-refresh")
	nora.get(bulksOf).has("Challenges senden", "fertig", "1 von 2 Zeilen erledigt", "Nora Netz")
	nora.get("/email-domains/uni.example").lacks("Sammelaktion läuft")
	r.link("ada.adler@uni.example", 0)
	r.link("ada@uni.example", 0)
}

func TestAllMatchesGoOverPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 60 {
		r.add(fmt.Sprintf("person%02d", i))
	}
	r.add("andere")
	nora := r.as("nora")
	nora.get("/email-domains/uni.example?q=person").has("Alle 60 Treffer", `name="q" value="person"`)
	page := nora.post(bulksOf, "verb", "deactivate", "all", "1", "q", "person", "row", "1").status(http.StatusSeeOther).to()
	first := nora.get(page).has("60 Zeilen deaktivieren?", "50 von 60 Zeilen", "Widerrufen Sie danach")
	next := regexp.MustCompile(`href="(` + page + `\?after=[^"]+)#rows"`).FindStringSubmatch(first.body)
	if next == nil {
		t.Fatalf("the list leads to no next page:\n%s", first.excerpt())
	}
	nora.get(next[1]).has("10 von 60 Zeilen", "person59", "Zum Anfang").lacks("person49")
	nora.post(page + "/start").status(http.StatusSeeOther)
	r.work()
	nora.until(page, "60 von 60 Zeilen erledigt")
	nora.get("/email-domains/uni.example?status=none").has("andere@").lacks("person00")
}

func TestAChoiceThatCannotBeComesBackAsItWas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, _ := r.add("eins")
	r.add("zwei")
	nora := r.as("nora")
	t.Run("nothing is ticked", func(t *testing.T) {
		nora.post(bulksOf, "verb", "deactivate", "status", "none", "sort", "primary").status(http.StatusUnprocessableEntity).
			has("Bitte wählen Sie mindestens eine Zeile aus", `href="#f-row"`, `id="f-row"`, "<title>Fehler: ", `<option value="deactivate" selected>`,
				`name="status" value="none"`, `name="sort" value="primary"`, "eins@uni.example", "zwei@uni.example")
	})
	t.Run("an unknown verb keeps the ticks", func(t *testing.T) {
		a := nora.post(bulksOf, "verb", "explode", "row", fmt.Sprint(one)).status(http.StatusUnprocessableEntity).has("Bitte wählen Sie, was mit den Zeilen")
		if !regexp.MustCompile(fmt.Sprintf(`name="row" value="%d" checked`, one)).MatchString(a.body) {
			t.Errorf("the tick is gone:\n%s", a.excerpt())
		}
		if strings.Count(a.body, " checked") != 1 {
			t.Error("want one tick")
		}
	})
	t.Run("more rows than one bulk may hold", func(t *testing.T) {
		r.Bulk.Most = 1
		defer func() { r.Bulk.Most = 0 }()
		nora.post(bulksOf, "verb", "delete", "all", "1").status(http.StatusRequestEntityTooLarge).has("Mehr als 1 Zeilen auf einmal sind nicht möglich", `name="all" value="1" checked`)
	})
	t.Run("rows that are gone, or of nobody", func(t *testing.T) {
		nora.post(bulksOf, "verb", "delete", "row", "999999", "row", "x").status(http.StatusUnprocessableEntity).has("gibt es keine Zeilen (mehr)")
		nora.post(bulksOf, "verb", "delete", "import_new", "999").status(http.StatusUnprocessableEntity).has("gibt es keine Zeilen (mehr)")
		nora.post(bulksOf, "verb", "delete", "import_missing", "999").status(http.StatusUnprocessableEntity).has("gibt es keine Zeilen (mehr)")
	})
	t.Run("none of the rows allows it", func(t *testing.T) {
		page := nora.post(bulksOf, "verb", "activate", "row", fmt.Sprint(one)).to()
		nora.get(page).has("Keine der ausgewählten Zeilen lässt das zu", "Die Zeile ist schon aktiv. (1)").lacks("/start")
		nora.post(page + "/start").status(http.StatusConflict).has("Keine der ausgewählten Zeilen")
	})
}

func TestACommentIsAskedForBeforeTheStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: "Adler, Ada", Primary: "ada@uni.example", Comment: "alt"})
	r.add("bob")
	nora := r.as("nora")
	page := nora.post(bulksOf, "verb", "comment", "all", "1").to()
	nora.get(page).has("Kommentar von 2 Zeilen setzen?", "Eine der Zeilen hat schon einen Kommentar", `name="comment"`)
	long := strings.Repeat("lang ", 300)
	nora.post(page+"/start", "comment", long).status(http.StatusUnprocessableEntity).has(long[:100], `href="#f-comment"`, "<title>Fehler: ")
	nora.post(page+"/start", "comment", "bis 31.12.2027").status(http.StatusSeeOther).follow().has("Neuer Kommentar: bis 31.12.2027")
	r.work()
	nora.until(page, "2 von 2 Zeilen erledigt")
	nora.get("/email-domains/uni.example").has("bis 31.12.2027").lacks("alt<")
}

func TestABulkIsCancelledByAColleagueAndReadByAnOfficer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 3 {
		r.add(fmt.Sprint("person", i))
	}
	nora, rita := r.as("nora"), r.as("rita")
	page := nora.post(bulksOf, "verb", "delete", "all", "1").to()
	nora.get(page).has("3 Zeilen löschen?", "lässt sich nicht zurücknehmen")
	rita.get(page).status(http.StatusOK).lacks("/start")
	rita.get("/email-domains/uni.example").lacks(`name="row"`, "Weiter")
	nora.post(page + "/start").status(http.StatusSeeOther)
	rita.get(page).has("läuft").lacks("/cancel")
	must(0, r.Org.AddMember(t.Context(), r.actors["rita"], r.group, r.actors["sven"].Account))
	sven := r.as("sven")
	sven.post(page+"/cancel").status(http.StatusSeeOther).follow().has("Abgebrochen von Sven Fremd", "0 von 3 Zeilen erledigt, 3 nicht ausgeführt")
	sven.post(page + "/cancel").status(http.StatusSeeOther)
	rita.get("/office/audit?action=bulk.").has("Sammelaktion begonnen", "Sammelaktion abgebrochen", "Löschen", page)
	if x := must(r.Bulk.One(t.Context(), r.actors["nora"], "uni.example", 1)); x.State != bulk.Cancelled {
		t.Errorf("got %s, want it cancelled", x.State)
	}
}
