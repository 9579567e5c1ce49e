package bulk_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

const bulksOf = "/email-domains/uni.example/bulk"

// until asks for the page again, as a person without script does, until it has
// the words.
func until(b *sitetest.Browser, path string, words ...string) sitetest.Answer {
	b.Rig.T.Helper()
	var a sitetest.Answer
	b.Rig.Until(fmt.Sprintf("%s has %q", path, words), func() bool {
		a = b.Get(path).Is(http.StatusOK)
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(a.Text(), w) })
	})
	return a
}

func TestTickedRowsAreChallengedFromDraftToResult(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	ada, _ := r.Add("ada.adler", "ada@uni.example")
	bob, bobs := r.Add("bob.bach")
	r.Add("nicht.gemeint")
	nora := r.As("nora")
	nora.Post(bobs + "/deactivate").Is(http.StatusSeeOther)
	table := nora.Get("/email-domains/uni.example").Is(http.StatusOK).Has("ada.adler (ada.adler@uni.example) auswählen", "Alle 3 Zeilen", "Challenges senden", "Weiter", "Sammelaktionen")
	if !strings.Contains(table.Content, fmt.Sprintf(`name="row" value="%d"`, ada)) {
		t.Errorf("the row of ada has no box:\n%s", table.Excerpt())
	}
	page := nora.Post(bulksOf, "verb", "challenge", "row", fmt.Sprint(ada), "row", fmt.Sprint(bob)).Is(http.StatusSeeOther).To()
	nora.Get(page).Is(http.StatusOK).Has("Für eine Zeile Challenges senden?", "Es gehen 2 Mails hinaus", "Eine Zeile wird ausgelassen",
		"Challenges lassen sich nur für aktive Zeilen senden. (1)", "vorgesehen", "ada.adler@uni.example").Lacks("nicht.gemeint")
	nora.Get(page + "?show=left_out&why=mailbox.challenge.inactive").Has("bob.bach@uni.example").Lacks("ada.adler@uni.example")
	nora.Get(bulksOf).Has("Noch keine Sammelaktion")

	running := nora.Post(page+"/start").Is(http.StatusSeeOther).Follow().Has("0 von einer Zeile", "Voraussichtlich fertig", "Sie können diese Seite verlassen",
		"Sammelaktion abbrechen", "Nora Netz", "läuft", `data-refresh="`+page+`/progress"`)
	running.Lacks("/start")
	nora.Get(bulksOf).Has("0 von 2 Zeilen erledigt, 1 ausgelassen, 1 steht aus").Lacks("nicht ausgeführt")
	nora.Get(page+"/progress").Is(http.StatusOK).Has("0 von einer Zeile", "<progress").Lacks("<html", "<h1")
	nora.Get("/email-domains/uni.example").Has("Sammelaktion läuft: Challenges senden", `href="`+page+`"`)
	nora.Post(page + "/start").Is(http.StatusSeeOther) // a second click changes nothing
	r.StartJobs()
	until(nora, page, "Fertig", "1 von 2 Zeilen erledigt, 1 ausgelassen").Has("erledigt", "ausgelassen").Lacks("data-refresh", "/cancel")
	nora.Get(page + "/progress").Has("data-over").Lacks("data-refresh")
	nora.Get(bulksOf).Has("Challenges senden", "fertig", "1 von 2 Zeilen erledigt", "Nora Netz")
	nora.Get("/email-domains/uni.example").Lacks("Sammelaktion läuft")
	r.Link("ada.adler@uni.example", 0)
	r.Link("ada@uni.example", 0)
}

func TestAllMatchesGoOverPages(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	for i := range 60 {
		r.Add(fmt.Sprintf("person%02d", i))
	}
	r.Add("andere")
	nora := r.As("nora")
	nora.Get("/email-domains/uni.example?q=person").Has("Alle 60 Treffer", `name="q" value="person"`)
	page := nora.Post(bulksOf, "verb", "deactivate", "all", "1", "q", "person", "row", "1").Is(http.StatusSeeOther).To()
	first := nora.Get(page).Has("60 Zeilen deaktivieren?", "50 von 60 Zeilen", "Widerrufen Sie danach")
	next := regexp.MustCompile(`href="(` + page + `\?after=[^"]+)#rows"`).FindStringSubmatch(first.Content)
	if next == nil {
		t.Fatalf("the list leads to no next page:\n%s", first.Excerpt())
	}
	nora.Get(next[1]).Has("10 von 60 Zeilen", "person59", "Zum Anfang").Lacks("person49")
	nora.Post(page + "/start").Is(http.StatusSeeOther)
	r.StartJobs()
	until(nora, page, "60 von 60 Zeilen erledigt")
	nora.Get("/email-domains/uni.example?status=none").Has("andere@").Lacks("person00")
}

func TestAChoiceThatCannotBeComesBackAsItWas(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	one, _ := r.Add("eins")
	r.Add("zwei")
	nora := r.As("nora")
	t.Run("nothing is ticked", func(t *testing.T) {
		nora.Post(bulksOf, "verb", "deactivate", "status", "none", "sort", "primary").Is(http.StatusUnprocessableEntity).
			Has("Bitte wählen Sie mindestens eine Zeile aus", `href="#f-row"`, `id="f-row"`, "<title>Fehler: ", `<option value="deactivate" selected>`,
				`name="status" value="none"`, `name="sort" value="primary"`, "eins@uni.example", "zwei@uni.example")
	})
	t.Run("an unknown verb keeps the ticks", func(t *testing.T) {
		a := nora.Post(bulksOf, "verb", "explode", "row", fmt.Sprint(one)).Is(http.StatusUnprocessableEntity).Has("Bitte wählen Sie, was mit den Zeilen")
		if !regexp.MustCompile(fmt.Sprintf(`name="row" value="%d" checked`, one)).MatchString(a.Content) {
			t.Errorf("the tick is gone:\n%s", a.Excerpt())
		}
		if strings.Count(a.Content, " checked") != 1 {
			t.Error("want one tick")
		}
	})
	t.Run("more rows than one bulk may hold", func(t *testing.T) {
		r.Bulk.Most = 1
		defer func() { r.Bulk.Most = 0 }()
		nora.Post(bulksOf, "verb", "delete", "all", "1").Is(http.StatusRequestEntityTooLarge).Has("Mehr als 1 Zeilen auf einmal sind nicht möglich", `name="all" value="1" checked`)
	})
	t.Run("rows that are gone, or of nobody", func(t *testing.T) {
		nora.Post(bulksOf, "verb", "delete", "row", "999999", "row", "x").Is(http.StatusUnprocessableEntity).Has("gibt es keine Zeilen (mehr)")
		nora.Post(bulksOf, "verb", "delete", "import_new", "999").Is(http.StatusUnprocessableEntity).Has("gibt es keine Zeilen (mehr)")
		nora.Post(bulksOf, "verb", "delete", "import_missing", "999").Is(http.StatusUnprocessableEntity).Has("gibt es keine Zeilen (mehr)")
	})
	t.Run("none of the rows allows it", func(t *testing.T) {
		page := nora.Post(bulksOf, "verb", "activate", "row", fmt.Sprint(one)).To()
		nora.Get(page).Has("Keine der ausgewählten Zeilen lässt das zu", "Die Zeile ist schon aktiv. (1)").Lacks("/start")
		nora.Post(page + "/start").Is(http.StatusConflict).Has("Keine der ausgewählten Zeilen")
	})
}

func TestACommentIsAskedForBeforeTheStart(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Adler, Ada", Primary: "ada@uni.example", Comment: "alt"})
	r.Add("bob")
	nora := r.As("nora")
	page := nora.Post(bulksOf, "verb", "comment", "all", "1").To()
	nora.Get(page).Has("Kommentar von 2 Zeilen setzen?", "Eine der Zeilen hat schon einen Kommentar", `name="comment"`)
	long := strings.Repeat("lang ", 300)
	nora.Post(page+"/start", "comment", long).Is(http.StatusUnprocessableEntity).Has(long[:100], `href="#f-comment"`, "<title>Fehler: ")
	nora.Post(page+"/start", "comment", "bis 31.12.2027").Is(http.StatusSeeOther).Follow().Has("Neuer Kommentar: bis 31.12.2027")
	r.StartJobs()
	until(nora, page, "2 von 2 Zeilen erledigt")
	nora.Get("/email-domains/uni.example").Has("bis 31.12.2027").Lacks("alt<")
}

func TestABulkIsCancelledByAColleagueAndReadByAnOfficer(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	for i := range 3 {
		r.Add(fmt.Sprint("person", i))
	}
	nora, rita := r.As("nora"), r.As("rita")
	page := nora.Post(bulksOf, "verb", "delete", "all", "1").To()
	nora.Get(page).Has("3 Zeilen löschen?", "lässt sich nicht zurücknehmen")
	rita.Get(page).Is(http.StatusOK).Lacks("/start")
	rita.Get("/email-domains/uni.example").Lacks(`name="row"`, "Weiter")
	nora.Post(page + "/start").Is(http.StatusSeeOther)
	rita.Get(page).Has("läuft").Lacks("/cancel")
	trial.Must(0, r.Org.AddMember(t.Context(), r.Actors["rita"], r.Group, r.Actors["sven"].Account))
	sven := r.As("sven")
	sven.Post(page+"/cancel").Is(http.StatusSeeOther).Follow().Has("Abgebrochen von Sven Fremd", "0 von 3 Zeilen erledigt, 3 nicht ausgeführt")
	sven.Post(page + "/cancel").Is(http.StatusSeeOther)
	rita.Get("/office/audit?action=bulk.").Has("Sammelaktion begonnen", "Sammelaktion abgebrochen", "Löschen", page)
	if x := trial.Must(r.Bulk.One(t.Context(), r.Actors["nora"], "uni.example", 1)); x.State != bulk.Cancelled {
		t.Errorf("got %s, want it cancelled", x.State)
	}
}
