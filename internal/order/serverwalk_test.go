package order_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

// outside is an authority that is not the portal's own; certificates for one name
// come from it.
func (h *house) outside(t testing.TB) *catest.Server {
	t.Helper()
	s := catest.New(t, "Draußen GmbH")
	s.Clock(h.Now)
	h.Issuance.Registry = h.Issuance.Registry.With(issuance.Registry{"outside": {Authority: s.Client(), Servers: true}})
	h.Cert.Officers = officersGroup
	h.ok(t, h.SetProductAuthority(t.Context(), h.otto, "tls-single", "outside"))
	return s
}

// pending is an order with which an authority outside takes its time.
func (h *house) pending(t testing.TB, s *catest.Server) order.ServerOrder {
	t.Helper()
	s.Always(catest.Pending)
	reference := h.submit(t, "www.uni.example")
	h.ok(t, h.Approve(t.Context(), h.otto, reference, 1))
	h.ok(t, h.Fulfil(t.Context(), h.see(t, reference).ID))
	o := h.is(t, reference, order.Pending)
	if !o.Asking || s.Signed(int64(o.ID)) != 0 {
		t.Fatalf("got asking %v and %d signed, want the authority to take its time", o.Asking, s.Signed(int64(o.ID)))
	}
	return o
}

// unwanted fails unless exactly one certificate came that nobody has a right to: it
// is being revoked, both sides are told, and the order stays where it is.
func (h *house) unwanted(t testing.TB, o order.ServerOrder, s order.State) {
	t.Helper()
	if now := h.is(t, o.Reference, s); now.Certificate != nil || now.Asking {
		t.Errorf("got certificate %v, asking %v; want none for the order, and nobody asked any more", now.Certificate, now.Asking)
	}
	for what, sql := range map[string]string{
		"certificates":                   `select count(*) from certificate`,
		"certificates that are revoked":  `select count(*) from certificate where coalesce(revoked, revoking) is not null and server_order is not null`,
		"letters to the contact":         `select count(*) from letter where kind = 'unwanted' and recipient = 'Technik@people.example'`,
		"letters to one of the officers": `select count(*) from letter where kind = 'unwanted' and recipient = 'otto@people.example'`,
	} {
		if n := h.campus.Scalar(sql); n != 1 {
			t.Errorf("got %d %s, want 1", n, what)
		}
	}
	if n := h.campus.Scalar(`select count(*) from letter where kind = 'server_issued'`); n != 0 {
		t.Errorf("got %d letters that offer the certificate, want none", n)
	}
}

func TestAnOrderThatIsWithdrawnWhileItWaitsOffersNoCertificate(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	s := h.outside(t)
	o := h.pending(t, s)
	h.ok(t, h.Withdraw(t.Context(), h.tina, o.Reference))
	if now := h.is(t, o.Reference, order.Withdrawn); !now.Asking {
		t.Error("nobody asks what became of it: a certificate that comes would be lost")
	}
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	s.Approve(int64(o.ID))
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	h.unwanted(t, o, order.Withdrawn)
	h.ok(t, h.Fulfil(t.Context(), o.ID)) // the same once more
	h.unwanted(t, o, order.Withdrawn)
}

// TestTheRightToAnOrderEndsBetweenAnyTwoSteps ends it by ending the name.
func TestTheRightToAnOrderEndsBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	end := func(t *testing.T, h *house) {
		h.ok(t, h.Mailbox.Org.EndName(t.Context(), h.officer, h.names["uni.example"], "weg"))
	}
	for name, c := range map[string]struct {
		first catest.Mode // of the call before
		came  bool        // a certificate comes nevertheless
	}{
		"asked, and it had signed": {catest.Cut, true},
		"asked, and it had not":    {catest.Broken, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			h.Cert.Officers = officersGroup
			o := h.approved(t, "www.uni.example")
			h.next(c.first)
			h.ok(t, h.Fulfil(t.Context(), o.ID))
			end(t, h)
			h.ok(t, h.Fulfil(t.Context(), o.ID))
			if !c.came { // that it never heard of it counts only when no call can be on its way
				h.campus.Clock.Advance(2 * time.Minute)
				h.ok(t, h.Fulfil(t.Context(), o.ID))
			}
			if now := h.is(t, o.Reference, order.Failed); now.Reason != "serverorder.failed.checks" || now.Asking {
				t.Errorf("got %q, asking %v; want serverorder.failed.checks and it over", now.Reason, now.Asking)
			}
			if c.came {
				h.unwanted(t, o, order.Failed)
				campus.Wants(t, h.RetryOrder(t.Context(), h.otto, o.Reference), "serverorder.retry.spent")
			} else if n := h.campus.Scalar(`select count(*) from certificate`) + h.away.All(); n != 0 {
				t.Errorf("got %d certificates, want none", n)
			}
		})
	}
	t.Run("while it is called", func(t *testing.T) {
		t.Parallel()
		h := awayHouse(t)
		h.Cert.Officers = officersGroup
		o := h.approved(t, "www.uni.example")
		h.next(catest.Slow)
		done := make(chan error)
		go func() { done <- h.Fulfil(t.Context(), o.ID) }()
		h.came(t, int64(o.ID))
		end(t, h)
		h.away.Release()
		h.ok(t, <-done)
		h.unwanted(t, o, order.Failed)
	})
	t.Run("pending", func(t *testing.T) {
		t.Parallel()
		h := awayHouse(t)
		s := h.outside(t)
		o := h.pending(t, s)
		end(t, h)
		h.ok(t, h.Fulfil(t.Context(), o.ID))
		h.is(t, o.Reference, order.Failed)
		campus.Wants(t, h.RetryOrder(t.Context(), h.otto, o.Reference), "serverorder.retry.asking")
		s.Approve(int64(o.ID))
		h.ok(t, h.Fulfil(t.Context(), o.ID))
		h.unwanted(t, o, order.Failed)
		if n := s.Count(int64(o.ID)).Asked; n != 1 {
			t.Errorf("the authority was asked %d times, want it only asked what became of it", n)
		}
	})
}

// TestWhatAnAuthorityOutsideGaveWrongIsAskedForUnderAnotherReference, or it would
// give the same once again.
func TestWhatAnAuthorityOutsideGaveWrongIsAskedForUnderAnotherReference(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]catest.Mode{"another name": catest.OtherName, "a refusal": catest.Refusing} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			s := h.outside(t)
			s.Next(mode)
			reference := h.submit(t, "www.uni.example")
			h.ok(t, h.Approve(t.Context(), h.otto, reference, 1))
			o := h.is(t, reference, order.Pending)
			h.ok(t, h.Fulfil(t.Context(), o.ID))
			h.is(t, reference, order.Failed)
			if n := h.campus.Scalar(`select count(*) from certificate where unexpected is not null and organisation is null`); n != s.All() {
				t.Errorf("got %d unexpected certificates, want what was signed, %d", n, s.All())
			}
			h.ok(t, h.RetryOrder(t.Context(), h.otto, reference))
			now := h.is(t, reference, order.Pending)
			if bytes.Equal(now.Serial, o.Serial) {
				t.Error("got the serial of the first intent, want another")
			}
			if n := h.campus.Scalar(`select count(*) from intent where reference = $1 || '-2' and authority = 'outside' and serial = $2`, reference, now.Serial); n != 1 {
				t.Error("the second intent has no reference of its own")
			}
		})
	}
}

func TestTheRequestOfAnOrderIsKeptAndServesItsRenewal(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	block, _ := pem.Decode([]byte(h.key))
	kept := func(reference string, n int) {
		t.Helper()
		got := h.campus.Scalar(`select count(*) from server_order s join intent i on i.number = s.id where s.reference = $1 and s.csr = $2 and i.csr = $2`, reference, block.Bytes)
		if got != n {
			t.Errorf("%s: got the request in %d orders and their intents, want %d", reference, got, n)
		}
	}
	c := h.issued(t, "www.uni.example")
	kept(c.Reference, 1)
	h.clock.Advance(70 * day)
	h.validate(t, "uni.example")
	in := order.Submission{Wish: h.wish("www.uni.example"), Renews: c.Reference}
	in.CSR = ""
	next := trial.Must(h.Submit(t.Context(), h.tina, in))
	h.ok(t, h.Approve(t.Context(), h.otto, next, 1))
	kept(next, 1)
	h.ok(t, h.Fulfil(t.Context(), h.see(t, next).ID))
	h.is(t, next, order.Issued)

	other := h.submit(t, "mail.uni.example")
	h.ok(t, h.Return(t.Context(), h.otto, other, order.Decision{Version: 1, Reason: "bitte"}))
	foreign, _ := pem.Decode([]byte(csr(t, ecKey(t))))
	h.exec(t, `update server_order set csr = $2 where reference = $1`, other, foreign.Bytes) // its key was changed by the version before
	w := h.wish("mail.uni.example")
	w.CSR = ""
	h.ok(t, h.Correct(t.Context(), h.tina, other, 1, w))
	h.ok(t, h.Approve(t.Context(), h.otto, other, 2))
	kept(other, 0)
	h.ok(t, h.Fulfil(t.Context(), h.see(t, other).ID))
	h.is(t, other, order.Issued)
}

func TestAProductHasItsAuthority(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	s := h.outside(t)
	campus.Wants(t, h.SetProductAuthority(t.Context(), h.tina, "tls-single", ""), "fault.officers_only")
	campus.Wants(t, h.SetProductAuthority(t.Context(), h.otto, "gold", ""), "fault.missing")
	wantsField(t, h.SetProductAuthority(t.Context(), h.otto, "tls-single", "mail"), "authority", "serverorder.product.authority")
	h.ok(t, h.SetProductAuthority(t.Context(), h.otto, "tls-single", "outside"))
	if n := h.campus.Scalar(`select count(*) from audit_line where action = 'order.product_authority'`); n != 1 {
		t.Errorf("got %d audit lines, want one: the second time changed nothing", n)
	}
	h.rule(t, true)
	one, many := h.is(t, h.submit(t, "www.uni.example"), order.Pending), h.is(t, h.submit(t, "a.uni.example", "b.uni.example"), order.Issuing)
	h.ok(t, h.Fulfil(t.Context(), one.ID))
	h.ok(t, h.Fulfil(t.Context(), many.ID))
	h.is(t, one.Reference, order.Issued)
	h.is(t, many.Reference, order.Issued)
	if s.Signed(int64(one.ID)) != 1 || s.All() != 1 || h.away.Signed(int64(many.ID)) != 1 || h.away.All() != 1 {
		t.Errorf("got %d from outside and %d of the own authority, want one of each", s.All(), h.away.All())
	}
	if n := h.campus.Scalar(`select count(*) from certificate where (authority, server_order) in (('outside', $1), ('tls', $2))`, one.ID, many.ID); n != 2 {
		t.Errorf("got %d certificates by whom they are from, want 2", n)
	}
}

// TestWhatTheVersionBeforeLeftIsLedOn, in every state.
func TestWhatTheVersionBeforeLeftIsLedOn(t *testing.T) {
	t.Parallel()
	retried := func(t *testing.T, h *house, o order.ServerOrder) {
		h.ok(t, h.RetryOrder(t.Context(), h.otto, o.Reference))
	}
	for name, c := range map[string]struct {
		signed bool   // the authority has signed
		left   string // what stands in the order
		intent bool   // ours is there
		lead   func(t *testing.T, h *house, o order.ServerOrder)
		same   bool // the serial stays
	}{
		"approved":                       {false, `state = 'approved', serial = null, not_before = null, approved = null`, false, nil, false},
		"issuing":                        {false, `state = 'issuing'`, false, nil, true},
		"issuing, signed":                {true, `state = 'issuing'`, false, nil, true},
		"failed, not known":              {true, `state = 'failed', reason = 'order.failed.away'`, false, retried, true},
		"failed, refused":                {false, `state = 'failed', reason = 'order.failed.authority'`, false, retried, false},
		"failed, by the rules":           {false, `state = 'failed', reason = 'order.failed.rules_office'`, false, retried, false},
		"failed, beside an open intent":  {true, `state = 'failed', reason = 'order.failed.away'`, true, retried, true},
		"failed, before it was intended": {false, `state = 'failed', reason = 'serverorder.failed.checks', serial = null, not_before = null`, false, retried, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			o := h.approved(t, "www.uni.example")
			if c.signed {
				h.next(catest.Cut)
				h.ok(t, h.Fulfil(t.Context(), o.ID))
			}
			if !c.intent {
				h.exec(t, `delete from intent`)
			}
			h.exec(t, `update server_order set csr = '', `+c.left+` where id = $1`, o.ID)
			h.ok(t, h.Fulfil(t.Context(), o.ID))
			if c.lead != nil {
				h.is(t, o.Reference, order.Failed)
				c.lead(t, h, o)
				h.ok(t, h.Fulfil(t.Context(), o.ID))
			}
			h.exactlyOne(t, o)
			if now := h.see(t, o.Reference); bytes.Equal(now.Serial, o.Serial) != c.same {
				t.Errorf("got serial %x after %x, want the same: %v", now.Serial, o.Serial, c.same)
			}
		})
	}
}

// statements are what was sent to the database, but for the brackets of transactions
// and for what wakes a queue, which River does at most every 100 ms.
type statements struct{ all []string }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	word, _, _ := strings.Cut(strings.ToLower(d.SQL), " ")
	if !slices.Contains([]string{"begin", "commit", "rollback"}, word) && !strings.Contains(d.SQL, "pg_notify") {
		s.all = append(s.all, d.SQL)
	}
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take are those since the last time.
func (s *statements) take() []string {
	all := s.all
	s.all = nil
	return all
}

// TestAnOrderByTheRuleTakesFewStatements from the form to the certificate: with the
// authority's own one they are thirteen.
func TestAnOrderByTheRuleTakesFewStatements(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	h.rule(t, true)
	var ran statements
	b := trial.Must(books(pgtest.Open(t, h.url, func(c *pgxpool.Config) { c.ConnConfig.Tracer = &ran }), h.Now, nil))
	b.Issuance.Registry, b.Cert.Authority = h.Issuance.Registry, h.local
	for _, name := range []string{"warm.uni.example", "www.uni.example"} { // the first one fills the sequences of letters
		ran.take()
		reference := trial.Must(b.Submit(t.Context(), h.tina, order.Submission{Wish: h.wish(name)}))
		submit, o := ran.take(), h.see(t, reference)
		h.ok(t, b.Issuance.Look(t.Context(), issuance.ServerOrder, issuance.Number(o.ID)))
		look := ran.take()
		h.is(t, reference, order.Issued)
		if name == "www.uni.example" && (len(submit) > 5 || len(look) > 7) {
			t.Errorf("got %d statements to submit and %d to issue, want at most 5 and 7:\n%s", len(submit), len(look), strings.Join(slices.Concat(submit, look), "\n\n"))
		}
	}
}
