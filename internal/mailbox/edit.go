package mailbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// ErrChanged is that somebody else changed the row since it was read.
var ErrChanged = fault.New(fault.Conflict, "mailbox.changed_meanwhile")

// Edit changes everything of a row but its primary address (R15). version is
// the one the person saw; a row changed since then is a conflict. Editing the
// aliases invalidates pending challenges and suspends the link; a new applicant
// ends both. Saving what is there already changes nothing.
func (b *Book) Edit(ctx context.Context, by person.Actor, name string, id ID, version int64, in Input) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error { return b.edit(ctx, tx, b.Now(), by, r, version, in) })
}

func (b *Book) edit(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, version int64, in Input, part ...audit.Thing) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	if r.Version != version {
		return ErrChanged
	}
	dr, err := b.readEdit(ctx, tx, now, by, r, in)
	if err != nil {
		return err
	}
	return b.save(ctx, tx, now, by, r, dr, in.Person, part...)
}

// change runs f with the row locked.
func (b *Book) change(ctx context.Context, by person.Actor, name string, id ID, f func(tx pgx.Tx, r Row) error) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		r, err := lock(ctx, tx, by, name, id)
		if err != nil {
			return err
		}
		return f(tx, r)
	})
}

func (b *Book) readEdit(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, in Input) (Draft, error) {
	in.Primary = string(r.Primary)
	known, err := b.Org.Known(ctx, tx, by, in.Domains())
	if err != nil {
		return Draft{}, err
	}
	var bad fault.Fields
	dr := in.Edit(r, known, &bad)
	if err := b.free(ctx, tx, now, by, dr, r.ID, r.Active, r.Group, &bad); err != nil {
		return Draft{}, err
	}
	return dr, bad.Err()
}

// Edit reads in as the new values of r: pure, so that hand and file are judged
// by the same code.
func (in Input) Edit(r Row, known map[org.Domain]org.EmailDomain, bad *fault.Fields) Draft {
	in.Primary, in.kept = string(r.Primary), r.Kind
	if in.Kind == Personal && r.Kind == Functional {
		in.Applicant = ""
	}
	dr := in.Read(org.EmailDomain{ID: r.Domain, Name: r.DomainName, Group: r.Group, Validation: r.Validation}, known, bad)
	if dr.Kind != r.Kind {
		if err := MayChangeKind(r); err != nil {
			bad.Add("kind", fault.Of(err).ID)
		}
	}
	if dr.Applicant.Folded() != r.Applicant.Folded() && dr.Kind == r.Kind {
		if err := MayChangeApplicant(r); err != nil {
			bad.Add("applicant", fault.Of(err).ID)
		}
	}
	if AsksWho(r) && dr.Name != r.Name && in.Person != SamePerson && in.Person != OtherPerson {
		bad.Add("person", "mailbox.person.required")
	}
	return dr
}

// save writes what differs between r and dr, with what follows from it.
func (b *Book) save(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, dr Draft, who Person, part ...audit.Thing) error {
	detail := Differences(r, dr)
	if len(detail) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `update address_row set kind = @kind, name = @name, aliases = @aliases, applicant = @applicant,
			comment = @comment, version = version + 1, changed = @now where id = @id`,
		pgx.NamedArgs{
			"id": r.ID, "kind": dr.Kind, "name": dr.Name, "aliases": dr.Aliases, "applicant": dr.Applicant,
			"comment": dr.Comment, "now": now,
		})
	if err != nil {
		return fmt.Errorf("save row %d: %w", r.ID, err)
	}
	about := append([]audit.Thing{r.ID.Thing(), r.Domain.Thing()}, part...)
	if err := b.note(ctx, tx, now, by.Who(), "mailbox.edited", detail, about...); err != nil {
		return err
	}
	newAliases, newApplicant := dr.NewAliases(r), dr.NewApplicant(r)
	if newAliases || newApplicant {
		if err := b.endRounds(ctx, tx, now, "invalidated", r.ID); err != nil {
			return err
		}
	}
	if newAliases {
		if err := suspendLinks(ctx, tx, r.ID); err != nil {
			return err
		}
	}
	if newApplicant || AsksWho(r) && dr.Name != r.Name && who == OtherPerson {
		if err := b.endLink(ctx, tx, now, by, r, part...); err != nil {
			return err
		}
	}
	return refresh(ctx, tx, r.ID)
}

// Differences are the old and new values of what dr changes, for the audit line.
func Differences(r Row, dr Draft) audit.Detail {
	d := audit.Detail{}
	add := func(name, before, after string) {
		if before != after {
			d[name] = [2]string{before, after}
		}
	}
	add("kind", string(r.Kind), string(dr.Kind))
	add("name", r.Name, dr.Name)
	add("aliases", join(r.Aliases), join(dr.Aliases))
	add("applicant", string(r.Applicant), string(dr.Applicant))
	add("comment", r.Comment, dr.Comment)
	return d
}

func join(as []org.Address) string {
	s := make([]string, len(as))
	for i, a := range as {
		s[i] = string(a)
	}
	return strings.Join(s, ", ")
}

// NewAliases tells whether dr has other aliases than r, in whatever order.
func (dr Draft) NewAliases(r Row) bool {
	return !sameSet(org.Folded(r.Aliases), org.Folded(dr.Aliases))
}

// NewApplicant tells whether dr has another applicant than r.
func (dr Draft) NewApplicant(r Row) bool { return dr.Applicant.Folded() != r.Applicant.Folded() }

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// Unlink ends the link of an inactive row: the next applicant must confirm
// anew. Certificates stay with the account they were issued to.
func (b *Book) Unlink(ctx context.Context, by person.Actor, name string, id ID) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error { return b.unlink(ctx, tx, b.Now(), by, r) })
}

func (b *Book) unlink(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, part ...audit.Thing) error {
	if err := MayUnlink(r); err != nil {
		return err
	}
	if err := b.endLink(ctx, tx, now, by, r, part...); err != nil {
		return err
	}
	return refresh(ctx, tx, r.ID)
}

func (b *Book) endLink(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Row, part ...audit.Thing) error {
	if r.Linked == nil {
		return nil
	}
	if _, err := endLinks(ctx, tx, r.ID); err != nil {
		return err
	}
	return b.note(ctx, tx, now, by.Who(), "mailbox.unlinked", nil, append(part, r.ID.Thing(), r.Domain.Thing(), r.Linked.Thing())...)
}

// suspendLinks stops applying for rows until a round completes.
func suspendLinks(ctx context.Context, tx pgx.Tx, ids ...ID) error {
	if _, err := tx.Exec(ctx, `update link set suspended = true where row_id = any($1)`, ids); err != nil {
		return fmt.Errorf("suspend links: %w", err)
	}
	return nil
}

// ended is a link that there was.
type ended struct {
	RowID   ID
	Account person.ID
}

// endLinks ends the links of rows and returns which there were.
func endLinks(ctx context.Context, tx pgx.Tx, ids ...ID) ([]ended, error) {
	rows, err := tx.Query(ctx, `delete from link where row_id = any($1) returning row_id, account`, ids)
	if err != nil {
		return nil, fmt.Errorf("end links: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[ended])
}
