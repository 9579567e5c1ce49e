package handover_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/handover"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// nobody is an authority that is never asked.
type nobody struct{}

func (nobody) Ask(context.Context, pki.Request) (pki.Answer, error) {
	return pki.Answer{}, fault.New(fault.Unavailable, "fault.busy")
}

func (nobody) Collect(context.Context, pki.Request, string) (pki.Answer, error) {
	return pki.Answer{}, fault.New(fault.Unavailable, "fault.busy")
}

func (nobody) Revoke(context.Context, pki.Certificate, pki.Reason) (pki.Answer, error) {
	return pki.Answer{}, fault.New(fault.Unavailable, "fault.busy")
}

// office is a rig in which orders are made; the garden may use garten.example.
type office struct {
	*rig
	orders *order.Book
	key    string
}

func newOffice(t testing.TB) *office {
	t.Helper()
	r := newRig(t)
	o := &office{rig: r}
	b := r.campus.Books
	room := issuance.New(issuance.Book{DB: r.db, Queue: b.Queue, Cert: b.Cert, Now: r.clock.Now, Registry: issuance.Own(nobody{})})
	o.orders = order.New(order.Book{DB: r.db, Mailbox: b.Mailbox, Cert: b.Cert, Queue: b.Queue, Issuance: room, Now: r.clock.Now})
	o.validated(t, r.garden, "garten.example")
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der := trial.Must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key))
	o.key = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	return o
}

func (o *office) validated(t testing.TB, id org.OrganisationID, name string) {
	t.Helper()
	n := trial.Must(o.Org.AddName(t.Context(), o.rita, id, org.NameInput{Name: name}))
	o.ok(t, o.Org.ValidateName(t.Context(), o.rita, n, org.Check{Proof: org.Proof{Method: "DNS TXT", By: "RA", From: o.Now().Truncate(time.Second)}}))
}

func (o *office) submit(t testing.TB, by person.Actor, form string) (string, error) {
	t.Helper()
	return o.orders.Submit(t.Context(), by, order.Submission{Form: form, Wish: o.wish()})
}

func (o *office) wish() order.Wish {
	return order.Wish{Organisation: o.garden, Product: "tls-single", CSR: o.key, Names: []string{"www.garten.example"}}
}

// over hands the garden over from tina to ada.
func (o *office) over(t testing.TB) {
	t.Helper()
	h := o.accepted(t)
	o.ok(t, o.Finish(t.Context(), o.ada, h.ID, h.Password))
}

// TestOrdersGoOnWithTheSuccessor: who ordered hears and sees nothing more, the
// successor corrects, withdraws and is written to.
func TestOrdersGoOnWithTheSuccessor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	returned, received, decided := trial.Must(o.submit(t, o.tina, "1")), trial.Must(o.submit(t, o.tina, "2")), trial.Must(o.submit(t, o.tina, "3"))
	o.ok(t, o.orders.Return(ctx, o.rita, returned, order.Decision{Version: 1, Reason: "bitte anders"}))
	o.over(t)
	before := len(o.letters(t))

	for _, reference := range []string{returned, received, decided} {
		if _, err := o.orders.Server(ctx, o.tina, reference); campus.Said(err) != "fault.missing" {
			t.Errorf("who ordered reads %s: %v, want it missing", reference, err)
		}
		if s := trial.Must(o.orders.Server(ctx, o.ada, reference)); !s.Contact {
			t.Errorf("the successor reads %s as %+v, want as the contact", reference, s.OrganisationStanding)
		}
	}
	campus.Wants(t, o.orders.Withdraw(ctx, o.tina, received), "fault.missing")
	campus.Wants(t, o.orders.Correct(ctx, o.tina, returned, 1, o.wish()), "fault.missing")
	_, err := o.submit(t, o.tina, "1") // the form of an earlier order
	campus.Wants(t, err, "fault.missing")
	tina := o.tina
	tina.Officer = true // an officer sees it, but keeps no contact's rights
	campus.Wants(t, o.orders.Withdraw(ctx, tina, received), "serverorder.keeper_only")
	campus.Wants(t, o.orders.Approve(ctx, tina, received, 1), "serverorder.decide.author")

	o.ok(t, o.orders.Correct(ctx, o.ada, returned, 1, o.wish()))
	o.ok(t, o.orders.Withdraw(ctx, o.ada, received))
	o.ok(t, o.orders.Approve(ctx, o.otto, returned, 2))
	o.ok(t, o.orders.Reject(ctx, o.otto, decided, order.Decision{Version: 1, Reason: "nein"}))
	if got := fmt.Sprint(o.letters(t)[before:]); got != "[order_approved ada order_rejected ada]" {
		t.Errorf("got the letters %s, want both to the successor", got)
	}
	if n := trial.Must(o.orders.OpenOrders(ctx, o.tina)); n != 0 {
		t.Errorf("who ordered has %d open orders, want none", n)
	}
	if n := trial.Must(o.orders.OpenOrders(ctx, o.ada)); n != 1 {
		t.Errorf("the successor has %d open orders, want the approved one", n)
	}
}

// TestTheOldContactOrdersWhileTheLastStepCommits: each order is either made
// before, and the successor has it, or refused; none is lost.
func TestTheOldContactOrdersWhileTheLastStepCommits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.PerDay = 100
	for round := range 6 {
		h := o.accepted(t)
		before := o.count(t, `select count(*) from server_order`)
		got := trial.Race(16, campus.Said, func(i int) error {
			if i == 7 {
				return o.Finish(t.Context(), o.ada, h.ID, h.Password)
			}
			_, err := o.submit(t, o.tina, fmt.Sprint(round, "-", i))
			return err
		})
		o.is(t, h.ID, handover.Done)
		made := o.count(t, `select count(*) from server_order`) - before
		if got[""] != made+1 || got[""]+got["fault.missing"] != 16 {
			t.Errorf("got %v and %d orders, want each made or missing", got, made)
		}
		if n := o.count(t, `select count(*) from audit_line l where l.action = 'order.submitted'
			and l.id > (select max(id) from audit_line where action = 'org.contact_appointed')`); n != 0 {
			t.Errorf("got %d orders of the old contact after the new one was appointed", n)
		}
		if n := int(trial.Must(o.orders.OpenOrders(t.Context(), o.ada))); n != before+made {
			t.Errorf("the successor has %d orders, want all %d", n, before+made)
		}
		o.back(t)
	}
}

// TestAnOrderWaitsForTheLastStep: what the old contact sends while the last step
// is being written is refused as soon as it stands.
func TestAnOrderWaitsForTheLastStep(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	h := o.accepted(t)
	release := o.holdUp(t)
	finished, ordered := make(chan error, 1), make(chan error, 1)
	go func() { finished <- o.Finish(context.WithoutCancel(t.Context()), o.ada, h.ID, h.Password) }()
	o.awaitLocks(t, 1)
	go func() {
		_, err := o.orders.Submit(context.WithoutCancel(t.Context()), o.tina, order.Submission{Wish: o.wish()})
		ordered <- err
	}()
	o.awaitLocks(t, 2)
	release()
	o.ok(t, <-finished)
	campus.Wants(t, <-ordered, "fault.missing")
	if n := o.count(t, `select count(*) from server_order`); n != 0 {
		t.Errorf("got %d orders, want none", n)
	}
}
