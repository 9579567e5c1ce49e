package mailbox_test

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// This file holds the walker's operations on rounds and its comparisons.

type rowOperation func(context.Context, person.Actor, string, mailbox.ID) error

func (m *walker) on(do rowOperation, model func(person.ID, string, *refRow) string) did {
	by, domain, r := m.row()
	if r == nil {
		return did{nil, "", nil}
	}
	err := do(m.t.Context(), by, domain, r.id)
	want := model(by.Account, domain, r)
	if m.w.rows[r.id] == nil {
		m.ids = slices.DeleteFunc(m.ids, func(id mailbox.ID) bool { return id == r.id })
		return did{err, want, nil}
	}
	return did{err, want, r}
}

func (m *walker) deactivate() did {
	return m.on(m.Deactivate, func(by person.ID, d string, r *refRow) string { return m.w.turn(by, d, r, false) })
}

func (m *walker) activate() did {
	return m.on(m.Activate, func(by person.ID, d string, r *refRow) string { return m.w.turn(by, d, r, true) })
}

func (m *walker) remove() did { return m.on(m.Delete, m.w.remove) }

func (m *walker) checkLink() did { return m.on(m.CheckLink, m.w.checkLink) }

func (m *walker) exec(sql string) {
	if _, err := m.db.Exec(m.t.Context(), sql); err != nil {
		m.t.Fatal(err)
	}
}

func (m *walker) unlink() did { return m.on(m.Unlink, m.w.unlink) }

// challenge also holds that a brake's time is the first at which it lets go.
func (m *walker) challenge() did {
	by := person.Actor{}
	x := m.on(func(ctx context.Context, actor person.Actor, d string, id mailbox.ID) error {
		by = actor
		return second(m.Challenge(ctx, actor, d, id))
	}, m.w.challenge)
	if f := fault.Of(x.err); f != nil && f.Kind == fault.TooMany {
		if f.ID == m.w.brake(by.Account, x.row, f.RetryAt) || f.ID != m.w.brake(by.Account, x.row, f.RetryAt.Add(-1)) {
			m.t.Errorf("step %d: %s until %v, which is not when it lets go", m.step, f.ID, f.RetryAt)
		}
	}
	if x.err == nil && x.want == "" && x.row != nil {
		m.number(x.row.newest())
	}
	return x
}

// number gives the model's new challenges the numbers of the portal's.
func (m *walker) number(n *refRound) {
	rows, err := m.db.Query(m.t.Context(), `select id from challenge where row_id = $1 order by id desc limit $2`, n.asks[0].row.id, len(n.asks))
	if err != nil {
		m.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) != len(n.asks) {
		m.t.Fatalf("step %d: got challenges %v and %v, want %d of them", m.step, ids, err, len(n.asks))
	}
	for i, id := range ids {
		n.asks[len(ids)-1-i].id = id
	}
}

// ask is a random challenge, mostly one that can still be answered.
func (m *walker) ask(fits func(*refAsk) bool) *refAsk {
	from := m.w.asks
	if !m.rarely() {
		from = slices.Collect(func(yield func(*refAsk) bool) {
			for _, a := range m.w.asks[max(0, len(m.w.asks)-100):] {
				if fits(a) && !yield(a) {
					return
				}
			}
		})
	}
	if m.idle = len(from) == 0; m.idle {
		return nil
	}
	a := pick(m, from)
	m.say("challenge %d (%s, %s) of row %d", a.id, a.to, a.state, a.row.id)
	return a
}

func (m *walker) attempt() did {
	a := m.ask(func(a *refAsk) bool { return a.state == mailbox.Queued || a.state == mailbox.Deferred })
	if a == nil {
		return did{nil, "", nil}
	}
	done, ok := m.begin(a)
	if !ok || m.rarely() { // else the process dies before it hears the answer
		return did{nil, "", a.row}
	}
	answer := pick(m, answers)
	m.say("answered %v", answer)
	err := done("250 ok", answer)
	refusal, _ := errors.AsType[*mail.Refusal](answer)
	m.w.answered(a, answer == nil, refusal != nil && refusal.Verdict() == mail.Dead)
	m.exec(`delete from mail_refusal`) // what holds the queue is tested elsewhere
	if again := a.state == mailbox.Deferred; again != (err != nil) {
		m.t.Errorf("step %d: the job ends with %v, want another attempt: %v", m.step, err, again)
	}
	return did{nil, "", a.row}
}

func (m *walker) undeliverable() did {
	a := m.ask(func(a *refAsk) bool { return a.state.Pending() })
	if a == nil {
		return did{nil, "", nil}
	}
	by, domain := m.keeper(a.row.domain), a.row.domain
	if m.rarely() {
		by = pick(m, []person.Actor{m.officer, m.ada, m.contact, m.stranger})
	}
	err := m.MarkUndeliverable(m.t.Context(), by, domain, a.row.id, a.id)
	return did{err, m.w.undeliverable(by.Account, domain, a), a.row}
}

func (m *walker) retry() did {
	a := m.ask(func(a *refAsk) bool { return a.state == mailbox.Failed })
	if a == nil {
		return did{nil, "", nil}
	}
	by := pick(m, []person.Actor{m.officer, m.officer, m.officer, m.contact})
	return did{m.RetryChallenge(m.t.Context(), by, a.id), m.w.retry(by.Account, a), a.row}
}

// link is a random link of a random challenge, mostly the newest.
func (m *walker) link() (by person.Actor, a *refAsk, digest []byte) {
	by = pick(m, m.people)
	a = m.ask(func(a *refAsk) bool { return a.state.Pending() && len(a.digests) > 0 })
	if a == nil || len(a.digests) == 0 {
		return by, nil, mailbox.Digest("made up")
	}
	digest = a.digests[len(a.digests)-1]
	if m.rarely() {
		digest = pick(m, a.digests)
	}
	m.say("by %d", by.Account)
	return by, a, digest
}

func (m *walker) confirm() did {
	by, a, digest := m.link()
	_, err := m.Confirm(m.t.Context(), by, digest)
	want := m.w.confirm(by.Account, a, digest)
	if a == nil {
		return did{err, want, nil}
	}
	return did{err, want, a.row}
}

func (m *walker) decline() did {
	by, a, digest := m.link()
	err := m.Decline(m.t.Context(), by, digest)
	want := m.w.decline(by.Account, a, digest)
	if a == nil {
		return did{err, want, nil}
	}
	return did{err, want, a.row}
}
