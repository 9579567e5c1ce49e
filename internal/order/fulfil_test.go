package order_test

import (
	"fmt"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/trial"
)

// killed leaves an order whose certificate was signed while the process that
// asked for it was killed (SIGKILL) before it could note it.
func (h *house) killed(t *testing.T) order.ServerOrder {
	t.Helper()
	o := h.approved(t, "www.uni.example", "uni.example")
	h.next(catest.Slow)
	process := h.elsewhereOrder(t, o.ID)
	h.came(t, int64(o.ID))
	process.Kill()
	if n := h.campus.Scalar(`select count(*) from certificate`); n != 0 || h.away.Signed(int64(o.ID)) != 1 {
		t.Fatalf("got %d certificates recorded and %d signed, want none and one: the process died between", n, h.away.Signed(int64(o.ID)))
	}
	return h.is(t, o.Reference, order.Issuing)
}

// one holds that exactly one certificate was signed and recorded for the order,
// and that its contact was told once.
func (h *house) exactlyOne(t *testing.T, o order.ServerOrder) {
	t.Helper()
	now := h.is(t, o.Reference, order.Issued)
	c := trial.Must(h.Cert.Server(t.Context(), h.tina, o.Reference))
	if now.Certificate == nil || *now.Certificate != c.ID || fmt.Sprintf("%x", c.Serial) != fmt.Sprintf("%x", now.Serial) {
		t.Errorf("got certificate %d with serial %x, want the intent's, %x", c.ID, c.Serial, now.Serial)
	}
	for what, n := range map[string]int{
		"recorded": h.campus.Scalar(`select count(*) from certificate where server_order = $1`, o.ID),
		"told of":  h.campus.Scalar(`select count(*) from letter where kind = 'server_issued'`),
		"audited":  h.campus.Scalar(`select count(*) from audit_line where action = 'order.fulfilled'`),
	} {
		if n != 1 {
			t.Errorf("got %d certificates %s, want 1", n, what)
		}
	}
	if h.away != nil && h.away.Signed(int64(o.ID)) != 1 {
		t.Errorf("got %d certificates signed, want 1", h.away.Signed(int64(o.ID)))
	}
}

func TestAnOrderWhoseProcessWasKilledBetweenCallAndRecordGetsOneCertificate(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	o := h.killed(t)
	first, second := h.elsewhereOrder(t, o.ID), h.elsewhereOrder(t, o.ID)
	got := trial.Race(10, campus.Said, func(int) error { return h.Fulfil(t.Context(), o.ID) })
	if got[""] != 10 {
		t.Errorf("got %v, want all well", got)
	}
	for _, c := range []interface{ Wait() error }{first, second} {
		if err := c.Wait(); err != nil {
			t.Errorf("another process: %v, want it to end well", err)
		}
	}
	h.exactlyOne(t, o)
}

func TestTheSameOrderIssuedByManyProcessesGivesOneCertificate(t *testing.T) {
	t.Parallel()
	for name, rig := range map[string]func(testing.TB) *house{"by the own authority": localHouse, "by one far away": awayHouse} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := rig(t)
			o := h.approved(t, "www.uni.example")
			if got := trial.Race(20, campus.Said, func(int) error { return h.Fulfil(t.Context(), o.ID) }); got[""] != 20 {
				t.Errorf("got %v, want all well", got)
			}
			h.exactlyOne(t, o)
		})
	}
}

func TestAnAuthorityThatIsAwayIsAskedAgainForTheSameCertificate(t *testing.T) {
	t.Parallel()
	for name, modes := range map[string][]catest.Mode{
		"it fails": {catest.Broken, catest.Broken}, "it signs and cuts": {catest.Cut, catest.Broken, catest.Cut}, "it answers two times": {catest.Twice},
		"it hangs": {catest.Hanging},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			h.Issuance.Patience = 300 * time.Millisecond
			o := h.approved(t, "www.uni.example")
			h.next(modes...)
			for i := 0; i < 5; i++ {
				h.ok(t, h.Fulfil(t.Context(), o.ID)) // trouble of the authority is noted, and no error
				if h.see(t, o.Reference).State == order.Issued {
					break
				}
				h.is(t, o.Reference, order.Issuing)
			}
			h.exactlyOne(t, o)
		})
	}
}

func TestAnOrderThatFailsSaysWhatToDo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		mode   catest.Mode
		reason string
		keeps  bool // the intent
	}{
		"the authority says no":   {catest.Refusing, "order.failed.authority", false},
		"it certifies other keys": {catest.OtherKey, "order.failed.mismatch", true},
		"it certifies others":     {catest.OtherName, "order.failed.mismatch", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			o := h.approved(t, "www.uni.example")
			h.next(c.mode)
			h.ok(t, h.Fulfil(t.Context(), o.ID))
			failed := h.is(t, o.Reference, order.Failed)
			if failed.Reason != c.reason || failed.Serial == nil {
				t.Errorf("got %q, want %q with the intent", failed.Reason, c.reason)
			}
			kept := h.campus.Scalar(`select count(*) from server_order where length(answer) > 0`)
			if want := map[bool]int{true: 1}[c.keeps]; kept != want {
				t.Errorf("got %d answers kept, want %d", kept, want)
			}
			campus.Wants(t, h.RetryOrder(t.Context(), h.tina, o.Reference), "fault.officers_only")
			h.ok(t, h.RetryOrder(t.Context(), h.otto, o.Reference))
			campus.Wants(t, h.RetryOrder(t.Context(), h.otto, o.Reference), "serverorder.decide.over")
			now := h.see(t, o.Reference)
			if same := fmt.Sprintf("%x", now.Serial) == fmt.Sprintf("%x", failed.Serial); same != c.keeps {
				t.Errorf("got serial %x after %x, want the same intent: %v", now.Serial, failed.Serial, c.keeps)
			}
			if !c.keeps {
				h.ok(t, h.Fulfil(t.Context(), o.ID))
				h.exactlyOne(t, o)
			}
		})
	}
}

func TestAnOrderWhoseAuthorityStaysAwayIsRetried(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	o := h.unheard(t)
	h.ok(t, h.RetryOrder(t.Context(), h.otto, o.Reference))
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	h.exactlyOne(t, o)
}

func TestAnAuthorityThatForgetsLeavesNoServerCertificateUnknown(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	h.Cert.Officers = officersGroup
	h.away.Always(catest.Forgetful)
	o := h.approved(t, "www.uni.example")
	if got := trial.Race(6, campus.Said, func(int) error { return h.Fulfil(t.Context(), o.ID) }); got[""] != 6 {
		t.Errorf("got %v, want all well", got)
	}
	h.is(t, o.Reference, order.Issued)
	if known := h.campus.Scalar(`select count(*) from certificate`); known != h.away.All() {
		t.Errorf("got %d certificates known, want every one of the %d that were signed", known, h.away.All())
	}
	h.onlyOneIsGood(t)
}

// TestWhatChangesWhileAnOrderWaitsForItsIssuanceStopsIt: the checks are made
// again before each call of the authority.
func TestWhatChangesWhileAnOrderWaitsForItsIssuanceStopsIt(t *testing.T) {
	t.Parallel()
	cases := map[string]func(t *testing.T, h *house){
		"the name ended": func(t *testing.T, h *house) {
			h.ok(t, h.Mailbox.Org.EndName(t.Context(), h.officer, h.names["uni.example"], "weg"))
		},
		"the validation lapsed": func(_ *testing.T, h *house) { h.clock.Advance(200 * day) },
	}
	for name, meanwhile := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			o := h.approved(t, "www.uni.example")
			meanwhile(t, h)
			h.ok(t, h.Fulfil(t.Context(), o.ID))
			if o := h.is(t, o.Reference, order.Failed); o.Reason != "serverorder.failed.checks" || o.Asking {
				t.Errorf("got %q, asking %v; want serverorder.failed.checks and nobody asked", o.Reason, o.Asking)
			}
			if n := h.away.Calls(); n != 0 {
				t.Errorf("got %d calls of the authority, want none", n)
			}
			if err := h.RetryOrder(t.Context(), h.otto, o.Reference); err == nil {
				t.Error("it can be retried as if nothing had happened")
			}
			h.ok(t, h.Reject(t.Context(), h.otto, o.Reference, order.Decision{Version: 1, Reason: "Der Name gehört Ihnen nicht mehr."}))
			h.is(t, o.Reference, order.Rejected)
		})
	}
}

// TestTheLifeIsThatOfTheDayOfSigning: an order of the last day of the long lives
// is issued after it.
func TestTheLifeIsThatOfTheDayOfSigning(t *testing.T) {
	t.Parallel()
	r := openRig(t, nil)
	r.clock.Set(time.Date(2027, 3, 14, 23, 0, 0, 0, time.UTC))
	r.useLocal(t)
	h := newHouse(t, r)
	h.exec(t, `update product set days = 180`)
	early, late := h.approved(t, "www.uni.example"), h.approved(t, "mail.uni.example")
	h.ok(t, h.Fulfil(t.Context(), early.ID))
	h.clock.Advance(3 * time.Hour)
	h.ok(t, h.Fulfil(t.Context(), late.ID))
	for reference, want := range map[string]int{early.Reference: 180, late.Reference: 100} {
		c := trial.Must(h.Cert.Server(t.Context(), h.tina, reference))
		if got := int((c.NotAfter.Sub(c.NotBefore) + time.Second) / day); got != want {
			t.Errorf("got a life of %d days, want %d", got, want)
		}
	}
}
