package imports

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/sheet"
)

// Plan orders the plan of the import, read as by rd; a job makes it. The plan
// there was before is thrown away.
func (b *Book) Plan(ctx context.Context, by person.Actor, name string, id ID, rd Reading) error {
	return b.decide(ctx, by, name, id, func(tx pgx.Tx, now time.Time, im Import) error { return b.readAs(ctx, tx, now, by, im, rd) })
}

// readAs is Plan of a locked import.
func (b *Book) readAs(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import, rd Reading) error {
	if err := MayPlan(im); err != nil {
		return err
	}
	var bad fault.Fields
	if !rd.Format.Known() {
		bad.Add("format", "field.required")
		return bad.Err()
	}
	header, err := readHeader(sheet.NewReader(&file{ctx: ctx, q: tx, id: im.ID}, rd.Format), rd.HeaderLine)
	if err != nil && err != io.EOF {
		return fmt.Errorf("plan import %d: %w", im.ID, err)
	}
	if err := checkColumns(rd, header); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update import set encoding = @encoding, separator = @separator, header_line = @line, header = @header, columns = @columns
		where id = @id`,
		pgx.NamedArgs{
			"id": im.ID, "encoding": rd.Format.Encoding, "separator": string(rd.Format.Separator), "line": rd.HeaderLine, "header": header,
			"columns": rd.Columns,
		})
	if err != nil {
		return fmt.Errorf("plan import %d: %w", im.ID, err)
	}
	return b.order(ctx, tx, now, by, im.ID, Planning)
}

// UploadPlan is Upload and Plan in one transaction, for a program that looks at
// no preview: the file is read as it wishes, else as it was recognised. Nothing
// stays of one that no plan can be made of.
func (b *Book) UploadPlan(ctx context.Context, by person.Actor, name, fileName string, r io.Reader, w Wish) (im Import, err error) {
	d, err := b.Mailbox.Editable(ctx, b.DB, by, name)
	if err != nil {
		return im, err
	}
	leave, err := b.underWay.enter(ctx, by)
	if err != nil {
		return im, err
	}
	defer leave()
	now := b.Now()
	made, err := person.Done[ID](ctx, b.DB, by, now)
	if err != nil {
		return im, err
	}
	if made != 0 {
		return b.One(ctx, by, name, made)
	}
	f := received{name: readFileName(fileName), wish: w}
	err = b.upload(ctx, now, by, d, &f, r, func(tx pgx.Tx) error {
		made, err := person.Once(ctx, tx, by, now, func() (ID, error) { return f.id, b.planReceived(ctx, tx, now, by, d, f) })
		if err != nil {
			return err
		}
		if made != f.id { // the same request was quicker elsewhere
			if _, err := tx.Exec(ctx, `delete from import where id = $1`, f.id); err != nil {
				return fmt.Errorf("throw upload away: %w", err)
			}
		}
		im, err = loadImport(ctx, tx, by, name, made)
		return err
	})
	return im, err
}

func (b *Book) planReceived(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, d org.EmailDomain, f received) error {
	if err := b.keepReceived(ctx, tx, now, by, d, f); err != nil {
		return err
	}
	im, err := loadImport(ctx, tx, by, string(d.Name), f.id)
	if err != nil {
		return err
	}
	rd := im.Recognised()
	if f.wish.Columns != nil {
		rd.Columns = f.wish.Columns
	}
	return b.readAs(ctx, tx, now, by, im, rd)
}

// Apply orders that the plan is carried out; a job does it, all or nothing.
// number is what somebody typed where NeedsNumber asks for the number of
// changed rows. Applying twice changes nothing.
func (b *Book) Apply(ctx context.Context, by person.Actor, name string, id ID, number int) (out Import, err error) {
	return out, b.decide(ctx, by, name, id, func(tx pgx.Tx, now time.Time, im Import) error {
		if err := mailbox.MayEditRows(im.Standing); err != nil {
			return err
		}
		_, err := person.Once(ctx, tx, by, now, func() (ID, error) { return id, b.begin(ctx, tx, now, by, im, number) })
		if err != nil {
			return err
		}
		out, err = loadImport(ctx, tx, by, name, id)
		return err
	})
}

// begin orders that a plan is carried out that by may apply.
func (b *Book) begin(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import, number int) error {
	if im.State == Applying || im.State == Applied {
		return nil
	}
	if err := MayApply(im); err != nil {
		return err
	}
	if NeedsNumber(im) && number != im.Changed {
		var bad fault.Fields
		bad.Add("number", "mailbox.import.number")
		return bad.Err()
	}
	return b.order(ctx, tx, now, by, im.ID, Applying)
}

// Undo orders that an applied import is taken back as far as its rows were not
// touched since; a job does it. Undoing twice changes nothing.
func (b *Book) Undo(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.decide(ctx, by, name, id, func(tx pgx.Tx, now time.Time, im Import) error {
		if im.Contact && (im.State == Undoing || im.State == Undone) {
			return nil
		}
		if err := MayUndo(im); err != nil {
			return err
		}
		return b.order(ctx, tx, now, by, id, Undoing)
	})
}

// Discard throws an import away that was not applied; that it was there stays on
// record.
func (b *Book) Discard(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.decide(ctx, by, name, id, func(tx pgx.Tx, now time.Time, im Import) error {
		if im.Contact && im.State == Discarded {
			return nil
		}
		if err := MayDiscard(im); err != nil {
			return err
		}
		if err := b.forget(ctx, tx, now, id); err != nil {
			return err
		}
		return b.note(ctx, tx, now, by.Who(), "mailbox.import_discarded", audit.Detail{"file": im.FileName, "import": id}, id.Thing(), im.Domain.Thing())
	})
}

// decide runs f with the import locked, and tells it the time.
func (b *Book) decide(ctx context.Context, by person.Actor, name string, id ID, f func(tx pgx.Tx, now time.Time, im Import) error) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select from import where id = $1 for update`, id); err != nil {
			return fmt.Errorf("lock import %d: %w", id, err)
		}
		im, err := loadImport(ctx, tx, by, name, id)
		if err != nil {
			return err
		}
		return f(tx, b.Now(), im)
	})
}

// order notes what is to be done, for whom, and queues it.
func (b *Book) order(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id ID, s State) error {
	who := by.Behalf()
	_, err := tx.Exec(ctx, `update import set state = @state, since = @now, tries = 0, trouble = '', done = 0, ordered_by = @by,
			ordered_token = @token, ordered_from = @from where id = @id`,
		pgx.NamedArgs{"id": id, "state": s, "now": now, "by": who.Account, "token": who.Token, "from": who.From})
	if err != nil {
		return fmt.Errorf("order %s of import %d: %w", s, id, err)
	}
	return b.Queue.Insert(ctx, tx, workArgs{Import: id})
}

// forget ends an import without applying it: file and plan go.
func (b *Book) forget(ctx context.Context, tx pgx.Tx, now time.Time, id ID) error {
	if _, err := tx.Exec(ctx, `update import set state = 'discarded', since = $2, trouble = '' where id = $1`, id, now); err != nil {
		return fmt.Errorf("discard import %d: %w", id, err)
	}
	if _, err := tx.Exec(ctx, `delete from import_chunk where import = $1`, id); err != nil {
		return fmt.Errorf("discard import %d: %w", id, err)
	}
	if _, err := tx.Exec(ctx, `delete from import_line where import = $1`, id); err != nil {
		return fmt.Errorf("discard import %d: %w", id, err)
	}
	return nil
}
