package order

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// MayTakeBack tells whether by may take an application back: its applicant, as long
// as no certificate came and nothing ended it.
func MayTakeBack(by person.Actor, a Application) error {
	return mayTakeBack(by, a.Account, a.State)
}

func mayTakeBack(by person.Actor, applicant person.ID, s State) error {
	switch {
	case applicant != by.Account:
		return fault.New(fault.Missing, "fault.missing")
	case s != Queued && s != Issuing && s != Pending:
		return fault.New(fault.Conflict, "order.take_back.over")
	}
	return nil
}

// TakeBack ends an application because its applicant says so. An authority may have
// been asked: what it still issues is not offered and revoked at once.
func (b *Book) TakeBack(ctx context.Context, by person.Actor, id ID) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		a, err := b.alone(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := mayTakeBack(by, a.Account, a.State); err != nil {
			return err
		}
		if err := b.Issuance.Withdraw(ctx, tx, now, a.asked(), errTakenBack); err != nil {
			return err
		}
		err = postgres.Write(ctx, tx, `update application set state = 'withdrawn', ended = @now where id = @id`, pgx.NamedArgs{"id": id, "now": now})
		if err != nil {
			return fmt.Errorf("take application %d back: %w", id, err)
		}
		return b.note(ctx, tx, now, a, by.Who(), "order.taken_back", audit.Detail{"reference": a.Reference})
	})
}
