package imports_test

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/sheet"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestAFileThatIsNoTableIsRefusedInWords(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	for _, c := range []struct {
		name, file, content string
		status              int
		words               string
	}{
		{"no file was chosen", "", "", 422, "wählen Sie eine Datei"},
		{"an empty file", "leer.csv", "", 422, "CSV-Datei oder Arbeitsmappe:"},
		{"a workbook", "mappe.xlsx", "PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", 422, "CSV UTF-8"},
		{"more bytes than a file may have", "groß.csv", strings.Repeat("Anzeigename;Primäre E-Mail\r\n", sheet.MaxBytes/26), 413, "20 MiB"},
	} {
		t.Log(c.name)
		nora.Csv(sitetest.ImportsOfUni, c.file, c.content).Is(c.status).Has(c.words, "Fehler: ", "Bisherige Importe")
	}
	nora.Get(sitetest.ImportsOfUni).Is(200).Has("Noch kein Import")
	nora.Post(sitetest.ImportsOfUni, "file", "kein Formular mit Datei").Is(422).Has("wählen Sie eine Datei")
}

func TestAnUploadOfSomebodyElseIsNotRead(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.As("sven").Csv(sitetest.ImportsOfUni, "fremd.csv", "Anzeigename;E-Mail\r\n").Is(404)
	r.As("rita").Csv(sitetest.ImportsOfUni, "fremd.csv", "Anzeigename;E-Mail\r\n").Is(403)
}

func TestTheColumnsOfAFileAreKeptAsTheyWereCorrected(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	at := nora.Csv(sitetest.ImportsOfUni, `C:\Listen\Personen.csv`, "Wer,Wo\r\nMuster Max,max@uni.example\r\n").Is(303).To()
	page := nora.Get(at).Is(200).Has("Personen.csv", "Wer", "Muster Max", "Wählen Sie die Spalte mit der primären")
	if strings.Contains(page.Content, "Listen") {
		t.Error("the page shows the folder of the file")
	}
	form := []string{"was", "utf-8,:1", "encoding", "utf-8", "separator", ",", "c0", "name", "c1", "primary"}
	nora.Get(at+"/reading?was=utf-8,:1&encoding=utf-8&separator=,&c0=name&c1=primary").Is(200).Has(`value="name" selected`, `value="primary" selected`).
		Lacks("Wählen Sie die Spalte mit der primären")
	form[len(form)-1] = "name"
	nora.Post(at+"/plan", form...).Is(422).Has("Fehler: ")
	form[len(form)-1] = "proxies"
	nora.Post("/language?lang=en&next="+at+"&to="+at+"/plan", form...).Is(200).Has(`value="name" selected`, `value="proxies" selected`, "What you typed is back").Lacks("Error: ")
	nora.Post("/language", "lang", "de")
	form[len(form)-1] = "primary"
	nora.Post(at+"/plan", form...).Is(303)
	nora.Get(at).Is(200).Has("Der Plan entsteht", fmt.Sprintf(`data-refresh="%s/progress"`, at))
	nora.Get(at + "/progress").Is(200).Has("von einer Zeile gelesen").Lacks("<main")
}

func TestTheColumnsThatWereChosenOutliveTheImport(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	at := nora.Csv(sitetest.ImportsOfUni, "liste.csv", "Foo;Bar;Baz\r\nMuster Max;max@uni.example;x\r\n").Is(303).To()
	nora.Post(at + "/discard").Is(303)
	gone := nora.Post(at+"/plan", "was", "utf-8;:1", "encoding", "utf-8", "separator", ";", "c0", "name", "c1", "primary", "c2", "")
	gone.Is(409).Has("Spalte 1", "Anzeigename", "Spalte 2", "Primäre", "kopieren Sie es", "Nora Netz", fmt.Sprintf(`href="%s"`, at)).Lacks("Spalte 3")
}

func TestTheLineOfTheHeadingsMayBeChosen(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	at := nora.Csv(sitetest.ImportsOfUni, "liste.csv", "Liste;Stand\r\nWer;Wo\r\nM\x9fller;max@uni.example\r\n").Is(303).To()
	nora.Get(at).Is(200).Has("Zeile 1: Liste · Stand", "Zeile 2: Wer · Wo", `<option value="1" selected`)
	nora.Get(at+"/reading?encoding=windows-1252&separator=%3B&header=2").Is(200).Has(`value="windows-1252;:2"`, `<option value="2" selected`)
	form := func(was string) []string {
		return []string{"was", was, "encoding", "windows-1252", "separator", ";", "header", "2", "c0", "name", "c1", "primary"}
	}
	if to := nora.Post(at+"/plan", form("windows-1252;:1")...).Is(303).To(); !strings.Contains(to, "/reading?") {
		t.Errorf("another line in the same step: got to %s, want its columns shown first", to)
	}
	nora.Get(at + "/reading?was=windows-1252%3B:2&encoding=windows-1252&separator=%3B&header=2&c0=name&c1=primary").Is(200).Has("falschen Kodierung")
	if to := nora.Post(at+"/plan", form("windows-1252;:2")...).Is(303).To(); to != at {
		t.Errorf("got to %s, want the plan at %s", to, at)
	}
}

// A file of headings alone is told to be one, and says nothing of the rows that
// are there.
func TestAFileOfHeadingsAloneChangesNothing(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.StartJobs()
	r.Add("ada.adler")
	nora := r.As("nora")
	at := nora.Csv(sitetest.ImportsOfUni, "leer.csv", "Anzeigename;E-Mail;Typ\r\n").Is(303).To()
	nora.Post(at+"/plan", "was", "utf-8;:1", "encoding", "utf-8", "separator", ";", "header", "1", "c0", "name", "c1", "primary", "c2", "kind").Is(303)
	r.Until("the plan is there", func() bool { return !strings.Contains(nora.Get(at).Content, "data-refresh") })
	nora.Get(at).Is(200).Has("unter den Überschriften keine einzige Zeile", "Dieser Plan ändert nichts").
		Lacks("Im Portal, nicht in der Datei", "Übersprungen", "/missing")
	nora.Get(at + "/missing").Is(404)
}

func TestAWorkbookHasNoEncodingToChoose(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	book := string(trial.Must(os.ReadFile("../../sheet/testdata/excel.xlsx")))
	at := nora.Csv(sitetest.ImportsOfUni, "mappe.xlsx", book).Is(303).To()
	nora.Get(at).Is(200).Has("Zeile 3: · Nachname", "juergen.mueller@uni.example", `value="workbook;:3"`).Lacks(`name="encoding"`)
	nora.Csv(sitetest.ImportsOfUni, "bild.csv", "\x89PNG\r\n\x1a\n").Is(422).Has("Das ist keine CSV-Datei")
}

func TestALargeTableIsExportedInParts(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Muster", Primary: "m@uni.example"})
	a := r.As("nora").Get("/email-domains/uni.example/export.csv?format=parts").Is(200)
	z := trial.Must(zip.NewReader(strings.NewReader(a.Content), int64(len(a.Content))))
	if got := a.Header.Get("Content-Type"); got != "application/zip" || len(z.File) != 1 || z.File[0].Name != "uni.example-1.csv" {
		t.Fatalf("got %s with %d files", got, len(z.File))
	}
	if content := string(trial.Must(io.ReadAll(trial.Must(z.File[0].Open())))); !strings.Contains(content, "m@uni.example") {
		t.Errorf("got %q, want the row in it", content)
	}
}

// While as many imports are worked on as may be, one more is refused above the
// list that says which.
func TestOneImportTooManyIsRefusedInWords(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	const file = "Anzeigename;Primäre E-Mail\r\nMuster Max;max@uni.example\r\n"
	for range imports.MostOpen {
		nora.Csv(sitetest.ImportsOfUni, "liste.csv", file).Is(303)
	}
	trial.Must(r.Pool.Exec(t.Context(), `update import set state = 'planning'`))
	nora.Csv(sitetest.ImportsOfUni, "liste.csv", file).Is(409).Has("An 5 Ihrer Importe wird hier gerade gearbeitet", "Fehler: ", "Das ging noch nicht", "Bisherige Importe", "liste.csv")
	trial.Must(r.Pool.Exec(t.Context(), `update import set state = 'planned', bytes = 20 << 20`))
	nora.Csv(sitetest.ImportsOfUni, "liste.csv", file).Is(409).Has("füllen zusammen schon fast 100", "Bisherige Importe")
	nora.Get(sitetest.ImportsOfUni).Is(200).Has("höchstens 5 von Ihnen")
}
