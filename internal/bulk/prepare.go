package bulk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Prepare notes which rows of the domain called name v is meant for, and what
// will happen to each as things are: a draft, which changes no row. Nobody
// chosen, or more than the book allows, is a fault. It takes the place of the oldest
// draft of by, if there are too many.
func (b *Book) Prepare(ctx context.Context, by person.Actor, name string, v Verb, chosen mailbox.View) (ID, error) {
	var id ID
	return id, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		d, err := b.Org.DomainIn(ctx, tx, by, name)
		if err != nil {
			return err
		}
		if err := mailbox.MayEditRows(d.Standing); err != nil {
			return err
		}
		var bad fault.Fields
		if !known(v) {
			bad.Add("verb", "bulk.verb")
			return bad.Err()
		}
		s, err := b.choose(ctx, tx, by, d, v, chosen)
		if err != nil {
			return err
		}
		if len(s.items) == 0 {
			bad.Add("row", "bulk.no_rows")
			return bad.Err()
		}
		id, err = b.insert(ctx, tx, by, d.ID, v, s)
		return err
	})
}

// item is a row of a bulk to be.
type item struct {
	row     mailbox.ID
	name    string
	address org.Address
	mails   int
	outcome Outcome
	reason  string
	expired bool // as the row stands
}

// selection is the rows that were chosen, and their sums.
type selection struct {
	items      []item
	due, mails int
	expired    int // rows
}

func (b *Book) choose(ctx context.Context, tx pgx.Tx, by person.Actor, d org.EmailDomain, v Verb, chosen mailbox.View) (selection, error) {
	var s selection
	err := b.Mailbox.Each(ctx, tx, by, d, chosen, func(r mailbox.Row) error {
		if len(s.items) == b.most() {
			return fault.New(fault.TooLarge, "bulk.too_many", "most", b.most())
		}
		i := item{row: r.ID, name: r.Name, address: r.Primary, outcome: Due}
		if err := Rule(v, r); err != nil {
			i.outcome, i.reason = LeftOut, fault.Of(err).ID
		} else {
			s.due++
			if v == Challenge {
				i.mails = mailbox.Mails(r)
				s.mails += i.mails
			}
		}
		if r.Status == mailbox.RowExpired {
			s.expired++
			i.expired = true
		}
		s.items = append(s.items, i)
		return nil
	})
	if v == Challenge && s.expired < len(s.items) {
		s.leaveOutExpired()
	}
	return s, err
}

// leaveOutExpired: whom a request did not reach in time is asked again only by who
// chose nobody else, which the filter of the table does.
func (s *selection) leaveOutExpired() {
	for n := range s.items {
		if i := &s.items[n]; i.expired && i.outcome == Due {
			s.due--
			s.mails -= i.mails
			i.outcome, i.reason, i.mails = LeftOut, "mailbox.challenge.expired", 0
		}
	}
}

func (b *Book) insert(ctx context.Context, tx pgx.Tx, by person.Actor, d org.ID, v Verb, s selection) (id ID, err error) {
	if err := makeRoom(ctx, tx, by); err != nil {
		return 0, err
	}
	who := by.Behalf()
	err = tx.QueryRow(ctx, `
		insert into bulk (domain, account, token, origin, verb, total, due, left_out, mails, next, seen, created)
		values (@domain, @account, @token, @origin, @verb, @total, @due, @left, @mails, @now, @now, @now) returning id`,
		pgx.NamedArgs{
			"domain": d, "account": who.Account, "token": who.Token, "origin": who.From, "verb": v, "total": len(s.items), "due": s.due,
			"left": len(s.items) - s.due, "mails": s.mails, "now": b.Now(),
		}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("prepare bulk: %w", err)
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"bulk_item"}, []string{"bulk", "row_id", "name", "address", "mails", "state", "reason"},
		pgx.CopyFromSlice(len(s.items), func(i int) ([]any, error) {
			x := s.items[i]
			return []any{int64(id), int64(x.row), x.name, string(x.address), int16(x.mails), string(x.outcome), x.reason}, nil
		}))
	if err != nil {
		return 0, fmt.Errorf("prepare bulk: %w", err)
	}
	return id, nil
}

// drafts is where those of a person lie.
var drafts = brake.Shelf{Kind: "bulk.quota", Most: MostDrafts}

// makeRoom forgets the oldest drafts of by, until there may be one more.
func makeRoom(ctx context.Context, tx pgx.Tx, by person.Actor) error {
	return drafts.Room(ctx, tx, int64(by.Account), `select id from bulk where account = @by and state = 'draft' order by id desc`, pgx.NamedArgs{"by": by.Account},
		func(id int64) error {
			if _, err := tx.Exec(ctx, `delete from bulk where id = $1 and state = 'draft'`, id); err != nil {
				return fmt.Errorf("forget draft %d: %w", id, err)
			}
			return nil
		})
}

// Start lets the work begin. comment is for the verb of that name, else it is
// ignored. Starting what runs already, or is over, changes nothing.
func (b *Book) Start(ctx context.Context, by person.Actor, name string, id ID, comment string) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		x, err := lock(ctx, tx, by, name, id)
		if err != nil {
			return err
		}
		if err := MayStart(by, x); err != nil {
			if errors.Is(err, errStarted) {
				return nil
			}
			return err
		}
		detail := audit.Detail{"verb": x.Verb, "rows": x.Due}
		if x.Verb != Comment {
			comment = ""
		} else if comment, err = mailbox.ReadComment(comment); err != nil {
			return err
		} else {
			detail["comment"] = comment
		}
		now := b.Now()
		_, err = tx.Exec(ctx, `update bulk set state = 'running', comment = @comment, started = @now, next = @now, seen = @now where id = @id`,
			pgx.NamedArgs{"id": id, "comment": comment, "now": now})
		if err != nil {
			return fmt.Errorf("start bulk %d: %w", id, err)
		}
		if err := b.Queue.Insert(ctx, tx, workArgs{Bulk: id}); err != nil {
			return err
		}
		return b.note(ctx, tx, now, by, x, "bulk.started", detail)
	})
}

// Cancel stops the work where it is; what was done stays done. Cancelling what
// does not run changes nothing.
func (b *Book) Cancel(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		x, err := lock(ctx, tx, by, name, id)
		if err != nil {
			return err
		}
		switch err := MayCancel(x); {
		case fault.Is(err, fault.Conflict):
			return nil
		case err != nil:
			return err
		}
		return b.cancel(ctx, tx, b.Now(), by, x, &by.Account, "")
	})
}

func (b *Book) cancel(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, x Bulk, endedBy *person.ID, reason string) error {
	_, err := tx.Exec(ctx, `update bulk set state = 'cancelled', reason = @reason, ended = @now, ended_by = @by where id = @id`,
		pgx.NamedArgs{"id": x.ID, "reason": reason, "by": endedBy, "now": now})
	if err != nil {
		return fmt.Errorf("cancel bulk %d: %w", x.ID, err)
	}
	detail := audit.Detail{"verb": x.Verb, "rows": x.Done}
	if reason != "" {
		detail["why"] = reason
	}
	return b.note(ctx, tx, now, by, x, "bulk.cancelled", detail)
}

func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, x Bulk, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: action, Detail: d, About: []audit.Thing{x.ID.Thing(), x.Domain.Thing()},
	})
}
