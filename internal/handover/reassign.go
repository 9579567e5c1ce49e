package handover

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// ReassignID is the number of a reassignment.
type ReassignID int64

// Thing is the reassignment as an audit line names it.
func (id ReassignID) Thing() audit.Thing { return audit.Thing{Kind: "reassignment", ID: int64(id)} }

// Reassignment is one that waits for a second officer, as its reader sees it.
type Reassignment struct {
	ID               ReassignID
	Organisation     org.OrganisationID
	OrganisationName string
	Before           person.ID // the contact when it was asked for
	BeforeName       string
	Successor        person.ID
	SuccessorName    string
	SuccessorEmail   string // empty when it is not verified
	Reason           string
	AskedBy          person.ID
	AskedByName      string
	Asked            time.Time
	Changed          bool // the contact is not the one it was
	Asker            bool // the reader asked for it
	Chosen           bool // the reader is to become the contact
	org.OrganisationStanding
}

// MayAskReassign tells whether by may reassign o: a registration officer who is
// not its contact.
func MayAskReassign(by person.Actor, o org.Organisation) error { return org.MayKeepOrganisation(by, o) }

// MayConfirmReassign tells whether the reader may confirm r: an officer who did
// not ask for it, is not the contact and does not become it.
func MayConfirmReassign(r Reassignment) error {
	switch {
	case r.Asker:
		return fault.New(fault.Denied, "handover.reassign.second")
	case r.Chosen:
		return fault.New(fault.Denied, "org.organisation.self")
	}
	if err := MayDropReassign(r); err != nil {
		return err
	}
	if r.Changed {
		return fault.New(fault.Conflict, "handover.reassign.changed")
	}
	return nil
}

// MayDropReassign tells whether the reader may drop r: an officer who is not the
// contact.
func MayDropReassign(r Reassignment) error {
	switch {
	case !r.Officer:
		return fault.New(fault.Denied, "fault.officers_only")
	case r.Contact:
		return fault.New(fault.Denied, "org.organisation.own")
	}
	return nil
}

// longestReason bounds it, in characters.
const longestReason = 2000

// AskReassign asks for another contact of an organisation, with the reason for
// the registration office; with SecondOfficer off it appoints them at once, and
// done is true.
func (b *Book) AskReassign(ctx context.Context, by person.Actor, id org.OrganisationID, account person.ID, reason string) (asked ReassignID, done bool, err error) {
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := b.Org.OrganisationIn(ctx, tx, by, id); err != nil {
			return err
		}
		of, err := b.Org.HoldOrganisation(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if err := MayAskReassign(by, of); err != nil {
			return err
		}
		now := b.Now()
		if reason, err = b.mayBecome(ctx, tx, now, by, of, account, reason); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `insert into reassignment (organisation, contact, successor, reason, asked_by, asked, state)
			values (@organisation, @contact, @successor, @reason, @by, @now, 'asked') returning id`, pgx.NamedArgs{
			"organisation": id, "contact": of.ContactID, "successor": account, "reason": reason, "by": by.Account, "now": now,
		}).Scan(&asked)
		if err != nil {
			return fmt.Errorf("ask for a reassignment of organisation %d: %w", id, err)
		}
		r, err := b.reassignment(ctx, tx, by, `r.id = @id`, pgx.NamedArgs{"id": asked})
		if err != nil {
			return err
		}
		if done = !b.SecondOfficer; done {
			return b.appoint(ctx, tx, now, by, *r, of, nil)
		}
		return b.noteReassignment(ctx, tx, now, by, *r, "handover.reassign_asked", audit.Detail{"successor": r.SuccessorName, "reason": reason})
	})
	return asked, done, err
}

// mayBecome checks who is to be the contact, and why.
func (b *Book) mayBecome(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, of org.Organisation, account person.ID, reason string) (string, error) {
	var bad fault.Fields
	if reason = text.Lines(reason); reason == "" {
		bad.Add("reason", "field.required")
	} else if utf8.RuneCountInString(reason) > longestReason {
		bad.Add("reason", "field.too_long", "max", longestReason)
	}
	switch account {
	case by.Account:
		bad.Add("account", "org.organisation.self")
	case of.ContactID:
		bad.Add("account", "handover.reassign.same")
	default:
		if _, err := b.Person.Acting(ctx, tx, now, person.Behalf{Account: account}); fault.Is(err, fault.Denied) {
			bad.Add("account", "handover.email.locked")
		} else if err != nil {
			return "", err
		}
	}
	return reason, bad.Err()
}

// ConfirmReassign appoints whom another officer asked for.
func (b *Book) ConfirmReassign(ctx context.Context, by person.Actor, id ReassignID) error {
	return b.decide(ctx, by, id, func(tx pgx.Tx, r Reassignment, of org.Organisation) error {
		if err := MayConfirmReassign(r); err != nil {
			return err
		}
		now := b.Now()
		if _, err := b.Person.Acting(ctx, tx, now, person.Behalf{Account: r.Successor}); fault.Is(err, fault.Denied) {
			return fault.New(fault.Conflict, "handover.email.locked")
		} else if err != nil {
			return err
		}
		return b.appoint(ctx, tx, now, by, r, of, &by.Account)
	})
}

// DropReassign ends a reassignment that was asked for; nothing changes.
func (b *Book) DropReassign(ctx context.Context, by person.Actor, id ReassignID) error {
	return b.decide(ctx, by, id, func(tx pgx.Tx, r Reassignment, _ org.Organisation) error {
		if err := MayDropReassign(r); err != nil {
			return err
		}
		return b.drop(ctx, tx, b.Now(), by, r)
	})
}

// dropOpen drops what was asked for, because the contact changed another way.
// The organisation is held.
func (b *Book) dropOpen(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id org.OrganisationID) error {
	r, err := b.reassignment(ctx, tx, person.Actor{Officer: true}, `r.organisation = @organisation`, pgx.NamedArgs{"organisation": id})
	if err != nil || r == nil {
		return err
	}
	return b.drop(ctx, tx, now, by, *r)
}

func (b *Book) drop(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Reassignment) error {
	if err := b.close(ctx, tx, now, r, "dropped", &by.Account); err != nil {
		return err
	}
	return b.noteReassignment(ctx, tx, now, by, r, "handover.reassign_dropped", audit.Detail{"successor": r.SuccessorName})
}

func (b *Book) appoint(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Reassignment, of org.Organisation, second *person.ID) error {
	if err := b.close(ctx, tx, now, r, "done", second); err != nil {
		return err
	}
	c := contacts{of: of, giver: r.BeforeName, successor: r.Successor, successorName: r.SuccessorName}
	tokens, err := b.reassign(ctx, tx, now, by, c, mail.ContactRelieved, mail.ContactAppointed)
	if err != nil {
		return err
	}
	return b.noteReassignment(ctx, tx, now, by, r, "handover.reassigned", audit.Detail{"contact": [2]string{r.BeforeName, r.SuccessorName}, "reason": r.Reason, "tokens": tokens})
}

func (b *Book) close(ctx context.Context, tx pgx.Tx, now time.Time, r Reassignment, state string, by *person.ID) error {
	_, err := tx.Exec(ctx, `update reassignment set state = @state, ended_by = @by, ended = @now where id = @id and state = 'asked'`,
		pgx.NamedArgs{"id": r.ID, "state": state, "by": by, "now": now})
	if err != nil {
		return fmt.Errorf("close reassignment %d: %w", r.ID, err)
	}
	return nil
}

func (b *Book) noteReassignment(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, r Reassignment, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: action, Detail: d,
		About: []audit.Thing{r.ID.Thing(), r.Organisation.Thing(), r.Before.Thing(), r.Successor.Thing()},
	})
}

type deciding func(tx pgx.Tx, r Reassignment, of org.Organisation) error

// decide runs f with the organisation held, for a reassignment that waits; one
// that is over is missing.
func (b *Book) decide(ctx context.Context, by person.Actor, id ReassignID, f deciding) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		var of org.Organisation
		for range 2 { // once more when it is held
			r, err := b.reassignment(ctx, tx, by, `r.id = @id`, pgx.NamedArgs{"id": id})
			if err != nil {
				return err
			}
			if r == nil {
				return fault.New(fault.Conflict, "handover.reassign.over")
			}
			if of.ID != 0 {
				return f(tx, *r, of)
			}
			if of, err = b.Org.HoldOrganisation(ctx, tx, by, r.Organisation); err != nil {
				return err
			}
		}
		return nil
	})
}

const reassignColumns = `r.id, r.organisation, o.name as organisation_name,
	r.contact as before, c.label as before_name,
	r.successor, s.label as successor_name, s.verified_email as successor_email,
	r.reason, r.asked_by, a.label as asked_by_name, r.asked,
	r.contact <> o.contact as changed, r.asked_by = @account as asker, r.successor = @account as chosen,
	` + org.IsTechnicalContact + ` as contact, @officer::boolean as officer`

const reassignTables = `reassignment r join organisation o on o.id = r.organisation join account c on c.id = r.contact
	join account s on s.id = r.successor join account a on a.id = r.asked_by`

// Reassignments returns to officers what waits for a second one, the longest
// waiting first, at most 100.
func (b *Book) Reassignments(ctx context.Context, by person.Actor) ([]Reassignment, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	return b.reassignments(ctx, b.DB, by, `true`, nil)
}

// Reassignment returns the one of an organisation that waits to officers; nil
// when there is none.
func (b *Book) Reassignment(ctx context.Context, by person.Actor, o org.OrganisationID) (*Reassignment, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	return b.reassignment(ctx, b.DB, by, `r.organisation = @organisation`, pgx.NamedArgs{"organisation": o})
}

func (b *Book) reassignment(ctx context.Context, q postgres.Querier, by person.Actor, where string, args pgx.NamedArgs) (*Reassignment, error) {
	all, err := b.reassignments(ctx, q, by, where, args)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

func (b *Book) reassignments(ctx context.Context, q postgres.Querier, by person.Actor, where string, args pgx.NamedArgs) ([]Reassignment, error) {
	rows, err := q.Query(ctx, `select `+reassignColumns+` from `+reassignTables+` where r.ended is null and `+where+` order by r.id limit 100`, org.Scope(by, args))
	if err != nil {
		return nil, fmt.Errorf("read reassignments: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Reassignment])
	if err != nil {
		return nil, fmt.Errorf("read reassignments: %w", err)
	}
	return all, nil
}
