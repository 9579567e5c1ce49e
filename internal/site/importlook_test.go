package site_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// arrives waits until an import is in a state.
func arrives(r *sitetest.Rig, path string, want imports.State) {
	r.T.Helper()
	r.Until(fmt.Sprintf("%s is %s", path, want), func() bool {
		var got imports.State
		trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select state from import where id = $1`, path[strings.LastIndex(path, "/")+1:]).Scan(&got))
		return got == want
	})
}

// planned uploads a file as nora and waits for its plan.
func planned(r *sitetest.Rig, nora *sitetest.Browser, name, content string) string {
	r.T.Helper()
	at := nora.Csv(sitetest.ImportsOfUni, name, content).Is(http.StatusSeeOther).To()
	nora.Post(at + "/plan").Is(http.StatusSeeOther)
	arrives(r, at, imports.Planned)
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
	s.StartJobs()
	s.imports()
}

func (s *sight) imports() {
	s.T.Helper()
	nora := s.As("nora")
	look := func(name, path string) { s.T.Helper(); s.look("nora", "import-"+name, path, http.StatusOK) }
	look("none", sitetest.ImportsOfUni)
	s.page("nora").Press(s.say("import.upload"))
	s.judge(s.page("nora"), "import-no-file", http.StatusUnprocessableEntity)
	look("reading-odd", nora.Csv(sitetest.ImportsOfUni, "Liste Institut.csv", oddFile).To())
	first := nora.Csv(sitetest.ImportsOfUni, "Export vom Montag.csv", firstFile).To()
	look("reading", first)
	nora.Post(first + "/plan")
	arrives(s.Rig, first, imports.Planned)
	look("plan-new", first)
	look("plan-skipped", first+"?show=skipped")
	nora.Post(first + "/apply")
	arrives(s.Rig, first, imports.Applied)
	look("applied", first)
	look("undo", first+"/undo")

	s.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Alt, Anna", Primary: "anna.alt@uni.example", Comment: "bis 31.12.2027"})
	s.Asked("/email-domains/uni.example/rows/"+fmt.Sprint(rowOf(s.Rig, "franziska.theodora.oesterreicher-grosskopf@uni.example")), "f.grosskopf@uni.example")
	second := planned(s.Rig, nora, "Export vom Dienstag, mit einem recht langen Namen.csv", secondFile)
	look("plan", second)
	look("plan-changed", second+"?show=changed")
	look("plan-unchanged", second+"?show=unchanged")
	look("missing", second+"/missing")
	look("undo-stays", first+"/undo")
	s.page("nora").Goto(s.At(second))
	s.page("nora").Press(s.say("import.apply_both", "added", 1, "changed", 2))
	s.judge(s.page("nora"), "import-brake", http.StatusUnprocessableEntity)
	s.As("nora").Post(fmt.Sprintf("/email-domains/uni.example/rows/%d/edit", rowOf(s.Rig, "bibliothek@uni.example")),
		"version", "1", "kind", "functional", "name", "Von Hand geändert", "alias1", "theke@uni.example", "applicant", "ida.wagner@uni.example").Is(http.StatusSeeOther)
	nora.Post(second+"/apply", "number", "2").Is(http.StatusSeeOther)
	arrives(s.Rig, second, imports.Planned)
	look("plan-meanwhile", second)
	s.looksAtEnds(first, second, look)
}

// looksAtEnds looks at work under way and at what is over.
func (s *sight) looksAtEnds(first, second string, look func(name, path string)) {
	s.T.Helper()
	nora := s.As("nora")
	nora.Post(second + "/discard")
	look("discarded", second)
	nora.Post(first + "/undo")
	arrives(s.Rig, first, imports.Undone)
	look("undone", first)
	look("list", sitetest.ImportsOfUni)
	s.look("rita", "import-officer", sitetest.ImportsOfUni, http.StatusOK)
	s.look("rita", "import-officer-plan", first, http.StatusOK)
	trial.Must(s.Pool.Exec(s.T.Context(), `update import set state = 'planning', since = $2, done = 12000 where id = $1`, second[strings.LastIndex(second, "/")+1:], s.Clock.Now()))
	look("planning", second)
}

// rowOf is the row with a primary address.
func rowOf(r *sitetest.Rig, primary string) (id int64) {
	r.T.Helper()
	trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select id from address_row where primary_address = $1`, primary).Scan(&id))
	return id
}
