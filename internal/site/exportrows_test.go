package site_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/sheet"
)

// cells are the records of a downloaded file, cells joined by "|".
func (a answer) cells() (lines []string) {
	a.b.r.t.Helper()
	r := sheet.NewReader(strings.NewReader(a.body), sheet.Sniff([]byte(a.body)))
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			a.b.r.t.Fatalf("read the file: %v\n%s", err, a.body)
		}
		lines = append(lines, strings.Join(rec.Cells, "|"))
	}
}

// are fails unless the file has exactly these records.
func (a answer) are(want ...string) {
	a.b.r.t.Helper()
	if got := a.cells(); !slices.Equal(got, want) {
		a.b.r.t.Errorf("%s: got the records\n%s\nwant\n%s", a.Request.URL, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const (
	germanColumns  = "Anzeigename|Primäre E-Mail|Alias-E-Mail 1|Alias-E-Mail 2|Postfachtyp|E-Mail Antragsteller|Kommentar"
	englishColumns = "Display Name|Primary E-Mail|Alias E-Mail 1|Alias E-Mail 2|Mailbox Type|Applicant E-Mail|Comment"
)

func TestTheTableIsExportedForExcelAndForPrograms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	certified := r.linkRow("ada.adler", "ada", "a.adler@uni.example")
	r.certified("ada", certified)
	r.addRow(mailbox.Input{
		Kind: mailbox.Functional, Name: "Prüfungsamt; Büro", Primary: "amt@uni.example", Applicant: "ada.adler@uni.example",
		Comment: `=HYPERLINK("http://evil.example","klick")`,
	})
	var end time.Time
	must(0, r.db.QueryRow(t.Context(), `select certificate_end from address_row where id = $1`, certified).Scan(&end))
	berlin := must(time.LoadLocation("Europe/Berlin"))
	day := end.In(berlin).Format(time.DateOnly)

	nora := r.as("nora")
	nora.get("/email-domains/uni.example").has("Exportieren", `href="/email-domains/uni.example/export.csv"`)
	german := nora.get("/email-domains/uni.example/export.csv").status(http.StatusOK)
	german.are(
		germanColumns+"|Status|Verknüpftes Konto|Zertifikat gültig bis|Zu prüfen",
		"Ada Adler|ada.adler@uni.example|a.adler@uni.example||persönlich|||bestätigt|Ada Adler|"+day+"|",
		`Prüfungsamt; Büro|amt@uni.example|||Funktionsadresse|ada.adler@uni.example|=HYPERLINK("http://evil.example","klick")|keine Challenge|||`,
	)
	if !strings.HasPrefix(german.body, "\ufeffAnzeigename;Prim") || !strings.Contains(german.body, `"'=HYPERLINK`) {
		t.Errorf("got %q, want a byte order mark, semicolons and a guarded formula", german.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": `attachment; filename="uni.example.csv"`, "Cache-Control": "no-store",
	} {
		if got := german.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	nora.lang = "en"
	english := nora.get("/email-domains/uni.example/export.csv?format=comma&status=confirmed")
	english.are(englishColumns+"|Status|Linked Account|Certificate Valid Until|To check",
		"Ada Adler|ada.adler@uni.example|a.adler@uni.example||personal|||confirmed|Ada Adler|"+day+"|")
	if !strings.HasPrefix(english.body, "Display Name,Primary") {
		t.Errorf("got %.40q, want commas and no byte order mark", english.body)
	}
	if a := nora.ask(http.MethodHead, "/email-domains/uni.example/export.csv").status(http.StatusOK); a.Header.Get("Content-Type") != german.Header.Get("Content-Type") {
		t.Errorf("HEAD: got %v, want the type of the file", a.Header)
	}
}

func TestTheExportHoldsWhatTheTableShows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, local := range []string{"anna", "bert", "carla"} {
		r.add(local)
	}
	_, off := r.add("berta")
	nora := r.as("nora")
	nora.post(off + "/deactivate").status(http.StatusSeeOther)
	names := func(query string) string {
		t.Helper()
		var found []string
		for _, line := range nora.get("/email-domains/uni.example/export.csv" + query).status(http.StatusOK).cells()[1:] {
			name, _, _ := strings.Cut(line, "|")
			found = append(found, name)
		}
		return strings.Join(found, " ")
	}
	id := off[strings.LastIndex(off, "/")+1:]
	for query, want := range map[string]string{
		"": "anna bert berta carla", "?sort=primary&desc=1&size=100&at=x": "anna bert berta carla", "?q=ber": "bert berta",
		"?q=ber&status=inactive": "berta", "?row=" + id: "berta", "?row=" + id + "&row=0": "berta", "?row=999999": "", "?q=niemand": "",
	} {
		if got := names(query); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
	nora.get("/email-domains/uni.example?status=none&q=ber&sort=primary&desc=1").has(`href="/email-domains/uni.example/export.csv?q=ber&status=none"`)
	nora.get("/email-domains/labor.example").lacks("Exportieren")
	nora.get("/email-domains/uni.example/export.csv?row=x").status(http.StatusNotFound)
	foreign := r.as("sven").get("/email-domains/uni.example/export.csv").status(http.StatusNotFound)
	if foreign.Header.Get("Content-Disposition") != "" || !strings.HasPrefix(foreign.Header.Get("Content-Type"), "text/html") {
		t.Errorf("a refusal: got %v, want a page and no file", foreign.Header)
	}
}

func TestTheTemplateIsAFileThatAnImportTakes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	german := nora.get("/email-domains/uni.example/template.csv").status(http.StatusOK)
	german.are(germanColumns,
		"Muster, Erika|erika.muster@uni.example|e.muster@uni.example||persönlich||Beispiel: Diese beiden Zeilen bitte ersetzen",
		"Sekretariat|sekretariat@uni.example|||Funktionsadresse|erika.muster@uni.example|")
	if got, want := german.Header.Get("Content-Disposition"), `attachment; filename="uni.example-template.csv"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	nora.get("/email-domains/labor.example/template.csv").are(germanColumns,
		"Muster, Erika|erika.muster@labor.example|e.muster@labor.example||persönlich||Beispiel: Diese beiden Zeilen bitte ersetzen",
		"Beispiel, Max|max.beispiel@labor.example|||persönlich||")
	nora.lang = "en"
	english := nora.get("/email-domains/uni.example/template.csv?format=comma")
	r.work()
	for file, domain := range map[string]string{german.body: "uni.example", english.body: "uni.example", nora.get("/email-domains/labor.example/template.csv").body: "labor.example"} {
		if im := r.planOf(domain, file); im.New != 2 || im.Faulty+im.Skipped > 0 {
			t.Errorf("the plan of %q has %d new and %d faulty lines, want two new", file, im.New, im.Faulty)
		}
	}
}

// planOf uploads a file as nora and waits for the plan of what was recognised.
func (r *rig) planOf(domain, file string) imports.Import {
	r.t.Helper()
	ctx, nora := r.t.Context(), r.actors["nora"]
	id := must(r.Imports.Upload(ctx, nora, domain, "liste.csv", strings.NewReader(file)))
	im := must(r.Imports.One(ctx, nora, domain, id))
	must(0, r.Imports.Plan(ctx, nora, domain, id, imports.Reading{Format: im.Format(), Columns: im.Columns}))
	r.until("the import is planned", func() bool {
		im = must(r.Imports.One(ctx, nora, domain, id))
		return im.State == imports.Planned
	})
	return im
}

func TestAnExportImportedAgainChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.linkRow("ada.adler", "ada", "a.adler@uni.example")
	r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "-Amt", Primary: "Amt@uni.example", Applicant: "ada.adler@uni.example", Comment: "'=1\n;,\""})
	r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "Ämter", Primary: "aemter@uni.example"})
	r.work()
	for _, lang := range []string{"de", "en"} {
		for _, format := range []string{"", "?format=comma"} {
			nora := r.as("nora")
			nora.lang = lang
			file := nora.get("/email-domains/uni.example/export.csv" + format).body
			if im := r.planOf("uni.example", file); im.Unchanged != 3 || im.New+im.Changed+im.Skipped+im.Faulty > 0 {
				t.Errorf("%s%s: got %d unchanged, %d new, %d changed, %d skipped, %d faulty; want three unchanged", lang, format, im.Unchanged, im.New, im.Changed, im.Skipped, im.Faulty)
			}
		}
	}
}

// begin asks for the file and leaves it unread but for its first byte.
func (b *browser) begin(path string) *http.Response {
	b.r.t.Helper()
	res := must(b.client.Do(must(http.NewRequest(http.MethodGet, b.r.at(path), nil))))
	b.r.t.Cleanup(func() { res.Body.Close() })
	must(res.Body.Read(make([]byte, 1)))
	return res
}

func TestALargeExportIsSentBitByBit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must(r.db.Exec(t.Context(), `insert into address_row (domain, kind, name, primary_address, comment, created, changed)
		select d.id, 'personal', 'Viele ' || i, 'viele' || i || '@uni.example', repeat('x', 1000), now(), now()
		from email_domain d, generate_series(1, 20000) i where d.name = 'uni.example'`))
	nora := r.as("nora")
	const path = "/email-domains/uni.example/export.csv"
	var open []*http.Response
	for range 4 {
		open = append(open, nora.begin(path))
	}
	nora.get(path).status(http.StatusServiceUnavailable).has("mehrere Dateien")

	// The database goes away in the middle: the file must not look whole.
	must(r.db.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and query like '%order by r.name, r.id%' and pid <> pg_backend_pid()`))
	for _, res := range open {
		if n, err := io.Copy(io.Discard, res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes got %v, want a broken connection", n, err)
		}
	}
	r.until("the others have ended and the file comes", func() bool {
		a := nora.get(path)
		if got, want := strings.Count(a.body, "\r\n"), 20_001; a.StatusCode == http.StatusOK && got != want {
			t.Errorf("got %d lines, want %d", got, want)
		}
		return a.StatusCode == http.StatusOK
	})
}
