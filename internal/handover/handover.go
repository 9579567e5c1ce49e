// Package handover passes an organisation on from its technical contact to a
// successor, agreed by both. It decides who may be offered an organisation, in
// which order the two sides act, and when an offer ends; and how the
// registration office appoints somebody else when a contact is gone. It never
// touches a certificate or an order: they belong to the organisation and follow
// it.
//
// An offer:
//
//	                       ┌── successor ──▶ declined
//	                       ├── giver ──────▶ cancelled ◀── another contact was appointed
//	                       ├── giver ──────▶ replaced  (by a newer offer)
//	                       ├── clock ──────▶ expired   (after 14 days)
//	offered ───────────────┤
//	   │                   │
//	   │ successor accepts │
//	   ▼                   │
//	accepted ──────────────┼── fifth wrong session password ──▶ locked
//	   │
//	   │ successor enters the session password
//	   ▼
//	 done: the organisation has its new contact
//
// An offer is open while it is offered or accepted; an organisation has one open
// offer at most. The session password is shown to the giver once and stored as a
// hash. The link in the successor's mail holds no secret: it shows the offer to
// the account that it was made to, and to nobody else who is not the contact.
//
// A reassignment by the registration office, where a second officer confirms:
//
//	asked ──▶ done
//	   └────▶ dropped
package handover

import (
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// ID is the number of an offer.
type ID int64

// Thing is the offer as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "handover", ID: int64(id)} }

// State is where an offer stands; the package comment draws it.
type State string

const (
	Offered   State = "offered"
	Accepted  State = "accepted"
	Done      State = "done"
	Declined  State = "declined"
	Cancelled State = "cancelled"
	Expired   State = "expired"
	Locked    State = "locked"
	Replaced  State = "replaced"
)

// Life is how long an offer stands; RemindAfter is when its successor is
// reminded of it.
const (
	Life        = 14 * 24 * time.Hour
	RemindAfter = 7 * 24 * time.Hour
)

// Tries is how many wrong session passwords lock an offer.
const Tries = 5

// Offer is one as its reader may see it.
type Offer struct {
	ID               ID
	Organisation     org.OrganisationID
	OrganisationName string
	Giver            person.ID
	GiverName        string
	GiverEmail       string // as of the last sign-in, empty when it is not verified
	Successor        person.ID
	SuccessorName    string
	SuccessorEmail   string // as of the last sign-in, empty when it is not verified
	SuccessorLocked  bool   // the account is locked now
	State            State
	Wrong            int // session passwords
	Created          time.Time
	Ends             time.Time  // when it expires
	Accepted         *time.Time // by the successor
	Reminded         *time.Time
	Ended            *time.Time
	Gives            bool // the reader made it and is the contact still
	Receives         bool // it was made to the reader
}

// Open tells whether the offer can still become a handover at now.
func (o Offer) Open(now time.Time) bool {
	return (o.State == Offered || o.State == Accepted) && now.Before(o.Ends)
}

// Left is how many more wrong session passwords the offer bears, at least 1
// while it is open.
func (o Offer) Left() int { return Tries - o.Wrong }

// Book keeps offers.
type Book struct {
	DB     *postgres.DB
	Org    *org.Book
	Person *person.Book
	Outbox *mail.Outbox
	Now    func() time.Time
	Base   string // the portal's own address
	// PerDay is how many offers of one organisation are made in 24 hours; 0
	// means 10.
	PerDay int
	// LookUps is how many people one contact may look for in an hour; 0 means 20.
	LookUps int
	// Waiting is how many may wait in this process for a session password to be
	// worked out, WaitingOwn how often one account; 0 means 16 and 2.
	Waiting, WaitingOwn int
	// SecondOfficer: another registration officer confirms a reassignment.
	SecondOfficer bool

	hasher hasher
}
