package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Renewable is how long before its end a certificate may be followed by the
// next.
const Renewable = 28 * 24 * time.Hour

// mailboxProof is how long a mail that validated its address counts (S/MIME BR
// 4.2.1, method 3.2.2.2).
const mailboxProof = 30 * 24 * time.Hour

// Linked is a row and the account it is linked to, as that account sees it: what
// it may apply for, and what is missing.
type Linked struct {
	RowID      ID
	Kind       Kind
	Name       string
	Primary    org.Address
	Aliases    []org.Address
	Domain     org.ID
	DomainName org.Domain
	Group      org.GroupID
	Active     bool
	Suspended  bool
	Since      time.Time // of the link
	Covered    []string
	// The validation of the domains of the row's addresses, taken together:
	// all proven from ProvenFrom until ProvenUntil, or by mail.
	ByMail      bool
	ProvenFrom  *time.Time
	ProvenUntil *time.Time
	// The newest certificate issued to this account for this row; what was from
	// before the portal, or unwanted when it came, keeps nobody from applying.
	Newest  *int64
	Ends    *time.Time
	Revoked *time.Time // or since when its authority is asked to: it counts no more here
	Held    []string
}

// Addresses are the primary and the aliases.
func (c Linked) Addresses() []org.Address { return append([]org.Address{c.Primary}, c.Aliases...) }

// ErrHave is that the newest certificate says the same and is far from its end,
// which the fault names.
var ErrHave = fault.New(fault.Conflict, "mailbox.apply.have")

// ErrInactive is that the row is not in use, ErrSuspended that not all its addresses
// are confirmed.
var (
	ErrInactive  = fault.New(fault.Conflict, "mailbox.apply.inactive")
	ErrSuspended = fault.New(fault.Conflict, "mailbox.apply.suspended")
)

// MayApply is the one rule for who may apply for a certificate: the page asks
// it for its button, the application for its gate, the job before it writes the
// intent. The account of c is the one that asks.
func MayApply(c Linked, now time.Time) error {
	says := func(id string, args ...any) error { return fault.New(fault.Conflict, id, args...) }
	present := org.Folded(c.Addresses())
	switch {
	case !c.Active:
		return ErrInactive
	case c.Suspended, !containsAll(c.Covered, present):
		return ErrSuspended
	case c.ByMail && c.Kind == Functional:
		return says("mailbox.kind.mailbox_domain")
	case c.ByMail && !now.Before(c.Since.Add(mailboxProof)):
		return says("mailbox.apply.stale")
	case c.ProvenFrom != nil && now.Before(*c.ProvenFrom), c.ProvenUntil != nil && !now.Before(*c.ProvenUntil):
		return says("mailbox.apply.lapsed")
	case c.Newest == nil, c.Revoked != nil, c.Ends != nil && !now.Before(c.Ends.Add(-Renewable)):
		return nil
	case !sameSet(c.Held, present):
		return nil
	}
	return ErrHave.With("until", *c.Ends)
}

func containsAll(set, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !slices.Contains(set, w) })
}

// Links is SQL: links of accounts l with their rows r, as Linked is read; a
// condition follows.
const Links = `
	select r.id as row_id, r.kind, r.name, r.primary_address as primary, r.aliases, r.domain, d.name as domain_name, d.contact_group as group,
		r.active, l.suspended, l.since, l.addresses as covered, v.by_mail, v.proven_from, v.proven_until, c.certificate as newest, c.ends, c.revoked,
		coalesce(c.addresses, '{}') as held
	from link l join address_row r on r.id = l.row_id join email_domain d on d.id = r.domain
	cross join lateral (
		select coalesce(bool_or(x.validation = 'mailbox'), false) as by_mail,
			max(x.proof_from) as proven_from, min(x.proof_until) as proven_until
		from email_domain x where x.name = any(select split_part(a, '@', 2) from unnest(r.primary_address || r.aliases) a)) v
	left join lateral (
		select certificate, ends, coalesce(revoked, revoking) as revoked, addresses from address_certificate
		where row_id = r.id and account = l.account and not imported and not unwanted order by ` + newest + ` limit 1) c on true
	where `

const linkedQuery = Links + `l.account = @account`

// ErrUnlinked is that a row is not linked to an account, or no longer.
var ErrUnlinked = fault.New(fault.Conflict, "mailbox.apply.unlinked")

// LinkedTo returns the rows linked to by, oldest link first, at most 500 (R60).
func (b *Book) LinkedTo(ctx context.Context, by person.Actor) ([]Linked, error) {
	rows, err := b.DB.Query(ctx, linkedQuery+` and `+org.InSession+` order by l.since, r.id limit 500`, org.Scope(by, nil))
	if err != nil {
		return nil, fmt.Errorf("list linked rows: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Linked])
}

// LinkedOf returns the rows linked to an account, as LinkedTo does, to a
// registration officer.
func (b *Book) LinkedOf(ctx context.Context, by person.Actor, account person.ID) ([]Linked, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	return b.LinkedTo(ctx, person.Actor{Account: account})
}

// LinkedRow returns one of them; a row that is not linked to by is missing.
func (b *Book) LinkedRow(ctx context.Context, by person.Actor, id ID) (Linked, error) {
	rows, err := b.DB.Query(ctx, linkedQuery+` and `+org.InSession+` and l.row_id = @row`, org.Scope(by, pgx.NamedArgs{"row": id}))
	if err != nil {
		return Linked{}, fmt.Errorf("read link of row %d: %w", id, err)
	}
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Linked])
	return l, postgres.Fault(err)
}

// LockLinked is the step that locks the row and returns it as linked to account;
// a link that is gone is a conflict that says so.
func (b *Book) LockLinked(ctx context.Context, tx pgx.Tx, account person.ID, id ID) (Linked, error) {
	var l Linked
	both := &pgx.Batch{} // one way to the server and back; the second statement sees what the lock waited for
	both.Queue(`select from address_row where id = $1 for update`, id)
	both.Queue(linkedQuery+` and l.row_id = @row`, pgx.NamedArgs{"account": account, "row": id}).Query(func(rows pgx.Rows) (err error) {
		l, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Linked])
		return err
	})
	err := tx.SendBatch(ctx, both).Close()
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return l, ErrUnlinked
	case err != nil:
		return l, fmt.Errorf("lock link of row %d: %w", id, err)
	}
	return l, nil
}

// LockRows is LockRow for many, in the order of their numbers.
func (b *Book) LockRows(ctx context.Context, tx pgx.Tx, ids []ID) error {
	if _, err := tx.Exec(ctx, `select from address_row where id = any($1) order by id for update`, ids); err != nil {
		return fmt.Errorf("lock %d rows: %w", len(ids), err)
	}
	return nil
}

// LockRow is the step that holds a row until the transaction ends.
func (b *Book) LockRow(ctx context.Context, tx pgx.Tx, id ID) error {
	return b.LockRows(ctx, tx, []ID{id})
}

// Certified is a certificate as this room keeps it.
type Certified struct {
	Certificate int64
	Row         ID
	Account     person.ID
	Issued      time.Time
	Begins      time.Time // its validity; the newest is the one that begins last, in whichever order they come
	Ends        time.Time
	Addresses   []string
	Revoked     *time.Time // at once, because nobody wants it any more
	Revoking    *time.Time // likewise, by an authority outside
}

const newest = `begins desc, certificate desc` // of a row's certificates the first

const noteOne = `
	insert into address_certificate (certificate, row_id, account, issued, begins, ends, addresses, revoked, revoking, unwanted, imported)
	values (@certificate, @row, @account, @issued, @begins, @ends, @addresses, @revoked, @revoking, @unwanted, @imported)`

// unwanted tells whether it was over from the beginning: such a one is never the newest.
func (c Certified) unwanted() bool { return c.Revoked != nil || c.Revoking != nil }

func (c Certified) args(imported bool) pgx.NamedArgs {
	addresses := make([]string, len(c.Addresses)) // the caller goes on with his
	for i, a := range c.Addresses {
		addresses[i] = org.Address(a).Folded()
	}
	return pgx.NamedArgs{
		"certificate": c.Certificate, "row": c.Row, "account": c.Account, "issued": c.Issued, "begins": c.Begins, "ends": c.Ends,
		"addresses": addresses, "revoked": c.Revoked, "revoking": c.Revoking, "imported": imported,
		"unwanted": c.unwanted(),
	}
}

// NoteCertificate is the step that notes a certificate at its issuance. The row
// is locked.
func (b *Book) NoteCertificate(ctx context.Context, tx pgx.Tx, c Certified) error {
	args := c.args(false)
	if !c.unwanted() { // first, so that the line itself goes out in the same statement
		err := postgres.Write(ctx, tx, `update address_row set certificate_end = (select ends from (
				select begins, certificate, ends from address_certificate where row_id = @row and revoked is null and not unwanted
				union all select @begins::timestamptz, @certificate::bigint, @ends::timestamptz) k order by `+newest+` limit 1)
			where id = @row`, args)
		if err != nil {
			return err
		}
	}
	return postgres.Write(ctx, tx, noteOne, args)
}

// NoteEarlier is the step that notes certificates from before the portal. Their
// rows are locked.
func (b *Book) NoteEarlier(ctx context.Context, tx pgx.Tx, all []Certified) error {
	both := &pgx.Batch{}
	var rows []ID
	for _, c := range all {
		rows = append(rows, c.Row)
		both.Queue(noteOne, c.args(true))
	}
	both.Queue(noteEnds, pgx.NamedArgs{"rows": rows})
	if err := tx.SendBatch(ctx, both).Close(); err != nil {
		return fmt.Errorf("note %d earlier certificates: %w", len(all), err)
	}
	return nil
}

// NoteRevocation is the step that notes that a certificate was revoked. The row
// is locked.
func (b *Book) NoteRevocation(ctx context.Context, tx pgx.Tx, row ID, certificate int64, at time.Time) error {
	args := pgx.NamedArgs{"certificate": certificate, "at": at, "rows": []ID{row}}
	err := postgres.Write(ctx, tx, `update address_certificate set revoked = @at, revoking = null where certificate = @certificate`, args)
	if err != nil {
		return err
	}
	return postgres.Write(ctx, tx, noteEnds, args)
}

// NoteRevoking is the step that notes since when the authority of a certificate is asked
// to revoke it (nil: no more). It holds its addresses still. The row is locked.
func (b *Book) NoteRevoking(ctx context.Context, tx pgx.Tx, certificate int64, since *time.Time) error {
	return postgres.Write(ctx, tx, `update address_certificate set revoking = @since where certificate = @certificate`,
		pgx.NamedArgs{"certificate": certificate, "since": since})
}

// noteEnds keeps what the table sorts by: the end of the newest certificate that
// is not revoked and was wanted.
const noteEnds = `update address_row r set certificate_end = coalesce((select ends from address_certificate
	where row_id = r.id and revoked is null and not unwanted order by ` + newest + ` limit 1), 'infinity') where r.id = any(@rows)`
