package order_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/mail"
	"petschaft/internal/order"
	"petschaft/internal/trial"
)

// letters are the words of the letters of a kind, by recipient.
func (h *house) letters(t *testing.T, kind string) map[string]mail.OrdersWaitingWords {
	t.Helper()
	rows, err := h.db.Query(t.Context(), `select recipient, words from letter where kind = $1`, kind)
	h.ok(t, err)
	all := map[string]mail.OrdersWaitingWords{}
	var to string
	var words []byte
	_, err = pgx.ForEachRow(rows, []any{&to, &words}, func() error {
		if _, twice := all[to]; twice {
			return fmt.Errorf("two letters to %s", to)
		}
		var w mail.OrdersWaitingWords
		err := json.Unmarshal(words, &w)
		all[to] = w
		return err
	})
	h.ok(t, err)
	return all
}

func TestOfficersGetOneMailAboutAllNewOrders(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	h.submit(t, "xn--bcher-kva.uni.example")
	for i := range 24 {
		h.submit(t, fmt.Sprintf("s%d.uni.example", i))
	}
	waiting := h.submit(t, "www.neu.example")
	h.ok(t, h.TellOfficers(t.Context()))
	h.ok(t, h.TellOfficers(t.Context())) // says nothing twice
	got := h.letters(t, "orders_waiting")
	if len(got) != 2 {
		t.Fatalf("got letters to %d people, want to the two officers", len(got))
	}
	w := got["rita@people.example"]
	if w.Count != 26 || len(w.Orders) != 20 || w.More != 6 || !strings.HasSuffix(w.Link, "/office/orders") {
		t.Errorf("got %d orders, %d named, %d more, %s; want 26, 20, 6 and the list", w.Count, len(w.Orders), w.More, w.Link)
	}
	if got := w.Orders[0].Name; got != "bücher.uni.example" {
		t.Errorf("got the name %q, want it as people write it", got)
	}
	h.exec(t, `delete from letter`)
	h.ok(t, h.appoint(t, h.officer.Account))
	h.ok(t, h.Withdraw(t.Context(), h.officer, waiting))
	trial.Must(h.Submit(t.Context(), h.officer, order.Submission{Wish: h.wish("neu.example")}))
	h.exec(t, `update account set locked = now(), locked_why = 'x' where name = 'Otto Ober'`)
	h.ok(t, h.TellOfficers(t.Context()))
	if got := h.letters(t, "orders_waiting"); len(got) != 0 {
		t.Errorf("got letters %v, want none: one officer is the contact, the other is locked", got)
	}
}

func TestTheContactHearsOfDecisions(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	reference := h.submit(t, "xn--bcher-kva.uni.example")
	h.ok(t, h.Return(t.Context(), h.otto, reference, order.Decision{Version: 1, Reason: "Bitte\nmit Alias"}))
	h.ok(t, h.Correct(t.Context(), h.tina, reference, 1, h.wish("xn--bcher-kva.uni.example")))
	h.ok(t, h.Approve(t.Context(), h.otto, reference, 2))
	other := h.submit(t, "xn--bro-hoa.uni.example")
	h.ok(t, h.Reject(t.Context(), h.otto, other, order.Decision{Version: 1, Reason: "nein"}))
	h.ok(t, h.Fulfil(t.Context(), h.see(t, reference).ID))
	for _, kind := range []string{"order_returned", "order_approved", "order_rejected", "server_issued"} {
		if n := h.campus.Scalar(`select count(*) from letter where kind = $1 and recipient = 'Technik@people.example' and words ->> 'Names' like '%ü%'`, kind); n != 1 {
			t.Errorf("got %d letters %s to the contact, want 1", n, kind)
		}
	}
	h.rule(t, true)
	h.submit(t, "a.uni.example")
	if n := h.campus.Scalar(`select count(*) from letter where kind = 'order_approved'`); n != 1 {
		t.Errorf("got %d letters of approval, want none of the rule's: the certificate comes at once", n)
	}
}

// TestAValidationLetsWaitingOrdersGoOn, also when the process died between both.
func TestAValidationLetsWaitingOrdersGoOn(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(h *house) error{
		"at once":    func(h *house) error { return h.Recheck(t.Context(), h.id) },
		"by a clock": func(h *house) error { return h.RecheckAll(t.Context()) },
		"many clocks": func(h *house) error {
			trial.Race(10, campus.Said, func(int) error { return h.RecheckAll(t.Context()) })
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := awayHouse(t)
			byHand := trial.Must(h.Submit(t.Context(), h.tina, order.Submission{Wish: h.wish("neu.example", "www.uni.example")}))
			in := order.Submission{Wish: h.wish("neu.example")}
			in.Comment = "eilt"
			told := trial.Must(h.Submit(t.Context(), h.tina, in))
			h.ok(t, look(h))
			h.is(t, byHand, order.Waiting)
			campus.Wants(t, h.Approve(t.Context(), h.otto, byHand, 1), "serverorder.check.unvalidated")
			h.validate(t, "neu.example")
			h.rule(t, true)
			h.ok(t, look(h))
			h.is(t, byHand, order.Issuing)
			h.is(t, told, order.Received)
			if n := h.campus.Scalar(`select count(*) from river_job where kind = 'issuance_look'`); n != 1 {
				t.Errorf("got %d jobs, want 1", n)
			}
		})
	}
}
