package order_test

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

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// walker does random things to orders, to the portal's and to those of a
// reference model, and compares what both say and what both hold afterwards.
type walker struct {
	*house
	t      *testing.T
	rnd    *rand.Rand
	w      *world
	step   int
	trace  []string
	count  map[string]int
	people []person.Actor
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

func TestModelRandomStepsLeaveOrdersWhereTheMissionSays(t *testing.T) {
	t.Parallel()
	seed, steps := number(t, "PETSCHAFT_SEED", rand.Uint64()), int(number(t, "PETSCHAFT_MODEL_STEPS", 1500))
	t.Logf("repeat with PETSCHAFT_SEED=%d PETSCHAFT_MODEL_STEPS=%d", seed, steps)
	h := awayHouse(t)
	m := &walker{
		house: h, t: t, rnd: rand.New(rand.NewPCG(seed, 2)), count: map[string]int{},
		people: []person.Actor{h.tina, h.tina, h.tina, h.officer, h.otto, h.otto, h.ada},
		w: &world{now: h.Now(), contact: h.tina.Account, officers: []person.ID{h.officer.Account, h.otto.Account}, until: map[string]time.Time{
			"uni.example": org.ReuseUntil(h.Now()), "stern.example": org.ReuseUntil(h.Now()), "neu.example": {},
		}},
	}
	for m.step = 1; m.step <= steps && !t.Failed(); m.step++ {
		m.clock.Advance(time.Duration(m.rnd.IntN(90)) * time.Second)
		m.w.now = m.Now()
		m.act()
	}
	for _, o := range m.w.orders {
		m.compare(o)
	}
	if t.Failed() {
		t.Fatalf("seed %d, step %d; what happened last:\n%s", seed, m.step-1, strings.Join(m.trace[max(0, len(m.trace)-30):], "\n"))
	}
	for _, k := range slices.Sorted(maps.Keys(m.count)) {
		t.Logf("%6d %s", m.count[k], k)
	}
	m.counts()
	if steps < 1500 { // chance may leave out something rare
		return
	}
	for _, o := range moves {
		if m.count[o.name+" ok"] == 0 {
			t.Errorf("%q never succeeded in %d steps, so the walk proved nothing about it", o.name, steps)
		}
	}
}

// did is what the portal said to a step, what the mission says to it, and the
// order it touched, if any.
type did struct {
	err     error
	want    string
	touched *refOrder
}

// moves are the steps, each as often as its share.
var moves = []struct {
	name  string
	share int
	do    func(m *walker) did
}{
	{"submit", 16, (*walker).order},
	{"renew", 10, (*walker).renew},
	{"take", 6, (*walker).take},
	{"approve", 16, (*walker).approve},
	{"return", 5, (*walker).giveBack},
	{"reject", 4, (*walker).reject},
	{"correct", 8, (*walker).correct},
	{"withdraw", 3, (*walker).withdraw},
	{"issue", 18, (*walker).issue},
	{"retry", 6, (*walker).retry},
	{"validate", 4, (*walker).prove},
	{"recheck", 4, (*walker).recheck},
	{"wait", 5, (*walker).wait},
	{"rule", 2, (*walker).turn},
	{"appoint", 2, (*walker).appoint},
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
		x := o.do(m)
		got, want := campus.Said(x.err), x.want
		m.say("→ %s", got)
		m.count[o.name+" "+cmp.Or(want, "ok")]++
		if got != want {
			m.t.Errorf("step %d, %s: got %q, the mission says %q (%v)", m.step, m.trace[len(m.trace)-1], got, want, x.err)
		}
		if x.touched != nil {
			m.compare(x.touched)
		}
		return
	}
}

func (m *walker) say(format string, args ...any) {
	m.trace[len(m.trace)-1] += " " + fmt.Sprintf(format, args...)
}

func pick[T any](m *walker, from []T) T { return from[m.rnd.IntN(len(from))] }

func (m *walker) rarely() bool { return m.rnd.IntN(10) == 0 }

// any is an order in one of the states, mostly; nil when there is none.
func (m *walker) any(states ...order.State) *refOrder {
	from := m.w.orders
	if !m.rarely() {
		from = nil
		for _, o := range m.w.orders {
			if slices.Contains(states, o.state) {
				from = append(from, o)
			}
		}
	}
	if len(from) == 0 {
		m.say("nothing")
		return nil
	}
	o := pick(m, from[max(0, len(from)-40):])
	m.say("%s (%s, version %d)", o.reference, o.state, o.version)
	return o
}

func (m *walker) who() person.Actor {
	by := pick(m, m.people)
	m.say("by %s", by.Name)
	return by
}

func (m *walker) wished() order.Wish {
	names := [][]string{{"www.uni.example"}, {"a.uni.example", "b.uni.example"}, {"*.stern.example"}, {"www.uni.example"}, {"neu.example"}, {"uni.example", "x.neu.example"}}
	w := m.wish(pick(m, names)...)
	if m.rarely() {
		w = m.wish(pick(m, [][]string{{"www.other.example"}, {"*.uni.example"}})...)
	}
	if m.rarely() {
		w.Comment = "Bitte bald"
	}
	m.say("%v %q", w.Names, w.Comment)
	return w
}

func (m *walker) order() did {
	by, in := m.who(), order.Submission{Wish: m.wished(), Form: fmt.Sprint(m.step)}
	reference, err := m.Submit(m.t.Context(), by, in)
	want, o := m.w.submit(by.Account, in, nil)
	return did{err, want, m.entered(reference, o, by, in)}
}

// entered notes the reference of a new order, and that the form makes no second.
func (m *walker) entered(reference string, o *refOrder, by person.Actor, in order.Submission) *refOrder {
	if o == nil || reference == "" {
		return nil
	}
	o.reference = reference
	if o.renews != nil {
		o.renews.renewal = reference
	}
	if again, err := m.Submit(m.t.Context(), by, in); again != reference || err != nil {
		m.t.Errorf("step %d: the same form again: got %q, %v, want %s", m.step, again, err, reference)
	}
	return o
}

func (m *walker) renew() did {
	old := m.any(order.Issued)
	if old == nil || old.state != order.Issued {
		return did{}
	}
	by, in := m.who(), order.Submission{Wish: m.wished(), Form: fmt.Sprint(m.step), Renews: old.reference}
	if m.rnd.IntN(2) == 0 {
		in.CSR = ""
	}
	reference, err := m.Submit(m.t.Context(), by, in)
	want, o := m.w.submit(by.Account, in, old)
	return did{err, want, m.entered(reference, o, by, in)}
}

func (m *walker) version(o *refOrder) int {
	if m.rarely() {
		return o.version - 1
	}
	return o.version
}

func (m *walker) take() did {
	o := m.any(order.Received)
	if o == nil {
		return did{}
	}
	by := m.who()
	return did{m.Take(m.t.Context(), by, o.reference), m.w.take(by.Account, o), o}
}

func (m *walker) approve() did {
	o := m.any(order.Received, order.Review, order.Waiting)
	if o == nil {
		return did{}
	}
	by, v := m.who(), m.version(o)
	return did{m.Approve(m.t.Context(), by, o.reference, v), m.w.approve(by.Account, o, v), o}
}

func (m *walker) decision(o *refOrder) order.Decision {
	return order.Decision{Version: m.version(o), Reason: pick(m, []string{"Bitte den Namen prüfen", "so nicht", "nein", " "})}
}

func (m *walker) giveBack() did {
	o := m.any(order.Received, order.Review, order.Waiting)
	if o == nil {
		return did{}
	}
	by, d := m.who(), m.decision(o)
	return did{m.Return(m.t.Context(), by, o.reference, d), m.w.giveBack(by.Account, o, d), o}
}

func (m *walker) reject() did {
	o := m.any(order.Received, order.Review, order.Waiting, order.Failed)
	if o == nil {
		return did{}
	}
	by, d := m.who(), m.decision(o)
	return did{m.Reject(m.t.Context(), by, o.reference, d), m.w.reject(by.Account, o, d), o}
}

func (m *walker) correct() did {
	o := m.any(order.Returned)
	if o == nil {
		return did{}
	}
	by, w, v := m.who(), m.wished(), m.version(o)
	return did{m.Correct(m.t.Context(), by, o.reference, v, w), m.w.correct(by.Account, o, v, w), o}
}

func (m *walker) withdraw() did {
	o := m.any(order.Received, order.Review, order.Waiting, order.Returned, order.Issuing)
	if o == nil {
		return did{}
	}
	by := m.who()
	return did{m.Withdraw(m.t.Context(), by, o.reference), m.w.withdraw(by.Account, o), o}
}

// issue looks at the intent, as if it were for the last time at times.
func (m *walker) issue() did {
	o := m.any(order.Issuing, order.Failed, order.Withdrawn, order.Rejected)
	if o == nil {
		return did{}
	}
	mode, last := pick(m, []catest.Mode{catest.Good, catest.Good, catest.Good, catest.Refusing, catest.Broken, catest.Cut}), m.rnd.IntN(3) == 0
	if o.signed && mode == catest.Refusing { // it does not say no to what it signed
		mode = catest.Good
	}
	m.say("mode %d, last %v", mode, last)
	m.away.Always(mode)
	id := m.see(m.t, o.reference).ID
	if last {
		m.lastAttempt(m.t, int64(id))
	}
	err := m.Fulfil(m.t.Context(), id)
	m.w.issue(o, mode, last)
	return did{err, "", o}
}

func (m *walker) retry() did {
	o := m.any(order.Failed)
	if o == nil {
		return did{}
	}
	by := m.who()
	return did{m.RetryOrder(m.t.Context(), by, o.reference), m.w.retry(by.Account, o), o}
}

func (m *walker) prove() did {
	by := m.otto
	if m.w.contact == by.Account {
		by = m.officer
	}
	name := pick(m, []string{"uni.example", "neu.example", "stern.example"})
	m.say("%s", name)
	from := m.Now()
	m.w.until[name] = org.ReuseUntil(from)
	return did{m.Mailbox.Org.ValidateName(m.t.Context(), by, m.names[name], org.Check{
		Wildcard: name == "stern.example", Proof: org.Proof{Method: "DNS TXT", By: "RA", From: from},
	}), "", nil}
}

func (m *walker) recheck() did {
	m.w.recheck()
	if m.rnd.IntN(2) == 0 {
		return did{m.Recheck(m.t.Context(), m.id), "", nil}
	}
	return did{m.RecheckAll(m.t.Context()), "", nil}
}

func (m *walker) wait() did {
	d := pick(m, []time.Duration{time.Hour, day, 10 * day, 25 * day})
	m.clock.Advance(d)
	m.w.now = m.Now()
	m.say("%v", d)
	return did{}
}

func (m *walker) turn() did {
	m.w.auto = !m.w.auto
	by := m.otto
	if m.w.contact == by.Account {
		by = m.officer
	}
	return did{m.Mailbox.Org.EditOrganisation(m.t.Context(), by, m.id, org.OrganisationInput{Name: "Universität Beispiel", Country: "DE", AutoApprove: m.w.auto}), "", nil}
}

func (m *walker) appoint() did {
	next := pick(m, []person.Actor{m.tina, m.tina, m.tina, m.tina, m.ada, m.officer})
	m.say("%s", next.Name)
	m.w.contact = next.Account
	return did{m.house.appoint(m.t, next.Account), "", nil}
}
