// Package compromise knows which keys fell into other hands, and sees to it that all
// their certificates fall with them: whoever holds them, in one transaction. Such a
// key is blocked for good. It decides who may say so: registration officers, and
// whoever proves to hold the private key. Whoever merely says so ends what they may
// revoke anyway; the rest waits for an officer, as does what anybody reports. It
// never signs and never writes a certificate itself: cert does.
//
//	proof ─────────────────────────────▶ blocked, all certificates fall    for good
//	officer ───────────────────────────▶
//	word of a holder ──▶ report ─ officer ▶
//	anybody's report ──▶   │
//	                       └───────────▶ answered, nothing falls
package compromise

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// Book keeps blocked keys, reports about certificates, and proofs.
type Book struct {
	DB   *postgres.DB
	Cert *cert.Book
	Now  func() time.Time
}

// Digest is the SHA-256 of a key's SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), by which
// keys are known. The zero value is none.
type Digest [sha256.Size]byte

// String is the digest in hexadecimal, as it stands in addresses of pages.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ErrDigest is that something is no digest.
var ErrDigest = fault.New(fault.Invalid, "compromise.key.digest")

// ParseDigest reads 64 hexadecimal digits, however they are grouped.
func ParseDigest(s string) (d Digest, err error) {
	s = strings.NewReplacer(":", "", " ", "", "\t", "", "\r", "", "\n", "").Replace(s)
	if b, err := hex.DecodeString(s); err == nil && len(b) == len(d) {
		return Digest(b), nil
	}
	return d, ErrDigest
}

// Of is the SQL condition that the key, whose digest is SQL, fell into other hands: it
// is blocked, or a certificate of it was revoked for that, or somebody told its
// authority to, whether it does or not. No other certificate is given for such a key.
func Of(key string) string {
	return `(exists (select from certificate k where k.key = ` + key + ` and (k.reason = 1 or k.compromised))
		or exists (select from blocked_key b where b.key = ` + key + `))`
}

// How a key came to be blocked.
type How string

const (
	ByOfficer How = "officer"
	ByProof   How = "proof" // whoever it was held the private key
)

// Cause is who says that a key fell into other hands, and how.
type Cause struct {
	How  How
	By   *person.ID // nil: nobody who was signed in
	Who  audit.Who
	Name string // of By, as letters call them
	Note string // why, by an officer
}

// Proven is the cause where somebody showed that they hold the private key; by is
// whoever is signed in, if anybody is.
func Proven(by person.Actor, from netip.Addr) Cause {
	c := Cause{How: ByProof, Who: by.Who(), Name: by.Name}
	c.Who.From = from
	if by.Account != 0 {
		c.By = &by.Account
	}
	return c
}

// Blocked is a key that is never certified again.
type Blocked struct {
	Key    Digest
	Since  time.Time
	How    How
	ByName string // "" where nobody was signed in
	Note   string
}

const blockedColumns = `b.key, b.since, b.how, coalesce(a.label, '') as by_name, b.note`

// AllBlocked returns the newest to a registration officer, at most limit.
func (b *Book) AllBlocked(ctx context.Context, by person.Actor, limit int) ([]Blocked, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+blockedColumns+` from blocked_key b left join account a on a.id = b.by order by b.id desc limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list blocked keys: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Blocked])
}

// blocked is the key as it is blocked, nil where it is not.
func blocked(ctx context.Context, q postgres.Querier, key Digest) (*Blocked, error) {
	rows, err := q.Query(ctx, `select `+blockedColumns+` from blocked_key b left join account a on a.id = b.by where b.key = $1`, key[:])
	if err != nil {
		return nil, fmt.Errorf("look for a blocked key: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Blocked])
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// keyCompromise is the reason of all that happens here, as the database has it.
const keyCompromise = int16(pki.KeyCompromise)
