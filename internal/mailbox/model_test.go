package mailbox_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// walker does random things to the portal and to the reference model, and
// compares what both say and what both hold afterwards.
type walker struct {
	*rig
	t      *testing.T
	rnd    *rand.Rand
	w      *world
	ids    []mailbox.ID // of the model's rows, in order, so that a seed repeats
	step   int
	trace  []string
	idle   bool
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

func TestModelRandomOperationsLeaveWhatTheMissionSays(t *testing.T) {
	t.Parallel()
	seed, steps := number(t, "PETSCHAFT_SEED", rand.Uint64()), int(number(t, "PETSCHAFT_MODEL_STEPS", 2000))
	t.Logf("repeat with PETSCHAFT_SEED=%d PETSCHAFT_MODEL_STEPS=%d", seed, steps)
	m := newWalker(t, seed)
	begun := time.Now()
	for m.step = 1; m.step <= steps && !t.Failed(); m.step++ {
		m.clock.Advance(time.Duration(m.rnd.IntN(90)) * time.Second)
		m.w.now = m.Now()
		m.act()
		if m.step%100 == 0 || m.step == steps {
			m.compareAll()
		}
	}
	if t.Failed() {
		t.Fatalf("seed %d, step %d; what happened last:\n%s", seed, m.step-1, strings.Join(m.trace[max(0, len(m.trace)-40):], "\n"))
	}
	t.Logf("%d steps, %v each, %d rows, %d challenges", steps, time.Since(begun)/time.Duration(steps), len(m.ids), len(m.w.asks))
	for _, k := range slices.Sorted(maps.Keys(m.count)) {
		t.Logf("%6d %s", m.count[k], k)
	}
	if steps < 10000 { // chance may leave out something rare
		return
	}
	for _, o := range moves {
		if o.refusable && m.count[o.name+" ok"] == 0 {
			t.Errorf("%q never succeeded in %d steps, so the walk proved nothing about it", o.name, steps)
		}
	}
}

func newWalker(t *testing.T, seed uint64) *walker {
	t.Helper()
	brakes := mailbox.Brakes{RowGap: time.Minute, RowDay: 5, ActorHour: 12, AddressHour: 4}
	r := newRig(t, func(b *mailbox.Book) { b.Brakes = brakes })
	r.ada.Email, r.bob.Email = "Ada@uni.example", "bob@labor.example"
	return &walker{
		rig: r, t: t, rnd: rand.New(rand.NewPCG(seed, 1)), count: map[string]int{},
		people: []person.Actor{r.ada, r.ada, r.ada, r.ada, r.bob, r.contact},
		w: &world{
			mail: map[person.ID]string{r.ada.Account: "ada@uni.example", r.bob.Account: "bob@labor.example"},
			now:  r.Now(), brakes: brakes, officer: r.officer.Account, rows: map[mailbox.ID]*refRow{},
			contacts: map[string]person.ID{r.uni: r.contact.Account, r.labs: r.contact.Account, r.institute: r.stranger.Account},
			byMail:   map[string]bool{r.labs: true}, provenUntil: r.Now().Add(300 * 24 * time.Hour),
		},
	}
}

// did is what the portal said to an operation, what the mission says to it, and
// the row it touched, if any.
type did struct {
	err  error
	want string
	row  *refRow
}

// moves are the operations, each as often as its share.
var moves = []struct {
	name      string
	share     int
	refusable bool // can fail; must succeed in a long walk
	do        func(m *walker) did
}{
	{"add", 7, true, (*walker).add},
	{"edit", 12, true, (*walker).edit},
	{"deactivate", 3, true, (*walker).deactivate},
	{"activate", 7, true, (*walker).activate},
	{"delete", 3, true, (*walker).remove},
	{"unlink", 3, true, (*walker).unlink},
	{"check link", 3, true, (*walker).checkLink},
	{"challenge", 18, true, (*walker).challenge},
	{"attempt", 26, false, (*walker).attempt},
	{"mark undeliverable", 2, true, (*walker).undeliverable},
	{"confirm", 26, true, (*walker).confirm},
	{"decline", 2, true, (*walker).decline},
	{"retry", 3, true, (*walker).retry},
	{"wait", 3, false, (*walker).wait},
	{"tick", 4, false, (*walker).tick},
	{"fold", 2, false, (*walker).fold},
	{"certify", 4, false, (*walker).certify},
	{"revoke", 1, false, (*walker).revoke},
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
		m.trace = append(m.trace, "")
		x := o.do(m)
		if m.idle { // there was nothing to do it to
			m.idle, m.trace = false, m.trace[:len(m.trace)-1]
			m.act()
			return
		}
		got := said(x.err)
		m.say("%s: %s", o.name, got)
		kind, _, _ := strings.Cut(cmp.Or(x.want, "ok"), " ")
		m.count[o.name+" "+kind]++
		if got != x.want {
			m.t.Errorf("step %d, %s: got %q, the mission says %q (%v)", m.step, m.trace[len(m.trace)-1], got, x.want, x.err)
		}
		if x.row != nil {
			m.compare(x.row)
		}
		return
	}
}

// say adds to the step's line of the trace.
func (m *walker) say(format string, args ...any) {
	last := len(m.trace) - 1
	m.trace[last] = strings.TrimSpace(fmt.Sprintf(format, args...) + " " + m.trace[last])
}

// said is an error as the model speaks of it: the schema's word for an address
// that is taken is the rule's.
func said(err error) string {
	f := fault.Of(err)
	switch {
	case f == nil:
		return ""
	case f.Kind == fault.Invalid:
		ids := map[string]bool{}
		for _, x := range f.Fields {
			ids[x.ID] = true
		}
		return invalid(ids)
	case f.ID == "schema.address_active_once", f.ID == "schema.address_primary_once":
		return "mailbox.address.taken"
	case f.ID == "":
		return "internal " + err.Error()
	}
	return f.ID
}

func pick[T any](m *walker, from []T) T { return from[m.rnd.IntN(len(from))] }

func (m *walker) rarely() bool { return m.rnd.IntN(12) == 0 }

// row is a random row with the domain and the actor to ask with: mostly the
// right ones.
func (m *walker) row() (by person.Actor, domain string, r *refRow) {
	if m.idle = len(m.ids) == 0; m.idle {
		return m.contact, m.uni, nil
	}
	r = m.w.rows[pick(m, m.ids)]
	by, domain = m.keeper(r.domain), r.domain
	if m.rarely() {
		by = pick(m, []person.Actor{m.contact, m.stranger, m.officer, m.ada})
	}
	if m.rarely() {
		domain = m.domain()
	}
	m.say("row %d (%s) of %s by %d", r.id, r.primary, domain, by.Account)
	return by, domain, r
}

func (m *walker) domain() string { return pick(m, []string{m.uni, m.uni, m.labs, m.institute}) }

func (m *walker) keeper(domain string) person.Actor {
	if domain == m.institute {
		return m.stranger
	}
	return m.contact
}

// address is one of few, in some case, so that they collide.
func (m *walker) address(domain string) string {
	a := pick(m, []string{"ada", "bob", "cleo", "dan", "eve", "fay", "gil", "hal"})
	switch m.rnd.IntN(8) {
	case 0:
		a = strings.ToUpper(a)
	case 1:
		a = strings.ToUpper(a[:1]) + a[1:]
	}
	return a + "@" + domain
}

func (m *walker) input(domain string) mailbox.Input {
	in := mailbox.Input{
		Kind: mailbox.Personal, Primary: m.address(domain),
		Name: pick(m, []string{"Adler, Ada", "Bach, Bob", "Sekretariat"}), Comment: pick(m, []string{"", "bis 2026", "=1+1"}),
	}
	for range m.rnd.IntN(3) {
		in.Aliases = append(in.Aliases, m.address(pick(m, []string{domain, domain, m.domain()})))
	}
	if m.rnd.IntN(3) == 0 {
		in.Kind = mailbox.Functional
	}
	if in.Kind == mailbox.Functional && m.rnd.IntN(5) > 0 || m.rarely() {
		in.Applicant = pick(m, []string{m.address(domain), "Someone@elsewhere.example"})
	}
	return in
}

func (m *walker) add() did {
	domain := m.domain()
	by, in := m.keeper(domain), m.input(domain)
	if m.rarely() {
		by = pick(m, []person.Actor{m.contact, m.stranger, m.officer, m.ada})
	}
	m.say("%+v to %s by %d", in, domain, by.Account)
	added, err := m.Add(m.t.Context(), by, domain, in)
	id := added.ID
	want := m.w.add(by.Account, domain, in, id)
	if want == "" && err == nil {
		m.ids = append(m.ids, id)
	}
	return did{err, want, m.w.rows[id]}
}

func (m *walker) edit() did {
	by, domain, r := m.row()
	if r == nil {
		return did{nil, "", nil}
	}
	in := mailbox.Input{Kind: r.kind, Name: r.name, Aliases: r.aliases, Applicant: r.applicant, Comment: r.comment}
	other := m.input(r.domain)
	in.Person = pick(m, []mailbox.Person{"", mailbox.SamePerson, mailbox.OtherPerson})
	switch m.rnd.IntN(8) {
	case 0:
		in.Name = other.Name
	case 1:
		in.Aliases = other.Aliases
	case 2:
		in.Applicant = other.Applicant
	case 3:
		in.Comment = other.Comment
	case 4:
		in.Kind = other.Kind
	case 5:
		in.Aliases = slices.Clone(r.aliases)
		slices.Reverse(in.Aliases)
		for i := range in.Aliases {
			in.Aliases[i] = strings.ToUpper(in.Aliases[i][:1]) + in.Aliases[i][1:]
		}
	case 6:
		in.Kind, in.Name, in.Aliases, in.Applicant = other.Kind, other.Name, other.Aliases, other.Applicant
	}
	version := r.version
	if m.rarely() {
		version--
	}
	m.say("%+v", in)
	err := m.Edit(m.t.Context(), by, domain, r.id, version, in)
	return did{err, m.w.edit(by.Account, domain, r, version, in), r}
}

func (m *walker) wait() did {
	d := pick(m, []time.Duration{time.Hour, time.Hour, 5 * time.Hour, 25 * time.Hour, 49 * time.Hour, 15 * 24 * time.Hour})
	m.clock.Advance(d)
	m.w.now = m.Now()
	m.say("%v", d)
	return did{nil, "", nil}
}

func (m *walker) tick() did {
	err := m.Tick(m.t.Context())
	m.w.tick()
	return did{err, "", nil}
}

func (m *walker) fold() did { return did{m.Fold(m.t.Context()), "", nil} }

// begin is an attempt to deliver a; false when there was nothing to deliver.
func (m *walker) begin(a *refAsk) (done func(string, error) error, ok bool) {
	token, done, err := mailbox.Attempt(m.t.Context(), m.Book, a.id)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		m.t.Fatalf("attempt challenge %d: %v", a.id, err)
	}
	if want := m.w.attempt(a, mailbox.Digest(token)); want != (err == nil) {
		m.t.Errorf("step %d: attempt of challenge %d in state %s: got %v, want to deliver: %v", m.step, a.id, a.state, err, want)
	}
	return done, err == nil
}

// answers are what a mail server can say; the first is that it takes the mail.
var answers = []error{
	nil, nil, nil, nil, nil,
	&mail.Refusal{Stage: mail.AtRecipient, Code: 451, Answer: "451 later"}, &mail.Refusal{Stage: mail.AtRecipient, Code: 550, Answer: "550 nobody"}, errors.New("away"),
	&mail.Refusal{Stage: mail.AtRecipient, Code: 554, Status: "5.7.1", Answer: "5.7.1 no relaying"},
}
