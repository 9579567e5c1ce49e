package order_test

import (
	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca/catest"
	"petschaft/internal/cert"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// offered is a certificate that somebody has.
type offered struct {
	ID        cert.ID
	Reference string
	Server    bool
}

func (m *rover) revoke() {
	rows, err := m.db.Query(m.t.Context(), `select id, reference, organisation is not null as server from certificate
		where revoked is null and revoking is null order by id desc limit 20`)
	m.ok(m.t, err)
	all := trial.Must(pgx.CollectRows(rows, pgx.RowToStructByName[offered]))
	if len(all) == 0 {
		return
	}
	c := one(m, all...)
	m.say("%d", c.ID)
	if c.Server {
		m.said(m.Cert.RevokeServer(m.t.Context(), m.otto, c.Reference, pki.Superseded))
		return
	}
	m.said(m.Cert.Revoke(m.t.Context(), m.officer, c.ID, pki.Superseded))
}

func (m *rover) lookRevocation() {
	rows, err := m.db.Query(m.t.Context(), `select certificate, der, next_look <= $1 from withdrawal where next_look is not null order by next_look, certificate limit 5`, m.Now())
	m.ok(m.t, err)
	type waits struct {
		Certificate int64
		DER         []byte
		Due         bool
	}
	all := trial.Must(pgx.CollectRows(rows, pgx.RowToStructByPos[waits]))
	if len(all) == 0 {
		return
	}
	w := one(m, all...)
	mode := one(m, catest.Good, catest.Good, catest.Slow, catest.Hanging, catest.Twice, catest.Broken, catest.Cut, catest.Refusing, catest.Pending,
		catest.TooMany, catest.TooManyDate, catest.TooManyBare, catest.HTML, catest.AlreadyRevoked)
	if _, is := m.outside.s.Revoked(w.DER); is && mode == catest.Refusing {
		mode = catest.Good
	}
	m.say("%d, mode %d, due %t", w.Certificate, mode, w.Due)
	m.outside.treats(catest.Good, mode)
	m.said(m.Issuance.Revoke(m.t.Context(), w.Certificate))
}

// failed is something that failed, the newest mostly.
func (m *rover) failed(kind string) (f offered, found bool) {
	rows, err := m.db.Query(m.t.Context(), `select * from (select id, reference, true as server from server_order where state = 'failed' union all
		select id, reference, false from application where state = 'failed') f where `+kind+` order by 1 desc limit 10`)
	m.ok(m.t, err)
	all := trial.Must(pgx.CollectRows(rows, pgx.RowToStructByPos[offered]))
	if len(all) == 0 {
		return f, false
	}
	f = one(m, all...)
	m.must.touched(issuance.Number(f.ID))
	m.say("%d", f.ID)
	return f, true
}

func (m *rover) reject() {
	if f, found := m.failed("server"); found {
		m.said(m.Reject(m.t.Context(), m.otto, f.Reference, order.Decision{Version: 1, Reason: "nein"}))
	}
}

func (m *rover) retry() {
	f, found := m.failed("true")
	if !found {
		return
	}
	if f.Server {
		m.said(m.RetryOrder(m.t.Context(), m.otto, f.Reference))
		return
	}
	m.said(m.Retry(m.t.Context(), m.officer, order.ID(f.ID)))
}

// end ends a right, or gives it back.
func (m *rover) end() {
	i := m.rnd.IntN(len(m.rows))
	r := &m.rows[i]
	switch what := m.rnd.IntN(9); {
	case what < 3:
		if all := m.open(20); len(all) > 0 {
			o := one(m, all...)
			m.say("%d taken back", o.Number)
			m.must.touched(o.Number)
			m.takeBack(o)
		}
	case what < 5 && !r.off:
		m.say("row %d off", r.id)
		m.said(m.Mailbox.Deactivate(m.t.Context(), m.contact, "uni.example", r.id))
		if r.off = true; m.rnd.IntN(3) == 0 {
			m.said(m.Mailbox.Unlink(m.t.Context(), m.contact, "uni.example", r.id))
		}
	case what < 5:
		m.say("row %d on", r.id)
		m.said(m.Mailbox.Activate(m.t.Context(), m.contact, "uni.example", r.id))
		r.off = false
		m.confirm(m.t, r.owner, r.id)
	case what < 6:
		m.say("%s locked or not", r.owner.Name)
		m.exec(m.t, `update account set locked = case when locked is null then $2::timestamptz end, locked_why = case when locked is null then 'left' else '' end where id = $1`,
			r.owner.Account, m.Now())
	case what < 7:
		given := one(m, "Ada", "Adele")
		m.say("Adler is called %s", given)
		m.exec(m.t, `update account set given_name = $2, name = $2 || ' Adler' where id = $1`, m.ada.Account, given)
	case what < 8:
		m.validate(m.t, one(m, "uni.example", "stern.example"))
	default:
		name := one(m, "uni.example", "stern.example")
		m.say("%s ends", name)
		m.said(m.Mailbox.Org.EndName(m.t.Context(), m.officer, m.names[name], "weg"))
		m.names[name] = trial.Must(m.Mailbox.Org.AddName(m.t.Context(), m.officer, m.id, org.NameInput{Name: name, Wildcard: name == "stern.example"}))
		if m.rnd.IntN(3) > 0 {
			m.validate(m.t, name)
		}
	}
}

// choose has certificates come from another authority from now on.
func (m *rover) choose() {
	m.exec(m.t, `update email_domain set authority = $1`, one(m, "", "outside"))
	m.exec(m.t, `update product set authority = $1`, one(m, "", "outside"))
}
