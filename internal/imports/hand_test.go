package imports_test

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"petschaft/internal/fault"
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

// race runs f in n goroutines at once and counts what each said ("": well).
func race(n int, f func(i int) error) map[string]int {
	start := make(chan struct{})
	out := make([]string, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			out[i] = said(f(i))
		})
	}
	close(start)
	all.Wait()
	counts := map[string]int{}
	for _, s := range out {
		counts[s]++
	}
	return counts
}

// expect fails unless exactly these outcomes happened.
func expect(t *testing.T, got, want map[string]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got outcomes %v, want %v (\"\" is success)", got, want)
	}
}

func (r *rig) scalar(t testing.TB, sql string, args ...any) (n int) {
	t.Helper()
	if err := r.db.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// wants fails unless err is a fault with the message id, on itself or a field.
func wants(t testing.TB, err error, id string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil {
		t.Errorf("got no error, want %s", id)
		return
	}
	if f.ID != id && !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.ID == id }) {
		t.Errorf("got %v, want %s", err, id)
	}
}

// said is the message id of an error, of its first field if it has any.
func said(err error) string {
	f := fault.Of(err)
	switch {
	case f == nil:
		return ""
	case len(f.Fields) > 0:
		return f.Fields[0].ID
	case f.ID == "":
		return "internal " + err.Error()
	}
	return f.ID
}
