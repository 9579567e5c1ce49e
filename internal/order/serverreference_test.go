package order_test

import (
	"slices"
	"strings"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// world is what the mission says about orders, in memory: one organisation whose
// contact changes, three domains, and everything that is ordered.
type world struct {
	now      time.Time
	contact  person.ID
	officers []person.ID
	auto     bool
	until    map[string]time.Time // how long each domain is validated
	orders   []*refOrder
}

type refOrder struct {
	reference string
	state     order.State
	names     []string
	comment   string
	reason    string
	version   int
	authors   []person.ID
	byOfficer bool
	intent    bool
	asking    bool // its intent is open
	asked     bool // the authority may know of it
	gone      bool // the right to it ended: it is only collected
	since     time.Time
	unsigned  bool // the authority said that there is none
	signed    bool // the authority has a certificate for the intent
	spent     bool // which came when nobody wanted it any more
	begins    time.Time
	renews    *refOrder

	// of its certificate
	from, to time.Time
	renewal  string
	replaced string
}

func (w *world) officer(by person.ID) bool { return slices.Contains(w.officers, by) }
func (w *world) sees(by person.ID) bool    { return by == w.contact || w.officer(by) }

// stands tells what stands against the names: for good, or for now.
func (w *world) stands(names []string) (stop, wait string) {
	for _, n := range names {
		base, wildcard := strings.CutPrefix(n, "*.")
		var until time.Time
		known := false
		for d, t := range w.until {
			if base == d || strings.HasSuffix(base, "."+d) {
				until, known = t, true
				if wildcard && d != "stern.example" && stop == "" {
					stop = "serverorder.names.wildcard"
				}
			}
		}
		if !known && stop == "" {
			stop = "serverorder.names.foreign"
		}
		if !w.now.Before(until) {
			wait = "serverorder.check.unvalidated"
		}
	}
	return stop, wait
}

func (w *world) place(o *refOrder) {
	_, wait := w.stands(o.names)
	switch {
	case wait != "":
		o.state = order.Waiting
	case w.auto && o.comment == "" && !o.byOfficer:
		w.intend(o)
	default:
		o.state = order.Received
	}
}

// intend writes the intent of an order that is approved.
func (w *world) intend(o *refOrder) {
	o.state, o.intent, o.asking, o.asked, o.gone, o.reason = order.Issuing, true, true, false, false, ""
	o.begins = w.now.Add(-time.Hour).Truncate(time.Second)
}

func (w *world) submit(by person.ID, in order.Submission, old *refOrder) (string, *refOrder) {
	switch {
	case !w.sees(by):
		return "fault.missing", nil
	case by != w.contact && old == nil:
		return "serverorder.contact_only", nil
	}
	if old != nil {
		if why := w.renewable(old); why != "" {
			return why, nil
		}
	}
	if stop, _ := w.stands(in.Names); stop != "" {
		return stop, nil
	}
	o := &refOrder{names: in.Names, comment: in.Comment, version: 1, authors: []person.ID{by}, byOfficer: by != w.contact, renews: old}
	w.place(o)
	w.orders = append(w.orders, o)
	return "", o
}

// renewable: the last third of the life, at most the last 30 days, and 30 days
// after it; once.
func (w *world) renewable(old *refOrder) string {
	life := old.to.Sub(old.from)
	switch {
	case old.replaced != "":
		return "cert.renew.replaced"
	case old.renewal != "":
		return "cert.renew.under_way"
	case w.now.Before(old.to.Add(-min(life/3, 30*day))):
		return "cert.renew.early"
	case w.now.After(old.to.Add(30*day - time.Second)):
		return "cert.renew.late"
	}
	return ""
}

func (w *world) decides(by person.ID, o *refOrder, states ...order.State) string {
	switch {
	case !w.sees(by):
		return "fault.missing"
	case !w.officer(by):
		return "fault.officers_only"
	case by == w.contact:
		return "serverorder.decide.contact"
	case slices.Contains(o.authors, by):
		return "serverorder.decide.author"
	case !slices.Contains(states, o.state):
		return "serverorder.decide.over"
	}
	return ""
}

func (w *world) take(by person.ID, o *refOrder) string {
	if why := w.decides(by, o, order.Received); why != "" {
		return why
	}
	o.state = order.Review
	return ""
}

func (w *world) approve(by person.ID, o *refOrder, version int) string {
	why := w.decides(by, o, order.Received, order.Review, order.Waiting)
	stop, wait := w.stands(o.names)
	switch {
	case why != "":
		return why
	case version != o.version:
		return "serverorder.changed"
	case stop+wait != "":
		return stop + wait
	}
	w.intend(o)
	return ""
}

func (w *world) giveBack(by person.ID, o *refOrder, d order.Decision) string {
	why := w.decides(by, o, order.Received, order.Review, order.Waiting)
	return o.say(why, d, order.Returned)
}

func (w *world) reject(by person.ID, o *refOrder, d order.Decision) string {
	why := w.decides(by, o, order.Received, order.Review, order.Waiting, order.Failed)
	unheard := o.unheard()
	if why = o.say(why, d, order.Rejected); why == "" {
		if unheard {
			w.collect(o)
		}
		o.free()
	}
	return why
}

// unheard tells whether nobody knows what became of it, nor asks.
func (o *refOrder) unheard() bool { return o.state == order.Failed && o.reason == "order.failed.away" }

// collect has only asked what became of it.
func (w *world) collect(o *refOrder) { o.asking, o.gone, o.since = true, true, w.now }

func (o *refOrder) say(why string, d order.Decision, next order.State) string {
	switch {
	case why != "":
		return why
	case d.Version != o.version:
		return "serverorder.changed"
	case strings.TrimSpace(d.Reason) == "":
		return "field.required"
	}
	o.state, o.reason = next, d.Reason
	return ""
}

func (o *refOrder) free() {
	if o.renews != nil {
		o.renews.renewal = ""
	}
}

func (w *world) keeps(by person.ID, o *refOrder) string {
	switch {
	case !w.sees(by):
		return "fault.missing"
	case by != w.contact && (!o.byOfficer || !slices.Contains(o.authors, by)): // who was the contact before keeps nothing, as officer neither
		return "serverorder.keeper_only"
	}
	return ""
}

func (w *world) withdraw(by person.ID, o *refOrder) string {
	if why := w.keeps(by, o); why != "" {
		return why
	}
	if !slices.Contains([]order.State{order.Received, order.Waiting, order.Review, order.Returned, order.Issuing}, o.state) {
		return "serverorder.withdraw.over"
	}
	o.asking, o.gone, o.since = o.asking && o.asked, true, w.now
	o.state, o.reason = order.Withdrawn, ""
	o.free()
	return ""
}

func (w *world) correct(by person.ID, o *refOrder, version int, wish order.Wish) string {
	why := w.keeps(by, o)
	stop, _ := w.stands(wish.Names)
	switch {
	case why != "":
		return why
	case o.state != order.Returned:
		return "serverorder.correct.over"
	case version != o.version:
		return "serverorder.changed"
	case stop != "":
		return stop
	}
	o.names, o.comment, o.reason = wish.Names, wish.Comment, ""
	o.version++
	o.byOfficer = o.byOfficer || by != w.contact
	if !slices.Contains(o.authors, by) {
		o.authors = append(o.authors, by)
	}
	w.place(o)
	return ""
}

// issue is what a look at the intent leads to.
func (w *world) issue(o *refOrder, mode catest.Mode, last bool) {
	if !o.asking {
		return
	}
	if stop, wait := w.stands(o.names); stop+wait != "" && o.state == order.Issuing {
		o.state, o.reason, o.gone, o.since = order.Failed, "serverorder.failed.checks", true, w.now
		if !o.asked {
			o.asking, o.unsigned = false, true
			return
		}
	}
	o.asked, o.unsigned = true, false
	switch never := o.gone && !o.signed && mode != catest.Broken; {
	case never && mode != catest.Refusing && w.now.Before(o.since.Add(2*time.Minute)):
		return // a call may be on its way still
	case mode == catest.Refusing, never:
		o.asking, o.unsigned = false, true
		o.fail("order.failed.authority")
		return
	case mode != catest.Broken && !o.signed:
		o.signed, o.from = true, o.begins
		o.to = o.from.Add(time.Duration(min(90, pki.MostTLSDays(o.from))) * day)
	}
	if mode == catest.Cut || mode == catest.Broken {
		if last && !o.gone { // what nobody has a right to is never given up
			o.asking = false
			o.fail("order.failed.away")
		}
		return
	}
	o.asking = false
	if !w.now.Before(o.to) {
		o.unsigned = true
		o.fail("order.failed.mismatch")
		return
	}
	if o.gone {
		o.spent = true
		return
	}
	o.state, o.reason = order.Issued, ""
	if o.renews != nil {
		o.renews.renewal, o.renews.replaced = "", o.reference
	}
}

// fail ends an order whose right has not ended before.
func (o *refOrder) fail(why string) {
	if !o.gone {
		o.state, o.reason = order.Failed, why
	}
}

func (w *world) retry(by person.ID, o *refOrder) string {
	why := w.decides(by, o, order.Failed)
	stop, wait := w.stands(o.names)
	switch {
	case why != "":
		return why
	case o.asking:
		return "serverorder.retry.asking"
	case o.spent:
		return "serverorder.retry.spent"
	case stop+wait != "":
		if o.unheard() {
			o.reason = "serverorder.failed.checks"
			w.collect(o)
		}
		return stop + wait
	}
	begins, anew := o.begins, o.reason == "order.failed.authority" || o.reason == "serverorder.failed.checks" && o.unsigned
	if w.intend(o); !anew { // for the same
		o.begins, o.asked = begins, true
	}
	return ""
}

func (w *world) recheck() {
	for _, o := range w.orders {
		if _, wait := w.stands(o.names); o.state == order.Waiting && wait == "" {
			w.place(o)
		}
	}
}
