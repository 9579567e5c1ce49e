package order_test

import (
	"slices"
	"testing"
)

// told are to whom letters about somebody new went, in order.
func (r *rig) told(t testing.TB) (all []string) {
	t.Helper()
	rows, err := r.db.Query(t.Context(), `select recipient || ' ' || (words->>'By') || ' ' || (words->>'Lang') from letter where kind = 'applied' order by recipient, id`)
	r.ok(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		r.ok(t, rows.Scan(&s))
		all = append(all, s)
	}
	return all
}

// TestAnApplicationBySomebodyNewIsTold to who holds a valid certificate of the
// row, in their language, and to its contact group; one's own next one is not.
func TestAnApplicationBySomebodyNewIsTold(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	r.exec(t, `update account set language = 'en' where id = $1`, r.ada.Account)
	row := r.linked(t, r.ada, "stelle@uni.example")
	first := r.apply(t, r.ada, row)
	r.ok(t, r.Issue(t.Context(), first))
	if got := r.told(t); len(got) != 0 {
		t.Fatalf("the first certificate of the row: got %v, want nobody told", got)
	}
	r.clock.Advance(1)
	r.exec(t, `update link set account = $2 where row_id = $1`, row, r.bob.Account)
	second := r.apply(t, r.bob, row)
	want := []string{"Adler@people.example Bob Bach en", "netz@uni.example Bob Bach "}
	if got := r.told(t); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.ok(t, r.Issue(t.Context(), second))
	r.exec(t, `update certificate set revoked = issued, revoked_by = account, reason = 4`)
	r.exec(t, `update address_certificate set revoked = issued`)
	r.exec(t, `update link set account = $2 where row_id = $1`, row, r.ada.Account)
	r.apply(t, r.ada, row)
	if got := r.told(t); len(got) != 2 {
		t.Errorf("when theirs are revoked: got %q, want nobody told", got)
	}
}
