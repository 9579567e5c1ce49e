package mailbox_test

import (
	"slices"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

// TestASearchMeansTheSameEverywhere: in the table of a domain, in what is done with
// all its hits, in the file, and in the office's search.
func TestASearchMeansTheSameEverywhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, in := range []mailbox.Input{
		{Name: "Mu\u0308ller, Anna", Primary: "anna.mueller@uni.example", Aliases: []string{"amueller@labor.example"}, Comment: "Gastwissenschaftlerin\nbis 31.12.2027"},
		{Name: "Hannemann, Hanna", Primary: "hanna@uni.example"},
		{Name: "Weiß, Jo", Primary: "anna@uni.example", Aliases: []string{"j.weiss@uni.example", "jo.weiss@labor.example"}},
		{Name: "O'Neil, Xy", Primary: "xy@uni.example"},
		{Name: "O’Neil, Zy", Primary: "zy@uni.example"},
	} {
		in.Kind = mailbox.Personal
		trial.Must(r.Add(t.Context(), r.contact, r.uni, in))
	}
	d := trial.Must(r.Org.Domain(t.Context(), r.contact, r.uni))
	const mueller, hanna, weiss, oneil, typographic = "Müller, Anna", "Hannemann, Hanna", "Weiß, Jo", "O'Neil, Xy", "O’Neil, Zy"
	for _, c := range []struct {
		typed string
		want  []string
	}{
		{"anna.mueller@uni.example", []string{mueller}},
		{"Anna.MUELLER@Uni.Example", []string{mueller}},
		{"<mailto:anna.mueller@uni.example>", []string{mueller}},
		{"\"Müller, Anna\" <anna.mueller@uni.example>", []string{mueller}},
		{"anna.mueller@", []string{mueller}},
		{"amueller@labor.example", []string{mueller}},
		{"j.weiss@uni.example", []string{weiss}},
		{"@labor", []string{mueller, weiss}},
		{"@LABOR.example", []string{mueller, weiss}},
		{"@uni", []string{mueller, hanna, weiss, oneil, typographic}},
		{"@uni jo", []string{weiss}},
		{"@uni @labor", []string{mueller, weiss}},
		{"anna@uni.example", []string{weiss}},
		{"nna@uni.example", nil},
		{"anna@labor.example", nil},
		{"@institut", nil},
		{"uni.example", nil},
		{"Mu\u0308ller", []string{mueller}},
		{"m\u00fcller an", []string{mueller}},
		{"WEIß", []string{weiss}},
		{"weiss", []string{weiss}},
		{"anna", []string{mueller, hanna, weiss}},
		{"an", []string{mueller, weiss}},
		{"gast 2027", []string{mueller}},
		{"wissenschaft", []string{mueller}},
		{"ann%", nil},
		{"o'neil", []string{oneil, typographic}},
		{"O’Neil", []string{oneil, typographic}},
	} {
		want := slices.Sorted(slices.Values(c.want))
		same := func(where string, got []string) {
			t.Helper()
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%q %s: got %q, want %q", c.typed, where, got, want)
			}
		}
		var table, all, file, office []string
		v := mailbox.View{Text: c.typed}
		for _, x := range trial.Must(r.Rows(t.Context(), r.contact, d, v)).Rows {
			table = append(table, x.Name)
		}
		same("in the table", table)
		r.ok(t, r.Each(t.Context(), r.db, r.contact, d, v, func(x mailbox.Row) error { all = append(all, x.Name); return nil }))
		same("among all hits", all)
		for _, x := range r.Exported(t, r.contact, v) {
			file = append(file, x.Name)
		}
		same("in the file", file)
		found, _, err := r.Search(t.Context(), r.officer, c.typed)
		r.ok(t, err)
		for _, x := range found {
			office = append(office, x.Name)
		}
		same("in the office", office)
	}
	for typed, all := range map[string]bool{"": true, "@uni.example": true, "@": true, "...": true, "@labor": false, "anna": false} {
		if p := trial.Must(r.Rows(t.Context(), r.contact, d, mailbox.View{Text: typed})); p.All != all {
			t.Errorf("%q: got all %v, want %v", typed, p.All, all)
		}
	}
}
