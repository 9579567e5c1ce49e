// Package recipe guides through procedures of several steps on one address row:
// an address for somebody else, another name, another applicant, somebody who
// left. It puts the operations of other rooms in the order of the mission and
// decides which comes next. It holds no rule of its own about rows or
// certificates, and nothing that cannot be done by hand as well.
//
//	reuse        deactivate, revoke, name (ends the link), activate, challenge
//	rename-new   deactivate, revoke, row (the new one), challenge (there)
//	rename-same  deactivate, revoke, name (keeps the link), activate, challenge (if aliases changed)
//	applicant    deactivate, applicant, revoke (may be left out), activate, challenge
//	left         deactivate, revoke, hand (a look at what needs a new applicant)
//
// How far a recipe is, is read from the row each time: so a step done by hand
// counts, and one undone by hand comes again.
package recipe

import (
	"slices"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// ID is the number of a recipe.
type ID int64

// Thing is the recipe as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "recipe", ID: int64(id)} }

// Kind is which procedure.
type Kind string

const (
	Reuse      Kind = "reuse"       // R36–R42
	RenameNew  Kind = "rename-new"  // R43–R48
	RenameSame Kind = "rename-same" // R49–R55
	Applicant  Kind = "applicant"   // R68–R74
	Left       Kind = "left"
)

// Kinds are all of them, in the order of their buttons.
var Kinds = [...]Kind{RenameSame, RenameNew, Applicant, Left, Reuse}

// Step is one step of a recipe.
type Step string

const (
	Deactivate   Step = "deactivate"
	Revoke       Step = "revoke"
	Name         Step = "name"
	NewRow       Step = "row"
	NewApplicant Step = "applicant"
	Activate     Step = "activate"
	Challenge    Step = "challenge"
	Hand         Step = "hand"
)

var steps = map[Kind][]Step{
	Reuse:      {Deactivate, Revoke, Name, Activate, Challenge},
	RenameNew:  {Deactivate, Revoke, NewRow, Challenge},
	RenameSame: {Deactivate, Revoke, Name, Activate, Challenge},
	Applicant:  {Deactivate, NewApplicant, Revoke, Activate, Challenge},
	Left:       {Deactivate, Revoke, Hand},
}

// Steps are those of the procedure, in their order; none when there is no such.
func (k Kind) Steps() []Step { return steps[k] }

// Outcome is how a recipe ended.
type Outcome string

const (
	Open      Outcome = "open"
	Finished  Outcome = "finished"
	Cancelled Outcome = "cancelled"
)

// Recipe is a procedure that somebody began.
type Recipe struct {
	ID            ID
	RowID         mailbox.ID
	DomainName    org.Domain
	Kind          Kind
	Name          string     // the row's at the start
	Applicant     string     // likewise
	Account       *person.ID // the link's at the start
	Done          []string   // steps that left no trace in the row
	NewRow        *mailbox.ID
	Started       time.Time
	StartedBy     person.ID
	StartedByName string
	Outcome       Outcome
	Ended         *time.Time
}

func (rc Recipe) noted(s Step) bool { return slices.Contains(rc.Done, string(s)) }

// MayStart tells whether the recipe fits the row: the applicant's a functional
// one, all others a personal one.
func MayStart(k Kind, r mailbox.Row) error {
	if err := mailbox.MayEditRows(r.Standing); err != nil {
		return err
	}
	switch {
	case len(k.Steps()) == 0:
		return fault.New(fault.Missing, "fault.missing")
	case k == Applicant && r.Kind != mailbox.Functional:
		return fault.New(fault.Conflict, "recipe.kind.functional")
	case k != Applicant && r.Kind != mailbox.Personal:
		return fault.New(fault.Conflict, "recipe.kind.personal")
	}
	return nil
}

// Book keeps recipes.
type Book struct {
	DB      *postgres.DB
	Mailbox *mailbox.Book
	Cert    *cert.Book
	Now     func() time.Time
}
