package order_test

import (
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

const many = 50

func TestManyApprovalsAtOnceAreOneDecision(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	reference := h.submit(t, "www.uni.example")
	got := trial.Race(many, campus.Said, func(i int) error {
		return h.Approve(t.Context(), []person.Actor{h.officer, h.otto}[i%2], reference, 1)
	})
	if got[""] != 1 || got["serverorder.decide.over"] != many-1 {
		t.Errorf("got %v, want one decision and %d that come too late", got, many-1)
	}
	for what, sql := range map[string]string{
		"jobs":        `select count(*) from river_job where kind = 'issuance_look'`,
		"letters":     `select count(*) from letter where kind = 'order_approved'`,
		"audit lines": `select count(*) from audit_line where action = 'order.approved'`,
	} {
		if n := h.campus.Scalar(sql); n != 1 {
			t.Errorf("got %d %s, want 1", n, what)
		}
	}
}

// TestApprovalAndWithdrawalAtOnceLeaveOneOutcome: whoever comes second hears of
// the first, and a withdrawn order is never issued.
func TestApprovalAndWithdrawalAtOnceLeaveOneOutcome(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	for range 5 {
		reference := h.submit(t, "www.uni.example")
		id := h.see(t, reference).ID
		before := h.away.Calls()
		got := trial.Race(many, campus.Said, func(i int) error {
			switch i % 3 {
			case 0:
				return h.Withdraw(t.Context(), h.tina, reference)
			case 1:
				return h.Approve(t.Context(), h.otto, reference, 1)
			}
			return h.Fulfil(t.Context(), id)
		})
		switch o := h.see(t, reference); o.State {
		case order.Withdrawn:
			h.ok(t, h.Fulfil(t.Context(), id))
			if n := h.away.Calls() - before; n != 0 {
				t.Errorf("withdrawn, but the authority was asked %d times", n)
			}
		case order.Issued:
			if n := h.campus.Scalar(`select count(*) from certificate where server_order = $1`, id); n != 1 {
				t.Errorf("got %d certificates, want 1", n)
			}
		case order.Issuing:
			h.ok(t, h.Fulfil(t.Context(), id))
			h.is(t, reference, order.Issued)
		default:
			t.Errorf("got %s after %v", o.State, got)
		}
		for said := range got {
			if said != "" && said != "serverorder.decide.over" && said != "serverorder.withdraw.over" {
				t.Errorf("somebody was told %q", said)
			}
		}
	}
}

func TestOneFormSubmittedManyTimesMakesOneOrder(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	in := order.Submission{Wish: h.wish("www.uni.example"), Form: "form"}
	var same sameReference
	got := trial.Race(many, campus.Said, func(int) error { return same.note(h.Submit(t.Context(), h.tina, in)) })
	if n := h.campus.Scalar(`select count(*) from server_order`); got[""] != many || n != 1 {
		t.Errorf("got %v and %d orders, want all well and one", got, n)
	}
	h.ok(t, h.appoint(t, h.ada.Account))
	trial.Must(h.Submit(t.Context(), h.ada, in)) // somebody else's form of that name is another form
	if n := h.campus.Scalar(`select count(*) from server_order`); n != 2 {
		t.Errorf("got %d orders, want 2", n)
	}
}

// old is a certificate in its last days.
func (h *house) old(t *testing.T) string {
	t.Helper()
	c := h.issued(t, "www.uni.example")
	h.clock.Advance(70 * day)
	return c.Reference
}

func TestManyRenewalsAtOnceAreOneOrder(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	in := order.Submission{Wish: h.wish("www.uni.example"), Renews: h.old(t)}
	in.CSR = ""
	var same sameReference
	got := trial.Race(many, campus.Said, func(i int) error {
		by, form := h.tina, in
		form.Form = "tina's"
		if i%2 == 1 {
			by, form.Form = h.otto, "otto's"
		}
		reference, err := h.Submit(t.Context(), by, form)
		return same.note(reference, err)
	})
	if got[""] != many/2 || got["cert.renew.under_way"] != many/2 {
		t.Errorf("got %v, want one form to make the order and the other told so", got)
	}
	if n := h.campus.Scalar(`select count(*) from server_order where replaces is not null`); n != 1 {
		t.Errorf("got %d renewals, want 1", n)
	}
}

// TestARenewalKeepsTheKeyAndReplacesTheOld goes on to the second certificate.
func TestARenewalKeepsTheKeyAndReplacesTheOld(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	old := trial.Must(h.Cert.Server(t.Context(), h.tina, h.old(t)))
	in := order.Submission{Wish: h.wish("www.uni.example", "mail.uni.example"), Renews: old.Reference}
	in.CSR = ""
	reference, err := h.Submit(t.Context(), h.otto, in) // for a contact who is away
	h.ok(t, err)
	h.rule(t, true)
	o := h.is(t, reference, order.Received)
	if !o.ByOfficer || o.Renews == nil || *o.Renews != old.Reference {
		t.Errorf("got by an officer: %v, renews %v; want both", o.ByOfficer, o.Renews)
	}
	campus.Wants(t, h.Approve(t.Context(), h.otto, reference, 1), "serverorder.decide.author")
	h.ok(t, h.Approve(t.Context(), h.officer, reference, 1))
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	h.is(t, reference, order.Issued)
	next, was := trial.Must(h.Cert.Server(t.Context(), h.tina, reference)), trial.Must(h.Cert.Server(t.Context(), h.tina, old.Reference))
	if was.ReplacedBy == nil || *was.ReplacedBy != reference || was.Renewal != nil || !was.Valid(h.Now()) {
		t.Errorf("got replaced by %v, renewal %v, valid %v; want it replaced, valid, and no renewal", was.ReplacedBy, was.Renewal, was.Valid(h.Now()))
	}
	a, b := trial.Must(pki.ParseCertificate(was.DER)), trial.Must(pki.ParseCertificate(next.DER))
	if !a.Key.Equal(b.Key) || !next.NotAfter.After(was.NotAfter.Add(24*time.Hour)) {
		t.Errorf("got another key or an end at %v, want the same key and later than %v", next.NotAfter, was.NotAfter)
	}
	_, err = h.Submit(t.Context(), h.tina, order.Submission{Wish: in.Wish, Renews: old.Reference})
	campus.Wants(t, err, "cert.renew.replaced")
}

func TestARenewalThatComesToNothingCanBeBegunAgain(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	old := h.old(t)
	in := order.Submission{Wish: h.wish("www.uni.example"), Renews: old}
	first := trial.Must(h.Submit(t.Context(), h.tina, in))
	_, err := h.Submit(t.Context(), h.tina, in)
	campus.Wants(t, err, "cert.renew.under_way")
	h.ok(t, h.Withdraw(t.Context(), h.tina, first))
	second := trial.Must(h.Submit(t.Context(), h.tina, in))
	h.ok(t, h.Reject(t.Context(), h.otto, second, order.Decision{Version: 1, Reason: "nein"}))
	trial.Must(h.Submit(t.Context(), h.tina, in))
}

func TestNoServerGetsACertificateForACompromisedKey(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	c := h.issued(t, "www.uni.example")
	waiting := h.approved(t, "mail.uni.example")
	h.ok(t, h.Cert.RevokeServer(t.Context(), h.tina, c.Reference, pki.KeyCompromise))
	h.ok(t, h.Fulfil(t.Context(), waiting.ID))
	h.is(t, waiting.Reference, order.Failed)
	_, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: h.wish("www.uni.example")})
	wantsField(t, err, "csr", "order.key.compromised")
}
