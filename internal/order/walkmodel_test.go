package order_test

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/trial"
)

// mustBe is what must be, in plain words: how applications and orders may go on, what
// is known of what the authorities signed, and what nobody is offered.
type mustBe struct {
	*rover
	states  map[issuance.Number]order.State
	known   map[string]bool // by DER: recorded
	touch   []issuance.Number
	retried bool // by this step
}

func (b *mustBe) begun(n issuance.Number)   { b.states[n] = ""; b.touched(n) }
func (b *mustBe) touched(n issuance.Number) { b.touch = append(b.touch, n) }

// next are the ways on; what is not here is over.
var next = map[order.State][]order.State{
	"":             {order.Issuing, order.Pending, order.Waiting, order.Received, order.Approved},
	order.Received: {order.Issuing, order.Pending, order.Waiting, order.Withdrawn, order.Received},
	order.Waiting:  {order.Issuing, order.Pending, order.Received, order.Withdrawn},
	order.Issuing:  {order.Issued, order.Failed, order.Refused, order.Withdrawn},
	order.Pending:  {order.Issued, order.Failed, order.Refused, order.Withdrawn},
	order.Failed:   {order.Issuing, order.Pending, order.Issued, order.Refused, order.Rejected},
}

// subject is an application or an order as it stands.
type subject struct {
	Number   issuance.Number
	Server   bool
	State    order.State
	Reason   string
	SPKI     []byte
	Names    []string
	Intent   string // its state
	Offered  int    // certificates that it brought and somebody has; not those of which an authority says that they stay
	Awaited  bool   // somebody looks
	Withdraw bool
	Followed bool // by a later one, so that nobody tries again
}

const subjects = `
	select s.*, coalesce(i.state, '') as intent, coalesce(i.next_look is not null, false) as awaited, i.withdrawn is not null as withdraw,
		(select count(*) from certificate c where c.key = sha256(s.spki) and c.unexpected is null and c.revoked is null and c.revoking is null
			and c.revoking_refused is null) as offered
	from (select id as number, false as server, state, reason, spki, emails as names,
				exists (select from application n where n.row_id = p.row_id and n.id > p.id) as followed from application p
		union all select id, true, state, reason, spki, names, false from server_order) s left join intent i on i.number = s.number
	where s.number = any($1)`

// check holds what the step touched, or all there is, against it.
func (b *mustBe) check(all bool) {
	b.t.Helper()
	numbers := slices.Clone(b.touch)
	b.touch = nil
	if all {
		numbers = slices.Collect(mapKeys(b.states))
	}
	if len(numbers) == 0 {
		return
	}
	rows, err := b.db.Query(b.t.Context(), subjects, numbers)
	b.ok(b.t, err)
	for _, s := range trial.Must(pgx.CollectRows(rows, pgx.RowToStructByNameLax[subject])) {
		b.one(s)
	}
	if all {
		b.books()
	}
}

func mapKeys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (b *mustBe) wrong(s subject, format string, args ...any) {
	b.t.Helper()
	b.t.Errorf("step %d: %d (server %t) is %s %q, its intent %s: %s", b.step, s.Number, s.Server, s.State, s.Reason, s.Intent, fmt.Sprintf(format, args...))
}

// one is what must be of one application or order.
func (b *mustBe) one(s subject) {
	b.t.Helper()
	if was := b.states[s.Number]; was != s.State && !slices.Contains(next[was], s.State) {
		b.wrong(s, "it was %s, which is over or does not lead there", was)
	}
	b.states[s.Number] = s.State
	most := 0
	if s.State == order.Issued {
		most = 1
	}
	if s.Offered > most {
		b.wrong(s, "%d certificates are offered, want at most %d", s.Offered, most)
	}
	waits := s.State == order.Issuing || s.State == order.Pending
	if waits && !s.Awaited {
		b.wrong(s, "it waits, and nobody looks")
	}
	if s.Intent == "unknown" && (s.Withdraw || s.Followed || s.State != order.Failed) {
		b.wrong(s, "nobody knows whether there is a certificate, and nobody will ask")
	}
	if s.Withdraw && s.State == order.Issued {
		b.wrong(s, "the right to it had ended")
	}
	if s.Awaited && !waits && !s.Withdraw {
		b.wrong(s, "it is over, and somebody asks for it")
	}
	for _, l := range []*line{b.own, b.outside} {
		for _, der := range l.s.Certificates(int64(s.Number)) {
			b.signed(s, l, der)
		}
	}
}

// signed is what must be of a certificate that an authority signed.
func (b *mustBe) signed(s subject, l *line, der []byte) {
	b.t.Helper()
	if b.known[string(der)] {
		return
	}
	fingerprint := sha256.Sum256(der)
	var bad bool
	err := b.db.QueryRow(b.t.Context(), `select unexpected is null from certificate where fingerprint = $1`, fingerprint[:]).Scan(&bad)
	if err == nil {
		b.known[string(der)] = true
		if bad && !right(s, der) {
			b.wrong(s, "a certificate that nobody asked for is taken for the right one")
		}
		return
	}
	if !s.Awaited && s.Intent != "unknown" && !l.forgotten[string(der)] {
		b.wrong(s, "a certificate was signed for it, is not known, and nobody looks (%v)", err)
	}
}

// right tells whether a certificate is one that could have been asked for.
func right(s subject, der []byte) bool {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return false
	}
	names, use := c.EmailAddresses, x509.ExtKeyUsageEmailProtection
	if s.Server {
		names, use = c.DNSNames, x509.ExtKeyUsageServerAuth
	}
	return string(c.RawSubjectPublicKeyInfo) == string(s.SPKI) && slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(s.Names))) &&
		slices.Contains(c.ExtKeyUsage, use) && c.NotAfter.Before(c.NotBefore.AddDate(3, 0, -1))
}

// balance are pairs of counts that are equal.
var balance = map[string][2]string{
	"each certificate has one line that it came": {
		`select count(*) from certificate`,
		`select count(*) from audit_line where action in ('cert.issued', 'cert.server_issued', 'cert.unexpected', 'cert.unwanted')`,
	},
	"each application has one line":       {`select count(*) from application`, `select count(*) from audit_line where action = 'order.applied'`},
	"each refused application, too":       {`select count(*) from application where state = 'refused'`, `select count(*) from audit_line where action = 'order.refused'`},
	"each that was taken back, too":       {`select count(*) from application where state = 'withdrawn'`, `select count(*) from audit_line where action = 'order.taken_back'`},
	"each fulfilled order, too":           {`select count(*) from server_order where state = 'issued'`, `select count(*) from audit_line where action = 'order.fulfilled'`},
	"letters go with issued certificates": {`select count(*) from letter where kind = 'issued'`, `select count(*) from audit_line where action = 'cert.issued'`},
	"letters go with fulfilled orders":    {`select count(*) from letter where kind = 'server_issued'`, `select count(*) from audit_line where action = 'order.fulfilled'`},
	"what is revoking has a revocation on its way": {
		`select count(*) from certificate where revoking is not null and revoked is null`, `select count(*) from withdrawal where next_look is not null`,
	},
	"revocations balance": {
		`select count(*) from audit_line where action in ('cert.revoking', 'cert.server_revoking') or action = 'cert.unwanted'
			and exists (select from certificate c join withdrawal w on w.certificate = c.id where c.reference = detail->>'reference')`,
		`select (select count(*) from withdrawal where next_look is not null)
			+ (select count(*) from certificate where external and revoked is not null)
			+ (select count(*) from audit_line where action = 'cert.revocation_refused' or action = 'cert.server_revocation_refused')`,
	},
	"no key of somebody else is offered": {
		`select count(*) from certificate where unexpected is null and key not in (select sha256(spki) from application union all select sha256(spki) from server_order)`,
		`select 0::bigint`,
	},
}

// books are the invariants of everything.
func (b *mustBe) books() {
	b.t.Helper()
	for what, two := range balance {
		if x, y := b.campus.Scalar(two[0]), b.campus.Scalar(two[1]); x != y {
			b.t.Errorf("step %d: %s: got %d and %d", b.step, what, x, y)
		}
	}
	rows, err := b.db.Query(b.t.Context(), `select der from certificate where external and revoked is not null`)
	b.ok(b.t, err)
	for _, der := range trial.Must(pgx.CollectRows(rows, pgx.RowTo[[]byte])) {
		if _, is := b.outside.s.Revoked(der); !is {
			b.t.Errorf("step %d: a certificate is said to be revoked, and its authority did not", b.step)
		}
	}
}

// seen is how often something happened.
func (b *mustBe) seen(what string) int {
	b.t.Helper()
	sql, ok := map[string]string{
		"unexpected":         `select count(*) from certificate where unexpected is not null`,
		"unwanted":           `select count(*) from audit_line where action = 'cert.unwanted'`,
		"revoked outside":    `select count(*) from certificate where external and revoked is not null`,
		"revocation refused": `select count(*) from audit_line where action like 'cert.%revocation_refused'`,
		"given up":           `select count(*) from audit_line where action = 'order.failed' and detail->>'why' = 'order.failed.away'`,
		"surplus":            `select count(*) from audit_line where action = 'cert.unwanted' and detail->>'why' = 'surplus'`,
		"unheard":            `select count(*) from audit_line where action = 'cert.unwanted' and detail->>'why' in ('later', 'rejected')`,
		"retried":            `select count(*) from audit_line where action = 'order.retried'`,
	}[what]
	if ok {
		return b.campus.Scalar(sql)
	}
	return b.campus.Scalar(`select (select count(*) from application where state = $1) + (select count(*) from server_order where state = $1)`, what)
}

// finish lets authorities be good from now on: whatever is open ends.
func (m *rover) finish() {
	m.t.Helper()
	m.outside.s.Later(time.Minute)
	for range 6 {
		m.clock.Advance(25 * time.Hour)
		m.own.treats(catest.Good, catest.Good)
		m.outside.treats(catest.Good, catest.Good)
		for _, o := range m.open(1 << 20) {
			m.line(o).s.Approve(int64(o.Number))
			m.must.touched(o.Number)
			m.trace = append(m.trace, fmt.Sprintf("finish %d", o.Number))
			m.said(m.Issuance.Look(m.t.Context(), o.Kind, o.Number))
		}
		rows, err := m.db.Query(m.t.Context(), `select certificate from withdrawal where next_look is not null`)
		m.ok(m.t, err)
		for _, n := range trial.Must(pgx.CollectRows(rows, pgx.RowTo[int64])) {
			m.ok(m.t, m.Issuance.Revoke(m.t.Context(), n))
		}
	}
	m.must.check(true)
	for what, sql := range map[string]string{
		"intents are open":           `select count(*) from intent where next_look is not null`,
		"certificates are revoking":  `select count(*) from certificate where revoking is not null and revoked is null`,
		"what ended may be used":     `select count(*) from certificate c join audit_line l on l.action = 'cert.unwanted' and l.detail->>'reference' = c.reference where c.revoked is null and c.revoking_refused is null`,
		"applications are left open": `select count(*) from application where ended is null`,
	} {
		if n := m.campus.Scalar(sql); n != 0 {
			m.t.Errorf("at the end %d %s", n, what)
		}
	}
}
