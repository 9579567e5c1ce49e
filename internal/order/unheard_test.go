package order_test

import (
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/person"
)

// unheard is an order whose certificate was signed, and nobody knows: after two days
// nobody asks any more.
func (h *house) unheard(t *testing.T) order.ServerOrder {
	t.Helper()
	h.Cert.Officers = officersGroup
	o := h.approved(t, "www.uni.example")
	h.next(catest.Cut)
	h.lastAttempt(t, int64(o.ID))
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	if o = h.is(t, o.Reference, order.Failed); o.Reason != "order.failed.away" || o.Asking {
		t.Errorf("got %q, asking %v; want order.failed.away and nobody who asks", o.Reason, o.Asking)
	}
	return o
}

func TestAnOrderWhoseAuthorityStaysAwayIsRejectedAndItsCertificateRevoked(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]string{
		"of this version":    `select 1`,
		"the version before": `delete from intent`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			o := h.unheard(t)
			h.exec(t, left)
			h.ok(t, h.Reject(t.Context(), h.otto, o.Reference, order.Decision{Version: 1, Reason: "weg"}))
			if now := h.is(t, o.Reference, order.Rejected); !now.Asking {
				t.Error("nobody asks what became of it: the certificate that there is would be lost")
			}
			h.ok(t, h.Fulfil(t.Context(), o.ID))
			h.unwanted(t, o, order.Rejected)
			if n := h.campus.Scalar(`select count(*) from audit_line where action = 'cert.unwanted' and detail->>'why' = 'rejected'`); n != 1 {
				t.Errorf("got %d lines that it was rejected, want 1", n)
			}
		})
	}
}

// TestAnOrderThatIsNotKnownAndWhoseRightEndedIsBrokenOff when an officer tries again:
// what there is of it is revoked, and then it may be rejected.
func TestAnOrderThatIsNotKnownAndWhoseRightEndedIsBrokenOff(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	o := h.unheard(t)
	h.ok(t, h.Mailbox.Org.EndName(t.Context(), h.officer, h.names["uni.example"], "weg"))
	campus.Wants(t, h.RetryOrder(t.Context(), h.tina, o.Reference), "fault.officers_only")
	if now := h.see(t, o.Reference); now.Asking {
		t.Error("somebody who may not retry has it collected")
	}
	campus.Wants(t, h.RetryOrder(t.Context(), h.otto, o.Reference), "serverorder.names.foreign")
	if now := h.is(t, o.Reference, order.Failed); now.Reason != "serverorder.failed.checks" || !now.Asking {
		t.Errorf("got %q, asking %v; want it broken off, and somebody who asks what became of it", now.Reason, now.Asking)
	}
	campus.Wants(t, h.RetryOrder(t.Context(), h.otto, o.Reference), "serverorder.retry.asking")
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	h.unwanted(t, o, order.Failed)
	h.ok(t, h.Reject(t.Context(), h.otto, o.Reference, order.Decision{Version: 1, Reason: "weg"}))
}

// unheardOf is unheard for an application of ada.
func (h *house) unheardOf(t *testing.T, first catest.Mode, addresses ...string) order.ID {
	t.Helper()
	h.Cert.Officers = officersGroup
	id := h.apply(t, h.ada, h.linked(t, h.ada, addresses...))
	h.next(first)
	h.lastAttempt(t, int64(id))
	h.ok(t, h.Issue(t.Context(), id))
	h.ended(t, id, order.Failed, "order.failed.away")
	return id
}

// revokedAtOnce fails unless that many certificates are recorded, one of them as
// nobody's wish, of which both sides are told for that reason.
func (h *house) revokedAtOnce(t *testing.T, certificates int, why string) {
	t.Helper()
	for what, c := range map[string]struct {
		want int
		sql  string
	}{
		"certificates":                   {certificates, `select count(*) from certificate`},
		"certificates that are offered":  {certificates - 1, `select count(*) from certificate where revoked is null and revoking is null`},
		"lines of it":                    {1, `select count(*) from audit_line where action = 'cert.unwanted' and detail->>'why' = '` + why + `'`},
		"letters to the holder":          {1, `select count(*) from letter where kind = 'unwanted' and recipient not in ('otto@people.example', 'rita@people.example')`},
		"letters to one of the officers": {1, `select count(*) from letter where kind = 'unwanted' and recipient = 'otto@people.example'`},
		"letters that offer one":         {certificates - 1, `select count(*) from letter where kind = 'issued'`},
	} {
		if n := h.campus.Scalar(c.sql); n != c.want {
			t.Errorf("got %d %s, want %d", n, what, c.want)
		}
	}
}

// TestWhoAppliesAgainHasWhatIsNotKnownCollected: nobody may retry it any more, so that
// what there is of it would never be known.
func TestWhoAppliesAgainHasWhatIsNotKnownCollected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left string // what stands in the database
		wait bool   // it comes before the second one
	}{
		"after the next one":                     {`select 1`, false},
		"before the next one":                    {`select 1`, true},
		"after the next one, the version before": {`delete from intent`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			first := h.unheardOf(t, catest.Cut, "ada@uni.example")
			h.exec(t, c.left)
			a := h.application(t, first)
			second := h.apply(t, h.ada, a.RowID)
			campus.Wants(t, h.Retry(t.Context(), h.officer, first), "order.retry.over")
			if !c.wait {
				h.ok(t, h.Issue(t.Context(), second))
			}
			h.ok(t, h.Issue(t.Context(), first))
			h.ok(t, h.Issue(t.Context(), second))
			h.ended(t, first, order.Failed, "order.failed.away")
			h.ended(t, second, order.Issued, "")
			h.revokedAtOnce(t, 2, "later")
			if h.away.Signed(int64(first)) != 1 || h.away.Signed(int64(second)) != 1 {
				t.Error("an authority that was only to say what became of it signed once more")
			}
		})
	}
}

// TestWhatIsNotKnownAndWasNeverMadeEnds once somebody applied again, when no call can be
// on its way any more.
func TestWhatIsNotKnownAndWasNeverMadeEnds(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	first := h.unheardOf(t, catest.Broken, "ada@uni.example")
	h.apply(t, h.ada, h.application(t, first).RowID)
	for range 2 {
		h.ok(t, h.Issue(t.Context(), first))
		h.clock.Advance(2 * time.Minute)
	}
	h.ended(t, first, order.Failed, "order.failed.away")
	if n := h.campus.Scalar(`select count(*) from intent where number = $1 and state = 'refused' and withdrawn is not null`, first); n != 1 || h.away.Signed(int64(first)) != 0 {
		t.Errorf("got %d intents that ended and %d certificates, want it over without one", n, h.away.Signed(int64(first)))
	}
}

// TestWhoTriesAgainWhatHasNoRightAnyMoreHasItCollected: the officer reads why it is
// refused, and what there is of it is revoked.
func TestWhoTriesAgainWhatHasNoRightAnyMoreHasItCollected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end               func(t *testing.T, h *house, a order.Application)
		said, reason, why string
	}{
		"the row is inactive":     {func(t *testing.T, h *house, a order.Application) { h.off(t, a.RowID) }, "mailbox.apply.inactive", "mailbox.apply.inactive", "row"},
		"somebody else confirmed": {func(t *testing.T, h *house, a order.Application) { h.confirm(t, h.bob, a.RowID) }, "mailbox.apply.unlinked", "mailbox.apply.unlinked", "link"},
		"the name is another": {func(t *testing.T, h *house, _ order.Application) {
			h.claims(t, person.Claims{Subject: "Adler", Name: "Ada Aar", GivenName: "Ada", FamilyName: "Aar", Email: "Adler@people.example", EmailVerified: true})
		}, "order.retry.over", "order.changed", "right"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			id := h.unheardOf(t, catest.Cut, "ada@uni.example")
			c.end(t, h, h.application(t, id))
			campus.Wants(t, h.Retry(t.Context(), h.ada, id), "fault.officers_only")
			h.ended(t, id, order.Failed, "order.failed.away")
			campus.Wants(t, h.Retry(t.Context(), h.officer, id), c.said)
			h.ended(t, id, order.Refused, c.reason)
			campus.Wants(t, h.Retry(t.Context(), h.officer, id), "order.retry.over")
			h.ok(t, h.Issue(t.Context(), id))
			h.ended(t, id, order.Refused, c.reason)
			h.revokedAtOnce(t, 1, c.why)
		})
	}
}

// TestASecondCertificateIsRevokedAtOnce: a call that took too long brings what its
// authority forgot, after another had brought one.
func TestASecondCertificateIsRevokedAtOnce(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]bool{"of an application": false, "of an order": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			h.Cert.Officers = officersGroup
			k := killing{house: h, s: h.away, server: server}
			k.begin(t)
			h.next(catest.Slow, catest.Forgetful)
			done := make(chan error)
			go func() { done <- k.Issuance.Look(t.Context(), k.kind(), k.number) }()
			h.came(t, int64(k.number))
			k.look(t)
			h.away.Release()
			h.ok(t, <-done)
			if n := h.campus.Scalar(`select count(*) from certificate`); n != 2 || h.away.All() != 2 {
				t.Errorf("got %d certificates known of %d, want both", n, h.away.All())
			}
			h.onlyOneIsGood(t)
		})
	}
}
