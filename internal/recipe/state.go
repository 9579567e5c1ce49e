package recipe

import (
	"slices"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
)

// State is a recipe with everything that says how far it is.
type State struct {
	Recipe
	Row   mailbox.Row
	New   *mailbox.Row // that takes the old one's place, if the reader may see it
	Valid int          // certificates that are still to be revoked
}

// Standing is a step, whether it is done, and whether that is so because somebody
// left it out.
type Standing struct {
	Step    Step
	Done    bool
	LeftOut bool
}

// Standings are the steps in their order. Of a recipe that is finished all are
// done, whatever happened to the row since.
func (s State) Standings() []Standing {
	all := make([]Standing, 0, len(s.Kind.Steps()))
	for _, step := range s.Kind.Steps() {
		all = append(all, Standing{step, s.Outcome == Finished || s.done(step), s.leftOut(step)})
	}
	return all
}

// Current is the first step that is not done; "" when there is none, or the
// recipe ended.
func (s State) Current() Step {
	if s.Outcome != Open {
		return ""
	}
	for _, x := range s.Standings() {
		if !x.Done {
			return x.Step
		}
	}
	return ""
}

// leftOut tells whether there is still something that the step would have done.
func (s State) leftOut(step Step) bool { return step == Revoke && s.noted(Revoke) && s.Valid > 0 }

// done reads from the row whether a step is done.
func (s State) done(step Step) bool {
	switch step {
	case Deactivate:
		return !s.Row.Active || s.back()
	case Revoke:
		return s.Valid == 0 || s.noted(Revoke)
	case Name:
		return s.named()
	case NewRow:
		return s.NewRow != nil
	case NewApplicant:
		return s.Row.Applicant != "" && s.Row.Applicant.Folded() != org.Address(s.Applicant).Folded()
	case Activate:
		return s.back()
	case Challenge:
		return s.asked()
	}
	return s.noted(step)
}

// named: for somebody else the old link must be gone too. A row in use again may
// have a new one.
func (s State) named() bool {
	renamed := s.Row.Name != s.Name || s.noted(Name)
	if s.Kind != Reuse || s.Row.Linked == nil {
		return renamed
	}
	return renamed && s.Row.Active && (s.Account == nil || *s.Row.Linked != *s.Account)
}

// back tells whether the row is in use again, with everything done for which it
// had to rest.
func (s State) back() bool {
	if !s.Row.Active || !slices.Contains(s.Kind.Steps(), Activate) {
		return false
	}
	return !slices.ContainsFunc(s.Kind.Steps(), func(x Step) bool {
		return slices.Contains([]Step{Revoke, Name, NewApplicant}, x) && !s.done(x)
	})
}

// asked: a round that began before the row rested was ended by that, so what a
// row in use again shows came afterwards. Who keeps name and link needs no
// challenge unless the aliases changed.
func (s State) asked() bool {
	r := &s.Row
	if s.Kind == RenameNew {
		r = s.New
	}
	if r == nil || s.Kind != RenameNew && !s.back() {
		return false
	}
	if s.Kind == RenameSame && (r.Linked == nil || !*r.Suspended) {
		return true
	}
	return slices.Contains([]mailbox.Status{mailbox.Open, mailbox.Confirmed, mailbox.Undeliverable}, r.Status)
}

// mayDo tells whether step is the next of the recipe. What the step itself asks
// for is asked when it is done.
func mayDo(s State, step Step) error {
	if err := mailbox.MayEditRows(s.Row.Standing); err != nil {
		return err
	}
	i := slices.IndexFunc(s.Standings(), func(x Standing) bool { return x.Step == step })
	switch {
	case i < 0:
		return fault.New(fault.Missing, "fault.missing")
	case s.Outcome != Open:
		return fault.New(fault.Conflict, "recipe.ended")
	case s.Standings()[i].LeftOut:
		return fault.New(fault.Conflict, "recipe.step.left_out")
	case s.Standings()[i].Done:
		return fault.New(fault.Conflict, "recipe.step.done")
	case s.Current() != step:
		return fault.New(fault.Conflict, "recipe.step.order")
	}
	return nil
}

// MaySkip tells whether step may be left out: only with another applicant are
// the old certificates revoked "if necessary" (R70).
func MaySkip(s State, step Step) error {
	if err := mayDo(s, step); err != nil {
		return err
	}
	if s.Kind != Applicant || step != Revoke {
		return fault.New(fault.Conflict, "recipe.step.needed")
	}
	return nil
}

// MayCancel: as long as the recipe is open. What was done stays done.
func MayCancel(s State) error {
	if err := mailbox.MayEditRows(s.Row.Standing); err != nil {
		return err
	}
	if s.Outcome != Open {
		return fault.New(fault.Conflict, "recipe.ended")
	}
	return nil
}
