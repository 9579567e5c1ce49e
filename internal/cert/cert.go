// Package cert keeps issued certificates, also those from before the portal: who
// sees which, their revocation, the lists and OCSP responses that announce it,
// the evidence of why each was issued, and the reminders of its end. A
// certificate is identified by issuer and serial, belongs for ever to the account
// (of a mailbox) or the organisation (of a server) that it was issued to, and is
// never deleted. It never decides whether one is issued (order does) and never
// signs anything itself: an Authority does.
//
//	issued ── revoke ──▶ revoked      for good
//	   └── time ──▶ expired
//
// A mailbox's certificate is revoked by its holder, a contact of its inactive row
// or an officer; a server's by whoever looks after its organisation or an
// officer. A renewed certificate stays valid beside its successor.
//
// Of a mailbox's certificate nothing is written when it expires. A server's has a
// phase, which a job turns so that lists find it by an index:
//
//	valid ── may be renewed ──▶ ending ── its end ──▶ over
package cert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/text"
)

// ID is the number of a certificate.
type ID int64

// Thing is the certificate as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "certificate", ID: int64(id)} }

// ServerThing is a server's certificate as an audit line names it.
func (id ID) ServerThing() audit.Thing { return audit.Thing{Kind: "server_certificate", ID: int64(id)} }

// UnexpectedThing is what is nobody's certificate, as an audit line names it: no line
// about it is found where people look whose it would have been.
func (id ID) UnexpectedThing() audit.Thing {
	return audit.Thing{Kind: "unexpected_certificate", ID: int64(id)}
}

// Authority signs revocation lists and OCSP responses about certificates.
type Authority interface {
	// SignCRL returns the list called number of the authority (RFC 5280, 5).
	SignCRL(ctx context.Context, authority string, number int64, revoked []pki.Revocation, thisUpdate, nextUpdate time.Time) (pki.CRL, error)
	// Names are the authorities whose lists SignCRL signs.
	Names() []string
	// RootCRL is the list of a root whose key is elsewhere; false when there is
	// no such root.
	RootCRL(ctx context.Context) (pki.CRL, bool, error)
	// Responders are the authorities about whose certificates SignStatus answers.
	Responders() []string
	// RenewResponders sees to it that there is somebody at hand who may answer.
	RenewResponders(ctx context.Context) error
	// SignStatus answers what s says (RFC 6960, 4.2). It waits for nothing: with
	// nobody at hand it is pki.ErrNoResponder.
	SignStatus(authority string, s pki.Status, thisUpdate, nextUpdate time.Time) (pki.Response, error)
}

// Book keeps certificates with their evidence, what is announced about them
// (revocation lists, OCSP responses), and what is written about their end.
type Book struct {
	DB        *postgres.DB
	Mailbox   *mailbox.Book
	Queue     *queue.Queue
	Outbox    *mail.Outbox
	Authority Authority // nil while none is set up
	Now       func() time.Time
	Base      string
	Reminders []int // days before the end, in any order; none means 28 and 14

	Withdrawer Withdrawer // who asks authorities outside to revoke; nil: nobody can
	Watch      Watch      // who hears of keys that fell into other hands; nil: nobody
	Officers   string     // the provider's group of registration officers, who are told of what nobody wants

	responses responses
}

// Certificate is one as its reader may see it.
type Certificate struct {
	ID          ID
	Reference   string
	Authority   string
	Serial      []byte
	DER         []byte
	Chain       [][]byte // those above it as they came, the issuer first; empty: nobody kept them
	Fingerprint []byte
	Account     person.ID
	Holder      string
	Earlier     bool // it is from before the portal: another authority issued it, and the portal cannot revoke it
	External    bool // an authority outside signed it: the portal revokes it through that one
	Reported    bool // and was told that its key fell into other hands
	RowID       mailbox.ID
	RowName     string
	RowActive   bool
	DomainName  org.Domain
	Subject     string
	Emails      []string
	NotBefore   time.Time
	NotAfter    time.Time
	Issued      time.Time
	Revoked     *time.Time
	Reason      *int16
	Revoking    *time.Time // since when its authority is asked to revoke it, while it has not
	Refused     *time.Time // when its authority refused to, if that was its last word
	Unwanted    bool       // it came when nobody wanted it any more: it is nobody's to use
	Mine        bool       // the reader holds it
	org.Standing
}

// Elsewhere tells whether another authority than the portal's signed it.
func (c Certificate) Elsewhere() bool { return c.Earlier || c.External }

// Offered tells whether the reader of c gets its files: of what nobody wanted, only
// registration officers.
func (c Certificate) Offered() bool { return !c.Unwanted || c.Officer }

// Valid tells whether the certificate counts at now. One that is being revoked does
// until its authority has.
func (c Certificate) Valid(now time.Time) bool {
	return c.Revoked == nil && !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// outsideColumns are what an authority outside has to do with c.
const outsideColumns = `c.external, c.unwanted, c.compromised as reported, case when c.revoked is null then c.revoking end as revoking,
	case when c.revoked is null and c.revoking_refused is not null then c.revoking_answered end as refused`

const columns = `c.id, c.reference, c.authority, c.serial, c.der, c.chain, c.fingerprint, c.account,
	a.label as holder, c.imported is not null as earlier, ` + outsideColumns + `,
	c.row_id, r.name as row_name, r.active as row_active, d.name as domain_name, c.subject, c.emails, c.not_before, c.not_after,
	c.issued, c.revoked, c.reason, (c.account = @account and ` + org.InSession + `) as mine, ` + org.IsContact + ` as contact, @officer::boolean as officer`

const tables = `certificate c join account a on a.id = c.account join address_row r on r.id = c.row_id join email_domain d on d.id = r.domain`

// One returns the certificate id to its holder, to a contact of its row's domain
// and to registration officers; to others it is missing (R74).
func (b *Book) One(ctx context.Context, by person.Actor, id ID) (Certificate, error) {
	return one(ctx, b.DB, by, id)
}

func one(ctx context.Context, q postgres.Querier, by person.Actor, id ID) (Certificate, error) {
	rows, err := q.Query(ctx, `select `+columns+` from `+tables+` where c.id = @id`, org.Scope(by, pgx.NamedArgs{"id": id}))
	if err != nil {
		return Certificate{}, fmt.Errorf("read certificate %d: %w", id, err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Certificate])
	if err != nil {
		return Certificate{}, postgres.Fault(err)
	}
	if !c.Mine && !c.Sees() {
		return Certificate{}, fault.New(fault.Missing, "fault.missing")
	}
	return c, nil
}

// Which certificates of one's own a list shows.
type Which string

const (
	Valid Which = "valid" // the usual
	Over  Which = "over"  // expired, revoked, or never wanted
	All   Which = "all"
)

// Mine returns by's own certificates, the last that came first, before the certificate
// before (0: from the last), at most limit.
func (b *Book) Mine(ctx context.Context, by person.Actor, w Which, before ID, limit int) ([]Certificate, error) {
	where := map[Which]string{Valid: "and c.revoked is null and not c.unwanted and c.not_after >= @now", Over: "and (c.revoked is not null or c.unwanted or c.not_after < @now)"}[w]
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+`
		where c.account = @account and `+org.InSession+` and (@before = 0::bigint or c.id < @before) `+where+` order by c.id desc limit @limit`,
		org.Scope(by, pgx.NamedArgs{"before": before, "now": b.Now(), "limit": limit}))
	return collect(rows, err)
}

// OfRow returns the certificates of a row that the caller has loaded, the newest
// first, in whichever order they came, at most limit.
func (b *Book) OfRow(ctx context.Context, by person.Actor, row mailbox.ID, limit int) ([]Certificate, error) {
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+` where c.row_id = @row order by c.not_before desc, c.id desc limit @limit`,
		org.Scope(by, pgx.NamedArgs{"row": row, "limit": limit}))
	return collect(rows, err)
}

// Newest is the newest of what OfRow returned, nil for none: what came unwanted never is.
func Newest(ofRow []Certificate) *Certificate {
	if i := slices.IndexFunc(ofRow, func(c Certificate) bool { return !c.Unwanted }); i >= 0 {
		return &ofRow[i]
	}
	return nil
}

// Ending returns by's own certificates that end within d, soonest first, at most
// ten; those with a successor for the same row are left out.
func (b *Book) Ending(ctx context.Context, by person.Actor, d time.Duration) ([]Certificate, error) {
	now := b.Now()
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+`
		where c.account = @account and `+org.InSession+` and c.revoked is null and c.revoking is null and not c.unwanted and c.not_after between @now and @until
			and not `+Renewed+`
		order by c.not_after, c.id limit 10`, org.Scope(by, pgx.NamedArgs{"now": now, "until": now.Add(d)}))
	return collect(rows, err)
}

// searchLimit bounds what Search returns.
const searchLimit = 50

// Search finds certificates for a registration officer: every word of text in
// address, holder, subject, serial (hexadecimal) or reference. Newest first;
// more tells that there are others.
func (b *Book) Search(ctx context.Context, by person.Actor, sought string) (found []Certificate, more bool, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, false, err
	}
	args := pgx.NamedArgs{"limit": searchLimit + 1}
	var where strings.Builder
	for i, w := range text.Sought(sought) {
		w = strings.ReplaceAll(w, ":", "") // of serials
		where.WriteString(` and ` + org.HoldsWord("c.search", fmt.Sprintf("w%d", i), w, args))
	}
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+` where true`+where.String()+` order by c.id desc limit @limit`, org.Scope(by, args))
	if found, err = collect(rows, err); err != nil {
		return nil, false, err
	}
	return found[:min(len(found), searchLimit)], len(found) > searchLimit, nil
}

func collect(rows pgx.Rows, err error) ([]Certificate, error) {
	if err == nil {
		var all []Certificate
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Certificate]); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("list certificates: %w", err)
}
