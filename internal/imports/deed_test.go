package imports_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"petschaft/internal/imports"
	"petschaft/internal/pgtest"
)

func TestFilesWithWhatNobodySeesAreReadAsOneSeesThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for file, want := range map[string][]string{
		"23-nbsp.csv": {
			"carl.cordes@ Cordes, Carl", "clara.curtius@ Curtius, Clara", "cem.clasen@ Clasen, Cem", "cora.christ@ Christ, Cora",
			"claus.cramer@ Cramer, Claus", "cy.cohn@ Cohn, Cy", "cd.czech@ Czech, C D",
		},
		"24-nfd.csv": {"doerte.doering@ Döring, Dörte"},
	} {
		content, err := os.ReadFile("../sheet/testdata/" + file)
		r.ok(t, err)
		im := r.planned(t, strings.NewReplacer("@institut", "@uni", "@\u200binstitut", "@\u200buni").Replace(string(content)))
		lines, err := r.Imports.Lines(t.Context(), im, imports.LineNew, 0, 100)
		r.ok(t, err)
		var got []string
		for _, l := range lines {
			got = append(got, strings.Replace(l.Primary, "uni.example", "", 1)+" "+l.Name)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got the new lines\n%q\nwant\n%q", file, got, want)
		}
	}
}

// TestNothingStaysOfAFileThatCannotBePlanned holds that upload and plan are one.
func TestNothingStaysOfAFileThatCannotBePlanned(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.Imports.UploadPlan(t.Context(), r.contact, r.uni, "x.csv", strings.NewReader("A,B\n1,2\n"), imports.Wish{})
	if err == nil {
		t.Fatal("a file without addresses was planned")
	}
	for _, sql := range []string{`select count(*) from import`, `select count(*) from import_chunk`, `select count(*) from audit_line where action like 'mailbox.import%'`} {
		if n := r.campus.Scalar(sql); n != 0 {
			t.Errorf("%s: got %d, want none", sql, n)
		}
	}
}

// TestTheSameDeedOfTwoProcessesMakesOneImport asks fifty times at once, on two
// pools, and compares what each is told.
func TestTheSameDeedOfTwoProcessesMakesOneImport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := imports.Book{DB: pgtest.Open(t, r.DB.Config().ConnString()), Mailbox: r.Book, Queue: r.Queue, Now: r.Now}
	books := []*imports.Book{r.Imports, &other}
	file := "Name,Primäre Adresse,Postfachtyp\nNeu,neu@uni.example,persönlich\n"
	made := make([]imports.ID, 50)
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() {
			im, err := books[i%2].UploadPlan(t.Context(), r.Doing("import"), r.uni, "x.csv", strings.NewReader(file), imports.Wish{})
			if made[i] = im.ID; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range made {
		if id != made[0] || id == 0 {
			t.Fatalf("got %v, want one for all", made)
		}
	}
	if n := r.campus.Scalar(`select count(*) from import`); n != 1 {
		t.Errorf("got %d, want 1", n)
	}
}
