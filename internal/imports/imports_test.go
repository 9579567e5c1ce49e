package imports_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// sample is a file of the samples that the project was given.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "sheet", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// upload uploads a file for a domain.
func (r *rig) upload(t testing.TB, by person.Actor, domain, file string) imports.Import {
	t.Helper()
	id, err := r.Imports.Upload(t.Context(), by, domain, `C:\Export\Liste.csv`, strings.NewReader(file))
	if err != nil {
		t.Fatalf("upload: %v", err)
	}
	return r.imp(t, by, domain, id)
}

func (r *rig) imp(t testing.TB, by person.Actor, domain string, id imports.ID) imports.Import {
	t.Helper()
	im, err := r.Imports.One(t.Context(), by, domain, id)
	if err != nil {
		t.Fatalf("read import: %v", err)
	}
	return im
}

// plan lets the job make the plan of an import as it was recognised.
func (r *rig) plan(t testing.TB, by person.Actor, im imports.Import) imports.Import {
	t.Helper()
	domain := string(im.DomainName)
	r.ok(t, r.Imports.Plan(t.Context(), by, domain, im.ID, im.Recognised()))
	r.ok(t, r.Imports.Work(t.Context(), im.ID))
	if im = r.imp(t, by, domain, im.ID); im.State != imports.Planned {
		t.Fatalf("got state %s (%s), want planned", im.State, im.Trouble)
	}
	return im
}

// planned uploads a file for uni.example and makes its plan.
func (r *rig) planned(t testing.TB, file string) imports.Import {
	t.Helper()
	return r.plan(t, r.contact, r.upload(t, r.contact, r.uni, file))
}

// apply applies a plan, typing the number that is asked for.
func (r *rig) apply(t testing.TB, by person.Actor, im imports.Import) imports.Import {
	t.Helper()
	trial.Must(r.Imports.Apply(t.Context(), by, string(im.DomainName), im.ID, im.Changed))
	r.ok(t, r.Imports.Work(t.Context(), im.ID))
	return r.imp(t, by, string(im.DomainName), im.ID)
}

func (r *rig) undo(t testing.TB, im imports.Import) imports.Import {
	t.Helper()
	r.ok(t, r.Imports.Undo(t.Context(), r.contact, r.uni, im.ID))
	r.ok(t, r.Imports.Work(t.Context(), im.ID))
	if im = r.imp(t, r.contact, r.uni, im.ID); im.State != imports.Undone {
		t.Fatalf("got state %s (%s), want undone", im.State, im.Trouble)
	}
	return im
}

// classes are what the plan says of each line: "2 new", "3 faulty primary: id".
func (r *rig) classes(t testing.TB, im imports.Import) []string {
	t.Helper()
	said := map[int]string{}
	for _, c := range imports.Classes {
		lines, err := r.Imports.Lines(t.Context(), im, c, 0, 1000)
		r.ok(t, err)
		if len(lines) != im.Count(c) && im.Count(c) <= 1000 {
			t.Errorf("%s: got %d lines, want the %d that were counted", c, len(lines), im.Count(c))
		}
		for _, l := range lines {
			said[l.Line] = fmt.Sprintf("%d %s%s%s", l.Line, l.Class, fields(l.Faults), fields(l.Hints))
		}
	}
	var all []string
	for line := range said {
		all = append(all, said[line])
	}
	slices.SortFunc(all, func(a, b string) int {
		var m, n int
		fmt.Sscan(a, &m)
		fmt.Sscan(b, &n)
		return m - n
	})
	return all
}

func fields(fs []fault.Field) string {
	s := ""
	for _, f := range fs {
		s += " " + f.Name + ":" + strings.TrimPrefix(f.ID, "mailbox.")
	}
	return s
}

func (r *rig) wantClasses(t testing.TB, im imports.Import, want ...string) {
	t.Helper()
	got := r.classes(t, im)
	if !slices.Equal(got, want) {
		t.Errorf("got the plan\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestTheExportOfAMailSystemIsTakenButForOtherMailboxes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.upload(t, r.stranger, r.institute, string(sample(t, "network-export.csv")))
	if im.Encoding != "windows-1252" || im.Separator != ";" || im.FileName != "Liste.csv" || im.Records != 9 {
		t.Errorf("recognised %s, %q, %s, %d records; want windows-1252, semicolons, Liste.csv, 9", im.Encoding, im.Separator, im.FileName, im.Records)
	}
	im = r.plan(t, r.stranger, im)
	r.wantClasses(t, im, "2 new", "3 new", "4 new", "5 new", "6 new", "7 skipped", "8 skipped", "9 new", "10 new")
	im = r.apply(t, r.stranger, im)
	if im.State != imports.Applied || im.New != 7 || im.AppliedByName == nil || *im.AppliedByName != "Sven Fremd" {
		t.Fatalf("got %s with %d new by %v, want it applied by Sven Fremd with 7", im.State, im.New, im.AppliedByName)
	}
	page, err := r.Rows(t.Context(), r.stranger, trial.Must(r.Org.Domain(t.Context(), r.stranger, r.institute)), mailbox.View{})
	r.ok(t, err)
	var got []string
	for _, row := range page.Rows {
		got = append(got, fmt.Sprint(row.Name, "|", row.Primary, "|", row.Aliases, "|", row.Kind, "|", row.Applicant, "|", row.Comment, "|", row.Status))
	}
	want := []string{
		"Çelik, Aylin|aylin.celik@institut.example|[]|personal|||none",
		"Müller, Jürgen|Juergen.Mueller@institut.example|[j.mueller@institut.example]|personal||14.03.2027|none",
		"O'Brien-Schäfer, Mary|mary.obrien@institut.example|[m.obrien@institut.example obrien@institut.example]|personal||seit 2019; Büro 204|none",
		"Prüfungsamt|pruefungsamt@institut.example|[]|functional|aylin.celik@institut.example|zwei Personen|none",
		"Sekretariat Lehrstuhl für Bildverarbeitung|sekretariat@institut.example|[info@institut.example]|functional|mary.obrien@institut.example||none",
		"Straße, Gößta|goessta.strasse@institut.example|[strasse@institut.example]|personal||01.12.2026|none",
		"Zeta, Öykü|oeykue.zeta@institut.example|[]|personal|||none",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryFaultyLineIsNamedWithItsReason(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.campus.Domain("fakultaet.example", r.group, org.ByDomain)
	im := r.plan(t, r.contact, r.upload(t, r.contact, "fakultaet.example", string(sample(t, "faults-german-headers.csv"))))
	r.wantClasses(t, im,
		"2 new",
		"3 new",
		"4 faulty primary:import.twice",
		"5 faulty primary:primary.domain",
		"6 faulty alias2:alias.many",
		"7 faulty primary:org.address.form",
		"8 faulty primary:org.address.ascii",
		"9 faulty name:field.required kind:field.required",
		"10 new applicant:import.hint_applicant",
		"11 faulty primary:org.address.local")
	lines := trial.Must(r.Imports.Lines(t.Context(), im, imports.LineNew, 2, 1))
	if len(lines) != 1 || lines[0].Comment != `=HYPERLINK("http://example","klick")` || fmt.Sprint(lines[0].Aliases) != "[l.braun@fakultaet.example lea@fakultaet.example]" {
		t.Errorf("line 3: got %+v, want two aliases and the formula as text", lines)
	}
	var out bytes.Buffer
	r.ok(t, r.Imports.WriteFaults(t.Context(), im, &out, "Grund", func(f fault.Field) string { return f.Name + " " + f.ID }))
	if got := out.String(); strings.Count(got, "\r\n") != 8 || !strings.Contains(got, "max@anderswo.example;\"Fremd, Max\";;persönlich;;;primary mailbox.primary.domain\r\n") {
		t.Errorf("got the faults\n%s\nwant a heading and the seven lines as they stand in the file, each with its reason", got)
	}
	im = r.apply(t, r.contact, im)
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 3 || im.State != imports.Applied {
		t.Errorf("got %d rows and state %s, want 3 and applied", n, im.State)
	}
}

func TestExcelsUnicodeTextIsTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.plan(t, r.stranger, r.upload(t, r.stranger, r.institute, string(sample(t, "excel-utf16.csv"))))
	r.wantClasses(t, im, "3 new")
	if l := trial.Must(r.Imports.Lines(t.Context(), im, imports.LineNew, 0, 9)); l[0].Name != "Weiß, Änne" {
		t.Errorf("got name %q, want Weiß, Änne", l[0].Name)
	}
}
