package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Add makes an active row in the domain called name (R4) and returns it. It
// sends nothing.
func (b *Book) Add(ctx context.Context, by person.Actor, name string, in Input) (r Row, err error) {
	return r, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		d, err := b.Editable(ctx, tx, by, name)
		if err != nil {
			return err
		}
		now := b.Now()
		id, err := person.Once(ctx, tx, by, now, func() (ID, error) { return b.add(ctx, tx, now, by, d, in) })
		if err != nil {
			return err
		}
		r, err = load(ctx, tx, by, name, id)
		return err
	})
}

// AddIn is the step that adds a row; the audit line names part too.
func (b *Book) AddIn(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, name string, in Input, part ...audit.Thing) (ID, error) {
	d, err := b.Editable(ctx, tx, by, name)
	if err != nil {
		return 0, err
	}
	return b.add(ctx, tx, now, by, d, in, part...)
}

// Editable is the domain called name, if by may edit its rows.
func (b *Book) Editable(ctx context.Context, q postgres.Querier, by person.Actor, name string) (org.EmailDomain, error) {
	d, err := b.Org.DomainIn(ctx, q, by, name)
	if err != nil {
		return d, err
	}
	return d, MayEditRows(d.Standing)
}

func (b *Book) add(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, d org.EmailDomain, in Input, part ...audit.Thing) (ID, error) {
	var bad fault.Fields
	dr, err := b.check(ctx, tx, now, by, d, in, 0, true, &bad)
	if err != nil {
		return 0, err
	}
	if err := bad.Err(); err != nil {
		return 0, err
	}
	id, err := b.insert(ctx, tx, now, d.ID, dr)
	if err != nil {
		return 0, fmt.Errorf("add row: %w", err)
	}
	return id, b.note(ctx, tx, now, by.Who(), "mailbox.added", dr.Detail(), append(part, id.Thing(), d.ID.Thing())...)
}

// check reads in and looks whether its addresses are free for the row me.
func (b *Book) check(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, d org.EmailDomain, in Input, me ID, active bool, bad *fault.Fields) (Draft, error) {
	known, err := b.Org.Known(ctx, tx, by, in.Domains())
	if err != nil {
		return Draft{}, err
	}
	dr := in.Read(d, known, bad)
	return dr, b.free(ctx, tx, now, by, dr, me, active, d.Group, bad)
}

func (b *Book) insert(ctx context.Context, tx pgx.Tx, now time.Time, d org.ID, dr Draft) (id ID, err error) {
	err = tx.QueryRow(ctx, `
		insert into address_row (domain, kind, name, primary_address, aliases, applicant, comment, created, changed)
		values (@domain, @kind, @name, @primary, @aliases, @applicant, @comment, @now, @now) returning id`,
		pgx.NamedArgs{
			"domain": d, "kind": dr.Kind, "name": dr.Name, "primary": dr.Primary, "aliases": dr.Aliases,
			"applicant": dr.Applicant, "comment": dr.Comment, "now": now,
		}).Scan(&id)
	return id, err
}

// Detail is what an audit line says of a row as a whole.
func (dr Draft) Detail() audit.Detail {
	return audit.Detail{
		"kind": dr.Kind, "name": dr.Name, "primary": dr.Primary, "aliases": dr.Aliases,
		"applicant": dr.Applicant, "comment": dr.Comment,
	}
}

func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, action string, d audit.Detail, about ...audit.Thing) error {
	return audit.Write(ctx, tx, audit.Line{Who: who, At: now, Action: action, Detail: d, About: about})
}
