package order_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/issuance"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// rover does random things to applications and orders at once, while their
// authorities, the portal's own and one outside, behave as badly as they can.
type rover struct {
	*house
	t            *testing.T
	rnd          *rand.Rand
	own, outside *line
	must         *mustBe
	rows         []roverRow
	orders       map[issuance.Number]string // references
	step         int
	trace        []string
	count        map[string]int
}

type roverRow struct {
	id    mailbox.ID
	owner person.Actor
	off   bool
}

// TestRandomStepsAgainstAMisbehavingAuthorityLoseNothing: after each of them what
// must be is so; at the end all that is open comes to an end.
func TestRandomStepsAgainstAMisbehavingAuthorityLoseNothing(t *testing.T) {
	t.Parallel()
	seed, steps := number(t, "PETSCHAFT_SEED", rand.Uint64()), int(number(t, "PETSCHAFT_MODEL_STEPS", 5000))
	t.Logf("repeat with PETSCHAFT_SEED=%d PETSCHAFT_MODEL_STEPS=%d", seed, steps)
	m := newRover(t, seed)
	for m.step = 1; m.step <= steps && !t.Failed(); m.step++ {
		m.clock.Advance(time.Duration(m.rnd.IntN(30)) * time.Second)
		m.act()
		m.must.check(m.step%250 == 0)
	}
	if !t.Failed() {
		m.finish()
	}
	if t.Failed() {
		t.Fatalf("seed %d, step %d; what happened last:\n%s", seed, m.step, strings.Join(m.trace[max(0, len(m.trace)-40):], "\n"))
	}
	for _, k := range slices.Sorted(maps.Keys(m.count)) {
		t.Logf("%6d %s", m.count[k], k)
	}
	if steps < 5000 { // chance may leave out something rare
		return
	}
	for _, what := range []string{"issued", "refused", "failed", "withdrawn", "unexpected", "unwanted", "revoked outside", "revocation refused", "given up", "unheard", "surplus", "retried"} {
		if m.must.seen(what) == 0 {
			t.Errorf("nothing was %s in %d steps, so the walk proved nothing about it", what, steps)
		}
	}
}

func newRover(t *testing.T, seed uint64) *rover {
	t.Helper()
	h := awayHouse(t)
	m := &rover{
		house: h, t: t, rnd: rand.New(rand.NewPCG(seed, 17)), count: map[string]int{}, orders: map[issuance.Number]string{},
		own: newLine(h.away), outside: newLine(catest.New(t, "Außen AG")),
	}
	h.Cert.Officers = officersGroup
	h.away.Clock(h.clock.Now)
	m.outside.s.Clock(h.clock.Now)
	m.own.Client, m.outside.Client = h.away.Client(), m.outside.s.Client()
	h.Issuance.Registry = issuance.Own(m.own).With(issuance.Registry{"outside": {Authority: m.outside, Mail: true, Servers: true}})
	h.rule(t, true)
	m.must = &mustBe{rover: m, states: map[issuance.Number]order.State{}, known: map[string]bool{}}
	for range 6 {
		m.addRow()
	}
	return m
}

// strides are the steps, each as often as its share.
var strides = []struct {
	name  string
	share int
	do    func(m *rover)
}{
	{"look", 46, (*rover).look},
	{"apply", 16, (*rover).apply},
	{"order", 10, (*rover).submit},
	{"crowd", 3, (*rover).crowd},
	{"wait", 9, (*rover).jump},
	{"verdict", 6, (*rover).verdict},
	{"revoke", 10, (*rover).revoke},
	{"look at a revocation", 10, (*rover).lookRevocation},
	{"retry", 6, (*rover).retry},
	{"reject", 2, (*rover).reject},
	{"end", 8, (*rover).end},
	{"change authority", 2, (*rover).choose},
	{"new row", 1, (*rover).addRow},
}

func (m *rover) act() {
	total := 0
	for _, s := range strides {
		total += s.share
	}
	n := m.rnd.IntN(total)
	for _, s := range strides {
		if n -= s.share; n < 0 {
			m.trace = append(m.trace, fmt.Sprintf("%d %s", m.step, s.name))
			m.count[s.name]++
			m.must.retried = s.name == "retry"
			s.do(m)
			return
		}
	}
}

func (m *rover) say(format string, args ...any) {
	m.trace[len(m.trace)-1] += " " + fmt.Sprintf(format, args...)
}

// said notes what the portal said; only faults of the portal are none of the
// mission's.
func (m *rover) said(err error) {
	said := campus.Said(err)
	m.say("→ %q", said)
	if strings.HasPrefix(said, "internal") {
		m.t.Errorf("step %d, %s: %v", m.step, m.trace[len(m.trace)-1], err)
	}
}

// one is any of them.
func one[T any](m *rover, from ...T) T { return from[m.rnd.IntN(len(from))] }

func (m *rover) addRow() {
	if len(m.rows) > 40 {
		return
	}
	by, local := one(m, m.ada, m.bob, m.eve), fmt.Sprintf("box%d@uni.example", len(m.rows))
	in := mailbox.Input{Kind: mailbox.Personal, Name: "Row", Primary: local}
	if len(m.rows)%3 == 2 {
		in.Kind, in.Applicant = mailbox.Functional, "leitung@uni.example"
	}
	row, err := m.Mailbox.Add(m.t.Context(), m.contact, "uni.example", in)
	m.ok(m.t, err)
	m.confirm(m.t, by, row.ID)
	m.rows = append(m.rows, roverRow{id: row.ID, owner: by})
}

func (m *rover) apply() {
	r := one(m, m.rows...)
	made, err := m.Apply(m.t.Context(), r.owner, r.id, order.Input{CSR: csr(m.t, ecKey(m.t)), Terms: m.Terms})
	m.said(err)
	if err == nil {
		m.must.begun(issuance.Number(made.ID))
	}
}

func (m *rover) submit() {
	wish := m.wish(one(m, []string{"www.uni.example"}, []string{"a.uni.example", "b.uni.example"}, []string{"*.stern.example"})...)
	wish.CSR = csr(m.t, ecKey(m.t))
	reference, err := m.Submit(m.t.Context(), m.tina, order.Submission{Wish: wish, Form: fmt.Sprint(m.step)})
	m.said(err)
	if err != nil {
		return
	}
	o := m.see(m.t, reference)
	if o.State == order.Received || o.State == order.Review {
		m.said(m.Approve(m.t.Context(), m.otto, reference, 1))
	}
	m.orders[issuance.Number(o.ID)] = reference
	m.must.begun(issuance.Number(o.ID))
}

// open is an intent that is not over, mostly one of those that are due first.
type open struct {
	Number    issuance.Number
	Kind      issuance.Kind
	Authority string
	Due       bool
}

func (m *rover) open(most int) []open {
	rows, err := m.db.Query(m.t.Context(), `select number, kind, authority, next_look <= $1 as due from intent where next_look is not null
		order by next_look, number limit $2`, m.Now(), most)
	m.ok(m.t, err)
	return trial.Must(pgx.CollectRows(rows, pgx.RowToStructByName[open]))
}

func (m *rover) line(o open) *line {
	if o.Authority == "outside" {
		return m.outside
	}
	return m.own
}

// modes are all there are for Ask and Collect; good ones come up more often.
var modes = []catest.Mode{
	catest.Good, catest.Good, catest.Good, catest.Good, catest.Good, catest.Slow, catest.Hanging, catest.Twice, catest.Forgetful, catest.OtherKey,
	catest.OtherName, catest.Broken, catest.Cut, catest.Cut, catest.Refusing, catest.Pending, catest.Pending, catest.PendingCut, catest.Person,
	catest.Rejecting, catest.TooMany, catest.TooManyDate, catest.TooManyBare, catest.HTML, catest.WrongPurpose, catest.TooLong, catest.ExtraName,
	catest.LateSerial,
}

// mode is how calls for these are treated. That there is nothing it does not say of
// what it signed: that would be lost to everybody.
func (m *rover) mode(of ...open) catest.Mode {
	mode := one(m, modes...)
	for _, o := range of {
		signed := m.line(o).s.Signed(int64(o.Number)) > 0
		if signed && mode == catest.Refusing || len(of) > 1 && (mode == catest.Slow || mode == catest.Hanging || mode == catest.Forgetful) {
			return catest.Good
		}
	}
	return mode
}

func (m *rover) look() {
	all := m.open(10)
	if len(all) == 0 {
		return
	}
	o := one(m, all...)
	if !o.Due && m.rnd.IntN(2) == 0 {
		m.exec(m.t, `update intent set next_look = $2 where number = $1 and next_look is not null`, o.Number, m.Now()) // as if that long had passed
	}
	if m.rnd.IntN(10) == 0 {
		m.exec(m.t, `update intent set attempts = 100 where number = $1`, o.Number) // as if it had been away for two days
	}
	mode := m.mode(o)
	m.say("at %s %d of %s, mode %d", o.Kind, o.Number, o.Authority, mode)
	m.outside.s.Later(one(m, 0, time.Minute, time.Hour, 48*time.Hour))
	m.line(o).treats(mode, catest.Good)
	if m.rnd.IntN(8) == 0 || mode == catest.Forgetful && m.rnd.IntN(2) == 0 {
		m.line(o).meanwhile(func() { m.interrupt(o, mode) })
	}
	m.must.touched(o.Number)
	m.said(m.Issuance.Look(m.t.Context(), o.Kind, o.Number))
	m.line(o).meanwhile(nil)
}

// interrupt is what happens while an answer is on its way.
func (m *rover) interrupt(o open, mode catest.Mode) {
	m.say("[meanwhile")
	defer m.say("]")
	switch what := m.rnd.IntN(3); {
	case what == 0 && mode != catest.Forgetful:
		m.takeBack(o)
	case what == 1 && mode != catest.Forgetful:
		m.end()
	default: // it takes longer than its lease, and another process looks
		m.clock.Advance(2 * time.Minute)
		switch {
		case mode == catest.Forgetful: // both bring one
			m.line(o).treats(catest.Forgetful, catest.Good)
		case mode == catest.Refusing && m.line(o).s.Signed(int64(o.Number)) == 0:
			m.line(o).treats(catest.Pending, catest.Good)
		default:
			m.line(o).treats(catest.Good, catest.Good)
		}
		m.said(m.Issuance.Look(m.t.Context(), o.Kind, o.Number))
	}
}

func (m *rover) takeBack(o open) {
	if o.Kind == issuance.ServerOrder {
		m.said(m.Withdraw(m.t.Context(), m.tina, m.orders[o.Number]))
		return
	}
	a := m.application(m.t, order.ID(o.Number))
	m.said(m.TakeBack(m.t.Context(), person.Actor{Account: a.Account, Name: "X"}, a.ID))
}

// crowd lets many processes look at once.
func (m *rover) crowd() {
	all := m.open(4)
	if len(all) == 0 {
		return
	}
	mode := m.mode(append(all, all...)...)
	m.say("at %v, mode %d", all, mode)
	m.own.treats(mode, catest.Good)
	m.outside.treats(mode, catest.Good)
	var wait sync.WaitGroup
	errs := make([]error, 3*len(all))
	for i := range errs {
		o := all[i%len(all)]
		m.must.touched(o.Number)
		wait.Go(func() { errs[i] = m.Issuance.Look(m.t.Context(), o.Kind, o.Number) })
	}
	wait.Wait()
	for _, err := range errs {
		m.said(err)
	}
}

func (m *rover) jump() {
	d := one(m, time.Minute, 10*time.Minute, time.Hour, 3*time.Hour, 25*time.Hour)
	m.clock.Advance(d)
	m.say("%v", d)
}

// verdict is somebody's at an authority.
func (m *rover) verdict() {
	all := m.open(30)
	if len(all) == 0 {
		return
	}
	o, s := one(m, all...), one(m, m.own.s, m.outside.s)
	if m.rnd.IntN(4) > 0 {
		s.Approve(int64(o.Number))
	} else if s.Signed(int64(o.Number)) == 0 {
		s.Decline(int64(o.Number))
	}
}
