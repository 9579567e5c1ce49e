package mailbox

import (
	"petschaft/internal/fault"
	"petschaft/internal/org"
)

// The rules below are pure: the operation asks them as its gate, the page to
// know whether to show the button. nil means yes.

// MayEditRows tells whether somebody with standing s may edit the rows of a
// domain at all.
func MayEditRows(s org.Standing) error {
	if !s.Contact {
		return fault.New(fault.Denied, "mailbox.contacts_only")
	}
	return nil
}

// MayDelete: as long as no challenge was ever sent (R16).
func MayDelete(r Row) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	if r.Challenged {
		return fault.New(fault.Conflict, "mailbox.delete.challenged")
	}
	return nil
}

// MayDeactivate: an active row (R23).
func MayDeactivate(r Row) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	if !r.Active {
		return fault.New(fault.Conflict, "mailbox.inactive_already")
	}
	return nil
}

// MayActivate: an inactive row (R27). Whether its addresses are still free is
// for the schema to say.
func MayActivate(r Row) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	if r.Active {
		return fault.New(fault.Conflict, "mailbox.active_already")
	}
	return nil
}

// MayChallenge: an active row (R26); a functional one needs an applicant and a
// domain that is validated itself, since there the applicant's mail says
// nothing about the functional mailbox.
func MayChallenge(r Row) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	switch {
	case !r.Active:
		return fault.New(fault.Conflict, "mailbox.challenge.inactive")
	case r.Kind == Functional && r.Validation != org.ByDomain:
		return fault.New(fault.Conflict, "mailbox.kind.mailbox_domain")
	case r.Kind == Functional && r.Applicant == "":
		return fault.New(fault.Conflict, "mailbox.challenge.no_applicant")
	}
	return nil
}

// MayChallengeAmong: like MayChallenge, as one of many rows that nobody looks at
// one by one. Whom an answer put in doubt is not asked again that way. Of expired rows a plan
// for many decides, which sees them all.
func MayChallengeAmong(r Row) error {
	if err := MayChallenge(r); err != nil {
		return err
	}
	switch r.Status {
	case RowDeclined:
		return fault.New(fault.Conflict, "mailbox.challenge.declined")
	case RowConflict:
		return fault.New(fault.Conflict, "mailbox.challenge.conflict")
	}
	return nil
}

// MayComment: any row.
func MayComment(r Row) error { return MayEditRows(r.Standing) }

// MayUnlink: an inactive, linked row.
func MayUnlink(r Row) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	switch {
	case r.Linked == nil:
		return fault.New(fault.Conflict, "mailbox.unlink.none")
	case r.Active:
		return fault.New(fault.Conflict, "mailbox.unlink.active")
	}
	return nil
}

// MayCheckLink: a row whose link is doubtful.
func MayCheckLink(r Row) error {
	if err := MayEditRows(r.Standing); err != nil {
		return err
	}
	if !r.Doubtful {
		return fault.New(fault.Conflict, "mailbox.check_link.none")
	}
	return nil
}

// MayChangeKind: until the first challenge (R14).
func MayChangeKind(r Row) error {
	if r.Challenged {
		return fault.New(fault.Conflict, "mailbox.kind.fixed")
	}
	return nil
}

// MayChangeApplicant: free until the first round, afterwards only while the row
// is inactive (R68–R74).
func MayChangeApplicant(r Row) error {
	if r.Challenged && r.Active {
		return fault.New(fault.Conflict, "mailbox.applicant.active")
	}
	return nil
}

// AsksWho tells whether a new display name must say if it means the same
// person: the row is inactive and linked.
func AsksWho(r Row) bool { return !r.Active && r.Linked != nil }
