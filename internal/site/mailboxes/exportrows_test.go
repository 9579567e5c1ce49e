package mailboxes_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/sheet"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// cells are the records of a downloaded file, cells joined by "|".
func cells(a sitetest.Answer) (lines []string) {
	a.Browser.Rig.T.Helper()
	r := sheet.NewReader(strings.NewReader(a.Content), sheet.Sniff([]byte(a.Content)))
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			a.Browser.Rig.T.Fatalf("read the file: %v\n%s", err, a.Content)
		}
		lines = append(lines, strings.Join(rec.Cells, "|"))
	}
}

// are fails unless the file has exactly these records.
func are(a sitetest.Answer, want ...string) {
	a.Browser.Rig.T.Helper()
	if got := cells(a); !slices.Equal(got, want) {
		a.Browser.Rig.T.Errorf("%s: got the records\n%s\nwant\n%s", a.Request.URL, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const (
	germanColumns  = "Anzeigename|Primäre E-Mail|Alias-E-Mail 1|Alias-E-Mail 2|Postfachtyp|E-Mail Antragsteller|Kommentar"
	englishColumns = "Display Name|Primary E-Mail|Alias E-Mail 1|Alias E-Mail 2|Mailbox Type|Applicant E-Mail|Comment"
)

func TestTheTableIsExportedForExcelAndForPrograms(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	certified := r.LinkRow("ada.adler", "ada", "a.adler@uni.example")
	r.Certified("ada", certified)
	r.AddRow(mailbox.Input{
		Kind: mailbox.Functional, Name: "Prüfungsamt; Büro", Primary: "amt@uni.example", Applicant: "ada.adler@uni.example",
		Comment: `=HYPERLINK("http://evil.example","klick")`,
	})
	var end time.Time
	trial.Must(0, r.Pool.QueryRow(t.Context(), `select certificate_end from address_row where id = $1`, certified).Scan(&end))
	berlin := trial.Must(time.LoadLocation("Europe/Berlin"))
	day := end.In(berlin).Format(time.DateOnly)

	nora := r.As("nora")
	nora.Get("/email-domains/uni.example").Has("Exportieren", `href="/email-domains/uni.example/export.csv"`)
	german := nora.Get("/email-domains/uni.example/export.csv").Is(http.StatusOK)
	are(german,
		germanColumns+"|Status|Verknüpftes Konto|Zertifikat gültig bis|Zu prüfen",
		"Ada Adler|ada.adler@uni.example|a.adler@uni.example||persönlich|||bestätigt|Ada Adler|"+day+"|",
		`Prüfungsamt; Büro|amt@uni.example|||Funktionsadresse|ada.adler@uni.example|=HYPERLINK("http://evil.example","klick")|keine Challenge|||`,
	)
	if !strings.HasPrefix(german.Content, "\ufeffAnzeigename;Prim") || !strings.Contains(german.Content, `"'=HYPERLINK`) {
		t.Errorf("got %q, want a byte order mark, semicolons and a guarded formula", german.Content)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": `attachment; filename="uni.example.csv"`, "Cache-Control": "no-store",
	} {
		if got := german.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	nora.Lang = "en"
	english := nora.Get("/email-domains/uni.example/export.csv?format=comma&status=confirmed")
	are(english, englishColumns+"|Status|Linked Account|Certificate Valid Until|To check",
		"Ada Adler|ada.adler@uni.example|a.adler@uni.example||personal|||confirmed|Ada Adler|"+day+"|")
	if !strings.HasPrefix(english.Content, "Display Name,Primary") {
		t.Errorf("got %.40q, want commas and no byte order mark", english.Content)
	}
	if a := nora.Ask(http.MethodHead, "/email-domains/uni.example/export.csv").Is(http.StatusOK); a.Header.Get("Content-Type") != german.Header.Get("Content-Type") {
		t.Errorf("HEAD: got %v, want the type of the file", a.Header)
	}
}

func TestTheExportHoldsWhatTheTableShows(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	for _, local := range []string{"anna", "bert", "carla"} {
		r.Add(local)
	}
	_, off := r.Add("berta")
	nora := r.As("nora")
	nora.Post(off + "/deactivate").Is(http.StatusSeeOther)
	names := func(query string) string {
		t.Helper()
		var found []string
		for _, line := range cells(nora.Get("/email-domains/uni.example/export.csv" + query).Is(http.StatusOK))[1:] {
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
	nora.Get("/email-domains/uni.example?status=none&q=ber&sort=primary&desc=1").Has(`href="/email-domains/uni.example/export.csv?q=ber&status=none"`)
	nora.Get("/email-domains/labor.example").Lacks("Exportieren")
	nora.Get("/email-domains/uni.example/export.csv?row=x").Is(http.StatusNotFound)
	foreign := r.As("sven").Get("/email-domains/uni.example/export.csv").Is(http.StatusNotFound)
	if foreign.Header.Get("Content-Disposition") != "" || !strings.HasPrefix(foreign.Header.Get("Content-Type"), "text/html") {
		t.Errorf("a refusal: got %v, want a page and no file", foreign.Header)
	}
}

func TestTheTemplateIsAFileThatAnImportTakes(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	german := nora.Get("/email-domains/uni.example/template.csv").Is(http.StatusOK)
	are(german, germanColumns,
		"Muster, Erika|erika.muster@uni.example|e.muster@uni.example||persönlich||Beispiel: Diese beiden Zeilen bitte ersetzen",
		"Sekretariat|sekretariat@uni.example|||Funktionsadresse|erika.muster@uni.example|")
	if got, want := german.Header.Get("Content-Disposition"), `attachment; filename="uni.example-template.csv"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	are(nora.Get("/email-domains/labor.example/template.csv"), germanColumns,
		"Muster, Erika|erika.muster@labor.example|e.muster@labor.example||persönlich||Beispiel: Diese beiden Zeilen bitte ersetzen",
		"Beispiel, Max|max.beispiel@labor.example|||persönlich||")
	nora.Lang = "en"
	english := nora.Get("/email-domains/uni.example/template.csv?format=comma")
	r.StartJobs()
	for file, domain := range map[string]string{german.Content: "uni.example", english.Content: "uni.example", nora.Get("/email-domains/labor.example/template.csv").Content: "labor.example"} {
		if im := planOf(r, domain, file); im.New != 2 || im.Faulty+im.Skipped > 0 {
			t.Errorf("the plan of %q has %d new and %d faulty lines, want two new", file, im.New, im.Faulty)
		}
	}
}

// planOf uploads a file as nora and waits for the plan of what was recognised.
func planOf(r *sitetest.Rig, domain, file string) imports.Import {
	r.T.Helper()
	ctx, nora := r.T.Context(), r.Actors["nora"]
	id := trial.Must(r.Imports.Upload(ctx, nora, domain, "liste.csv", strings.NewReader(file)))
	im := trial.Must(r.Imports.One(ctx, nora, domain, id))
	trial.Must(0, r.Imports.Plan(ctx, nora, domain, id, imports.Reading{Format: im.Format(), Columns: im.Columns}))
	r.Until("the import is planned", func() bool {
		im = trial.Must(r.Imports.One(ctx, nora, domain, id))
		return im.State == imports.Planned
	})
	return im
}

func TestAnExportImportedAgainChangesNothing(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.LinkRow("ada.adler", "ada", "a.adler@uni.example")
	r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "-Amt", Primary: "Amt@uni.example", Applicant: "ada.adler@uni.example", Comment: "'=1\n;,\""})
	r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Ämter", Primary: "aemter@uni.example"})
	r.StartJobs()
	for _, lang := range []string{"de", "en"} {
		for _, format := range []string{"", "?format=comma"} {
			nora := r.As("nora")
			nora.Lang = lang
			file := nora.Get("/email-domains/uni.example/export.csv" + format).Content
			if im := planOf(r, "uni.example", file); im.Unchanged != 3 || im.New+im.Changed+im.Skipped+im.Faulty > 0 {
				t.Errorf("%s%s: got %d unchanged, %d new, %d changed, %d skipped, %d faulty; want three unchanged", lang, format, im.Unchanged, im.New, im.Changed, im.Skipped, im.Faulty)
			}
		}
	}
}

// begin asks for the file and leaves it unread but for its first byte.
func begin(b *sitetest.Browser, path string) *http.Response {
	b.Rig.T.Helper()
	res := trial.Must(b.Client.Do(trial.Must(http.NewRequest(http.MethodGet, b.Rig.At(path), nil))))
	b.Rig.T.Cleanup(func() { res.Body.Close() })
	trial.Must(res.Body.Read(make([]byte, 1)))
	return res
}

const exported = "/email-domains/uni.example/export.csv"

// A file that nobody reads holds no connection to the database, and keeps nobody
// else from one; its own account has one at a time.
func TestAFileThatNobodyReadsHoldsNothingElse(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	trial.Must(r.Pool.Exec(t.Context(), `insert into address_row (domain, kind, name, primary_address, comment, created, changed)
		select d.id, 'personal', 'Viele ' || i, 'viele' || i || '@uni.example', repeat('x', 1000), now(), now()
		from email_domain d, generate_series(1, 20000) i where d.name = 'uni.example'`))
	nora := r.As("nora")
	slow := begin(nora, exported)
	if n := exporting(r); n != 0 {
		t.Errorf("%d connections wait for whoever reads slowly", n)
	}
	again := nora.Get(exported).Is(http.StatusTooManyRequests).Has("noch unterwegs")
	if again.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	nora.Get("/email-domains/uni.example/template.csv").Is(http.StatusOK)
	for range mostWriting + 1 {
		r.As("rita").Get(exported).Is(http.StatusOK)
	}
	rest := trial.Must(io.ReadAll(slow.Body))
	if got, want := int64(len(rest))+1, slow.ContentLength; got != want {
		t.Errorf("got %d bytes, want the %d that were announced", got, want)
	}
	if got, want := strings.Count(string(rest), "\r\n"), 20_001; got != want {
		t.Errorf("got %d lines, want %d", got, want)
	}
	r.Until("it has arrived", func() bool { return nora.Get(exported).StatusCode == http.StatusOK })
}

// mostWriting is how many files a process writes at a time.
const mostWriting = 4

// exporting is how many connections write a file.
func exporting(r *sitetest.Rig) (n int) {
	r.T.Helper()
	trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select count(*) from pg_stat_activity where datname = current_database() and state <> 'idle'
		and query like '%order by r.name, r.id%' and pid <> pg_backend_pid()`).Scan(&n))
	return n
}

// held keeps everybody from rows until free is called.
func held(r *sitetest.Rig) (free func()) {
	r.T.Helper()
	tx := trial.Must(r.Pool.Begin(r.T.Context()))
	trial.Must(tx.Exec(r.T.Context(), `lock table address_row in access exclusive mode`))
	return func() { trial.Must(0, tx.Rollback(r.T.Context())) }
}

func TestAnExportThatBreaksIsNoFile(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	free := held(r)
	defer free()
	done := make(chan sitetest.Answer)
	go func() { done <- r.As("nora").Get(exported) }()
	r.Until("it is being written", func() bool { return exporting(r) == 1 })
	trial.Must(r.Pool.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and query like '%order by r.name, r.id%' and pid <> pg_backend_pid()`))
	a := <-done
	if a.StatusCode < 500 || a.Header.Get("Content-Disposition") != "" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("got %d with %v, want a page that says so and no file", a.StatusCode, a.Header)
	}
}

func TestAskingForAnExportAgainBeginsItAnew(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	free := held(r)
	nora := r.As("nora")
	first, second := make(chan sitetest.Answer), make(chan sitetest.Answer)
	go func() { first <- nora.Get(exported) }()
	r.Until("the first is being written", func() bool { return exporting(r) == 1 })
	go func() { second <- nora.Get(exported) }()
	(<-first).Is(http.StatusTooManyRequests).Has("ein zweites Mal")
	free()
	(<-second).Is(http.StatusOK)
}
