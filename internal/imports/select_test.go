package imports_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/sheet"
	"petschaft/internal/trial"
)

func TestAnImportSelectsItsNewRowsAndThoseItLacks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.AddRow(t, "anna")
	r.AddRow(t, "bert")
	gone := r.AddRow(t, "dora")
	r.ok(t, r.Deactivate(t.Context(), r.contact, r.uni, gone))
	im := r.planned(t, "E-Mail;Name;Typ\nANNA@uni.example;Anna;personal\ncarl@uni.example;Carl;personal\nbert@uni.example;;personal\n")
	added, missing := mailbox.View{Only: imports.Added(im.ID)}, mailbox.View{Only: imports.Missing(im.ID)}
	if got := r.Selected(t, r.contact, added); got != nil {
		t.Errorf("new rows of a plan: got %v, want none", got)
	}
	im = r.apply(t, r.contact, im)
	if got, want := r.Selected(t, r.contact, added), []string{"carl"}; !slices.Equal(got, want) {
		t.Errorf("new rows: got %v, want %v", got, want)
	}
	if got := r.Selected(t, r.contact, missing); got != nil {
		t.Errorf("a line that is wrong names its row all the same: got %v, want nothing missing", got)
	}
	r.AddRow(t, "emil")
	if got, want := r.Selected(t, r.contact, missing), []string{"emil"}; !slices.Equal(got, want) {
		t.Errorf("missing rows: got %v, want %v", got, want)
	}
	var listed []string
	for _, row := range trial.Must(r.Imports.MissingRows(t.Context(), im, 0, 10)) {
		listed = append(listed, row.Name)
	}
	if want := []string{"emil"}; !slices.Equal(listed, want) {
		t.Errorf("the list of missing rows: got %v, want %v as the selection", listed, want)
	}
	other := r.plan(t, r.stranger, r.upload(t, r.stranger, r.institute, "E-Mail;Name;Typ\nx@institut.example;X;personal\n"))
	for name, v := range map[string]mailbox.View{
		"missing from another domain's import": {Only: imports.Missing(other.ID)}, "missing from no import": {Only: imports.Missing(999_999)},
		"new of another domain's import": {Only: imports.Added(other.ID)},
	} {
		if got := r.Selected(t, r.contact, v); got != nil {
			t.Errorf("%s: got %v, want none", name, got)
		}
	}
	for _, file := range []string{"E-Mail;Name;Typ\n", "E-Mail;Name;Typ\nkeine Adresse;X;personal\n;Y;personal\n", "E-Mail;Name;Typ\nraum@uni.example;Raum;room\n"} {
		useless := r.planned(t, file)
		if got := r.Selected(t, r.contact, mailbox.View{Only: imports.Missing(useless.ID)}); useless.Missing != 0 || got != nil {
			t.Errorf("a file that tells nothing, %q: got %v and %d missing, want none", file, got, useless.Missing)
		}
	}
	r.undo(t, im)
	for name, v := range map[string]mailbox.View{"new": added, "missing": missing} {
		if got := r.Selected(t, r.contact, v); got != nil {
			t.Errorf("%s after undoing: got %v, want none", name, got)
		}
	}
}

// What is exported and imported again changes nothing, whatever rows hold.
func TestAnExportImportedAgainChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	comments := []string{"", "14.03.2027", "=1+1", "'=1+1", "''@x", "+49 30 1;2", "a,b\tc", "\"", "zwei\nZeilen\r\nund mehr", "sep=;", "-", "@", "’=", "\ufeffx", "ß€𝄞"}
	for i, c := range comments {
		in := mailbox.Input{Kind: mailbox.Personal, Name: fmt.Sprintf("=%d, %s", i, c), Primary: fmt.Sprintf("=Zeile%d@uni.example", i), Comment: c}
		if i%2 == 1 {
			in.Aliases = []string{fmt.Sprintf("+a%d@uni.example", i)}
		}
		if i%3 == 0 {
			in.Kind, in.Applicant = mailbox.Functional, fmt.Sprintf("-wer%d@uni.example", i)
			in.Aliases = append(in.Aliases, fmt.Sprintf("'b%d@uni.example", i))
		}
		id := trial.Must(r.Add(t.Context(), r.contact, r.uni, in)).ID
		if i%5 == 0 {
			r.ok(t, r.Deactivate(t.Context(), r.contact, r.uni, id))
		}
	}
	for _, f := range []sheet.WriterFormat{{Separator: ';', BOM: true}, {Separator: ','}} {
		var file strings.Builder
		w := sheet.NewWriter(&file, f)
		r.ok(t, w.Write("Anzeigename", "Primäre E-Mail", "Alias-E-Mail 1", "Alias-E-Mail 2", "Postfachtyp", "E-Mail Antragsteller", "Kommentar", "Status"))
		for _, x := range r.Exported(t, r.contact, mailbox.View{}) {
			r.ok(t, w.Write(x.Name, string(x.Primary), string(x.Aliases[0]), string(x.Aliases[1]), string(x.Kind), string(x.Applicant), x.Comment, string(x.Status)))
		}
		r.ok(t, w.Flush())
		im := r.planned(t, file.String())
		if im.Unchanged != len(comments) || im.New+im.Changed+im.Skipped+im.Faulty > 0 {
			t.Errorf("%q: got %d unchanged, %d new, %d changed, %d skipped, %d faulty; want all %d unchanged\n%s",
				f.Separator, im.Unchanged, im.New, im.Changed, im.Skipped, im.Faulty, len(comments), file.String())
			for _, c := range []imports.Class{imports.LineChanged, imports.LineFaulty} {
				t.Logf("%s: %+v", c, trial.Must(r.Imports.Lines(t.Context(), im, c, 0, 100)))
			}
		}
	}
}
