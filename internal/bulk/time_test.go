package bulk_test

import (
	"testing"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
)

// Each operation of a bulk and each batch of its rows, with a clock that jumps
// between two readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	rows := r.many(3)
	for _, v := range []bulk.Verb{bulk.Comment, bulk.Deactivate, bulk.Activate, bulk.Challenge, bulk.Delete} {
		if v == bulk.Delete { // which is for rows that were never challenged
			rows = []mailbox.ID{r.add("new")}
		}
		var id bulk.ID
		r.clock.Once(t, "prepare", func() (err error) {
			id, err = r.Prepare(ctx, r.contact, uni, v, mailbox.View{IDs: rows})
			return err
		})
		r.clock.Once(t, "start", func() error { return r.Start(ctx, r.contact, uni, id, "bis 2027") })
		for more := true; more; {
			r.clock.Once(t, string(v), func() (err error) { _, more, err = r.Batch(ctx, id); return err })
		}
		if x := r.one(id); x.Done != len(rows) {
			t.Errorf("%s: %d rows are done, want %d", v, x.Done, len(rows))
		}
	}
	id := r.started(bulk.Comment, r.add("another"))
	r.clock.Once(t, "cancel", func() error { return r.Cancel(ctx, r.contact, uni, id) })
	if n := r.campus.Scalar(`select count(*) from bulk b where b.ended is null or not exists (select from audit_line a where a.at = b.ended)
		or not exists (select from audit_line a where a.at = b.started)`); n != 0 {
		t.Errorf("%d bulks began or ended at another time than their line says", n)
	}
}
