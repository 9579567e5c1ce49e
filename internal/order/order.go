// Package order leads from the wish for a certificate to the right to it. It
// decides who may apply (by the mailbox room's rule), who may order and who may
// approve, and tells the room of issuance what its intents are for: whether the
// right still holds, and what becomes of an application or order by what came. It
// asks no authority, never revokes, and never sees a private key.
//
// An application for a client certificate:
//
//	apply ──▶ issuing or pending ──┬──▶ issued | refused (no right) | withdrawn
//	                 ▲             ▼
//	                 └─ retried ─ failed (a no, something else, or not known)
//
// An order for a server certificate:
//
//	                 ┌───────────────── corrected ───────────────────┐
//	                 ▼                                               │
//	submit ──▶ waiting ──▶ received ──▶ review ──┬──▶ returned ──────┘
//	              │            │                 │
//	              │            └────────┬────────┴──▶ rejected ◀──┐
//	              │ by the rule         ▼ an officer              │
//	              └─────────▶ issuing or pending ◀── retried ──▶ failed
//	                                    └──▶ issued
//
// Pending is issuing by an authority outside; queued and approved are by the version
// before. An order waits while a name is not validated. What waits or was received
// is decided like what is in review, and whoever keeps an order may withdraw it
// until there is a certificate or it failed.
//
// "By the rule" is the organisation's: every name is validated and nothing was
// found that a person should see. Nobody decides about an order of an
// organisation whose contact they are, nor about one they had a hand in.
// What is asked for is an intent (package issuance), written by what approves.
package order

import (
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/issuance"
	"petschaft/internal/lint"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// ID is the number of an application.
type ID int64

// Thing is the application as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "application", ID: int64(id)} }

// State is where an application stands; the package comment draws it.
type State string

const (
	Queued  State = "queued" // by the version before
	Issuing State = "issuing"
	Pending State = "pending" // issuing, by an authority that is not the portal's own
	Issued  State = "issued"
	Refused State = "refused"
	Failed  State = "failed"
)

// Application is one as its applicant or an officer sees it.
type Application struct {
	ID          ID
	Reference   string
	RowID       mailbox.ID
	RowName     string
	RowAddress  org.Address // the row's primary one
	Account     person.ID
	Applicant   string
	KeyKind     string
	KeyID       []byte // SHA-256 of the public key
	State       State
	Reason      string
	Findings    []lint.Finding // the rules that the certificate would have broken, for officers
	Attempts    int
	Emails      []string
	Certificate *cert.ID
	Late        *cert.ID // it came after all, when nobody wanted it any more
	Created     time.Time
	Ended       *time.Time
	Progress
}

// Book keeps applications, orders and products.
type Book struct {
	DB       *postgres.DB
	Mailbox  *mailbox.Book
	Cert     *cert.Book
	Queue    *queue.Queue
	Issuance *issuance.Book
	Now      func() time.Time
	Terms    string // the version of the terms of use that an applicant accepts
	Officers string // the provider's group of registration officers, who are told of orders
	// Multipurpose: people of organisations sign in with their certificates, too.
	Multipurpose bool
}

// New makes the room and says to the room of issuance what its intents are for.
func New(b Book) *Book {
	b.Issuance.Register(issuance.Application, applications{&b})
	b.Issuance.Register(issuance.ServerOrder, serverOrders{&b})
	return &b
}

// Ready tells whether anybody could issue a certificate for a mailbox.
func (b *Book) Ready() error {
	_, err := b.Issuance.Registry.Choose("", pki.MailIndividual)
	return err
}
