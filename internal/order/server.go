package order

import (
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/lint"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// ServerID is the number of an order for a server certificate. Applications and
// orders are numbered in one sequence: an authority knows an intent by it alone.
type ServerID int64

// Thing is the order as an audit line names it.
func (id ServerID) Thing() audit.Thing { return audit.Thing{Kind: "server_order", ID: int64(id)} }

// The states of an order for a server certificate besides Issuing, Pending, Issued
// and Failed; the package comment draws them.
const (
	Received  State = "received"  // waits for an officer
	Waiting   State = "waiting"   // a name is not validated now
	Review    State = "review"    // an officer looks at it
	Returned  State = "returned"  // waits to be corrected
	Approved  State = "approved"  // by the version before: its intent is not written
	Rejected  State = "rejected"  // by an officer, for good
	Withdrawn State = "withdrawn" // by who ordered, for good
)

// over tells whether nothing will happen any more.
func (s State) over() bool { return s == Issued || s == Rejected || s == Withdrawn }

// undecided are the states in which an officer may say no or ask for a
// correction.
func (s State) undecided() bool { return s == Received || s == Waiting || s == Review }

// ServerOrder is an order as its reader may see it.
type ServerOrder struct {
	ID               ServerID
	Reference        string
	Organisation     org.OrganisationID
	OrganisationName string
	Product          string
	Names            []string // lower case A-labels, the first one is the common name
	SPKI             []byte
	KeyKind          string
	Comment          string
	State            State
	Since            time.Time // in this state
	Reason           string    // why it was returned, rejected or failed; of a failure a message id
	Version          int       // rises with each correction
	ByOfficer        bool      // an officer who is not the contact wrote it, or a part of it
	Submitter        person.ID
	SubmitterName    string
	Decider          *person.ID // of the last decision; nil: none, or the organisation's rule
	DeciderName      *string
	Replaces         *cert.ID // the certificate that it renews
	Renews           *string  // its reference number
	Serial           []byte   // of the intent
	NotBefore        *time.Time
	Days             int
	Profile          string
	Findings         []lint.Finding // the rules that the certificate would have broken, for officers
	Approved         *time.Time     // known from the intent on
	Asking           bool           // an authority may still answer
	Spent            bool           // it failed, and there is a certificate of it
	Late             bool           // it came after all, when nobody wanted it any more
	Certificate      *cert.ID
	Attempts         int
	Created          time.Time
	Ended            *time.Time
	Author           bool // the reader submitted or corrected it
	Progress
	org.OrganisationStanding
}

// CommonName is the name that the order is called by.
func (o ServerOrder) CommonName() string { return o.Names[0] }
