package mail

import "time"

// HandoverLetter is what a letter about a handover says.
type HandoverLetter string

// The letters about handovers, by whom they are for.
const (
	HandoverOffered   HandoverLetter = "handover_offered"   // the successor
	HandoverReminder  HandoverLetter = "handover_reminder"  // the successor
	HandoverAccepted  HandoverLetter = "handover_accepted"  // the giver
	HandoverDeclined  HandoverLetter = "handover_declined"  // the giver
	HandoverCancelled HandoverLetter = "handover_cancelled" // the successor
	HandoverExpired   HandoverLetter = "handover_expired"   // both
	HandoverLocked    HandoverLetter = "handover_locked"    // both
	HandoverTaken     HandoverLetter = "handover_taken"     // the new contact
	HandoverGiven     HandoverLetter = "handover_given"     // the contact before
	ContactAppointed  HandoverLetter = "contact_appointed"  // the new contact, by the registration office
	ContactRelieved   HandoverLetter = "contact_relieved"   // the contact before
)

// HandoverWords tell of a handover or of a reassignment. None of them holds the
// session password.
type HandoverWords struct {
	Letter HandoverLetter
	Reader
	Organisation string
	Giver        string // name of the contact before, or at present
	Successor    string // name of the new one
	Accepted     bool   // by the successor
	Tokens       int    // API tokens of the contact before that lost the organisation
	Until        time.Time
	Link         string
}

// Handover writes the letter.
func Handover(w HandoverWords) (Letter, error) {
	w.Organisation, w.Giver, w.Successor = name(w.Organisation), name(w.Giver), name(w.Successor)
	return writeIn(w.Lang, string(w.Letter), w.To, w.Link, w)
}

func (w HandoverWords) kind() string            { return string(w.Letter) }
func (w HandoverWords) recipient() string       { return w.To }
func (w HandoverWords) letter() (Letter, error) { return Handover(w) }
