package imports_test

import (
	"strings"
	"testing"

	"petschaft/internal/imports"
)

// Each operation of an import and each job on it, with a clock that jumps between
// two readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	r.LinkRow(t, r.ada, "b", "y@uni.example")
	const file = heads + "B;b@uni.example;x@uni.example;;personal;;\nneu;neu@uni.example;z@uni.example;;personal;;\n"
	var id imports.ID
	r.clock.Once(t, "upload", func() (err error) {
		id, err = r.Imports.Upload(ctx, r.contact, r.uni, "Liste.csv", strings.NewReader(file))
		return err
	})
	work := func(what string) {
		t.Helper()
		r.clock.Once(t, what, func() error { return r.Imports.Work(ctx, id) })
	}
	r.clock.Once(t, "order the plan", func() error {
		return r.Imports.Plan(ctx, r.contact, r.uni, id, r.imp(t, r.contact, r.uni, id).Recognised())
	})
	work("plan")
	r.clock.Once(t, "order to apply", func() error { _, err := r.Imports.Apply(ctx, r.contact, r.uni, id, 1); return err })
	work("apply")
	if n := r.campus.Scalar(`select count(*) from import m join address_row r on r.changed = m.applied where m.applied = m.since
		and exists (select from audit_line a where a.action = 'mailbox.imported' and a.at = m.applied)
		and (select count(*) from audit_line a where a.action in ('mailbox.edited', 'mailbox.added') and a.at = m.applied) = 2`); n != 2 {
		t.Errorf("%d rows have the time of the import that wrote them, want both", n)
	}
	r.clock.Once(t, "order to undo", func() error { return r.Imports.Undo(ctx, r.contact, r.uni, id) })
	work("undo")
	if im := r.imp(t, r.contact, r.uni, id); im.State != imports.Undone || im.Stays != 0 {
		t.Errorf("got the import %s with %d lines that stay, want it undone", im.State, im.Stays)
	}
	r.clock.Once(t, "upload and plan", func() error {
		im, err := r.Imports.UploadPlan(ctx, r.contact, r.uni, "Liste.csv", strings.NewReader(file), imports.Wish{})
		id = im.ID
		return err
	})
	work("plan at once")
	r.clock.Once(t, "discard", func() error { return r.Imports.Discard(ctx, r.contact, r.uni, id) })
}
