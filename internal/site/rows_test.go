package site_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
)

const rowsOf = "/email-domains/uni.example/rows"

func TestAContactAddsEditsAndDeletesARow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	nora.get("/email-domains").status(http.StatusOK).has("uni.example", "labor.example", "Was Sie hier tun können").lacks("institut.example")
	nora.get("/email-domains/uni.example").status(http.StatusOK).has("Noch keine Adressen", "Erste Adresse hinzufügen")
	nora.get("/email-domains/uni.example/new").status(http.StatusOK).has("Funktionsadresse", "Antragsteller").lacks("eine andere Person")
	nora.get("/email-domains/labor.example/new").status(http.StatusOK).has("Funktionsadressen sind in dieser Domain nicht möglich").lacks("Antragsteller (")
	row := nora.post(rowsOf, "kind", "personal", "name", "Adler, Ada", "primary", "Ada.Adler@uni.example", "alias1", "ada@labor.example",
		"alias2", "", "comment", "bis 2027").status(http.StatusSeeOther).to()
	nora.get(row).status(http.StatusOK).has("Die Adresse ist angelegt", "Adler, Ada", "Ada.Adler@uni.example", "ada@labor.example",
		"Noch keine Challenge gesendet", "Zeile angelegt", "Challenges senden", "Löschen")
	nora.get(row + "/edit").status(http.StatusOK).has("readonly")
	nora.post(row+"/edit", "version", version(t, nora, row), "kind", "personal", "name", "Adler-Bach, Ada", "alias1", "", "comment", "").
		status(http.StatusSeeOther).follow().has("Die Zeile ist gespeichert.", "Adler, Ada → Adler-Bach, Ada", "ada@labor.example → (leer)")
	nora.get(row+"/delete").status(http.StatusOK).has("Zeile löschen", "lässt sich nicht zurücknehmen")
	if got := nora.post(row + "/delete").to(); got != "/email-domains/uni.example" {
		t.Errorf("after deleting: got %q, want the table", got)
	}
	nora.get(row).status(http.StatusNotFound)
}

// version is the hidden one of the edit form.
func version(t *testing.T, b *browser, row string) string {
	t.Helper()
	m := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(b.get(row + "/edit").status(http.StatusOK).body)
	if m == nil {
		t.Fatal("the edit form holds no version")
	}
	return m[1]
}

func TestAFailedFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	_, row := r.add("ada.adler")
	t.Run("wrong input comes back with 422", func(t *testing.T) {
		nora.post(rowsOf, "kind", "functional", "name", "Müller & Söhne", "primary", "über@uni.example", "alias1", "x@fremd.example", "applicant", "nix",
			"comment", "behalten").status(http.StatusUnprocessableEntity).
			has(`value="Müller & Söhne"`, `value="über@uni.example"`, `value="x@fremd.example"`, `value="nix"`, `value="behalten"`,
				"Buchstaben ohne Umlaute", "keine E-Mail-Domain Ihrer Kontaktgruppe", "Das ist keine E-Mail-Adresse", `href="#f-primary"`, "<title>Fehler: ",
				`value="functional" checked`)
	})
	t.Run("a taken address comes back with 422", func(t *testing.T) {
		nora.post(rowsOf, "kind", "personal", "name", "Zwei", "primary", "ADA.adler@uni.example").status(http.StatusUnprocessableEntity).
			has("Diese Adresse steht schon in einer anderen Zeile.", `value="ADA.adler@uni.example"`)
	})
	t.Run("a row changed meanwhile comes back with 409 and can be overwritten", func(t *testing.T) {
		old := version(t, nora, row)
		nora.post(row+"/edit", "version", old, "kind", "personal", "name", "Von Kollegin", "comment", "").status(http.StatusSeeOther)
		page := nora.post(row+"/edit", "version", old, "kind", "personal", "name", "Von mir", "comment", "meins").status(http.StatusConflict).
			has(`value="Von mir"`, `value="meins"`, "Jemand war schneller", "Von Kollegin")
		m := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page.body)
		if m == nil || m[1] == old {
			t.Fatalf("got version %v, want a newer one than %s", m, old)
		}
		nora.post(row+"/edit", "version", m[1], "kind", "personal", "name", "Von mir", "comment", "meins").status(http.StatusSeeOther).follow().has("Von mir", "meins")
	})
	t.Run("a brake answers 429 and says when to go on", func(t *testing.T) {
		nora.post(row+"/challenges").status(http.StatusSeeOther).follow().has("sind unterwegs", "in Warteschlange", `data-refresh="`+row+`/delivery"`)
		page := nora.post(row+"/challenges").status(http.StatusTooManyRequests).has("wurden eben erst Challenges gesendet", "Uhr", "Challenges senden")
		if page.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestStepsFollowTheStateOfTheRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	_, row := r.add("ada.adler", "ada@uni.example")
	nora.post(row + "/challenges").status(http.StatusSeeOther)
	nora.get(row).has("Löschen geht nicht mehr").lacks(row + `/delete"`)
	nora.get(row + "/delete").status(http.StatusConflict)
	nora.post(row + "/delete").status(http.StatusConflict)
	nora.get(row+"/edit").has("der ersten Challenge fest", "werden 2 offene Challenges ungültig")
	nora.get(row+"/delivery").status(http.StatusOK).has("ada@uni.example", "in Warteschlange").lacks("<html", "<h1")
	nora.get(row+"/deactivate").status(http.StatusOK).has("Zeile deaktivieren", "2 offene Challenges werden ungültig", "Empfohlen")
	nora.post(row+"/deactivate").status(http.StatusSeeOther).follow().has("ist jetzt inaktiv", "ungültig geworden", "Aktivieren").lacks("data-refresh")
	nora.get(row + "/challenges").status(http.StatusConflict)
	nora.get(row + "/unlink").status(http.StatusConflict)
	// Another row takes the alias meanwhile: activating is a conflict in words.
	_, other := r.add("bob.bach", "ada@uni.example")
	nora.post(row + "/activate").status(http.StatusConflict).has("steht inzwischen in einer anderen aktiven Zeile")
	nora.post(other + "/deactivate").status(http.StatusSeeOther)
	nora.post(row + "/activate").status(http.StatusSeeOther).follow().has("ist wieder aktiv")
}

func TestRenamingALinkedRowAsksWhoIsMeant(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.work()
	_, row := r.add("ada.adler")
	ada, nora := r.as("ada"), r.as("nora")
	ada.post(ada.get(r.asked(row, "ada.adler@uni.example")[0]).to() + "/confirm").status(http.StatusSeeOther)
	nora.get(row + "/edit").lacks("eine andere Person").has("ruht die Verknüpfung mit Ada Adler")
	nora.post(row + "/deactivate").status(http.StatusSeeOther)
	form := []string{"version", version(t, nora, row), "kind", "personal", "comment", ""}
	nora.post(row+"/edit", append(form, "name", "Neu, Nina")...).status(http.StatusUnprocessableEntity).
		has("Bitte sagen Sie, ob der neue Anzeigename", `value="Neu, Nina"`, `href="#f-person"`)
	nora.post(row+"/edit", append(form, "name", "Adler-Neu, Ada", "person", "same")...).status(http.StatusSeeOther).follow().has("<strong>Ada Adler</strong>")
	nora.get(row+"/unlink").status(http.StatusOK).has("Verknüpfung lösen", "muss sie neu bestätigen")
	ada.get("/client-certificates").has("ada.adler@uni.example", "deaktiviert")
	nora.post(row + "/unlink").status(http.StatusSeeOther).follow().has("Verknüpfung gelöst").lacks("<strong>Ada Adler</strong>")
	ada.get("/client-certificates").has("Noch keine Adresse verknüpft")
}

func TestAnApplicantIsFixedWhileAChallengedRowIsActive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	_, row := r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "Post", Primary: "post@uni.example"})
	nora.get(row).has("noch keiner eingetragen", "Challenges lassen sich erst senden, wenn ein Antragsteller")
	nora.get(row + "/challenges").status(http.StatusConflict)
	nora.post(row+"/edit", "version", version(t, nora, row), "kind", "functional", "name", "Post", "applicant", "ada.adler@uni.example").status(http.StatusSeeOther)
	nora.post(row + "/challenges").status(http.StatusSeeOther).follow().has("für post@uni.example")
	nora.get(row+"/edit").has("solange die Zeile inaktiv ist", `value="ada.adler@uni.example" id="f-applicant"`)
	nora.post(row+"/edit", "version", version(t, nora, row), "kind", "functional", "name", "Post", "applicant", "bob.bach@uni.example").
		status(http.StatusUnprocessableEntity).has(`value="bob.bach@uni.example"`)
}

func TestAChallengeIsMarkedUndeliverableByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	id, row := r.add("ada.adler")
	nora.post(row + "/challenges").status(http.StatusSeeOther)
	nora.get(row).has("in Warteschlange").lacks("Mail kam zurück")
	var waits int64
	must(0, r.db.QueryRow(t.Context(), `select id from challenge where row_id = $1`, id).Scan(&waits))
	nora.post(fmt.Sprintf("%s/challenges/%d/undeliverable", row, waits)).status(http.StatusConflict).has("noch nicht angenommen")
	r.work()
	r.until("it is sent", func() bool { return strings.Contains(nora.get(row).body, "Mail kam zurück") })
	m := regexp.MustCompile(`/challenges/(\d+)/undeliverable`).FindString(nora.get(row).body)
	nora.get(row+m).status(http.StatusOK).has("Als unzustellbar kennzeichnen", "ada.adler@uni.example")
	nora.post(row+m).status(http.StatusSeeOther).follow().has("gilt jetzt als unzustellbar", "Mindestens eine Challenge kam nicht an")
	nora.post(row + m).status(http.StatusConflict)
	nora.get("/email-domains/uni.example?status=undeliverable").has("ada.adler")
	nora.get(row + "/challenges/99999/undeliverable").status(http.StatusNotFound)
}

func TestNobodyElseSeesADomain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, row := r.add("zora.zander")
	for _, sub := range []string{"sven", "ada", "niko"} {
		b := r.as(sub)
		for _, path := range []string{"/email-domains/uni.example", "/email-domains/uni.example/new", row, row + "/edit", row + "/delivery", row + "/deactivate"} {
			b.get(path).status(http.StatusNotFound).lacks("zora.zander")
		}
		for _, path := range []string{rowsOf, row + "/edit", row + "/deactivate", row + "/delete", "/email-domains/uni.example/join"} {
			b.post(path, "name", "x", "kind", "personal", "primary", "x@uni.example").status(http.StatusNotFound)
		}
	}
	r.as("nora").get(strings.Replace(row, "uni.example", "labor.example", 1)).status(http.StatusNotFound)
	r.as("ada").get("/email-domains").status(http.StatusForbidden).has("ist für Netzansprechpartner")
	r.as("ada").get("/").lacks("Meine E-Mail-Domains</a>")
}

func TestAnOfficerReadsAndJoinsToEdit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, row := r.add("ada.adler")
	rita := r.as("rita")
	rita.get("/email-domains").has("uni.example", "institut.example")
	rita.get("/email-domains/uni.example").status(http.StatusOK).has("ada.adler", "Der Kontaktgruppe beitreten").lacks("Adresse hinzufügen", "/edit")
	rita.get(row).status(http.StatusOK).has("Der Kontaktgruppe beitreten").lacks(row+"/edit", row+"/deactivate")
	for _, path := range []string{"/email-domains/uni.example/new", row + "/edit", row + "/deactivate"} {
		rita.get(path).status(http.StatusForbidden).has("Mitglieder ihrer Kontaktgruppe")
	}
	rita.post(row + "/deactivate").status(http.StatusForbidden)
	rita.post("/email-domains/uni.example/join").status(http.StatusSeeOther).follow().has("Sie gehören jetzt zur Kontaktgruppe", "Adresse hinzufügen").
		lacks("Der Kontaktgruppe beitreten")
	var lines int
	if err := r.db.QueryRow(t.Context(), `select count(*) from audit_line where action = 'org.member_added' and account = $1 and id > 3`,
		r.actors["rita"].Account).Scan(&lines); err != nil || lines == 0 {
		t.Errorf("got %d audit lines and %v, want the joining recorded", lines, err)
	}
	r.as("nora").post("/email-domains/uni.example/join").status(http.StatusForbidden)
}

func TestTheTableFiltersSearchesSortsAndPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 60 {
		r.add(fmt.Sprintf("person%02d", i))
	}
	nora := r.as("nora")
	table := "/email-domains/uni.example"
	first := nora.get(table).status(http.StatusOK).has("50 von 60 Zeilen", "person00", "person49").lacks("person50")
	next := regexp.MustCompile(`href="(/email-domains/uni.example\?at=[^"]+)"`).FindStringSubmatch(first.body)
	if next == nil {
		t.Fatal("the first of two pages leads to no next one")
	}
	nora.get(next[1]).has("10 von 60 Zeilen", "person59", "Zum Anfang").lacks("person49")
	nora.get(table + "?desc=1").has("person59").lacks("person09@")
	nora.get(table+"?size=100").has("person59", "60 von 60 Zeilen")
	nora.get(table+"?q=person07").has("Ein Treffer", "person07").lacks("person08")
	nora.get(table+"?q=gibtesnicht").has("Kein Treffer für „gibtesnicht“", "Alle Zeilen zeigen")
	nora.get(table + "?status=inactive").has("Zurzeit keine Zeilen: Inaktiv")
	nora.get(table+"?status=quatsch&sort=x&size=7&at=%21&desc=ja").status(http.StatusOK).has("50 von 60 Zeilen", "person00")
}

func TestPagesCostFewQueries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	row := ""
	cost := func(path string) int {
		t.Helper()
		nora.get(path).status(http.StatusOK) // the flash and the minute's note of being seen are over then
		n := pgtest.Queries(t, r.DB)
		nora.get(path).status(http.StatusOK)
		return n()
	}
	before := map[string]int{}
	for _, rows := range []int{1, 50} {
		for i := range rows {
			_, row = r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: fmt.Sprint(rows, i), Primary: fmt.Sprintf("n%d-%d@uni.example", rows, i)})
		}
		if rows == 50 {
			nora.post(row + "/challenges").status(http.StatusSeeOther)
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
