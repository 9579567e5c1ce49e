// Package bulk does one step for many rows of an e-mail domain: it notes which
// rows are meant and what will happen to each, and does it later, row by row,
// by the same operations as by hand. It decides the order, the pace of mails
// and when work ends; whether a row may is for the mailbox room to say, twice:
// before, and with the row locked. It never sends a mail itself.
//
//	draft ── start ──▶ running ──▶ done
//	  │                   └──────▶ cancelled   by hand, or because whoever asked lost the right
//	  └── a day ──▶ forgotten
package bulk

import (
	"log/slog"
	"slices"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// ID is the number of a bulk.
type ID int64

// Thing is the bulk as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "bulk", ID: int64(id)} }

// Verb is what happens to each row.
type Verb string

const (
	Challenge  Verb = "challenge"
	Deactivate Verb = "deactivate"
	Activate   Verb = "activate"
	Comment    Verb = "comment"
	Delete     Verb = "delete"
)

// Verbs are all of them, in the order in which they are offered.
var Verbs = [...]Verb{Challenge, Deactivate, Activate, Comment, Delete}

// State is where a bulk stands; the package comment draws it.
type State string

const (
	Draft     State = "draft"
	Running   State = "running"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// Outcome is what became of a row, or will.
type Outcome string

const (
	Due     Outcome = "due"      // will be done; in a cancelled bulk: was not
	DoneRow Outcome = "done"     //
	LeftOut Outcome = "left_out" // a rule or a brake did not let it
	Failed  Outcome = "failed"   // nobody foresaw why
)

// Outcomes are all of them, in the order of the chips.
var Outcomes = [...]Outcome{Due, DoneRow, LeftOut, Failed}

// Most is how many rows one bulk may hold, where the book says nothing else.
const Most = 200_000

// MostDrafts is how many drafts one person has at most; the oldest go.
const MostDrafts = 5

// Bulk is one step for many rows, as its reader may see it.
type Bulk struct {
	ID          ID
	Domain      org.ID
	DomainName  org.Domain
	Account     person.ID
	AccountName string
	Verb        Verb
	Comment     string
	State       State
	Reason      string // message id of why it was cancelled, empty: by hand
	Total       int    // rows that were chosen
	Due         int    // of them: to be done, as seen before
	LeftOut     int    // before and meanwhile
	Done        int
	Failed      int
	Mails       int // still to be caused
	Next        time.Time
	Created     time.Time
	Started     *time.Time
	Ended       *time.Time
	EndedBy     *string
	Paced       int // how many bulks share the pace of mails now
	org.Standing
}

// Before is how many rows were left out before it began.
func (x Bulk) Before() int { return x.Total - x.Due }

// Worked is how many of the Due rows it got to.
func (x Bulk) Worked() int { return x.Done + x.Failed + x.LeftOut - x.Before() }

// Count is how many rows have the outcome.
func (x Bulk) Count(o Outcome) int {
	switch o {
	case DoneRow:
		return x.Done
	case LeftOut:
		return x.LeftOut
	case Failed:
		return x.Failed
	}
	return x.Due - x.Worked()
}

// Rule tells whether r allows v: the rule of the operation by hand.
func Rule(v Verb, r mailbox.Row) error {
	switch v {
	case Challenge:
		return mailbox.MayChallengeAmong(r)
	case Deactivate:
		return mailbox.MayDeactivate(r)
	case Activate:
		return mailbox.MayActivate(r)
	case Comment:
		return mailbox.MayComment(r)
	case Delete:
		return mailbox.MayDelete(r)
	}
	return fault.New(fault.Invalid, "bulk.verb")
}

// errStarted is that it runs already, or is over.
var errStarted = fault.New(fault.Conflict, "bulk.start.again")

// MayStart: whoever prepared it, while they are a contact of the domain, a draft
// in which there is something to do.
func MayStart(by person.Actor, x Bulk) error {
	if err := mailbox.MayEditRows(x.Standing); err != nil {
		return err
	}
	switch {
	case x.Account != by.Account:
		return fault.New(fault.Denied, "bulk.start.other")
	case x.State != Draft:
		return errStarted
	case x.Due == 0:
		return fault.New(fault.Conflict, "bulk.start.nothing")
	}
	return nil
}

// MayCancel: every contact of the domain, while it runs.
func MayCancel(x Bulk) error {
	if err := mailbox.MayEditRows(x.Standing); err != nil {
		return err
	}
	if x.State != Running {
		return fault.New(fault.Conflict, "bulk.cancel.over")
	}
	return nil
}

// Book keeps bulks and works them.
type Book struct {
	DB        *postgres.DB
	People    *person.Book
	Org       *org.Book
	Mailbox   *mailbox.Book
	Queue     *queue.Queue
	Now       func() time.Time
	Log       *slog.Logger // of rows that failed; nil: nowhere
	PerMinute int          // mails, all bulks together; 0 means 60
	Most      int          // rows in one bulk; 0 means Most
}

func (b *Book) most() int {
	if b.Most > 0 {
		return b.Most
	}
	return Most
}

func known(v Verb) bool { return slices.Contains(Verbs[:], v) }
