// Package person holds the people as the identity provider knows them: their
// accounts, who acts, also through an API token, what was done under which key,
// and who is locked out. An account is keyed by issuer and subject, never by mail
// address. It proves nobody's identity (signin does) and decides no right over
// another subject's things.
package person

import (
	"context"
	"net/netip"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/postgres"
)

// ID is the number of an account.
type ID int64

// Thing is the account as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "account", ID: int64(id)} }

// Actor is who acts: an account with what its last sign-in said of it.
type Actor struct {
	Account ID
	Name    string
	Email   string // the verified mail claim, else empty
	Groups  []string
	Officer bool // registration officer, by a group of the identity provider
	Token   int64
	Reach   *Reach // what a token leaves of the account's rights; nil: all
	From    netip.Addr
	Deed    *Deed `json:"-"` // what this one request asks for, where it came with a key
}

// Who is the actor for an audit line.
func (a Actor) Who() audit.Who {
	return audit.Who{Account: int64(a.Account), Token: a.Token, From: a.From}
}

// ErrOfficersOnly is that only registration officers may do it.
var ErrOfficersOnly = fault.New(fault.Denied, "fault.officers_only")

// OfficersOnly tells whether by may do what only registration officers may.
func OfficersOnly(by Actor) error {
	if !by.Officer {
		return ErrOfficersOnly
	}
	return nil
}

// Account is a person who has signed in at least once.
type Account struct {
	ID            ID
	Issuer        string
	Subject       string
	Username      string
	Name          string
	GivenName     string
	FamilyName    string
	Email         string
	EmailVerified bool
	VerifiedEmail string // Email, or empty where the provider did not verify it
	Label         string // the name to show: the full name, else the user name, else the address
	Groups        []string
	Lost          Lost       // why the provider names no groups, where it did or there are some
	LostSince     *time.Time // nil: Lost is empty
	Language      string     // in which they want letters; empty: both
	Created       time.Time
	SignedIn      time.Time
	Locked        *time.Time
	LockedWhy     string
}

const accountColumns = `a.id, a.issuer, a.subject, a.username, a.name, a.given_name, a.family_name, a.email,
	a.email_verified, a.verified_email, a.label, a.groups, a.lost, a.lost_since, a.language, a.created, a.signed_in, a.locked, a.locked_why`

// Book keeps the accounts and their tokens.
type Book struct {
	DB         *postgres.DB
	Now        func() time.Time
	Issuer     string        // tokens of accounts of another provider do not count; empty: any
	TokenSleep time.Duration // without a sign-in of their makers tokens sleep after it; 0: 30 days
	Outbox     *mail.Outbox
	// Readers tells who gets letters to accounts, as the room knows that sees all
	// their addresses.
	Readers func(ctx context.Context, q postgres.Querier, accounts ...ID) (map[ID]mail.Reader, error)
	Base    string
}
