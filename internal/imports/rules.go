package imports

import (
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
)

// NeedsNumber tells whether the plan changes so many of the domain's rows, more
// than a fifth, that whoever applies it types their number.
func NeedsNumber(im Import) bool { return im.Changed*5 > im.Existing }

// Tells is whether the file speaks of the domain's rows at all: from one without
// a line of use, none of them is missing.
func Tells(im Import) bool { return im.New+im.Changed+im.Unchanged > 0 }

// MayPlan: a file that was not applied and that no job has in hand.
func MayPlan(im Import) error { return mayDecide(im, Uploaded, Planned) }

// MayDiscard is MayPlan: what was applied stays on record.
func MayDiscard(im Import) error { return MayPlan(im) }

// MayApply: a plan that does something.
func MayApply(im Import) error {
	if err := mayDecide(im, Planned); err != nil {
		return err
	}
	if im.New+im.Changed == 0 {
		return fault.New(fault.Conflict, "mailbox.import.nothing")
	}
	return nil
}

// MayUndo: an applied import. Which of its rows can be undone is for each row
// to say.
func MayUndo(im Import) error { return mayDecide(im, Applied) }

// mayDecide: somebody who may edit the rows, and a state from which it goes on.
func mayDecide(im Import, states ...State) error {
	if err := mailbox.MayEditRows(im.Standing); err != nil {
		return err
	}
	for _, s := range states {
		if im.State == s {
			return nil
		}
	}
	if im.State.Working() {
		return fault.New(fault.Conflict, "mailbox.import.busy")
	}
	return fault.New(fault.Conflict, "mailbox.import.over")
}
