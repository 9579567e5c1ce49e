package order_test

import (
	"github.com/google/go-cmp/cmp"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/order"
	"petschaft/internal/trial"
)

// seenOrder is what people see of an order and of its certificate.
type seenOrder struct {
	State             order.State
	Names             []string
	Comment, Reason   string
	Version           int
	ByOfficer, Intent bool
	Renewal, Replaced string
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (m *walker) compare(o *refOrder) {
	m.t.Helper()
	s := m.see(m.t, o.reference)
	got := seenOrder{s.State, s.Names, s.Comment, s.Reason, s.Version, s.ByOfficer, s.Serial != nil, "", ""}
	want := seenOrder{o.state, o.names, o.comment, o.reason, o.version, o.byOfficer, o.intent, "", ""}
	if s.State == order.Issued {
		c := trial.Must(m.Cert.Server(m.t.Context(), m.otto, o.reference))
		got.Renewal, got.Replaced = deref(c.Renewal), deref(c.ReplacedBy)
		want.Renewal, want.Replaced = o.renewal, o.replaced
		if campus.Said(cert.MayRenew(c, m.Now())) != m.w.renewable(o) {
			m.t.Errorf("step %d, %s: renewable: got %q, the mission says %q", m.step, o.reference, campus.Said(cert.MayRenew(c, m.Now())), m.w.renewable(o))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		m.t.Errorf("step %d, order %s: -mission +portal\n%s", m.step, o.reference, d)
	}
}

// counts holds what is true of all orders together.
func (m *walker) counts() {
	m.t.Helper()
	for what, sql := range map[string]string{
		"orders without their one certificate":      `select count(*) from server_order s where state = 'issued' and (select count(*) from certificate where server_order = s.id) <> 1`,
		"certificates of orders that are no more":   `select count(*) from certificate c join server_order s on s.id = c.server_order where s.state <> 'issued' and coalesce(c.revoked, c.revoking) is null`,
		"orders that were decided by their authors": `select count(*) from server_order s join server_order_author a on a.server_order = s.id and a.account = s.decider`,
		"certificates renewed by nothing":           `select count(*) from certificate c where renewal is not null and not exists (select from server_order s where s.reference = c.renewal and s.ended is null)`,
	} {
		if n := m.campus.Scalar(sql); n != 0 {
			m.t.Errorf("got %d %s, want none", n, what)
		}
	}
	open := 0
	for _, o := range m.w.orders {
		if o.state != order.Issued && o.state != order.Rejected && o.state != order.Withdrawn {
			open++
		}
	}
	for _, by := range m.people {
		want := 0
		if by.Account == m.w.contact {
			want = open
		}
		if got := trial.Must(m.OpenOrders(m.t.Context(), by)); got != int64(want) {
			m.t.Errorf("open orders of %s: got %d, want %d", by.Name, got, want)
		}
	}
}
