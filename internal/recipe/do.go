package recipe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// Input is what a step asks for; each reads its own part.
type Input struct {
	Version   int64 // of the row as the person saw it: name, applicant
	Name      string
	Aliases   []string
	Primary   string // of the new row
	Comment   string // of the new row
	Existing  string // primary address of a new row that was added by hand
	Applicant string
	Reason    pki.Reason
}

// Do does the step, if it is the next one: of two people who press at once the
// second is told that it is done.
func (b *Book) Do(ctx context.Context, by person.Actor, id ID, step Step, in Input) error {
	r := pki.Unspecified
	if step == Revoke {
		r = in.Reason
	}
	return b.change(ctx, by, id, r, func(tx pgx.Tx, now time.Time, s State) error {
		if err := mayDo(s, step); err != nil {
			return err
		}
		at := mailbox.Step{Now: now, By: by, Domain: string(s.Row.DomainName), Row: s.Row.ID, Part: s.ID.Thing()}
		switch step {
		case Deactivate:
			return b.Mailbox.DeactivateIn(ctx, tx, at)
		case Revoke:
			_, err := b.Cert.RevokeAllIn(ctx, tx, now, by, s.Row, s.Kind.reason(in.Reason), s.ID.Thing())
			return err
		case Name:
			return b.rename(ctx, tx, s, at, in)
		case NewRow:
			return b.replace(ctx, tx, now, by, s, in)
		case NewApplicant:
			return b.apply(ctx, tx, s, at, in)
		case Activate:
			return b.Mailbox.ActivateIn(ctx, tx, at)
		case Challenge:
			if s.Kind == RenameNew && s.New == nil {
				return fault.New(fault.Missing, "fault.missing")
			}
			if s.Kind == RenameNew {
				at.Domain, at.Row = string(s.New.DomainName), s.New.ID
			}
			return b.Mailbox.ChallengeByHandIn(ctx, tx, at)
		}
		return b.leaveTrace(ctx, tx, s, step)
	})
}

// reason is why certificates are revoked: of who left it is certain.
func (k Kind) reason(r pki.Reason) pki.Reason {
	if k == Left {
		return pki.AffiliationChanged
	}
	return r
}

// Skip leaves the step out.
func (b *Book) Skip(ctx context.Context, by person.Actor, id ID, step Step) error {
	return b.change(ctx, by, id, pki.Unspecified, func(tx pgx.Tx, now time.Time, s State) error {
		if err := MaySkip(s, step); err != nil {
			return err
		}
		if err := b.note(ctx, tx, now, by, "recipe.left_out", s.ID, s.Row, audit.Detail{"recipe": s.Kind, "step": step}); err != nil {
			return err
		}
		return b.leaveTrace(ctx, tx, s, step)
	})
}

// leaveTrace notes in the recipe what the row does not show.
func (b *Book) leaveTrace(ctx context.Context, tx pgx.Tx, s State, step Step) error {
	if _, err := tx.Exec(ctx, `update recipe set done = array_append(done, $2) where id = $1 and $2 <> all(done)`, s.ID, string(step)); err != nil {
		return fmt.Errorf("note step %s of recipe %d: %w", step, s.ID, err)
	}
	return nil
}

// rename gives the row its new name, and aliases where they change. For another
// person that ends the link; for the same one the name must be another.
func (b *Book) rename(ctx context.Context, tx pgx.Tx, s State, at mailbox.Step, in Input) error {
	r := s.Row
	edit := mailbox.Input{
		Kind: r.Kind, Name: in.Name, Aliases: in.Aliases, Applicant: string(r.Applicant), Comment: r.Comment, Person: mailbox.SamePerson,
	}
	if s.Kind == Reuse {
		edit.Person = mailbox.OtherPerson
	}
	if err := b.Mailbox.EditIn(ctx, tx, at, in.Version, edit); err != nil {
		return err
	}
	now, err := b.Mailbox.RowIn(ctx, tx, at.By, at.Domain, at.Row)
	if err != nil {
		return err
	}
	if s.Kind == RenameSame {
		if now.Name == s.Name {
			var bad fault.Fields
			bad.Add("name", "recipe.name.same")
			return bad.Err()
		}
		return nil
	}
	if now.Linked != nil { // the name stayed as it was: that did not end it
		if err := b.Mailbox.UnlinkIn(ctx, tx, at); err != nil {
			return err
		}
	}
	return b.leaveTrace(ctx, tx, s, Name)
}

func (b *Book) apply(ctx context.Context, tx pgx.Tx, s State, at mailbox.Step, in Input) error {
	r := s.Row
	edit := mailbox.Input{Kind: r.Kind, Name: r.Name, Applicant: in.Applicant, Comment: r.Comment}
	for _, a := range r.Aliases {
		edit.Aliases = append(edit.Aliases, string(a))
	}
	var bad fault.Fields
	switch a, _ := org.ParseAddress(in.Applicant); {
	case strings.TrimSpace(in.Applicant) == "":
		bad.Add("applicant", "field.required")
	case a != "" && a.Folded() == org.Address(s.Applicant).Folded():
		bad.Add("applicant", "recipe.applicant.same")
	}
	if err := bad.Err(); err != nil {
		return err
	}
	return b.Mailbox.EditIn(ctx, tx, at, in.Version, edit)
}

// replace adds the row that takes the place of the old one, or takes the one
// that was added by hand.
func (b *Book) replace(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, s State, in Input) error {
	var id mailbox.ID
	var err error
	if strings.TrimSpace(in.Existing) != "" {
		id, err = b.existing(ctx, tx, by, s, in.Existing)
	} else {
		id, err = b.add(ctx, tx, now, by, s, in)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update recipe set new_row = $2 where id = $1`, s.ID, id); err != nil {
		return fmt.Errorf("note new row of recipe %d: %w", s.ID, err)
	}
	n, err := b.Mailbox.RowByID(ctx, tx, by, id)
	if err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: "recipe.replaced", Detail: audit.Detail{"name": n.Name, "primary": n.Primary},
		About: []audit.Thing{s.ID.Thing(), s.Row.ID.Thing(), s.Row.Domain.Thing(), id.Thing()},
	})
}

// add puts the row into the domain of its address, where by looks after that
// one, else into the old row's, which then says what is wrong.
func (b *Book) add(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, s State, in Input) (mailbox.ID, error) {
	domain := s.Row.DomainName
	if a, wrong := org.ParseAddress(in.Primary); wrong == "" {
		d, err := b.Mailbox.Org.DomainIn(ctx, tx, by, string(a.Domain()))
		if err != nil && !fault.Is(err, fault.Missing) {
			return 0, err
		}
		if err == nil && d.Contact {
			domain = d.Name
		}
	}
	return b.Mailbox.AddIn(ctx, tx, now, by, string(domain), mailbox.Input{
		Kind: mailbox.Personal, Name: in.Name, Primary: in.Primary, Aliases: in.Aliases, Comment: in.Comment,
	}, s.ID.Thing())
}

func (b *Book) existing(ctx context.Context, tx pgx.Tx, by person.Actor, s State, address string) (mailbox.ID, error) {
	var bad fault.Fields
	a, wrong := org.ParseAddress(address)
	if wrong != "" {
		bad.Add("existing", wrong)
		return 0, bad.Err()
	}
	r, err := b.Mailbox.RowByPrimary(ctx, tx, by, a)
	if err != nil && !fault.Is(err, fault.Missing) {
		return 0, err
	}
	if err != nil || !r.Contact || r.ID == s.Row.ID || r.Kind != mailbox.Personal {
		bad.Add("existing", "recipe.existing.none")
	}
	return r.ID, bad.Err()
}
