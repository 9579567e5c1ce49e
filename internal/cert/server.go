package cert

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// ServerCertificate is a server's certificate as its reader may see it. It
// belongs to its organisation for ever, so whoever is its technical contact sees
// it. Revoked and replaced are for good; a replaced one counts until its end.
type ServerCertificate struct {
	ID               ID
	Reference        string // also of the order it came from
	Authority        string
	Serial           []byte
	DER              []byte   // not in lists
	Chain            [][]byte // likewise; those above it as they came, the issuer first; empty: nobody kept them
	Fingerprint      []byte
	Organisation     org.OrganisationID
	OrganisationName string
	Subject          string
	CommonName       string // the first name, also where it is too long to be the common name
	Names            []string
	Product          string
	Order            int64 // the number of the order it came from, 0 for none
	NotBefore        time.Time
	NotAfter         time.Time
	Issued           time.Time
	Earlier          bool // it is from before the portal: another authority issued it, nothing was ordered here
	External         bool // an authority outside signed it: the portal revokes it through that one
	Reported         bool // and was told that its key fell into other hands
	Revoked          *time.Time
	Reason           *int16
	Revoking         *time.Time // since when its authority is asked to revoke it, while it has not
	Refused          *time.Time // when its authority refused to, if that was its last word
	Unwanted         bool       // it came when nobody wanted it any more: it is nobody's to use
	Renewal          *string    // reference of the order that renews it now
	ReplacedBy       *string    // reference of the certificate that replaced it
	ReplacedAt       *time.Time
	Replaces         *string // reference of the one it replaced
	org.OrganisationStanding
}

// Elsewhere tells whether another authority than the portal's signed it.
func (c ServerCertificate) Elsewhere() bool { return c.Earlier || c.External }

// Offered tells whether the reader of c gets its files: of what nobody wanted, only
// registration officers.
func (c ServerCertificate) Offered() bool { return !c.Unwanted || c.Officer }

// Valid tells whether the certificate counts at now. One that is being revoked does
// until its authority has.
func (c ServerCertificate) Valid(now time.Time) bool {
	return c.Revoked == nil && !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// Key names the certificate's key, "EC P-256"; empty when its bytes are not at
// hand.
func (c ServerCertificate) Key() string {
	p, err := pki.ParseKept(c.DER)
	if err != nil {
		return ""
	}
	return p.Key.Algorithm
}

// Spelled is a name of a certificate as people spell it: with letters instead of
// A-labels.
func Spelled(name string) string {
	base, wildcard := strings.CutPrefix(name, "*.")
	if base = org.Domain(base).Unicode(); wildcard {
		return "*." + base
	}
	return base
}

// SpelledAll are the names of a server as people write them.
func SpelledAll(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = Spelled(n)
	}
	return all
}

const serverListed = `c.id, c.reference, c.authority, c.serial, c.fingerprint, c.organisation, o.name as organisation_name, c.subject,
	c.common_name, c.names, c.product, coalesce(c.server_order, 0) as "order", c.not_before, c.not_after, c.issued,
	c.imported is not null as earlier, ` + outsideColumns + `, c.revoked, c.reason, c.renewal,
	n.reference as replaced_by, c.replaced_at, ` + org.IsTechnicalContact + ` as contact, @officer::boolean as officer`

const serverColumns = serverListed + `, c.der, c.chain, (select p.reference from certificate p where p.replaced_by = c.id limit 1) as replaces`

const serverTables = `certificate c join organisation o on o.id = c.organisation left join certificate n on n.id = c.replaced_by`

// Server returns the server certificate called reference to the technical
// contact of its organisation and to registration officers; to others it is
// missing.
func (b *Book) Server(ctx context.Context, by person.Actor, reference string) (ServerCertificate, error) {
	return server(ctx, b.DB, by, reference)
}

func server(ctx context.Context, q postgres.Querier, by person.Actor, reference string) (ServerCertificate, error) {
	rows, err := q.Query(ctx, `select `+serverColumns+` from `+serverTables+`
		where c.reference = @reference and (@officer or `+org.IsTechnicalContact+`)`, org.Scope(by, pgx.NamedArgs{"reference": reference}))
	if err != nil {
		return ServerCertificate{}, fmt.Errorf("read certificate %s: %w", reference, err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ServerCertificate])
	return c, postgres.Fault(err)
}

// References returns the reference numbers of server certificates, for those who
// may see them all.
func (b *Book) References(ctx context.Context, by person.Actor, ids []ID) (map[ID]string, error) {
	if err := person.OfficersOnly(by); err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select id, reference from certificate where id = any($1) and organisation is not null`, ids)
	if err != nil {
		return nil, fmt.Errorf("read references: %w", err)
	}
	all := map[ID]string{}
	var id ID
	var reference string
	if _, err := pgx.ForEachRow(rows, []any{&id, &reference}, func() error { all[id] = reference; return nil }); err != nil {
		return nil, fmt.Errorf("read references: %w", err)
	}
	return all, nil
}

// LockServer is the step that loads a certificate and keeps it as it is until tx
// ends. The organisation, where it matters, is locked before.
func (b *Book) LockServer(ctx context.Context, tx pgx.Tx, by person.Actor, reference string) (ServerCertificate, error) {
	if _, err := tx.Exec(ctx, `select from certificate where reference = $1 and organisation is not null for update`, reference); err != nil {
		return ServerCertificate{}, fmt.Errorf("lock certificate %s: %w", reference, err)
	}
	return server(ctx, tx, by, reference)
}

// NoteRenewal is the step that notes which order renews the certificate; an
// empty reference ends it. The certificate is locked.
func (b *Book) NoteRenewal(ctx context.Context, tx pgx.Tx, id ID, reference string) error {
	_, err := tx.Exec(ctx, `update certificate set renewal = nullif($2, '') where id = $1`, id, reference)
	if err != nil {
		return fmt.Errorf("note renewal of certificate %d: %w", id, err)
	}
	return nil
}
