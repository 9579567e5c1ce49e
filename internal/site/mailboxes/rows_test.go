package mailboxes_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestAContactAddsEditsAndDeletesARow(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	nora.Get("/email-domains").Is(http.StatusOK).Has("uni.example", "labor.example", "Was Sie hier tun können").Lacks("institut.example")
	nora.Get("/email-domains/uni.example").Is(http.StatusOK).Has("Noch keine Adressen", "Erste Adresse hinzufügen")
	nora.Get("/email-domains/uni.example/new").Is(http.StatusOK).Has("Funktionsadresse", "Antragsteller").Lacks("eine andere Person")
	nora.Get("/email-domains/labor.example/new").Is(http.StatusOK).Has("Funktionsadressen sind in dieser Domain nicht möglich").Lacks("Antragsteller (")
	row := nora.Post(sitetest.RowsOf, "kind", "personal", "name", "Adler, Ada", "primary", "Ada.Adler@uni.example", "alias1", "ada@labor.example",
		"alias2", "", "comment", "bis 2027").Is(http.StatusSeeOther).To()
	nora.Get(row).Is(http.StatusOK).Has("Die Adresse ist angelegt", "Adler, Ada", "Ada.Adler@uni.example", "ada@labor.example",
		"Noch keine Challenge gesendet", "Zeile angelegt", "Challenges senden", "Löschen")
	nora.Get(row + "/edit").Is(http.StatusOK).Has("readonly")
	nora.Post(row+"/edit", "version", sitetest.VersionOf(t, nora, row), "kind", "personal", "name", "Adler-Bach, Ada", "alias1", "", "comment", "").
		Is(http.StatusSeeOther).Follow().Has("Die Zeile ist gespeichert.", "Adler, Ada → Adler-Bach, Ada", "ada@labor.example → (leer)")
	nora.Get(row+"/delete").Is(http.StatusOK).Has("Zeile löschen", "lässt sich nicht zurücknehmen")
	if got := nora.Post(row + "/delete").To(); got != "/email-domains/uni.example" {
		t.Errorf("after deleting: got %q, want the table", got)
	}
	nora.Get(row).Is(http.StatusNotFound)
}

func TestAFailedFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	_, row := r.Add("ada.adler")
	t.Run("wrong input comes back with 422", func(t *testing.T) {
		nora.Post(sitetest.RowsOf, "kind", "functional", "name", "Müller & Söhne", "primary", "über@uni.example", "alias1", "x@fremd.example", "applicant", "nix",
			"comment", "behalten").Is(http.StatusUnprocessableEntity).
			Has(`value="Müller & Söhne"`, `value="über@uni.example"`, `value="x@fremd.example"`, `value="nix"`, ">behalten</textarea>",
				"Buchstaben ohne Umlaute", "keine E-Mail-Domain Ihrer Kontaktgruppe", "Das ist keine E-Mail-Adresse", `href="#f-primary"`, "<title>Fehler: ",
				`value="functional" checked`)
	})
	t.Run("a taken address comes back with 422", func(t *testing.T) {
		nora.Post(sitetest.RowsOf, "kind", "personal", "name", "Zwei", "primary", "ADA.adler@uni.example").Is(http.StatusUnprocessableEntity).
			Has("Diese Adresse steht schon in einer anderen Zeile.", `value="ADA.adler@uni.example"`)
	})
	t.Run("a row changed meanwhile comes back with 409 and can be overwritten", func(t *testing.T) {
		old := sitetest.VersionOf(t, nora, row)
		nora.Post(row+"/edit", "version", old, "kind", "personal", "name", "Von Kollegin", "comment", "").Is(http.StatusSeeOther)
		page := nora.Post(row+"/edit", "version", old, "kind", "personal", "name", "Von mir", "comment", "meins").Is(http.StatusConflict).
			Has(`value="Von mir"`, ">meins</textarea>", "Jemand war schneller", "Von Kollegin")
		m := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page.Content)
		if m == nil || m[1] == old {
			t.Fatalf("got version %v, want a newer one than %s", m, old)
		}
		nora.Post(row+"/edit", "version", m[1], "kind", "personal", "name", "Von mir", "comment", "meins").Is(http.StatusSeeOther).Follow().Has("Von mir", "meins")
	})
	t.Run("a brake answers 429 and says when to go on", func(t *testing.T) {
		nora.Post(row+"/challenges").Is(http.StatusSeeOther).Follow().Has("sind unterwegs", "in Warteschlange", `data-refresh="`+row+`/delivery?seen=`)
		page := nora.Post(row+"/challenges").Is(http.StatusTooManyRequests).Has("wurden eben erst Challenges gesendet", "Uhr", "Challenges senden")
		if page.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestStepsFollowTheStateOfTheRow(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	_, row := r.Add("ada.adler", "ada@uni.example")
	nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	nora.Get(row).Has("Löschen geht nicht mehr").Lacks(row + `/delete"`)
	nora.Get(row + "/delete").Is(http.StatusConflict)
	nora.Post(row + "/delete").Is(http.StatusConflict)
	nora.Get(row+"/edit").Has("der ersten Challenge fest", "werden 2 offene Challenges ungültig")
	nora.Get(row+"/delivery").Is(http.StatusOK).Has("ada@uni.example", "in Warteschlange").Lacks("<html", "<h1")
	nora.Get(row+"/deactivate").Is(http.StatusOK).Has("Zeile deaktivieren", "2 offene Challenges werden ungültig", "Empfohlen")
	nora.Post(row+"/deactivate").Is(http.StatusSeeOther).Follow().Has("ist jetzt inaktiv", "ungültig geworden", "Aktivieren").Lacks("data-refresh")
	nora.Get(row + "/challenges").Is(http.StatusConflict)
	nora.Get(row + "/unlink").Is(http.StatusConflict)
	// Another row takes the alias meanwhile: activating is a conflict in words.
	_, other := r.Add("bob.bach", "ada@uni.example")
	nora.Post(row + "/activate").Is(http.StatusConflict).Has("steht inzwischen in einer anderen aktiven Zeile")
	nora.Post(other + "/deactivate").Is(http.StatusSeeOther)
	nora.Post(row + "/activate").Is(http.StatusSeeOther).Follow().Has("ist wieder aktiv")
}

func TestRenamingALinkedRowAsksWhoIsMeant(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	_, row := r.Add("ada.adler")
	ada, nora := r.As("ada"), r.As("nora")
	ada.Post(ada.Get(r.Asked(row, "ada.adler@uni.example")[0]).To() + "/confirm").Is(http.StatusSeeOther)
	nora.Get(row + "/edit").Lacks("eine andere Person").Has("ruht die Verknüpfung mit Ada Adler")
	nora.Post(row + "/deactivate").Is(http.StatusSeeOther)
	form := []string{"version", sitetest.VersionOf(t, nora, row), "kind", "personal", "comment", ""}
	nora.Post(row+"/edit", append(form, "name", "Neu, Nina")...).Is(http.StatusUnprocessableEntity).
		Has("Bitte sagen Sie, ob der neue Anzeigename", `value="Neu, Nina"`, `href="#f-person"`)
	nora.Post(row+"/edit", append(form, "name", "Adler-Neu, Ada", "person", "same")...).Is(http.StatusSeeOther).Follow().Has("<strong>Ada Adler</strong>")
	nora.Get(row+"/unlink").Is(http.StatusOK).Has("Verknüpfung lösen", "muss sie neu bestätigen")
	ada.Get("/client-certificates").Has("ada.adler@uni.example", "deaktiviert")
	nora.Post(row + "/unlink").Is(http.StatusSeeOther).Follow().Has("Verknüpfung gelöst").Lacks("<strong>Ada Adler</strong>")
	ada.Get("/client-certificates").Has("Noch keine Adresse verknüpft")
}

func TestAnApplicantIsFixedWhileAChallengedRowIsActive(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	_, row := r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Post", Primary: "post@uni.example"})
	nora.Get(row).Has("noch keiner eingetragen", "Challenges lassen sich erst senden, wenn ein Antragsteller")
	nora.Get(row + "/challenges").Is(http.StatusConflict)
	nora.Post(row+"/edit", "version", sitetest.VersionOf(t, nora, row), "kind", "functional", "name", "Post", "applicant", "ada.adler@uni.example").Is(http.StatusSeeOther)
	nora.Post(row + "/challenges").Is(http.StatusSeeOther).Follow().Has("für post@uni.example")
	nora.Get(row+"/edit").Has("solange die Zeile inaktiv ist", `value="ada.adler@uni.example" id="f-applicant"`)
	nora.Post(row+"/edit", "version", sitetest.VersionOf(t, nora, row), "kind", "functional", "name", "Post", "applicant", "bob.bach@uni.example").
		Is(http.StatusUnprocessableEntity).Has(`value="bob.bach@uni.example"`)
}

func TestAChallengeIsMarkedUndeliverableByHand(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	id, row := r.Add("ada.adler")
	nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	nora.Get(row).Has("in Warteschlange").Lacks("Mail kam zurück")
	var waits int64
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select id from challenge where row_id = $1`, id).Scan(&waits))
	nora.Post(fmt.Sprintf("%s/challenges/%d/undeliverable", row, waits)).Is(http.StatusConflict).Has("noch nicht angenommen")
	r.StartJobs()
	r.Until("it is sent", func() bool { return strings.Contains(nora.Get(row).Content, "Mail kam zurück") })
	m := regexp.MustCompile(`/challenges/(\d+)/undeliverable`).FindString(nora.Get(row).Content)
	nora.Get(row+m).Is(http.StatusOK).Has("Als unzustellbar kennzeichnen", "ada.adler@uni.example")
	nora.Post(row+m).Is(http.StatusSeeOther).Follow().Has("gilt jetzt als unzustellbar", "Mindestens eine Challenge kam nicht an")
	nora.Post(row + m).Is(http.StatusConflict)
	nora.Get("/email-domains/uni.example?status=undeliverable").Has("ada.adler")
	nora.Get(row + "/challenges/99999/undeliverable").Is(http.StatusNotFound)
}

func TestNobodyElseSeesADomain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("zora.zander")
	for _, sub := range []string{"sven", "ada", "niko"} {
		b := r.As(sub)
		for _, path := range []string{"/email-domains/uni.example", "/email-domains/uni.example/new", row, row + "/edit", row + "/delivery", row + "/deactivate"} {
			b.Get(path).Is(http.StatusNotFound).Lacks("zora.zander")
		}
		for _, path := range []string{sitetest.RowsOf, row + "/edit", row + "/deactivate", row + "/delete", "/email-domains/uni.example/join"} {
			b.Post(path, "name", "x", "kind", "personal", "primary", "x@uni.example").Is(http.StatusNotFound)
		}
	}
	r.As("nora").Get(strings.Replace(row, "uni.example", "labor.example", 1)).Is(http.StatusNotFound)
	r.As("ada").Get("/email-domains").Is(http.StatusForbidden).Has("ist für Netzansprechpartner")
	r.As("ada").Get("/").Lacks("Meine E-Mail-Domains</a>")
}

func TestAnOfficerReadsAndJoinsToEdit(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	_, row := r.Add("ada.adler")
	rita := r.As("rita")
	rita.Get("/email-domains").Has("uni.example", "institut.example")
	rita.Get("/email-domains/uni.example").Is(http.StatusOK).Has("ada.adler", "Der Kontaktgruppe beitreten").Lacks("Adresse hinzufügen", "/edit")
	rita.Get(row).Is(http.StatusOK).Has("Der Kontaktgruppe beitreten").Lacks(row+"/edit", row+"/deactivate")
	for _, path := range []string{"/email-domains/uni.example/new", row + "/edit", row + "/deactivate"} {
		rita.Get(path).Is(http.StatusForbidden).Has("Mitglieder ihrer Kontaktgruppe")
	}
	rita.Post(row + "/deactivate").Is(http.StatusForbidden)
	rita.Post("/email-domains/uni.example/join").Is(http.StatusSeeOther).Follow().Has("Sie gehören jetzt zur Kontaktgruppe", "Adresse hinzufügen").
		Lacks("Der Kontaktgruppe beitreten")
	var lines int
	if err := r.Pool.QueryRow(t.Context(), `select count(*) from audit_line where action = 'org.member_added' and account = $1 and id > 3`,
		r.Actors["rita"].Account).Scan(&lines); err != nil || lines == 0 {
		t.Errorf("got %d audit lines and %v, want the joining recorded", lines, err)
	}
	r.As("nora").Post("/email-domains/uni.example/join").Is(http.StatusForbidden)
}

func TestTheTableFiltersSearchesSortsAndPages(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	for i := range 60 {
		r.Add(fmt.Sprintf("person%02d", i))
	}
	nora := r.As("nora")
	table := "/email-domains/uni.example"
	first := nora.Get(table).Is(http.StatusOK).Has("50 von 60 Zeilen", "person00", "person49").Lacks("person50")
	next := regexp.MustCompile(`href="(/email-domains/uni.example\?at=[^"]+)"`).FindStringSubmatch(first.Content)
	if next == nil {
		t.Fatal("the first of two pages leads to no next one")
	}
	nora.Get(next[1]).Has("10 von 60 Zeilen", "person59", "Zum Anfang").Lacks("person49")
	nora.Get(table + "?desc=1").Has("person59").Lacks("person09@")
	nora.Get(table+"?size=100").Has("person59", "60 von 60 Zeilen")
	nora.Get(table+"?q=person07").Has("Ein Treffer", "person07").Lacks("person08")
	nora.Get(table+"?q=gibtesnicht").Has("Kein Treffer für „gibtesnicht“", "Alle Zeilen zeigen")
	nora.Get(table + "?status=inactive").Has("Zurzeit keine Zeilen: Inaktiv")
	nora.Get(table+"?status=quatsch&sort=x&size=7&at=%21&desc=ja").Is(http.StatusOK).Has("50 von 60 Zeilen", "person00")
}

func TestPagesCostFewQueries(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	row := ""
	cost := func(path string) int {
		t.Helper()
		nora.Get(path).Is(http.StatusOK) // the flash and the minute's note of being seen are over then
		n := pgtest.Queries(t, r.DB)
		nora.Get(path).Is(http.StatusOK)
		return n()
	}
	before := map[string]int{}
	for _, rows := range []int{1, 50} {
		for i := range rows {
			_, row = r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: fmt.Sprint(rows, i), Primary: fmt.Sprintf("n%d-%d@uni.example", rows, i)})
		}
		if rows == 50 {
			nora.Post(row + "/challenges").Is(http.StatusSeeOther)
		}
		for _, path := range []string{
			"/email-domains", "/email-domains/uni.example", "/email-domains/uni.example?q=uni&status=none",
			"/client-certificates", row, row + "/edit",
		} {
			got := cost(path)
			most := 8
			if path == row { // more for its certificates, an open recipe, what its history belongs to, and whether its mails may leave
				most = 13
			}
			if got > most {
				t.Errorf("%s with %d rows: got %d queries, want at most %d", path, rows, got, most)
			}
			if b, ok := before[path]; ok && b != got {
				t.Errorf("%s: got %d queries with %d rows and %d with one, want the same", path, got, rows, b)
			}
			before[path] = got
		}
	}
}
