package mailbox

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Versions are those of a row that somebody goes by; nil is any.
type Versions []int64

func (vs Versions) match(r Row) error {
	if vs != nil && !slices.Contains(vs, r.Version) {
		return ErrChanged
	}
	return nil
}

// Patch is what of a row is to become different; nil leaves a value alone.
type Patch struct {
	Kind      *Kind
	Name      *string
	Aliases   []string // empty but not nil: none
	Applicant *string
	Comment   *string
	Active    *bool
	Person    Person
}

// edits tells whether p is about more than Active.
func (p Patch) edits() bool {
	return p.Kind != nil || p.Name != nil || p.Aliases != nil || p.Applicant != nil || p.Comment != nil
}

// input is what an edit of r saves.
func (p Patch) input(r Row) Input {
	in := Input{Kind: r.Kind, Name: r.Name, Aliases: org.Plain(r.Aliases), Applicant: string(r.Applicant), Comment: r.Comment, Person: p.Person}
	if p.Kind != nil {
		in.Kind = *p.Kind
	}
	if p.Name != nil {
		in.Name = *p.Name
	}
	if p.Aliases != nil {
		in.Aliases = p.Aliases
	}
	if p.Applicant != nil {
		in.Applicant = *p.Applicant
	}
	if p.Comment != nil {
		in.Comment = *p.Comment
	}
	return in
}

// Patch changes a row and returns it as it is then, all or nothing: what Edit,
// Activate and Deactivate do, in the order in which each finds what it needs. An
// inactive row may change its applicant, so that a row is deactivated before it
// is edited; an edit may give up the address in the way, so that it is activated
// after. What is so already stays untouched.
func (b *Book) Patch(ctx context.Context, by person.Actor, name string, id ID, vs Versions, p Patch) (out Row, err error) {
	return out, b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error {
		if err := MayEditRows(r.Standing); err != nil {
			return err
		}
		if err := vs.match(r); err != nil {
			return err
		}
		again := func(err error) error {
			if err == nil {
				r, err = load(ctx, tx, by, name, id)
			}
			return err
		}
		now := b.Now()
		if p.Active != nil && !*p.Active && r.Active {
			if err := again(b.deactivate(ctx, tx, now, by, r)); err != nil {
				return err
			}
		}
		if p.edits() {
			if err := again(b.edit(ctx, tx, now, by, r, r.Version, p.input(r))); err != nil {
				return err
			}
		}
		if p.Active != nil && *p.Active && !r.Active {
			if err := again(b.activate(ctx, tx, now, by, r)); err != nil {
				return err
			}
		}
		out = r
		return nil
	})
}

// DeleteVersion is Delete as long as the row is one of vs.
func (b *Book) DeleteVersion(ctx context.Context, by person.Actor, name string, id ID, vs Versions) error {
	return b.change(ctx, by, name, id, func(tx pgx.Tx, r Row) error {
		if err := vs.match(r); err != nil {
			return err
		}
		return b.delete(ctx, tx, b.Now(), by, r)
	})
}

// holders bounds the rows that Holding returns.
const holders = 100

// Holding returns the rows that have the address a, whether as primary or as
// alias, of whatever domain that by may see: active ones first.
func (b *Book) Holding(ctx context.Context, by person.Actor, a org.Address) ([]Row, error) {
	return several(ctx, b.DB, by, `r.id in (select x.row_id from address x where x.folded = @folded) order by r.active desc, r.id limit @limit`,
		pgx.NamedArgs{"folded": a.Folded(), "limit": holders})
}
