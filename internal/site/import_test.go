package site_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/sheet"
)

const importsOfUni = "/email-domains/uni.example/imports"

// csv sends a file with a name, as a browser does.
func (b *browser) csv(path, name, content string) answer {
	b.r.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part := must(m.CreateFormFile("file", name))
	must(part.Write([]byte(content)))
	must(0, m.Close())
	req := must(http.NewRequest(http.MethodPost, b.r.at(path), &body))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(req)
}

func TestAFileThatIsNoTableIsRefusedInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
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
		nora.csv(importsOfUni, c.file, c.content).status(c.status).has(c.words, "Fehler: ", "Bisherige Importe")
	}
	nora.get(importsOfUni).status(200).has("Noch kein Import")
	nora.post(importsOfUni, "file", "kein Formular mit Datei").status(422).has("wählen Sie eine Datei")
}

func TestAnUploadOfSomebodyElseIsNotRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.as("sven").csv(importsOfUni, "fremd.csv", "Anzeigename;E-Mail\r\n").status(404)
	r.as("rita").csv(importsOfUni, "fremd.csv", "Anzeigename;E-Mail\r\n").status(403)
}

func TestTheColumnsOfAFileAreKeptAsTheyWereCorrected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	at := nora.csv(importsOfUni, `C:\Listen\Personen.csv`, "Wer,Wo\r\nMuster Max,max@uni.example\r\n").status(303).to()
	page := nora.get(at).status(200).has("Personen.csv", "Wer", "Muster Max", "Wählen Sie die Spalte mit der primären")
	if strings.Contains(page.body, "Listen") {
		t.Error("the page shows the folder of the file")
	}
	form := []string{"was", "utf-8,:1", "encoding", "utf-8", "separator", ",", "c0", "name", "c1", "primary"}
	nora.get(at+"/reading?was=utf-8,:1&encoding=utf-8&separator=,&c0=name&c1=primary").status(200).has(`value="name" selected`, `value="primary" selected`).
		lacks("Wählen Sie die Spalte mit der primären")
	form[len(form)-1] = "name"
	nora.post(at+"/plan", form...).status(422).has("Fehler: ")
	form[len(form)-1] = "primary"
	nora.post(at+"/plan", form...).status(303)
	nora.get(at).status(200).has("Der Plan entsteht", fmt.Sprintf(`data-refresh="%s/progress"`, at))
	nora.get(at + "/progress").status(200).has("von einer Zeile gelesen").lacks("<main")
}

func TestTheLineOfTheHeadingsMayBeChosen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	at := nora.csv(importsOfUni, "liste.csv", "Liste;Stand\r\nWer;Wo\r\nM\x9fller;max@uni.example\r\n").status(303).to()
	nora.get(at).status(200).has("Zeile 1: Liste · Stand", "Zeile 2: Wer · Wo", `<option value="1" selected`)
	nora.get(at+"/reading?encoding=windows-1252&separator=%3B&header=2").status(200).has(`value="windows-1252;:2"`, `<option value="2" selected`)
	form := func(was string) []string {
		return []string{"was", was, "encoding", "windows-1252", "separator", ";", "header", "2", "c0", "name", "c1", "primary"}
	}
	if to := nora.post(at+"/plan", form("windows-1252;:1")...).status(303).to(); !strings.Contains(to, "/reading?") {
		t.Errorf("another line in the same step: got to %s, want its columns shown first", to)
	}
	nora.get(at + "/reading?was=windows-1252%3B:2&encoding=windows-1252&separator=%3B&header=2&c0=name&c1=primary").status(200).has("falschen Kodierung")
	if to := nora.post(at+"/plan", form("windows-1252;:2")...).status(303).to(); to != at {
		t.Errorf("got to %s, want the plan at %s", to, at)
	}
}

func TestAWorkbookHasNoEncodingToChoose(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	book := string(must(os.ReadFile("../sheet/testdata/excel.xlsx")))
	at := nora.csv(importsOfUni, "mappe.xlsx", book).status(303).to()
	nora.get(at).status(200).has("Zeile 3: · Nachname", "juergen.mueller@uni.example", `value="workbook;:3"`).lacks(`name="encoding"`)
	nora.csv(importsOfUni, "bild.csv", "\x89PNG\r\n\x1a\n").status(422).has("Das ist keine CSV-Datei")
}

func TestALargeTableIsExportedInParts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: "Muster", Primary: "m@uni.example"})
	a := r.as("nora").get("/email-domains/uni.example/export.csv?format=parts").status(200)
	z := must(zip.NewReader(strings.NewReader(a.body), int64(len(a.body))))
	if got := a.Header.Get("Content-Type"); got != "application/zip" || len(z.File) != 1 || z.File[0].Name != "uni.example-1.csv" {
		t.Fatalf("got %s with %d files", got, len(z.File))
	}
	if content := string(must(io.ReadAll(must(z.File[0].Open())))); !strings.Contains(content, "m@uni.example") {
		t.Errorf("got %q, want the row in it", content)
	}
}
