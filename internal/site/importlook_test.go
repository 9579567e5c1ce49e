package site_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
)

// arrives waits until an import is in a state.
func (r *rig) arrives(path string, want imports.State) {
	r.t.Helper()
	r.until(fmt.Sprintf("%s is %s", path, want), func() bool {
		var got imports.State
		must(0, r.db.QueryRow(r.t.Context(), `select state from import where id = $1`, path[strings.LastIndex(path, "/")+1:]).Scan(&got))
		return got == want
	})
}

// planned uploads a file as nora and waits for its plan.
func (r *rig) planned(nora *browser, name, content string) string {
	r.t.Helper()
	at := nora.csv(importsOfUni, name, content).status(http.StatusSeeOther).to()
	nora.post(at + "/plan").status(http.StatusSeeOther)
	r.arrives(at, imports.Planned)
	return at
}

// Three files for uni.example: people who come, what changes of them, and what
// cannot be read of a list.
const (
	firstFile = "Nachname;Vorname;Primäre E-Mail;Alias 1;Alias 2;Postfachtyp;E-Mail Antragsteller;Kommentar\r\n" +
		"Österreicher-Großkopf;Franziska Theodora;franziska.theodora.oesterreicher-grosskopf@uni.example;f.grosskopf@uni.example;grosskopf@uni.example;persönlich;;altes Zertifikat bis 14.03.2027\r\n" +
		"Müller;Jürgen;juergen.mueller@uni.example;;;persönlich;;\r\n" +
		"Servicetheke der Bibliothek;;bibliothek@uni.example;theke@uni.example;;funktional;ida.wagner@uni.example;\r\n" +
		"Sekretariat Physik;;sekretariat.physik@uni.example;;;funktional;;\r\n" +
		"Hörsaal 3;;hoersaal3@uni.example;;;Ressource;;\r\n"
	secondFile = "Nachname;Vorname;Primäre E-Mail;Alias 1;Alias 2;Postfachtyp;E-Mail Antragsteller;Kommentar\r\n" +
		"Großkopf;Franziska;franziska.theodora.oesterreicher-grosskopf@uni.example;franziska.grosskopf@uni.example;;persönlich;;neu ab 2027\r\n" +
		"Müller;Jürgen;juergen.mueller@uni.example;;;persönlich;;\r\n" +
		"Theke;;bibliothek@uni.example;theke@uni.example;;funktional;jemand.anders@uni.example;\r\n" +
		"Neu;Nadia;nadia.neu@uni.example;;;persönlich;;\r\n" +
		"Fremd;Max;max@anderswo.example;;;persönlich;;\r\n" +
		"Alias;Zu;zu.alias@uni.example;zu.alias@uni.example;kein alias;persönlich;;\r\n" +
		";;;;;persönlich;;\r\n" +
		"Verteiler;;alle@uni.example;;;Verteilerliste;;\r\n"
	oddFile = "Wer,Wo,\r\n\"Muster, Max\",max.muster@uni.example,\r\n"
)

// TestImportsInABrowser looks at an import from the file to its end.
func TestImportsInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	s.work()
	s.imports()
}

func (s *sight) imports() {
	s.t.Helper()
	nora := s.as("nora")
	look := func(name, path string) { s.t.Helper(); s.look("nora", "import-"+name, path, http.StatusOK) }
	look("none", importsOfUni)
	s.page("nora").Press(s.say("import.upload"))
	s.judge(s.page("nora"), "import-no-file", http.StatusUnprocessableEntity)
	look("reading-odd", nora.csv(importsOfUni, "Liste Institut.csv", oddFile).to())
	first := nora.csv(importsOfUni, "Export vom Montag.csv", firstFile).to()
	look("reading", first)
	nora.post(first + "/plan")
	s.arrives(first, imports.Planned)
	look("plan-new", first)
	look("plan-skipped", first+"?show=skipped")
	nora.post(first + "/apply")
	s.arrives(first, imports.Applied)
	look("applied", first)
	look("undo", first+"/undo")

	s.addRow(mailbox.Input{Kind: mailbox.Personal, Name: "Alt, Anna", Primary: "anna.alt@uni.example", Comment: "bis 31.12.2027"})
	s.asked("/email-domains/uni.example/rows/"+fmt.Sprint(s.rowOf("franziska.theodora.oesterreicher-grosskopf@uni.example")), "f.grosskopf@uni.example")
	second := s.planned(nora, "Export vom Dienstag, mit einem recht langen Namen.csv", secondFile)
	look("plan", second)
	look("plan-changed", second+"?show=changed")
	look("plan-unchanged", second+"?show=unchanged")
	look("missing", second+"/missing")
	look("undo-stays", first+"/undo")
	s.page("nora").Goto(s.at(second))
	s.page("nora").Press(s.say("import.apply_both", "added", 1, "changed", 2))
	s.judge(s.page("nora"), "import-brake", http.StatusUnprocessableEntity)
	s.as("nora").post(fmt.Sprintf("/email-domains/uni.example/rows/%d/edit", s.rowOf("bibliothek@uni.example")),
		"version", "1", "kind", "functional", "name", "Von Hand geändert", "alias1", "theke@uni.example", "applicant", "ida.wagner@uni.example").status(http.StatusSeeOther)
	nora.post(second+"/apply", "number", "2").status(http.StatusSeeOther)
	s.arrives(second, imports.Planned)
	look("plan-meanwhile", second)
	s.looksAtEnds(first, second, look)
}

// looksAtEnds looks at work under way and at what is over.
func (s *sight) looksAtEnds(first, second string, look func(name, path string)) {
	s.t.Helper()
	nora := s.as("nora")
	nora.post(second + "/discard")
	look("discarded", second)
	nora.post(first + "/undo")
	s.arrives(first, imports.Undone)
	look("undone", first)
	look("list", importsOfUni)
	s.look("rita", "import-officer", importsOfUni, http.StatusOK)
	s.look("rita", "import-officer-plan", first, http.StatusOK)
	must(s.db.Exec(s.t.Context(), `update import set state = 'planning', since = $2, done = 12000 where id = $1`, second[strings.LastIndex(second, "/")+1:], s.clock.Now()))
	look("planning", second)
}

// rowOf is the row with a primary address.
func (r *rig) rowOf(primary string) (id int64) {
	r.t.Helper()
	must(0, r.db.QueryRow(r.t.Context(), `select id from address_row where primary_address = $1`, primary).Scan(&id))
	return id
}
