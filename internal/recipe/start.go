package recipe

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// ErrOneOpen is that another recipe for the row is open.
var ErrOneOpen = fault.New(fault.Conflict, "schema.recipe_one_open")

// Start begins a recipe for the row of the domain called name; it changes
// nothing of the row. While another one is open, that is ErrOneOpen, unless all
// its steps are done.
func (b *Book) Start(ctx context.Context, by person.Actor, name string, row mailbox.ID, k Kind) (ID, error) {
	var id ID
	return id, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		if err := b.settle(ctx, tx, now, by, row); err != nil {
			return err
		}
		r, err := b.Mailbox.RowIn(ctx, tx, by, name, row)
		if err != nil {
			return err
		}
		if err := MayStart(k, r); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `insert into recipe (row_id, kind, name, applicant, account, started, started_by)
			values (@row, @kind, @name, @applicant, @account, @now, @by) returning id`, pgx.NamedArgs{
			"row": row, "kind": k, "name": r.Name, "applicant": r.Applicant, "account": r.Linked, "now": now, "by": by.Account,
		}).Scan(&id)
		if err != nil {
			return fmt.Errorf("start recipe: %w", err)
		}
		return b.note(ctx, tx, now, by, "recipe.started", id, r, audit.Detail{"recipe": k})
	})
}

// settle ends the open recipe of a row whose last step was done by hand.
func (b *Book) settle(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, row mailbox.ID) error {
	rows, err := tx.Query(ctx, `select id from recipe where row_id = $1 and outcome = 'open'`, row)
	if err != nil {
		return fmt.Errorf("look for open recipes: %w", err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil || len(open) == 0 {
		return err
	}
	s, err := b.lockedAt(ctx, tx, now, by, open[0])
	if err != nil || s.Outcome != Open || s.Current() != "" || MayCancel(s) != nil {
		return err
	}
	return b.end(ctx, tx, now, by, s, Finished)
}

// Cancel ends a recipe before its end; what was done stays done.
func (b *Book) Cancel(ctx context.Context, by person.Actor, id ID) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		s, now, err := b.locked(ctx, tx, by, id, pki.Unspecified)
		if err != nil {
			return err
		}
		if err := MayCancel(s); err != nil {
			return err
		}
		how := Cancelled
		if s.Current() == "" { // the last step was done by hand
			how = Finished
		}
		return b.end(ctx, tx, now, by, s, how)
	})
}

func (b *Book) end(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, s State, how Outcome) error {
	if _, err := tx.Exec(ctx, `update recipe set outcome = $2, ended = $3 where id = $1`, s.ID, how, now); err != nil {
		return fmt.Errorf("end recipe %d: %w", s.ID, err)
	}
	action := "recipe.finished"
	if how == Cancelled {
		action = "recipe.cancelled"
	}
	return b.note(ctx, tx, now, by, action, s.ID, s.Row, audit.Detail{"recipe": s.Kind})
}

func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, action string, id ID, r mailbox.Row, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: action, Detail: d, About: []audit.Thing{id.Thing(), r.ID.Thing(), r.Domain.Thing()},
	})
}
