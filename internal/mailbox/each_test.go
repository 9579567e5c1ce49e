package mailbox_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestAViewSelectsRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	carla, anna, bert := r.AddRow(t, "carla"), r.AddRow(t, "anna"), r.AddRow(t, "bert", "bert.mueller@uni.example")
	foreign := trial.Must(r.Add(t.Context(), r.stranger, r.institute, mailbox.Input{Kind: mailbox.Personal, Name: "anna", Primary: "anna@institut.example"})).ID
	r.ok(t, r.Deactivate(t.Context(), r.contact, r.uni, bert))
	for _, c := range []struct {
		name string
		view mailbox.View
		want []string
	}{
		{"everything", mailbox.View{}, []string{"carla", "anna", "bert"}},
		{"how it sorts and pages does not matter", mailbox.View{Sort: mailbox.ByPrimary, Desc: true, Size: 1, Cursor: "x"}, []string{"carla", "anna", "bert"}},
		{"a status", mailbox.View{Status: mailbox.Inactive}, []string{"bert"}},
		{"words", mailbox.View{Text: "MUELLER"}, []string{"bert"}},
		{"words and a status", mailbox.View{Text: "mueller", Status: mailbox.None}, nil},
		{"single rows", mailbox.View{IDs: []mailbox.ID{anna, carla}}, []string{"carla", "anna"}},
		{"single rows of a status", mailbox.View{IDs: []mailbox.ID{anna, bert}, Status: mailbox.Inactive}, []string{"bert"}},
		{"no single row", mailbox.View{IDs: []mailbox.ID{}}, nil},
		{"rows of another domain", mailbox.View{IDs: []mailbox.ID{foreign}}, nil},
	} {
		if got := r.Selected(t, r.contact, c.view); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if got := r.Selected(t, r.officer, mailbox.View{}); len(got) != 3 {
		t.Errorf("an officer selects %v, want all", got)
	}
	if got := r.Selected(t, r.stranger, mailbox.View{}); got != nil {
		t.Errorf("a stranger selects %v, want nothing", got)
	}
}

func TestAnErrorEndsTheSelection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.AddRow(t, "anna")
	r.AddRow(t, "bert")
	d := trial.Must(r.Org.Domain(t.Context(), r.contact, r.uni))
	enough, n := errors.New("enough"), 0
	stop := func() error { n++; return enough }
	if err := r.Each(t.Context(), r.db, r.contact, d, mailbox.View{}, func(mailbox.Row) error { return stop() }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("Each: got %v after %d rows, want %v after one", err, n, enough)
	}
	if err := r.Export(t.Context(), r.contact, r.uni, mailbox.View{}, func(mailbox.Exported) error { return stop() }); !errors.Is(err, enough) || n != 2 {
		t.Errorf("Export: got %v after %d rows, want %v after one", err, n-1, enough)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Export(ctx, r.contact, r.uni, mailbox.View{}, func(mailbox.Exported) error { return nil }); err == nil {
		t.Error("Export without time: got nil, want an error")
	}
}

func TestAnExportHoldsWhatTheTableShowsByName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	add := func(in mailbox.Input) mailbox.ID { return trial.Must(r.Add(t.Context(), r.contact, r.uni, in)).ID }
	add(mailbox.Input{Kind: mailbox.Personal, Name: "Zeta, Öykü", Primary: "Zeta@uni.example"})
	add(mailbox.Input{
		Kind: mailbox.Functional, Name: "Änderungsdienst", Primary: "amt@uni.example", Aliases: []string{"a@uni.example", "b@uni.example"},
		Applicant: "zeta@uni.example", Comment: "=1+1\nzwei Zeilen; \"so\"",
	})
	end := time.Date(2027, 3, 14, 12, 0, 0, 0, time.UTC)
	r.certify(t, r.ada, r.LinkRow(t, r.ada, "mitte"), end, "mitte@uni.example")
	want := []mailbox.Exported{
		{
			Name: "Änderungsdienst", Primary: "amt@uni.example", Aliases: [2]org.Address{"a@uni.example", "b@uni.example"}, Kind: mailbox.Functional,
			Applicant: "zeta@uni.example", Comment: "=1+1\nzwei Zeilen; \"so\"", Status: mailbox.None,
		},
		{Name: "mitte", Primary: "mitte@uni.example", Kind: mailbox.Personal, Status: mailbox.Confirmed, Linked: "Ada Adler", CertificateEnd: &end, Doubtful: true},
		{Name: "Zeta, Öykü", Primary: "Zeta@uni.example", Kind: mailbox.Personal, Status: mailbox.None},
	}
	for _, by := range []person.Actor{r.contact, r.officer} {
		if diff := cmp.Diff(want, r.Exported(t, by, mailbox.View{})); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	}
	if got := r.Exported(t, r.contact, mailbox.View{Text: "zet", Status: mailbox.None}); len(got) != 1 || got[0].Name != "Zeta, Öykü" {
		t.Errorf("a search: got %v, want one row", got)
	}
	err := r.Export(t.Context(), r.stranger, r.uni, mailbox.View{}, func(mailbox.Exported) error { t.Error("a stranger got a row"); return nil })
	if !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger: got %v, want missing", err)
	}
}

func TestMoreThanASearchShowsIsExported(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.db.Exec(t.Context(), `insert into address_row (domain, kind, name, primary_address, created, changed)
		select $1, 'personal', 'Viele ' || i, 'viele' || i || '@uni.example', now(), now() from generate_series(1, $2::int) i`, r.uniID, mailbox.MaxHits+5)
	r.ok(t, err)
	if got := len(r.Exported(t, r.contact, mailbox.View{Text: "viele"})); got != mailbox.MaxHits+5 {
		t.Errorf("got %d rows, want %d", got, mailbox.MaxHits+5)
	}
}
