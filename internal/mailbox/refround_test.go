package mailbox_test

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// This file is the reference model's second half: rounds and their challenges.

func (w *world) challenge(by person.ID, domain string, r *refRow) string {
	if no := w.edits(by, domain, r); no != "" {
		return no
	}
	switch {
	case !r.active:
		return "mailbox.challenge.inactive"
	case r.kind == mailbox.Functional && r.applicant == "":
		return "mailbox.challenge.no_applicant"
	}
	if no := w.brake(by, r, w.now); no != "" {
		return no
	}
	r.end("replaced", mailbox.Replaced)
	n := &refRound{started: w.now, outcome: "open"}
	for _, to := range r.recipients() {
		a := &refAsk{row: r, round: n, to: to, covers: fold(to), by: by, state: mailbox.Queued, queued: w.now}
		if r.kind == mailbox.Functional {
			a.covers = r.addresses()
		}
		n.asks, w.asks = append(n.asks, a), append(w.asks, a)
	}
	r.rounds = append(r.rounds, n)
	r.challenged = true
	return ""
}

func (r *refRow) recipients() []string {
	if r.kind == mailbox.Functional {
		return []string{r.applicant}
	}
	return append([]string{r.primary}, r.aliases...)
}

// brake is why a round of r may not begin at the time.
func (w *world) brake(by person.ID, r *refRow, at time.Time) string {
	lately, mine := 0, 0
	for _, n := range r.rounds {
		if n.started.Add(w.brakes.RowGap).After(at) {
			return "mailbox.brake.gap"
		}
		if at.Sub(n.started) < 24*time.Hour {
			lately++
		}
	}
	to := map[string]int{}
	for _, a := range w.asks {
		if at.Sub(a.queued) >= time.Hour {
			continue
		}
		to[strings.ToLower(a.to)]++
		if a.by == by {
			mine++
		}
	}
	switch {
	case lately >= w.brakes.RowDay:
		return "mailbox.brake.row"
	case mine+len(r.recipients()) > w.brakes.ActorHour && mine > 0:
		return "mailbox.brake.actor"
	case slices.ContainsFunc(fold(r.recipients()...), func(s string) bool { return to[s] >= w.brakes.AddressHour }):
		return "mailbox.brake.address"
	}
	return ""
}

// attempt begins a delivery; it tells whether there is something to deliver.
func (w *world) attempt(a *refAsk, digest []byte) bool {
	if a.state != mailbox.Queued && a.state != mailbox.Deferred {
		return false
	}
	a.digests, a.over = append(a.digests, digest), false
	a.expires = w.now.Add(a.life(w))
	return true
}

// answered is what the mail server said to an attempt.
func (w *world) answered(a *refAsk, taken, forGood bool) {
	switch {
	case taken:
		a.state = mailbox.Sent
	case forGood || a.unsent(w.now):
		a.state, a.late = mailbox.Failed, !forGood
		a.row.settle()
	default:
		a.state = mailbox.Deferred
	}
}

func (w *world) undeliverable(by person.ID, domain string, a *refAsk) string {
	if no := w.edits(by, domain, a.row); no != "" {
		return no
	}
	if !a.state.Pending() {
		return "mailbox.undeliverable.ended"
	}
	if a.state != mailbox.Sent {
		return "mailbox.undeliverable.not_sent"
	}
	a.state = mailbox.Failed
	a.row.settle()
	return ""
}

func (w *world) retry(by person.ID, a *refAsk) string {
	switch {
	case by != w.officer:
		return "fault.officers_only"
	case a.state != mailbox.Failed, !a.row.active, a.round != a.row.newest(),
		a.round.has(mailbox.Expired), a.round.outcome != "open" && a.round.outcome != "undeliverable" && a.round.outcome != "unsent":
		return "mailbox.retry.over"
	}
	a.state, a.queued, a.round.outcome = mailbox.Queued, w.now, "open"
	a.late, a.over, a.expires = false, true, time.Time{} // links mailed before may stand in a bounce
	return ""
}

// answers is why by may not confirm with the link that has the digest.
func (w *world) answers(by person.ID, a *refAsk, digest []byte) string {
	switch {
	case a == nil:
		return "mailbox.link.unknown"
	case a.state == mailbox.Affirmed:
		return "mailbox.link.confirmed"
	case a.state == mailbox.Declined:
		return "mailbox.link.declined"
	case a.state == mailbox.Replaced, a.over, !bytes.Equal(digest, a.digests[len(a.digests)-1]):
		return "mailbox.link.replaced"
	case a.state == mailbox.Invalidated:
		return "mailbox.link.invalidated"
	case a.state == mailbox.Expired, !w.now.Before(a.expires):
		return "mailbox.link.expired"
	case a.state == mailbox.Failed:
		return "mailbox.link.failed"
	}
	return ""
}

func (w *world) confirm(by person.ID, a *refAsk, digest []byte) string {
	if no := w.answers(by, a, digest); no != "" {
		return no
	}
	all := true
	for _, x := range a.round.asks {
		if x.state == mailbox.Affirmed && x.account != by {
			a.contested = true
			return "mailbox.link.other_account"
		}
		all = all && (x == a || x.state == mailbox.Affirmed)
	}
	a.state, a.account = mailbox.Affirmed, by
	if all {
		a.round.outcome = "complete"
		doubtful := a.row.kind == mailbox.Personal && !slices.Contains(a.row.addresses(), w.mail[by])
		a.row.link = &refLink{account: by, since: w.now, doubtful: doubtful}
		for _, x := range a.round.asks {
			a.row.link.covers = append(a.row.link.covers, x.covers...)
		}
	}
	a.row.settle()
	return ""
}

func (w *world) decline(by person.ID, a *refAsk, digest []byte) string {
	if no := w.answers(by, a, digest); no != "" {
		return no
	}
	a.state, a.account = mailbox.Declined, by
	a.row.end("declined", mailbox.Invalidated)
	return ""
}

// tick ends what ends by the clock.
func (w *world) tick() {
	for _, a := range w.asks {
		switch {
		case a.state == mailbox.Sent && !w.now.Before(a.expires):
			a.state = mailbox.Expired
		case (a.state == mailbox.Queued || a.state == mailbox.Deferred) && a.unsent(w.now):
			a.state, a.late = mailbox.Failed, true
		}
	}
	for _, r := range w.rows {
		if len(r.rounds) > 0 {
			r.settle()
		}
	}
}

// says tells whether the round holds a challenge that is so, of an address that
// the row still asks.
func (r *refRow) says(n *refRound, so func(*refAsk) bool) bool {
	return n != nil && slices.ContainsFunc(n.asks, func(a *refAsk) bool {
		return so(a) && slices.Contains(fold(append(r.addresses(), r.applicant)...), strings.ToLower(a.to))
	})
}

func is(s mailbox.State) func(*refAsk) bool { return func(a *refAsk) bool { return a.state == s } }

// life is how long a mail to the address may be answered.
func (a *refAsk) life(w *world) time.Duration {
	if a.row.kind == mailbox.Personal && w.byMail[domainOf(a.to)] {
		return 24 * time.Hour
	}
	return 14 * 24 * time.Hour
}

// unsent tells whether the patience with a mail is over.
func (a *refAsk) unsent(now time.Time) bool { return now.Sub(a.queued) >= mail.Patience }
