package imports_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/sheet"
	"petschaft/internal/trial"
)

// fromField is the plan of a file of the samples, for institut.example.
func (r *rig) fromField(t *testing.T, name string) imports.Import {
	t.Helper()
	return r.plan(t, r.stranger, r.upload(t, r.stranger, r.institute, string(sample(t, name))))
}

// rows are the names and addresses of the lines of a plan.
func (r *rig) lines(t *testing.T, im imports.Import, c imports.Class) (all []string) {
	t.Helper()
	for _, l := range trial.Must(r.Imports.Lines(t.Context(), im, c, 0, 100)) {
		all = append(all, fmt.Sprint(l.Line, " ", l.Name, " ", l.Primary, " ", l.Aliases))
	}
	return all
}

func TestFilesOfTheFieldAreReadRight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file    string
		classes []string
		lines   []string
	}{
		{"20b-ps51-type.csv", []string{"3 new"}, []string{"3 Ahrens, Anke anke.ahrens1@institut.example []"}},
		{"20d-proxyaddresses-quoted.csv", []string{"2 new"}, []string{"2 Ahrens, Anke anke.ahrens3@institut.example [aa3@institut.example]"}},
		{"21-google.csv", []string{"2 faulty kind:field.required"}, nil}, // it says nothing of mailbox types
		{"22-mailto.csv", []string{"2 new", "3 new", "4 new", "5 new", "6 new", "7 new"}, []string{
			"2 Berg, Bert bert.berg@institut.example []", "3 Bach, Bea bea.bach@institut.example []", "4 Busch, Bo bo.busch@institut.example []",
			"5 Brand, Bill bill.brand@institut.example []", "6 Berger, Bix bix.berger@institut.example []", "7 Buck, Ben ben.buck@institut.example []",
		}},
		{"25-ctrlz.csv", []string{"2 new"}, []string{"2 Eck, Eva eva.eck@institut.example []"}},
		{"33-title-line.csv", []string{"4 new"}, []string{"4 Mey, Max max.mey@institut.example []"}},
		{"34b-mixed.csv", []string{"2 new", "3 faulty :sheet.not_utf8"}, []string{"2 Böhm, Bärbel baerbel.boehm@institut.example []"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			im := r.fromField(t, c.file)
			r.wantClasses(t, im, c.classes...)
			if got := r.lines(t, im, imports.LineNew); fmt.Sprint(got) != fmt.Sprint(c.lines) {
				t.Errorf("got %q, want %q", got, c.lines)
			}
		})
	}
}

// TestWorkbooksMakePlansAsTextsDo reads the workbooks that the room sheet reads.
func TestWorkbooksMakePlansAsTextsDo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	book := func(name string) string {
		return string(trial.Must(os.ReadFile(filepath.Join("..", "sheet", "testdata", name))))
	}
	im := r.upload(t, r.contact, r.uni, book("excel.xlsx"))
	if im.Encoding != sheet.Workbook || im.HeaderLine != 3 || im.Records != 3 || im.Bytes != int64(len(book("excel.xlsx"))) {
		t.Errorf("got %s, headings in line %d, %d records of %d bytes", im.Encoding, im.HeaderLine, im.Records, im.Bytes)
	}
	if im = r.plan(t, r.contact, im); im.New != 3 {
		t.Fatalf("got %v, want three new rows", r.classes(t, im))
	}
	lines := trial.Must(r.Imports.Lines(t.Context(), im, imports.LineNew, 0, 10))
	if l := lines[1]; l.Line != 6 || l.Name != "Weiß, Änne" || l.Comment != "zwei\nZeilen" || lines[0].Comment != "2027-03-14" || lines[2].Name != "=Formel, 007" {
		t.Errorf("got %+v", lines)
	}
	if im = r.apply(t, r.contact, im); im.State != imports.Applied {
		t.Errorf("got state %s (%s), want applied", im.State, im.Trouble)
	}
	again := r.planned(t, book("excel.xlsx"))
	r.wantClasses(t, again, "4 unchanged", "6 unchanged", "7 unchanged")
	r.wantClasses(t, r.planned(t, book("list.ods")), "2 new", "4 new")
	if n := r.campus.Scalar(`select count(*) from import_chunk where place < 0`); n != 0 {
		t.Errorf("got %d pieces below the first", n)
	}
}

func TestProxyAddressesSayWhichIsWhat(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.AddRow(t, "old", "two@uni.example")
	const head = "Name;Mail;Typ;Proxy addresses\n"
	for _, c := range []struct{ cells, want, aliases string }{
		{`new;new@uni.example;personal;"SMTP:new@uni.example;smtp:a@uni.example"`, "new", "a@uni.example"},
		{`new;new@uni.example;personal;"smtp:a@labor.example SIP:new@uni.example SMTP:NEW@uni.example"`, "new", "a@labor.example"},
		{`new;new@uni.example;personal;SMTP:new@uni.example+smtp:a@uni.example+smtp:new@uni.onmicrosoft.com`, "new", "a@uni.example"},
		{`new;new@uni.example;personal;"{SMTP:new@uni.example, smtp:a@uni.example, X500:/o=Uni/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=b@uni.example}"`, "new", "a@uni.example"},
		{`new;;personal;"smtp:a@uni.example;SMTP:new@uni.example"`, "new", "a@uni.example"},
		{`new;new@uni.example;personal;`, "new", ""},
		{`new;new@uni.example;personal;a@uni.example, b@uni.example`, "new", "a@uni.example b@uni.example"},
		{`new;new@uni.example;personal;"smtp:a@uni.example;smtp:b@uni.example;smtp:c@uni.example"`, "new proxies:import.hint_more", "a@uni.example b@uni.example"},
		{`new;new@uni.example;personal;"smtp:a@elsewhere.example;smtp:b@uni.example"`, "new proxies:import.hint_foreign", "b@uni.example"},
		{`new;new@uni.example;personal;"SMTP:other@uni.example;smtp:new@uni.example"`, "faulty primary:import.proxy_primary", ""},
		{`old;old@uni.example;personal;"smtp:one@uni.example;smtp:two@uni.example;SMTP:old@uni.example"`, "changed", "two@uni.example one@uni.example"},
		{`old;old@uni.example;personal;"smtp:TWO@uni.example"`, "unchanged", "two@uni.example"},
	} {
		im := r.planned(t, head+c.cells)
		if got := strings.TrimPrefix(strings.Join(r.classes(t, im), "\n"), "2 "); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.cells, got, c.want)
		}
		for _, class := range [...]imports.Class{imports.LineNew, imports.LineChanged, imports.LineUnchanged} {
			for _, l := range trial.Must(r.Imports.Lines(t.Context(), im, class, 0, 1)) {
				if got := strings.Trim(fmt.Sprint(l.Aliases), "[]"); got != c.aliases {
					t.Errorf("%s: got the aliases %s, want %s", c.cells, got, c.aliases)
				}
			}
		}
		r.ok(t, r.Imports.Discard(t.Context(), r.contact, r.uni, im.ID))
	}
	im := r.planned(t, "Name;Typ;Proxy addresses\nnew;personal;SMTP:new@uni.example;\n")
	r.wantClasses(t, im, "2 new")
	im = r.planned(t, "Name;Mail;Typ;Aliases\nnew;new@uni.example;personal;SMTP:new@uni.example smtp:a@uni.example\n")
	r.wantClasses(t, im, "2 new")
}

func TestAMisreadNameIsHintedAt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.planned(t, "Name;Mail;Typ\nM\x9fller, J\x9frgen;j@uni.example;personal\nMeier;m@uni.example;personal\n") // Mac Roman
	r.wantClasses(t, im, "2 new name:import.hint_misread", "3 new")
	im = r.planned(t, "Name;Mail;Typ\nM\x81ller, J\x81rgen;j@uni.example;personal\n") // CP850
	r.wantClasses(t, im, "2 faulty :sheet.unreadable")
	im.Encoding = sheet.CP850
	r.wantClasses(t, r.plan(t, r.contact, im), "2 new")
}

func TestAProgramSaysHowItsFileIsToBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	plan := func(file string, w imports.Wish) (imports.Import, error) {
		made, err := r.Imports.UploadPlan(t.Context(), r.contact, r.uni, "x.csv", strings.NewReader(file), w)
		if err != nil {
			return imports.Import{}, err
		}
		r.ok(t, r.Imports.Work(t.Context(), made.ID))
		return r.imp(t, r.contact, r.uni, made.ID), nil
	}
	const titled = "export,of;today\nName;Mail;Typ\nJ\x81rgen;j@uni.example;personal\n"
	columns := []imports.Field{"name", "primary", "kind"}
	im, err := plan(titled, imports.Wish{Encoding: sheet.CP850, Separator: ';', HeaderLine: 2, Columns: columns})
	r.ok(t, err)
	if got := fmt.Sprint(r.lines(t, im, imports.LineNew)); got != "[3 Jürgen j@uni.example []]" {
		t.Errorf("got %s, want line 3 with its umlaut", got)
	}
	im, err = plan("whatever;x;y\nJan;j@uni.example;personal\n", imports.Wish{Columns: columns})
	r.ok(t, err)
	r.wantClasses(t, im, "2 new")
	im, err = plan("\ufeffName;Mail;Typ\nJürgen;j@uni.example;personal\n", imports.Wish{Encoding: sheet.Windows1252})
	r.ok(t, err)
	if im.Encoding != sheet.UTF8 {
		t.Errorf("a byte order mark against what was declared: got %s, want utf-8", im.Encoding)
	}
	refused := func(file string, w imports.Wish, id string) {
		t.Helper()
		_, err := plan(file, w)
		campus.Wants(t, err, id)
	}
	refused("a;b\n1;2\n", imports.Wish{}, "mailbox.import.no_primary")
	refused("Mail;b\n1;2\n", imports.Wish{HeaderLine: 2}, "mailbox.import.no_primary")
	refused("Mail;b\n1;2\n", imports.Wish{HeaderLine: 3}, "mailbox.import.header_line")
	for _, w := range []imports.Wish{{}, {HeaderLine: 1}, {Columns: []imports.Field{"primary", ""}}} {
		refused("Mail;Stra\xdfe\na@uni.example;Süd\n", w, "mailbox.import.header_unreadable")
		_, err := plan("Mail;Stra\xdfe\na@uni.example;Süd\n", w)
		if f := fault.Of(err); len(f.Fields) != 2 || f.Fields[1].ID != "sheet.not_utf8" {
			t.Errorf("got %v, want the reason to be said, too", err)
		}
	}
	refused("Mail;b\n1;2\n", imports.Wish{Columns: columns}, "mailbox.import.columns_differ")
	refused("Mail;b\n1;2\n", imports.Wish{Columns: []imports.Field{"primary", "room"}}, "mailbox.import.column_unknown")
	if n := r.campus.Scalar(`select count(*) from import where state not in ('planned', 'discarded')`); n != 0 {
		t.Errorf("got %d imports that were kept without a plan", n)
	}
}

func TestABombIsRefusedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	entry := append([]byte("PK\x01\x02"), make([]byte, 42)...)
	file := append([]byte("PK\x03\x04"), bytes.Repeat(entry, 20_000)...)
	file = append(file, "PK\x05\x06\x00\x00\x00\x00 N N\xc0\x09\x0e\x00\x04\x00\x00\x00\x00\x00"...)
	_, err := r.Imports.Upload(t.Context(), r.contact, r.uni, "x.xlsx", bytes.NewReader(file))
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v, want too large", err)
	}
	if n := r.campus.Scalar(`select (select count(*) from import) + (select count(*) from import_chunk)`); n != 0 {
		t.Errorf("got %d leftovers, want none", n)
	}
}
