package handover_test

import (
	"slices"
	"time"

	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// world is what the mission says about handovers, in memory.
type world struct {
	now      time.Time
	perDay   int
	contact  map[org.OrganisationID]person.ID
	officers []person.ID
	locked   map[person.ID]bool
	offers   []*refOffer
	asks     []*refAsk
	letters  []letter // of the step
}

type letter struct {
	kind string
	to   person.ID
}

type refOffer struct {
	id               handover.ID
	of               org.OrganisationID
	giver, successor person.ID
	password         string
	state            handover.State
	wrong            int
	made             time.Time
	reminded         bool
}

type refAsk struct {
	id            handover.ReassignID
	of            org.OrganisationID
	by, successor person.ID
	over          bool
}

func (w *world) officer(by person.ID) bool { return slices.Contains(w.officers, by) }

func (w *world) sees(by person.ID, of org.OrganisationID) bool {
	return w.contact[of] == by || w.officer(by)
}

func (w *world) post(kind string, to ...person.ID) {
	for _, p := range to {
		w.letters = append(w.letters, letter{kind, p})
	}
}

func (o *refOffer) open() bool { return o.state == handover.Offered || o.state == handover.Accepted }

func (w *world) late(o *refOffer) bool { return !w.now.Before(o.made.Add(14 * day)) }

// over is what somebody hears who comes too late.
func (w *world) over(o *refOffer) string {
	switch {
	case o.open() && w.late(o):
		return "handover.over.expired"
	case o.open():
		return ""
	}
	return "handover.over." + string(o.state)
}

func (w *world) current(of org.OrganisationID) *refOffer {
	for _, o := range w.offers {
		if o.of == of && o.open() {
			return o
		}
	}
	return nil
}

func (w *world) expire(o *refOffer) {
	o.state = handover.Expired
	w.post("handover_expired", o.giver, o.successor)
}

// end ends the open offer of an organisation before something else begins.
func (w *world) end(of org.OrganisationID, s handover.State, next person.ID) {
	o := w.current(of)
	switch {
	case o == nil:
	case w.late(o):
		w.expire(o)
	default:
		o.state = s
		if o.successor != next {
			w.post("handover_cancelled", o.successor)
		}
	}
}

func (w *world) offer(by person.ID, of org.OrganisationID, to person.ID) (string, *refOffer) {
	today := 0
	for _, o := range w.offers {
		if o.of == of && o.made.After(w.now.Add(-day)) {
			today++
		}
	}
	switch {
	case !w.sees(by, of):
		return "fault.missing", nil
	case w.contact[of] != by:
		return "handover.contact_only", nil
	case to == by:
		return "handover.email.own", nil
	case w.locked[to]:
		return "handover.email.locked", nil
	case today >= w.perDay:
		return "handover.brake", nil
	}
	w.end(of, handover.Replaced, to)
	o := &refOffer{of: of, giver: by, successor: to, state: handover.Offered, made: w.now}
	w.offers = append(w.offers, o)
	w.post("handover_offered", to)
	return "", o
}

// answers is what keeps by from answering o as its successor.
func (w *world) answers(by person.ID, o *refOffer) string {
	switch {
	case o.successor != by && w.contact[o.of] != by:
		return "fault.missing"
	case o.successor != by:
		return "handover.successor_only"
	}
	return w.over(o)
}

func (w *world) shut(o *refOffer) string {
	switch {
	case w.locked[o.successor]:
		return "person.locked"
	case w.locked[o.giver]:
		return "handover.giver_locked"
	}
	return ""
}

func (w *world) mayAccept(by person.ID, o *refOffer) string {
	why := w.answers(by, o)
	if why == "" && o.state == handover.Accepted {
		return "handover.accepted_already"
	}
	return why
}

func (w *world) accept(by person.ID, o *refOffer) string {
	if why := w.mayAccept(by, o); why != "" {
		return why
	}
	if why := w.shut(o); why != "" {
		return why
	}
	o.state = handover.Accepted
	w.post("handover_accepted", o.giver)
	return ""
}

func (w *world) decline(by person.ID, o *refOffer) string {
	if why := w.answers(by, o); why != "" {
		return why
	}
	o.state = handover.Declined
	w.post("handover_declined", o.giver)
	return ""
}

func (w *world) mayCancel(by person.ID, o *refOffer) string {
	switch {
	case o.successor != by && w.contact[o.of] != by:
		return "fault.missing"
	case o.giver != by || w.contact[o.of] != by:
		return "handover.giver_only"
	}
	return w.over(o)
}

func (w *world) cancel(by person.ID, o *refOffer) string {
	if why := w.mayCancel(by, o); why != "" {
		return why
	}
	o.state = handover.Cancelled
	w.post("handover_cancelled", o.successor)
	return ""
}

func (w *world) mayFinish(by person.ID, o *refOffer) string {
	why := w.answers(by, o)
	if why == "" && o.state == handover.Offered {
		return "handover.accept_first"
	}
	return why
}

func (w *world) finish(by person.ID, o *refOffer, right bool) string {
	if why := w.mayFinish(by, o); why != "" {
		return why
	}
	if why := w.shut(o); why != "" {
		return why
	}
	if right {
		o.state = handover.Done
		w.appoint(o.of, o.successor, "handover_given", "handover_taken")
		return ""
	}
	if o.wrong++; o.wrong < 5 {
		return "handover.password.wrong"
	}
	o.state = handover.Locked
	w.post("handover_locked", o.giver, o.successor)
	return "handover.over.locked"
}

func (w *world) appoint(of org.OrganisationID, next person.ID, before, after string) {
	w.end(of, handover.Cancelled, next)
	if a := w.waiting(of); a != nil {
		a.over = true
	}
	w.post(before, w.contact[of])
	w.post(after, next)
	w.contact[of] = next
}

func (w *world) waiting(of org.OrganisationID) *refAsk {
	for _, a := range w.asks {
		if a.of == of && !a.over {
			return a
		}
	}
	return nil
}

func (w *world) ask(by person.ID, of org.OrganisationID, to person.ID) (string, *refAsk) {
	switch {
	case !w.sees(by, of):
		return "fault.missing", nil
	case !w.officer(by):
		return "fault.officers_only", nil
	case by == w.contact[of]:
		return "org.organisation.own", nil
	case by == to:
		return "org.organisation.self", nil
	case to == w.contact[of]:
		return "handover.reassign.same", nil
	case w.locked[to]:
		return "handover.email.locked", nil
	case w.waiting(of) != nil:
		return "schema.reassignment_one_open", nil
	}
	a := &refAsk{of: of, by: by, successor: to}
	w.asks = append(w.asks, a)
	return "", a
}

func (w *world) confirm(by person.ID, a *refAsk) string {
	switch {
	case !w.officer(by):
		return "fault.officers_only"
	case a.over:
		return "handover.reassign.over"
	case a.by == by:
		return "handover.reassign.second"
	case a.successor == by:
		return "org.organisation.self"
	case w.contact[a.of] == by:
		return "org.organisation.own"
	case w.locked[a.successor]:
		return "handover.email.locked"
	}
	a.over = true
	w.appoint(a.of, a.successor, "contact_relieved", "contact_appointed")
	return ""
}

func (w *world) drop(by person.ID, a *refAsk) string {
	switch {
	case !w.officer(by):
		return "fault.officers_only"
	case a.over:
		return "handover.reassign.over"
	case w.contact[a.of] == by:
		return "org.organisation.own"
	}
	a.over = true
	return ""
}

func (w *world) tick() {
	for _, o := range w.offers { // the oldest ends first
		switch {
		case !o.open():
		case w.late(o):
			w.expire(o)
		case !o.reminded && !w.now.Before(o.made.Add(7*day)):
			o.reminded = true
			w.post("handover_reminder", o.successor)
		}
	}
}
