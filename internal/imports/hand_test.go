package imports_test

import (
	"fmt"
	"log/slog"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// edit changes the row as change says, with the version it has now.
func (r *rig) edit(t testing.TB, id mailbox.ID, change func(*mailbox.Input)) error {
	t.Helper()
	row := r.row(t, id)
	in := mailbox.Input{Kind: row.Kind, Name: row.Name, Applicant: string(row.Applicant), Comment: row.Comment}
	for _, a := range row.Aliases {
		in.Aliases = append(in.Aliases, string(a))
	}
	change(&in)
	return r.Edit(t.Context(), r.contact, r.uni, id, row.Version, in)
}

func (r *rig) mustEdit(t testing.TB, id mailbox.ID, change func(*mailbox.Input)) {
	t.Helper()
	if err := r.edit(t, id, change); err != nil {
		t.Fatalf("edit row %d: %v", id, err)
	}
}

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// linked makes a row that by confirmed whole.
func (r *rig) linked(t testing.TB, by person.Actor, local string, aliases ...string) mailbox.ID {
	t.Helper()
	id := r.add(t, local, aliases...)
	r.confirmAll(t, by, id)
	return id
}

func (r *rig) confirmAll(t testing.TB, by person.Actor, id mailbox.ID) {
	t.Helper()
	for _, d := range r.challenge(t, id) {
		if _, err := r.Confirm(t.Context(), by, d); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *rig) off(t testing.TB, id mailbox.ID) {
	t.Helper()
	r.ok(t, r.Deactivate(t.Context(), r.contact, r.uni, id))
}

func (r *rig) functional(t testing.TB, local, applicant string, aliases ...string) mailbox.ID {
	t.Helper()
	row, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{
		Kind: mailbox.Functional, Name: local, Primary: local + "@uni.example", Applicant: applicant, Aliases: aliases,
	})
	r.ok(t, err)
	return row.ID
}

// expect fails unless exactly these outcomes happened.
func expect(t *testing.T, got, want map[string]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got outcomes %v, want %v (\"\" is success)", got, want)
	}
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }
