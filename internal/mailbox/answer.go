package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/web/paths"
)

// Asked is a challenge as the person sees it who holds its link.
type Asked struct {
	ID         int64
	RowID      ID
	Round      int64
	Recipient  org.Address
	State      State
	Expires    *time.Time
	Token      []byte
	Kind       Kind
	Name       string
	Primary    org.Address
	Aliases    []org.Address
	Domain     org.ID
	DomainName org.Domain
	GroupName  string
	Notify     string
	Asks       string     // who asks
	First      *person.ID // the account that confirmed another address of the round
	FirstName  *string
}

const askedQuery = `
	select c.id, c.row_id, c.round, c.recipient, c.state, c.expires, c.token, r.kind, r.name, r.primary_address as primary, r.aliases,
		d.id as domain, d.name as domain_name, g0.name as group_name, g0.notify,
		a.label as asks, f.account as first, f.name as first_name
	from challenge_token t join challenge c on c.id = t.challenge join address_row r on r.id = c.row_id
	join email_domain d on d.id = r.domain join contact_group g0 on g0.id = d.contact_group join account a on a.id = c.asked_by
	left join lateral (
		select x.account, b.label as name
		from challenge x join account b on b.id = x.account
		where x.round = c.round and x.state = 'confirmed' and x.id <> c.id limit 1) f on true
	where t.hash = $1`

func asked(ctx context.Context, q postgres.Querier, digest []byte) (Asked, error) {
	rows, err := q.Query(ctx, askedQuery, digest)
	if err != nil {
		return Asked{}, fmt.Errorf("read challenge: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Asked])
	if fault.Is(postgres.Fault(err), fault.Missing) {
		return Asked{}, fault.New(fault.Missing, "mailbox.link.unknown")
	}
	return a, err
}

// Look returns the challenge whose link has the digest. It changes nothing, so
// that mail scanners may open links. An unknown link is missing.
func (b *Book) Look(ctx context.Context, digest []byte) (Asked, error) {
	return asked(ctx, b.DB, digest)
}

// Why a challenge cannot be answered any more, where somebody reacts to it.
var (
	ErrConfirmed    = fault.New(fault.Conflict, "mailbox.link.confirmed")
	ErrDeclined     = fault.New(fault.Conflict, "mailbox.link.declined")
	ErrOtherAccount = fault.New(fault.Conflict, "mailbox.link.other_account") // one may still decline
)

// mayAnswer tells whether a can be answered at now with the link that has the
// digest. Whoever is signed in may decline then; for confirming see MayConfirm.
func mayAnswer(a Asked, digest []byte, now time.Time) error {
	says := func(id string) error { return fault.New(fault.Conflict, id) }
	switch {
	case a.State == Affirmed:
		return ErrConfirmed
	case a.State == Declined:
		return ErrDeclined
	case !bytes.Equal(a.Token, digest), a.State == Replaced:
		return says("mailbox.link.replaced")
	case a.State == Invalidated:
		return says("mailbox.link.invalidated")
	case a.State == Expired, a.Expires == nil, !now.Before(*a.Expires):
		return says("mailbox.link.expired")
	case !a.State.Pending():
		return says("mailbox.link.failed")
	}
	return nil
}

// MayConfirm tells whether by may confirm a at now with the link that has the
// digest: it can be answered, and no other account confirmed in this round.
func MayConfirm(a Asked, by person.Actor, digest []byte, now time.Time) error {
	if err := mayAnswer(a, digest, now); err != nil {
		return err
	}
	if a.First != nil && *a.First != by.Account {
		return ErrOtherAccount
	}
	return nil
}

// answered locks the row of the challenge that has the digest, so that of many
// answers one comes first.
func answered(ctx context.Context, tx pgx.Tx, digest []byte) (Asked, error) {
	_, err := tx.Exec(ctx, `select from address_row where id = (
		select c.row_id from challenge_token t join challenge c on c.id = t.challenge where t.hash = $1) for update`, digest)
	if err != nil {
		return Asked{}, fmt.Errorf("lock row of challenge: %w", err)
	}
	return asked(ctx, tx, digest)
}

// Confirmation is what came of one. Where nobody is waited for and the account is
// not linked, another address of the round cannot be confirmed any more.
type Confirmation struct {
	Of      Asked
	Waiting int  // how many of the round's challenges still wait
	Linked  bool // the account is linked to the row
}

// Confirm says that the challenged address belongs to by (R7–R9). When it was
// the last of its round, the account is linked to the row's addresses. A second
// account in one round changes nothing, but the contacts are told, once.
func (b *Book) Confirm(ctx context.Context, by person.Actor, digest []byte) (c Confirmation, err error) {
	var refused error
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		a, err := answered(ctx, tx, digest)
		if err != nil {
			return err
		}
		now := b.Now()
		refused = MayConfirm(a, by, digest, now)
		switch {
		case refused == nil:
			c, err = b.confirm(ctx, tx, now, by, a)
			return err
		case errors.Is(refused, ErrOtherAccount):
			return b.tellConflict(ctx, tx, now, by, a)
		}
		return nil
	})
	if err != nil {
		return Confirmation{}, err
	}
	return c, refused
}

func (b *Book) confirm(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, a Asked) (c Confirmation, err error) {
	if err := b.close(ctx, tx, now, by, a, Affirmed); err != nil {
		return c, err
	}
	if err := b.note(ctx, tx, now, by.Who(), "mailbox.confirmed", a.detail(), a.about(by)...); err != nil {
		return c, err
	}
	c.Of = a
	var complete bool
	err = tx.QueryRow(ctx, `
		select bool_and(state = 'confirmed'), count(*) filter (where state in ('queued', 'deferred', 'sent')),
			exists (select from link where row_id = @row and account = @by and not suspended)
		from challenge where round = @round`, pgx.NamedArgs{"row": a.RowID, "by": by.Account, "round": a.Round}).Scan(&complete, &c.Waiting, &c.Linked)
	if err != nil {
		return c, fmt.Errorf("count confirmations: %w", err)
	}
	if complete {
		if err := b.link(ctx, tx, now, by, a); err != nil {
			return c, err
		}
		c.Linked = true
	}
	if err := b.settle(ctx, tx, now, a.RowID); err != nil {
		return c, err
	}
	return c, refresh(ctx, tx, a.RowID)
}

// Decline says that the address does not belong to by, whoever confirmed others
// of the round: the round ends and the contacts are told.
func (b *Book) Decline(ctx context.Context, by person.Actor, digest []byte) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		a, err := answered(ctx, tx, digest)
		if err != nil {
			return err
		}
		now := b.Now()
		if err := mayAnswer(a, digest, now); err != nil {
			return err
		}
		if err := b.close(ctx, tx, now, by, a, Declined); err != nil {
			return err
		}
		if err := b.endRounds(ctx, tx, now, "declined", a.RowID); err != nil {
			return err
		}
		if err := refresh(ctx, tx, a.RowID); err != nil {
			return err
		}
		if a.Notify != "" {
			err := b.Outbox.Post(ctx, tx, mail.DeclinedWords{
				To: a.Notify, Row: a.Name, Address: string(a.Recipient),
				By: by.Name, At: now, Link: b.rowLink(a),
			})
			if err != nil {
				return err
			}
		}
		return b.note(ctx, tx, now, by.Who(), "mailbox.declined", a.detail(), a.about(by)...)
	})
}

func (b *Book) close(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, a Asked, s State) error {
	_, err := tx.Exec(ctx, `update challenge set state = $2, account = $3, ended = $4, sent = coalesce(sent, $4) where id = $1`,
		a.ID, s, by.Account, now)
	if err != nil {
		return fmt.Errorf("close challenge %d: %w", a.ID, err)
	}
	return nil
}

// link is what a completed round leaves: it replaces an older link. It is
// doubtful where by's verified address is none of those the challenges named: a
// link can be read by others than the address's owner, in a bounce or in what a
// reply quotes. What a functional row's mailbox is called says nothing of its
// applicant, whose other addresses nobody knows: such a link never is.
func (b *Book) link(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, a Asked) error {
	_, err := tx.Exec(ctx, `
		with n as (
			update challenge_round set outcome = 'complete', ended = @now where id = @round returning id
		)
		insert into link (row_id, account, addresses, round, since, doubtful)
		select @row, @by, array(select distinct unnest(c.covers) from challenge c where c.round = @round), id, @now, @doubtful from n
		on conflict (row_id) do update set account = excluded.account, addresses = excluded.addresses, round = excluded.round,
			since = excluded.since, suspended = false, doubtful = excluded.doubtful`,
		pgx.NamedArgs{"row": a.RowID, "round": a.Round, "by": by.Account, "now": now, "doubtful": a.doubts(by)})
	if err != nil {
		return fmt.Errorf("link row %d: %w", a.RowID, err)
	}
	var detail audit.Detail
	if a.doubts(by) {
		detail = audit.Detail{"doubtful": true}
	}
	return b.note(ctx, tx, now, by.Who(), "mailbox.linked", detail, a.about(by)...)
}

// doubts tells whether by's verified address is none of a personal row's.
func (a Asked) doubts(by person.Actor) bool {
	own := org.Folded(append([]org.Address{a.Primary}, a.Aliases...))
	return a.Kind == Personal && !slices.Contains(own, org.Address(by.Email).Folded())
}

func (b *Book) tellConflict(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, a Asked) error {
	tag, err := tx.Exec(ctx, `update challenge set conflict = $2 where id = $1 and conflict is null`, a.ID, by.Account)
	if err != nil {
		return fmt.Errorf("note conflict: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	if err := refresh(ctx, tx, a.RowID); err != nil {
		return err
	}
	if a.Notify != "" {
		err := b.Outbox.Post(ctx, tx, mail.ConflictWords{
			To: a.Notify, Row: a.Name, Address: string(a.Recipient),
			First: *a.FirstName, By: by.Name, At: now, Link: b.rowLink(a),
		})
		if err != nil {
			return err
		}
	}
	return b.note(ctx, tx, now, by.Who(), "mailbox.conflict", a.detail(), a.about(by)...)
}

func (b *Book) rowLink(a Asked) string {
	return b.Base + paths.Row(a.DomainName, a.RowID)
}

// detail names the address that was asked about, and where the mail went when
// that was another: to the applicant of a functional row.
func (a Asked) detail() audit.Detail {
	if a.Kind == Functional {
		return audit.Detail{"challenge": a.ID, "address": append([]org.Address{a.Primary}, a.Aliases...), "to": a.Recipient}
	}
	return audit.Detail{"challenge": a.ID, "address": a.Recipient}
}

func (a Asked) about(by person.Actor) []audit.Thing {
	return []audit.Thing{a.RowID.Thing(), a.Domain.Thing(), by.Account.Thing()}
}
