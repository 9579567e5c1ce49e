package handover_test

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
)

// compare fails unless the portal holds what the world holds.
func (m *walker) compare() {
	m.compareOffers()
	m.compareLetters()
	for of, contact := range m.w.contact {
		o, err := m.Org.Organisation(m.t.Context(), m.rita, of)
		if err != nil || o.ContactID != contact {
			m.t.Errorf("step %d: got the contact %d and %v, want %d", m.step, o.ContactID, err, contact)
		}
	}
	for broken, sql := range map[string]string{
		"open offers of somebody who is not the contact": `select count(*) from handover h join organisation o on o.id = h.organisation where h.ended is null and h.giver <> o.contact`,
		"reassignments of another contact":               `select count(*) from reassignment r join organisation o on o.id = r.organisation where r.ended is null and r.contact <> o.contact`,
		"offers done without an acceptance":              `select count(*) from handover where state in ('done', 'locked') and accepted is null`,
	} {
		if n := m.rig.count(m.t, sql); n != 0 {
			m.t.Errorf("step %d: got %d %s", m.step, n, broken)
		}
	}
}

func (m *walker) compareOffers() {
	for _, o := range m.w.offers[max(0, len(m.w.offers)-4):] {
		by := pick(m, m.people)
		got, err := m.One(m.t.Context(), by, o.id)
		if sees := by.Account == o.successor || by.Account == m.w.contact[o.of]; (err == nil) != sees {
			m.t.Errorf("step %d: %s reads offer %d: got %v, want that it is seen: %v", m.step, by.Name, o.id, err, sees)
			continue
		}
		if err != nil {
			m.is(m.t, o.id, o.state)
			continue
		}
		if got.State != o.state || got.Wrong != o.wrong || (got.Reminded != nil) != o.reminded {
			m.t.Errorf("step %d: got offer %d %s, %d wrong, reminded %v; want %s, %d, %v", m.step, o.id, got.State, got.Wrong, got.Reminded != nil, o.state, o.wrong, o.reminded)
		}
		now := m.Now()
		for _, b := range []struct {
			name string
			err  error
			want string
		}{
			{"accept", handover.MayAccept(got, now), m.w.mayAccept(by.Account, o)},
			{"decline", handover.MayDecline(got, now), m.w.answers(by.Account, o)},
			{"cancel", handover.MayCancel(got, now), m.w.mayCancel(by.Account, o)},
			{"finish", handover.MayFinish(got, now), m.w.mayFinish(by.Account, o)},
		} {
			if campus.Said(b.err) != b.want {
				m.t.Errorf("step %d: the button %s of %s on offer %d: got %q, want %q", m.step, b.name, by.Name, o.id, campus.Said(b.err), b.want)
			}
		}
	}
}

func (m *walker) compareLetters() {
	rows, err := m.db.Query(m.t.Context(), `select id, kind || ' ' || recipient from letter where id > $1 order by id`, m.posted)
	m.ok(m.t, err)
	var got, want []string
	var line string
	_, err = pgx.ForEachRow(rows, []any{&m.posted, &line}, func() error { got = append(got, line); return nil })
	m.ok(m.t, err)
	for _, l := range m.w.letters {
		want = append(want, l.kind+" "+m.named(l.to).Email)
	}
	if !slices.Equal(got, want) {
		m.t.Errorf("step %d: got the letters\n%s\nwant\n%s", m.step, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
