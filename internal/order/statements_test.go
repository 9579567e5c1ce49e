package order_test

import (
	"testing"

	"petschaft/internal/issuance"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/pgtest"
)

// mostForApplications is how many statements a number of applications may cost from
// the form to the certificate, each of a batch counted: eleven for each. River
// wakes a queue at most every 100 ms, by one more.
func mostForApplications(n, wakings int) int { return 11*n + wakings }

// TestAnApplicationCostsFewStatements from the form to the letter about its
// certificate.
func TestAnApplicationCostsFewStatements(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	const n = 5
	var rows []mailbox.ID
	for i := range n {
		rows = append(rows, r.linked(t, r.ada, string(rune('a'+i))+"@uni.example"))
	}
	var ids []order.ID
	first := r.apply(t, r.ada, r.linked(t, r.ada, "first@uni.example")) // the sequences of letters are filled
	r.ok(t, r.Issue(t.Context(), first))
	count := pgtest.Queries(t, r.db)
	for _, row := range rows {
		ids = append(ids, r.apply(t, r.ada, row))
	}
	applied := count()
	for _, id := range ids {
		r.ok(t, r.Book.Issuance.Look(t.Context(), issuance.Application, issuance.Number(id)))
	}
	issued := count()
	if most := mostForApplications(n, 2*2); issued > most {
		t.Errorf("got %d statements of %d applications, %d of them until they were made; want at most %d", issued, n, applied, most)
	}
	t.Logf("%d applications: %d statements until they are made, %d in all", n, applied, issued)
	for _, id := range ids {
		if a := r.application(t, id); a.State != order.Issued {
			t.Errorf("got %s, want it issued", a.State)
		}
	}
}
