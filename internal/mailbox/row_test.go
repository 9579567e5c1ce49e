package mailbox_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/trial"
)

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func TestAPersonConfirmsEveryAddressAndIsLinked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada.adler", "a.adler@uni.example", "ada@labor.example")
	digests := r.ChallengeRow(t, id)
	if len(digests) != 3 {
		t.Fatalf("got %d challenges, want one for each of 3 addresses", len(digests))
	}
	if got := r.ReadRow(t, id).Status; got != mailbox.Open {
		t.Errorf("after sending: got status %q, want open", got)
	}
	for i, a := range []string{"ada.adler@uni.example", "a.adler@uni.example", "ada@labor.example"} {
		c, err := r.Confirm(t.Context(), r.ada, digests[a])
		if err != nil || c.Waiting != 2-i || c.Linked != (i == 2) || string(c.Of.Recipient) != a || c.Of.RowID != id {
			t.Fatalf("confirm %s: got %+v and %v, want its challenge, %d that wait, and the link with the last", a, c, err, 2-i)
		}
	}
	row := r.ReadRow(t, id)
	if row.Status != mailbox.Confirmed || row.Linked == nil || *row.Linked != r.ada.Account || len(row.Covered) != 3 {
		t.Errorf("got %q linked to %v covering %v, want confirmed, Ada, all three", row.Status, row.Linked, row.Covered)
	}
	_, err := r.Confirm(t.Context(), r.ada, digests["ada.adler@uni.example"])
	campus.Wants(t, err, "mailbox.link.confirmed")
}

func TestTheTableSortsFiltersAndPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, n := range []string{"zorn", "adler", "berg", "cranz", "dorn", "ähre", "zander"} {
		local := map[string]string{"ähre": "aehre"}[n]
		if local == "" {
			local = n
		}
		if _, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: n, Primary: local + "@uni.example", Comment: "x" + n}); err != nil {
			t.Fatal(err)
		}
	}
	d := trial.Must(r.Org.Domain(t.Context(), r.contact, r.uni))
	for _, s := range []mailbox.Sort{mailbox.ByName, mailbox.ByPrimary, mailbox.ByStatus, mailbox.ByEnd, mailbox.ByComment} {
		for _, desc := range []bool{false, true} {
			for _, text := range []string{"", "uni", "r"} {
				walk(t, r, d, mailbox.View{Sort: s, Desc: desc, Text: text})
			}
		}
	}
	p := trial.Must(r.Rows(t.Context(), r.contact, d, mailbox.View{}))
	if got, want := names(p), []string{"adler", "ähre", "berg", "cranz", "dorn", "zander", "zorn"}; !slices.Equal(got, want) {
		t.Errorf("by name: got %v, want German order %v", got, want)
	}
	p = trial.Must(r.Rows(t.Context(), r.contact, d, mailbox.View{Text: "ähr"}))
	if got := names(p); !slices.Equal(got, []string{"ähre"}) {
		t.Errorf("search ähr: got %v", got)
	}
}

func names(p mailbox.Page) (n []string) {
	for _, r := range p.Rows {
		n = append(n, r.Name)
	}
	return n
}

// walk pages through a view forwards and back and compares with one big page.
func walk(t *testing.T, r *rig, d org.EmailDomain, v mailbox.View) {
	t.Helper()
	all := names(trial.Must(r.Rows(t.Context(), r.contact, d, v)))
	v.Size = 2
	var forth, back []string
	p := trial.Must(r.Rows(t.Context(), r.contact, d, v))
	if p.Prev != "" {
		t.Errorf("%+v: first page has one before it", v)
	}
	var last mailbox.Page
	for {
		forth = append(forth, names(p)...)
		last = p
		if p.Next == "" {
			break
		}
		v.Cursor = p.Next
		p = trial.Must(r.Rows(t.Context(), r.contact, d, v))
	}
	for p = last; ; {
		back = append(names(p), back...)
		if p.Prev == "" {
			break
		}
		v.Cursor = p.Prev
		p = trial.Must(r.Rows(t.Context(), r.contact, d, v))
	}
	if !slices.Equal(forth, all) || !slices.Equal(back, all) {
		t.Errorf("%+v: got %v forwards and %v backwards, want %v", v, forth, back, all)
	}
}

func TestBrakesNameTheTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	r.ChallengeRow(t, id)
	_, err := r.Challenge(t.Context(), r.contact, r.uni, id)
	campus.Wants(t, err, "mailbox.brake.gap")
	if want := r.Now().Add(time.Minute); !fault.Of(err).RetryAt.Equal(want) {
		t.Errorf("got retry at %v, want %v", fault.Of(err).RetryAt, want)
	}
	for range 9 {
		r.ChallengeRow(t, id)
	}
	r.clock.Advance(time.Hour)
	campus.Wants(t, second(r.Challenge(t.Context(), r.contact, r.uni, id)), "mailbox.brake.row")
}
