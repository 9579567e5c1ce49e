package handover_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// walker does random things to handovers, to the portal's and to those of a
// reference model, and compares what both say and what both hold afterwards.
type walker struct {
	*rig
	t      *testing.T
	rnd    *rand.Rand
	w      *world
	step   int
	trace  []string
	count  map[string]int
	people []person.Actor
	posted int64 // the newest letter that was compared
}

func number(t *testing.T, env string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(env)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q, want a number", env, s)
	}
	return n
}

func TestModelRandomStepsLeaveHandoversWhereTheMissionSays(t *testing.T) {
	t.Parallel()
	seed, steps := number(t, "PETSCHAFT_SEED", rand.Uint64()), int(number(t, "PETSCHAFT_MODEL_STEPS", 1000))
	t.Logf("repeat with PETSCHAFT_SEED=%d PETSCHAFT_MODEL_STEPS=%d", seed, steps)
	r := newRig(t)
	r.PerDay = 4
	m := &walker{
		rig: r, t: t, rnd: rand.New(rand.NewPCG(seed, 3)), count: map[string]int{},
		people: []person.Actor{r.tina, r.ada, r.bob, r.eve, r.tina, r.ada, r.bob, r.eve, r.rita, r.otto},
		w: &world{
			now: r.Now(), perDay: 4, locked: map[person.ID]bool{}, officers: []person.ID{r.rita.Account, r.otto.Account},
			contact: map[org.OrganisationID]person.ID{r.garden: r.tina.Account, r.library: r.tina.Account},
		},
	}
	for m.step = 1; m.step <= steps && !t.Failed(); m.step++ {
		m.clock.Advance(time.Duration(m.rnd.IntN(3600)) * time.Second)
		m.w.now = m.Now()
		m.act()
	}
	if t.Failed() {
		t.Fatalf("seed %d, step %d; what happened last:\n%s", seed, m.step-1, strings.Join(m.trace[max(0, len(m.trace)-30):], "\n"))
	}
	for _, k := range slices.Sorted(maps.Keys(m.count)) {
		t.Logf("%6d %s", m.count[k], k)
	}
	if steps < 1000 { // chance may leave out something rare
		return
	}
	for _, o := range moves {
		if m.count[o.name+" ok"]+m.count[o.name+" handover.over.locked"] == 0 {
			t.Errorf("%q never succeeded in %d steps, so the walk proved nothing about it", o.name, steps)
		}
	}
}

// did is what the portal said to a step and what the mission says to it.
type did struct {
	err  error
	want string
	none bool // there was nothing to do
}

// moves are the steps, each as often as its share.
var moves = []struct {
	name  string
	share int
	do    func(m *walker) did
}{
	{"offer", 14, (*walker).makeOffer},
	{"accept", 12, (*walker).accept},
	{"decline", 2, (*walker).decline},
	{"cancel", 3, (*walker).cancel},
	{"finish", 22, (*walker).finish},
	{"guess", 3, (*walker).guess},
	{"ask", 8, (*walker).ask},
	{"confirm", 7, (*walker).confirm},
	{"drop", 2, (*walker).drop},
	{"lock", 1, (*walker).shut},
	{"unlock", 5, (*walker).unshut},
	{"tick", 6, (*walker).tick},
	{"wait", 6, (*walker).wait},
}

func (m *walker) act() {
	total := 0
	for _, o := range moves {
		total += o.share
	}
	n := m.rnd.IntN(total)
	for _, o := range moves {
		if n -= o.share; n >= 0 {
			continue
		}
		m.trace = append(m.trace, o.name)
		m.w.letters = nil
		x := o.do(m)
		got := campus.Said(x.err)
		m.say("→ %s", got)
		if x.none {
			return
		}
		m.count[o.name+" "+cmp.Or(x.want, "ok")]++
		if got != x.want {
			m.t.Errorf("step %d, %s: got %q, the mission says %q (%v)", m.step, m.trace[len(m.trace)-1], got, x.want, x.err)
		}
		m.compare()
		return
	}
}

func (m *walker) say(format string, args ...any) {
	m.trace[len(m.trace)-1] += " " + fmt.Sprintf(format, args...)
}

func pick[T any](m *walker, from []T) T { return from[m.rnd.IntN(len(from))] }

func (m *walker) rarely() bool { return m.rnd.IntN(10) == 0 }

// who acts is mostly one of likely.
func (m *walker) who(likely ...person.ID) person.Actor {
	by := pick(m, m.people)
	if !m.rarely() && len(likely) > 0 {
		by = m.named(pick(m, likely))
	}
	m.say("by %s", by.Name)
	return by
}

func (m *walker) named(id person.ID) person.Actor {
	return m.people[slices.IndexFunc(m.people, func(a person.Actor) bool { return a.Account == id })]
}

func (m *walker) organisation() org.OrganisationID {
	return pick(m, []org.OrganisationID{m.garden, m.library})
}

// any is an offer in one of the states, mostly; nil when there is none.
func (m *walker) any(states ...handover.State) *refOffer {
	from := m.w.offers
	if !m.rarely() {
		from = nil
		for _, o := range m.w.offers {
			if slices.Contains(states, o.state) {
				from = append(from, o)
			}
		}
	}
	if len(from) == 0 {
		m.say("nothing")
		return nil
	}
	o := pick(m, from[max(0, len(from)-10):])
	m.say("%d (%s, %d wrong)", o.id, o.state, o.wrong)
	return o
}

func (m *walker) makeOffer() did {
	of := m.organisation()
	if o := m.w.current(of); o != nil && m.rnd.IntN(3) > 0 { // let some be finished
		return did{none: true}
	}
	by, to := m.who(m.w.contact[of]), pick(m, m.people)
	m.say("%d to %s", of, to.Name)
	in := handover.Wish{Organisations: []org.OrganisationID{of}, Email: strings.ToUpper(to.Email), Form: fmt.Sprint(m.step)}
	made, err := m.Offer(m.t.Context(), by, in)
	want, o := m.w.offer(by.Account, of, to.Account)
	if o != nil && err == nil {
		o.id, o.password = made[0].ID, made[0].Password
		if _, err := m.Offer(m.t.Context(), by, in); campus.Said(err) != "schema.handover_form" && campus.Said(err) != "handover.brake" {
			m.t.Errorf("step %d: the same form again: got %v", m.step, err)
		}
	}
	return did{err: err, want: want}
}

func (m *walker) accept() did {
	o := m.any(handover.Offered)
	if o == nil {
		return did{none: true}
	}
	by := m.who(o.successor)
	return did{err: m.Accept(m.t.Context(), by, o.id), want: m.w.accept(by.Account, o)}
}

func (m *walker) decline() did {
	o := m.any(handover.Offered, handover.Accepted)
	if o == nil {
		return did{none: true}
	}
	by := m.who(o.successor)
	return did{err: m.Decline(m.t.Context(), by, o.id), want: m.w.decline(by.Account, o)}
}

func (m *walker) cancel() did {
	o := m.any(handover.Offered, handover.Accepted)
	if o == nil {
		return did{none: true}
	}
	by := m.who(o.giver)
	return did{err: m.Cancel(m.t.Context(), by, o.id), want: m.w.cancel(by.Account, o)}
}

// finish enters a password: the right one, that of another offer, or none that
// ever was.
func (m *walker) finish() did {
	o := m.any(handover.Accepted)
	if o == nil {
		return did{none: true}
	}
	typed := o.password
	switch m.rnd.IntN(3) {
	case 0:
		typed = "falsch"
	case 1:
		typed = pick(m, m.w.offers).password
	}
	by := m.who(o.successor)
	m.say("right %v", typed == o.password)
	return did{err: m.Finish(m.t.Context(), by, o.id, strings.ToLower(typed)), want: m.w.finish(by.Account, o, typed == o.password)}
}

// guess enters wrong passwords until the portal has enough of them.
func (m *walker) guess() did {
	o := m.any(handover.Accepted)
	if o == nil {
		return did{none: true}
	}
	by := m.who(o.successor)
	for range handover.Tries - 1 {
		if got, want := campus.Said(m.Finish(m.t.Context(), by, o.id, "falsch")), m.w.finish(by.Account, o, false); got != want {
			m.t.Errorf("step %d, a guess: got %q, the mission says %q", m.step, got, want)
		}
	}
	return did{err: m.Finish(m.t.Context(), by, o.id, "falsch"), want: m.w.finish(by.Account, o, false)}
}

func (m *walker) ask() did {
	of, to := m.organisation(), pick(m, m.people)
	by := m.who(m.w.officers...)
	m.say("%d to %s", of, to.Name)
	id, done, err := m.AskReassign(m.t.Context(), by, of, to.Account, "weg")
	want, a := m.w.ask(by.Account, of, to.Account)
	if a != nil {
		a.id = id
	}
	if done {
		m.t.Errorf("step %d: it was done without a second officer", m.step)
	}
	return did{err: err, want: want}
}

// asked is a reassignment, mostly one that waits; nil when there is none.
func (m *walker) asked() *refAsk {
	from := m.w.asks
	if !m.rarely() {
		from = nil
		for _, a := range m.w.asks {
			if !a.over {
				from = append(from, a)
			}
		}
	}
	if len(from) == 0 {
		m.say("nothing")
		return nil
	}
	a := pick(m, from)
	m.say("%d for %d", a.id, a.of)
	return a
}

// other is the other officer.
func (m *walker) other(by person.ID) person.ID {
	if by == m.rita.Account {
		return m.otto.Account
	}
	return m.rita.Account
}

func (m *walker) confirm() did {
	a := m.asked()
	if a == nil {
		return did{none: true}
	}
	by := m.who(m.other(a.by))
	return did{err: m.ConfirmReassign(m.t.Context(), by, a.id), want: m.w.confirm(by.Account, a)}
}

func (m *walker) drop() did {
	a := m.asked()
	if a == nil {
		return did{none: true}
	}
	by := m.who(m.w.officers...)
	return did{err: m.DropReassign(m.t.Context(), by, a.id), want: m.w.drop(by.Account, a)}
}

func (m *walker) shut() did {
	who := pick(m, m.people[:4])
	m.say("%s", who.Name)
	m.w.locked[who.Account] = true
	return did{err: m.Person.Lock(m.t.Context(), m.rita, who.Account, "weg"), want: ""}
}

func (m *walker) unshut() did {
	who := pick(m, m.people[:4])
	m.say("%s", who.Name)
	delete(m.w.locked, who.Account)
	return did{err: m.Person.Unlock(m.t.Context(), m.rita, who.Account), want: ""}
}

func (m *walker) tick() did {
	m.w.tick()
	return did{err: m.Tick(m.t.Context()), want: ""}
}

func (m *walker) wait() did {
	d := pick(m, []time.Duration{time.Hour, day, 3 * day, 8 * day})
	m.clock.Advance(d)
	m.w.now = m.Now()
	m.say("%v", d)
	return did{}
}
