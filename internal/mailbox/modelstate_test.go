package mailbox_test

import (
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// seen is what people see of a row and its newest rounds, from the portal or
// from the reference model.
type seen struct {
	Kind               mailbox.Kind
	Name, Primary      string
	Aliases            []string
	Applicant, Comment string
	Status             mailbox.Status
	Active, Challenged bool
	Ends               time.Time // of the newest certificate
	Version            int64
	Linked             person.ID
	Suspended          bool
	Doubtful           bool
	Covers             []string
	Rounds             []seenRound
}

type seenRound struct {
	Outcome string
	Ended   bool
	Asks    []seenAsk
}

type seenAsk struct {
	ID      int64
	To      string
	Covers  []string
	State   mailbox.State
	Expires time.Time
}

// manyRounds is how many rounds of a row each comparison looks at; the final
// one counts the challenges of all.
const manyRounds = 2

func sorted(ss []string) []string { return slices.Sorted(slices.Values(ss)) }

func (r *refRow) seen() seen {
	s := seen{
		Kind: r.kind, Name: r.name, Primary: r.primary, Aliases: append([]string{}, r.aliases...), Applicant: r.applicant,
		Comment: r.comment, Status: r.status(), Active: r.active, Challenged: r.challenged, Ends: r.ends(), Version: r.version,
	}
	if r.link != nil {
		s.Linked, s.Suspended, s.Doubtful, s.Covers = r.link.account, r.link.suspended, r.link.doubtful, sorted(r.link.covers)
	}
	for i := len(r.rounds) - 1; i >= 0 && i >= len(r.rounds)-manyRounds; i-- {
		n := seenRound{Outcome: r.rounds[i].outcome, Ended: r.rounds[i].outcome != "open"}
		for _, a := range r.rounds[i].asks {
			n.Asks = append(n.Asks, seenAsk{a.id, a.to, sorted(a.covers), a.state, a.expires})
		}
		s.Rounds = append(s.Rounds, n)
	}
	return s
}

func (m *walker) seen(r *refRow) seen {
	row, err := m.Row(m.t.Context(), m.officer, r.domain, r.id)
	if err != nil {
		m.t.Fatalf("step %d: read row %d: %v", m.step, r.id, err)
	}
	s := seen{
		Kind: row.Kind, Name: row.Name, Primary: string(row.Primary), Aliases: []string{}, Applicant: string(row.Applicant),
		Comment: row.Comment, Status: row.Status, Active: row.Active, Challenged: row.Challenged, Version: row.Version,
		Doubtful: row.Doubtful,
	}
	if row.CertificateEnd != nil {
		s.Ends = *row.CertificateEnd
	}
	for _, a := range row.Aliases {
		s.Aliases = append(s.Aliases, string(a))
	}
	if row.Linked != nil {
		s.Linked, s.Suspended, s.Covers = *row.Linked, *row.Suspended, sorted(row.Covered)
	}
	rounds, err := m.Rounds(m.t.Context(), row, manyRounds)
	if err != nil {
		m.t.Fatalf("step %d: read rounds of row %d: %v", m.step, r.id, err)
	}
	for _, n := range rounds {
		x := seenRound{Outcome: n.Outcome, Ended: n.Ended != nil}
		for _, c := range n.Challenges {
			a := seenAsk{ID: c.ID, To: string(c.Recipient), Covers: sorted(c.Covers), State: c.State}
			if c.Expires != nil {
				a.Expires = *c.Expires
			}
			x.Asks = append(x.Asks, a)
		}
		s.Rounds = append(s.Rounds, x)
	}
	return s
}

func (m *walker) compare(r *refRow) {
	m.t.Helper()
	if d := cmp.Diff(r.seen(), m.seen(r)); d != "" {
		m.t.Errorf("step %d, row %d (%s): -mission +portal\n%s", m.step, r.id, r.primary, d)
	}
}

// compareAll looks at every row, at the counts and at the state of every
// challenge there ever was.
func (m *walker) compareAll() {
	m.t.Helper()
	for _, id := range m.ids {
		m.compare(m.w.rows[id])
	}
	domains := map[string]org.ID{m.uni: m.uniID, m.labs: m.labsID, m.institute: m.instituteID}
	want := map[org.ID]map[mailbox.Status]int64{}
	for _, r := range m.w.rows {
		d := domains[r.domain]
		if want[d] == nil {
			want[d] = map[mailbox.Status]int64{}
		}
		want[d][r.status()]++
	}
	counts := map[org.ID]map[mailbox.Status]int64{}
	for d, n := range trial.Must(m.Tallies(m.t.Context(), m.uniID, m.labsID, m.instituteID)) {
		maps.DeleteFunc(n.Of, func(_ mailbox.Status, n int64) bool { return n == 0 }) // differences that are not folded yet may add up to nothing
		if len(n.Of) > 0 {
			counts[d] = n.Of
		}
	}
	if d := cmp.Diff(want, counts); d != "" {
		m.t.Errorf("step %d, counts: -mission +portal\n%s", m.step, d)
	}
	if d := cmp.Diff(want, m.counted()); d != "" {
		m.t.Errorf("step %d, count(*): -mission +table\n%s", m.step, d)
	}
	if d := cmp.Diff(m.states(), m.storedStates()); d != "" {
		m.t.Errorf("step %d, challenges: -mission +table\n%s", m.step, d)
	}
	m.compareLinks()
}

func (m *walker) counted() map[org.ID]map[mailbox.Status]int64 {
	rows, err := m.db.Query(m.t.Context(), `select domain, state, count(*) from address_row group by domain, state`)
	all := map[org.ID]map[mailbox.Status]int64{}
	var d org.ID
	var s mailbox.Status
	var n int64
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&d, &s, &n}, func() error {
			if all[d] == nil {
				all[d] = map[mailbox.Status]int64{}
			}
			all[d][s] = n
			return nil
		})
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return all
}

func (m *walker) states() map[int64]mailbox.State {
	all := map[int64]mailbox.State{}
	for _, a := range m.w.asks {
		all[a.id] = a.state
	}
	return all
}

func (m *walker) storedStates() map[int64]mailbox.State {
	rows, err := m.db.Query(m.t.Context(), `select id, state from challenge`)
	all := map[int64]mailbox.State{}
	var id int64
	var s mailbox.State
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&id, &s}, func() error { all[id] = s; return nil })
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return all
}

// compareLinks holds that people see exactly the rows they are linked to.
func (m *walker) compareLinks() {
	m.t.Helper()
	for _, by := range []person.Actor{m.ada, m.bob, m.contact} {
		var got, want []mailbox.ID
		for _, l := range trial.Must(m.LinkedTo(m.t.Context(), by)) {
			got = append(got, l.RowID)
			if got, want := said(mailbox.MayApply(l, m.Now())), m.w.apply(m.w.rows[l.RowID]); got != want {
				m.t.Errorf("step %d: applying for row %d: got %q, the mission says %q", m.step, l.RowID, got, want)
			}
		}
		for _, r := range m.w.rows {
			if r.link != nil && r.link.account == by.Account {
				want = append(want, r.id)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			m.t.Errorf("step %d: rows linked to %s: got %v, want %v", m.step, by.Name, got, want)
		}
	}
}
