package mailbox_test

import (
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

// Each operation of address rows, with a clock that jumps between two readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Outbox.Now = trial.Today // a letter has the time from which the outbox is patient
	once := func(what string, f func() error) { t.Helper(); r.clock.Once(t, what, f) }
	ctx := t.Context()
	in := mailbox.Input{Kind: mailbox.Personal, Name: "ada", Primary: "ada@uni.example", Aliases: []string{"a@uni.example"}}
	var row mailbox.Row
	once("add", func() (err error) { row, err = r.Add(ctx, r.contact, r.uni, in); return err })
	in.Name = "Ada Adler"
	once("edit", func() error { return r.Edit(ctx, r.contact, r.uni, row.ID, row.Version, in) })
	once("deactivate", func() error { return r.Deactivate(ctx, r.contact, r.uni, row.ID) })
	once("activate", func() error { return r.Activate(ctx, r.contact, r.uni, row.ID) })
	once("challenge", func() error { _, err := r.Challenge(ctx, r.contact, r.uni, row.ID); return err })
	digests := r.arm(t, row.ID)
	once("confirm", func() error { _, err := r.Confirm(ctx, r.ada, digests["a@uni.example"]); return err })
	once("confirm the last one", func() error { _, err := r.Confirm(ctx, r.ada, digests["ada@uni.example"]); return err })
	once("challenge again", func() error { _, err := r.Challenge(ctx, r.contact, r.uni, row.ID); return err })
	digests = r.arm(t, row.ID)
	once("decline", func() error { return r.Decline(ctx, r.ada, digests["ada@uni.example"]) })

	var apart int
	err := r.db.QueryRow(ctx, `select count(*) from link l join challenge_round n on n.id = l.round
		where l.since <> n.ended or not exists (select from audit_line a where a.action = 'mailbox.linked' and a.at = l.since)`).Scan(&apart)
	if err != nil || apart != 0 {
		t.Errorf("%d links (%v) are of another time than their round or their line", apart, err)
	}
}
