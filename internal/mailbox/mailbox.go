// Package mailbox keeps the address rows of e-mail domains: which mailboxes may
// have S/MIME certificates, the challenges by which a person confirms that an
// address is theirs, and the link that a completed round leaves. It never
// issues a certificate and never knows how a person signed in.
//
// A row is active or inactive. What the table shows is its status, kept in the
// row as its state by one statement (status.go), which asks the function
// address_row_state of the schema how the facts beside the row add up:
//
//	                ┌──── round invalidated, or nobody took its mails ────┐
//	                ▼                                                     │
//	added ─────▶  none  ──── send challenges ────▶  open  ──── all confirmed ───▶ confirmed
//	                                                │  ▲                             │
//	  undeliverable ◀──────────────── mail refused ─┤  │ send again     send again   │
//	  declined      ◀───────── "Das bin ich nicht" ─┤  │ ◀───────────────────────────┘
//	  conflict      ◀───── a second account tried ──┤  │
//	  expired       ◀─── one address never answered ┘  │
//	       └──────────────── send again ───────────────┘
//
//	any of these ── deactivate ──▶ inactive ── activate ──▶ confirmed (link covers all), declined or expired
//	                                                        as before (see below), else none
//
// Declined, expired and conflict are facts about addresses: they stay through an
// edit, and through rest, as long as the address that was asked is one of the
// row's (the applicant's, of a functional one). A round that an edit or rest
// withdrew leaves none: nobody is asked. Declined and conflict come before a link
// that an earlier round left; an expired round leaves it confirmed.
//
// A challenge is one mail of a round. Its first three states are those of the
// delivery, the others are final:
//
//	queued ⇄ deferred ──▶ failed          the address is dead, unsent after 48 hours, or marked so by hand
//	   │        │
//	   └───┬────┘
//	       ▼
//	     sent ──▶ confirmed | declined    by the person, signed in, once
//	       ├────▶ expired                 14 days, or 24 hours where the mail is the validation; with it those of its round
//	       └────▶ failed                  marked by hand
//
//	queued, deferred, sent ──▶ replaced      a newer round began
//	                       ──▶ invalidated   aliases or applicant changed, row deactivated, another mail of the round declined
//
// A link may be answered from the moment its token is stored, so a person may
// be quicker than the mail server's answer: queued and deferred challenges with
// a token can be confirmed and declined too.
//
// A round is open until all its challenges are confirmed by one account
// (complete: the link is made or replaced), one is declined, a newer round
// replaces it, an edit invalidates it, one expires (and with it those that still
// wait: it cannot be complete any more), or nothing of it can be answered any
// more (undeliverable, or unsent: nobody took the mail for 48 hours, which is not
// held against the address). While the mail queue is held, queued
// and deferred challenges wait as they are; what failed by the code that held it
// is deferred again.
package mailbox

import (
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// ID is the number of an address row.
type ID int64

// Thing is the row as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "address_row", ID: int64(id)} }

// Kind is the mailbox type.
type Kind string

const (
	Personal   Kind = "personal"
	Functional Kind = "functional"
)

// Status is where a row stands, for filters and the table.
type Status string

const (
	None          Status = "none"          // nobody is asked: no challenge was sent, or it was withdrawn
	Open          Status = "open"          // a round waits for confirmations
	Confirmed     Status = "confirmed"     // linked, and the link covers every address
	RowDeclined   Status = "declined"      // somebody said of an address in the newest round that it is not theirs
	RowExpired    Status = "expired"       // an address of the newest round was not answered in time, and there is no link
	RowConflict   Status = "conflict"      // two accounts wanted to confirm in the newest round
	Undeliverable Status = "undeliverable" // a challenge of the newest round could not be delivered
	Inactive      Status = "inactive"
)

// Statuses are all of them, in the order of the chips.
var Statuses = [...]Status{None, Open, Confirmed, RowDeclined, RowExpired, RowConflict, Undeliverable, Inactive}

// Row is an address row as its reader may see it.
type Row struct {
	ID             ID
	Domain         org.ID
	DomainName     org.Domain
	Validation     org.Validation
	Group          org.GroupID
	Notify         string
	Kind           Kind
	Name           string // the display name; it never enters a certificate
	Primary        org.Address
	Aliases        []org.Address
	Applicant      org.Address // functional rows: who gets the challenge
	Comment        string
	Active         bool
	Challenged     bool // a round was started at least once
	Status         Status
	CertificateEnd *time.Time // of the newest certificate
	Version        int64
	Created        time.Time
	Changed        time.Time
	Linked         *person.ID
	LinkedName     *string
	LinkedSince    *time.Time
	Suspended      *bool    // the aliases were edited after the link was made
	Covered        []string // folded addresses the link speaks for
	Doubtful       bool     // the linked person's verified address was none of the row's
	org.Standing
}

// Addresses are the primary and the aliases.
func (r Row) Addresses() []org.Address { return append([]org.Address{r.Primary}, r.Aliases...) }

// Brakes bound the mails that can be caused by hand.
type Brakes struct {
	RowGap      time.Duration // between two rounds of one row
	RowDay      int           // rounds of one row in 24 hours
	ActorHour   int           // mails one account causes in an hour
	AddressHour int           // mails to one address in an hour
}

// DefaultBrakes are the usual bounds.
var DefaultBrakes = Brakes{RowGap: time.Minute, RowDay: 10, ActorHour: 500, AddressHour: 30}

// Book keeps address rows, challenges and links.
type Book struct {
	DB     *postgres.DB
	Org    *org.Book
	Queue  *queue.Queue
	Sender *mail.Sender
	Outbox *mail.Outbox
	Now    func() time.Time
	Base   string // the portal's own address, no slash at the end
	Brakes Brakes
}
