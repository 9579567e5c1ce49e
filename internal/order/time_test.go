package order_test

import (
	"testing"
	"time"

	"petschaft/internal/order"
	"petschaft/internal/trial"
)

// Each operation of applications and orders, with a clock that jumps between two
// readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	ctx := t.Context()
	row := h.linked(t, h.ada, "ada@uni.example", "a@uni.example")
	h.apply(t, h.ada, row)
	h.exec(t, `update application set state = 'failed', ended = created`)
	h.Cert.Outbox.Now = trial.Today // a letter has the time from which the outbox is patient
	h.clock.Once(t, "apply", func() error {
		_, err := h.Apply(ctx, h.ada, row, order.Input{CSR: csr(t, ecKey(t)), Terms: h.Terms})
		return err
	})
	var reference string
	submit := func(what string, in order.Submission) {
		t.Helper()
		h.clock.Once(t, what, func() (err error) { reference, err = h.Submit(ctx, h.tina, in); return err })
	}
	wish := h.wish("www.uni.example")
	submit("submit", order.Submission{Wish: wish})
	h.clock.Once(t, "take", func() error { return h.Take(ctx, h.otto, reference) })
	h.clock.Once(t, "return", func() error {
		return h.Return(ctx, h.otto, reference, order.Decision{Version: 1, Reason: "bitte anders"})
	})
	h.clock.Once(t, "correct", func() error { return h.Correct(ctx, h.tina, reference, 1, wish) })
	h.clock.Once(t, "decline", func() error { return h.Reject(ctx, h.otto, reference, order.Decision{Version: 2, Reason: "nein"}) })
	submit("submit again", order.Submission{Wish: wish})
	h.clock.Once(t, "withdraw", func() error { return h.Withdraw(ctx, h.tina, reference) })
	submit("submit a third time", order.Submission{Wish: wish})
	h.clock.Once(t, "approve", func() error { return h.Approve(ctx, h.otto, reference, 1) })
	o := h.is(t, reference, order.Issuing)

	h.ok(t, h.Fulfil(ctx, o.ID))
	from, _ := trial.Must(h.Cert.Server(ctx, h.tina, reference)).Renewable()
	h.clock.Set(from.Add(time.Hour))
	h.validate(t, "uni.example")
	submit("renew", order.Submission{Wish: wish, Renews: reference})
	h.is(t, reference, order.Received)

	if n := h.campus.Scalar(`select count(*) from server_order o where not exists (select from audit_line a where a.at = o.since)`); n != 0 {
		t.Errorf("%d orders are of another time than their line", n)
	}
}
