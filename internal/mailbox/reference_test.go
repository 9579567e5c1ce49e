package mailbox_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// world is the reference model: what the mission says about rows, rounds and
// links, in memory and without SQL. Each method is one operation; it returns
// the message ids of its refusal, or "" and has changed the world.
type world struct {
	now         time.Time
	brakes      mailbox.Brakes
	contacts    map[string]person.ID // of a domain
	byMail      map[string]bool      // domains whose addresses are validated by mail
	officer     person.ID
	provenUntil time.Time // of the other domains
	rows        map[mailbox.ID]*refRow
	asks        []*refAsk
	mail        map[person.ID]string // verified addresses
}

type refRow struct {
	id         mailbox.ID
	domain     string
	kind       mailbox.Kind
	name       string
	primary    string
	aliases    []string
	applicant  string
	comment    string
	active     bool
	challenged bool
	version    int64
	certs      []*refCert // the newest is the last
	rounds     []*refRound
	link       *refLink
}

type refCert struct {
	id      int64
	account person.ID
	ends    time.Time
	revoked bool
	names   []string
}

// holds tells whether a valid certificate of the row names the address.
func (r *refRow) holds(address string, now time.Time) bool {
	return slices.ContainsFunc(r.certs, func(c *refCert) bool {
		return !c.revoked && c.ends.After(now) && slices.Contains(c.names, address)
	})
}

// ends is when the newest certificate ends that is not revoked.
func (r *refRow) ends() time.Time {
	for _, c := range slices.Backward(r.certs) {
		if !c.revoked {
			return c.ends
		}
	}
	return time.Time{}
}

type refLink struct {
	account   person.ID
	since     time.Time
	covers    []string
	suspended bool
	doubtful  bool
}

type refRound struct {
	started time.Time
	outcome string
	asks    []*refAsk
}

type refAsk struct {
	id      int64
	row     *refRow
	round   *refRound
	to      string
	covers  []string
	by      person.ID
	state   mailbox.State
	queued  time.Time
	expires time.Time
	digests [][]byte // the newest is the one that counts
	account person.ID
	late    bool // failed for want of time
	over    bool // no link mailed so far counts any more

	contested bool // a second account wanted to confirm
}

func fold(ss ...string) []string {
	f := make([]string, len(ss))
	for i, s := range ss {
		f[i] = strings.ToLower(s)
	}
	return f
}

func domainOf(address string) string { return address[strings.IndexByte(address, '@')+1:] }

func (r *refRow) addresses() []string { return fold(append([]string{r.primary}, r.aliases...)...) }

func (r *refRow) newest() *refRound {
	if len(r.rounds) == 0 {
		return nil
	}
	return r.rounds[len(r.rounds)-1]
}

func (n *refRound) has(states ...mailbox.State) bool {
	return slices.ContainsFunc(n.asks, func(a *refAsk) bool { return slices.Contains(states, a.state) })
}

// dead tells whether an address of the round could not be reached.
func (n *refRound) dead() bool {
	return slices.ContainsFunc(n.asks, func(a *refAsk) bool { return a.state == mailbox.Failed && !a.late })
}

func (n *refRound) pending() bool { return n.has(mailbox.Queued, mailbox.Deferred, mailbox.Sent) }

func (r *refRow) status() mailbox.Status {
	n := r.newest()
	switch {
	case !r.active:
		return mailbox.Inactive
	case r.says(n, is(mailbox.Declined)):
		return mailbox.RowDeclined
	case n != nil && n.outcome != "complete" && n.outcome != "invalidated" && n.outcome != "declined" && r.says(n, func(a *refAsk) bool { return a.contested }):
		return mailbox.RowConflict
	case n != nil && (n.outcome == "open" || n.outcome == "undeliverable") && n.dead():
		return mailbox.Undeliverable
	case n != nil && n.outcome == "open":
		return mailbox.Open
	case r.link != nil && !r.link.suspended:
		return mailbox.Confirmed
	case n != nil && n.outcome == "expired" && r.says(n, is(mailbox.Expired)):
		return mailbox.RowExpired
	}
	return mailbox.None
}

// end closes the newest round if something of it could still matter.
func (r *refRow) end(outcome string, state mailbox.State) {
	n := r.newest()
	if n == nil || n.outcome != "open" && (n.outcome != "undeliverable" || outcome != "invalidated") {
		return
	}
	n.outcome = outcome
	for _, a := range n.asks {
		if a.state.Pending() {
			a.state = state
		}
	}
}

// settle ends the newest round when it cannot be complete for want of an answer in
// time, or nobody can answer any more.
func (r *refRow) settle() {
	n := r.newest()
	if n.outcome != "open" || n.pending() && !n.has(mailbox.Expired) {
		return
	}
	switch n.outcome = "unsent"; {
	case n.dead():
		n.outcome = "undeliverable"
	case n.has(mailbox.Expired):
		n.outcome = "expired"
	}
	for _, a := range n.asks {
		if a.state.Pending() {
			a.state = mailbox.Expired
		}
	}
}

// sees is why by may not edit rows of the domain.
func (w *world) sees(by person.ID, domain string) string {
	switch by {
	case w.contacts[domain]:
		return ""
	case w.officer:
		return "mailbox.contacts_only"
	}
	return "fault.missing"
}

// edits is sees for a row that is looked for in a domain.
func (w *world) edits(by person.ID, domain string, r *refRow) string {
	if r.domain != domain {
		return "fault.missing"
	}
	return w.sees(by, domain)
}

func invalid(ids map[string]bool) string {
	if len(ids) == 0 {
		return ""
	}
	return "invalid " + strings.Join(slices.Sorted(maps.Keys(ids)), " ")
}

// check is what is wrong with in for a row (nil: a new one) and the aliases
// that are not.
func (w *world) check(domain string, in mailbox.Input, r *refRow, bad map[string]bool) (aliases []string) {
	if in.Kind == mailbox.Functional && w.byMail[domain] {
		bad["mailbox.kind.mailbox_domain"] = true
	}
	own := fold(in.Primary)
	for _, a := range in.Aliases {
		switch {
		case slices.Contains(own, strings.ToLower(a)):
			bad["mailbox.alias.twice"] = true
		case w.contacts[domainOf(a)] != w.contacts[domain]:
			bad["mailbox.alias.domain"] = true
		default:
			aliases, own = append(aliases, a), append(own, strings.ToLower(a))
		}
	}
	switch {
	case in.Applicant == "":
	case in.Kind != mailbox.Functional:
		bad["mailbox.applicant.personal"] = true
	case slices.Contains(own, strings.ToLower(in.Applicant)):
		bad["mailbox.applicant.self"] = true
	}
	w.claims(own, r, bad)
	return aliases
}

// claims is which of own, the primary first, other rows hold.
func (w *world) claims(own []string, r *refRow, bad map[string]bool) {
	for _, other := range w.rows {
		for i, a := range own {
			if other == r || r != nil && i == 0 || !slices.Contains(other.addresses(), a) {
				continue
			}
			switch {
			case i == 0 && strings.EqualFold(other.primary, a), other.active && (r == nil || r.active):
				bad["mailbox.address.taken"] = true
			case !other.active && other.holds(a, w.now):
				bad["mailbox.address.held"] = true
			}
		}
	}
}

func (w *world) add(by person.ID, domain string, in mailbox.Input, id mailbox.ID) string {
	if no := w.sees(by, domain); no != "" {
		return no
	}
	bad := map[string]bool{}
	aliases := w.check(domain, in, nil, bad)
	if no := invalid(bad); no != "" {
		return no
	}
	w.rows[id] = &refRow{
		id: id, domain: domain, kind: in.Kind, name: in.Name, primary: in.Primary, aliases: aliases,
		applicant: in.Applicant, comment: in.Comment, active: true, version: 1,
	}
	return ""
}

func (w *world) edit(by person.ID, domain string, r *refRow, version int64, in mailbox.Input) string {
	if no := w.edits(by, domain, r); no != "" {
		return no
	}
	if version != r.version {
		return "mailbox.changed_meanwhile"
	}
	if in.Primary = r.primary; in.Kind == mailbox.Personal && r.kind == mailbox.Functional {
		in.Applicant = ""
	}
	bad := map[string]bool{}
	aliases := w.check(domain, in, r, bad)
	newApplicant := !strings.EqualFold(in.Applicant, r.applicant)
	renamed := !r.active && r.link != nil && in.Name != r.name
	if in.Kind != r.kind && r.challenged {
		bad["mailbox.kind.fixed"] = true
	}
	if newApplicant && in.Kind == r.kind && in.Kind == mailbox.Functional && r.challenged && r.active {
		bad["mailbox.applicant.active"] = true
	}
	if renamed && in.Person == "" {
		bad["mailbox.person.required"] = true
	}
	if no := invalid(bad); no != "" {
		return no
	}
	r.become(in, aliases)
	if newApplicant {
		r.end("invalidated", mailbox.Invalidated)
	}
	if newApplicant || renamed && in.Person == mailbox.OtherPerson {
		r.link = nil
	}
	return ""
}

// become writes an edit that is allowed, with what new aliases entail.
func (r *refRow) become(in mailbox.Input, aliases []string) {
	old := r.addresses()
	if in.Kind != r.kind || in.Name != r.name || !slices.Equal(aliases, r.aliases) || in.Applicant != r.applicant || in.Comment != r.comment {
		r.version++
	}
	r.kind, r.name, r.aliases, r.applicant, r.comment = in.Kind, in.Name, aliases, in.Applicant, in.Comment
	if slices.Equal(sorted(old), sorted(r.addresses())) {
		return
	}
	r.end("invalidated", mailbox.Invalidated)
	if r.link != nil {
		r.link.suspended = true
	}
}

func (w *world) turn(by person.ID, domain string, r *refRow, active bool) string {
	if no := w.edits(by, domain, r); no != "" {
		return no
	}
	if r.active == active {
		return map[bool]string{true: "mailbox.active_already", false: "mailbox.inactive_already"}[active]
	}
	if active {
		if no := w.free(r); no != "" {
			return no
		}
	}
	r.active = active
	r.version++
	if !active {
		r.end("invalidated", mailbox.Invalidated)
	}
	return ""
}

// free is why another row stands in the way of activating r.
func (w *world) free(r *refRow) (no string) {
	for _, other := range w.rows {
		for _, a := range other.addresses() {
			switch {
			case other == r || !slices.Contains(r.addresses(), a):
			case other.active:
				return "mailbox.address.taken"
			case other.holds(a, w.now):
				no = "mailbox.address.held"
			}
		}
	}
	return no
}

func (w *world) remove(by person.ID, domain string, r *refRow) string {
	if no := w.edits(by, domain, r); no != "" {
		return no
	}
	if r.challenged {
		return "mailbox.delete.challenged"
	}
	delete(w.rows, r.id)
	return ""
}

func (w *world) unlink(by person.ID, domain string, r *refRow) string {
	if no := w.edits(by, domain, r); no != "" {
		return no
	}
	switch {
	case r.link == nil:
		return "mailbox.unlink.none"
	case r.active:
		return "mailbox.unlink.active"
	}
	r.link = nil
	return ""
}

// checkLink is a contact's word that a doubtful link is right.
func (w *world) checkLink(by person.ID, domain string, r *refRow) string {
	if no := w.edits(by, domain, r); no != "" {
		return no
	}
	if r.link == nil || !r.link.doubtful {
		return "mailbox.check_link.none"
	}
	r.link.doubtful = false
	return ""
}
