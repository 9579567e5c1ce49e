package order_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca/catest"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// house is a rig with an organisation: tina is its technical contact, rita and
// otto are registration officers. uni.example is validated, neu.example is not,
// stern.example may have wildcards.
type house struct {
	*rig
	tina, otto person.Actor
	id         org.OrganisationID
	names      map[string]org.ServerNameID
	key        string // a request for one key, with no names
}

const officersGroup = "ra"

func newHouse(t testing.TB, r *rig) *house {
	t.Helper()
	h := &house{rig: r, names: map[string]org.ServerNameID{}}
	r.Officers = officersGroup
	h.tina = r.signIn(t, "Tina", "Technik")
	h.otto = r.claims(t, person.Claims{Subject: "Ober", Name: "Otto Ober", Email: "otto@people.example", EmailVerified: true, Groups: []string{officersGroup}})
	h.officer = r.claims(t, person.Claims{Subject: "Amt", Name: "Rita Amt", Email: "rita@people.example", EmailVerified: true, Groups: []string{officersGroup, "x"}})
	h.otto.Officer, h.officer.Officer = true, true
	orgs := r.Mailbox.Org
	h.id = trial.Must(orgs.AddOrganisation(t.Context(), h.officer, org.OrganisationInput{Name: "Universität Beispiel", Country: "DE", Contact: h.tina.Account}))
	for name, wildcard := range map[string]bool{"uni.example": false, "neu.example": false, "stern.example": true} {
		h.names[name] = trial.Must(orgs.AddName(t.Context(), h.officer, h.id, org.NameInput{Name: name, Wildcard: wildcard}))
	}
	h.validate(t, "uni.example")
	h.validate(t, "stern.example")
	h.key = csr(t, ecKey(t))
	return h
}

func (h *house) validate(t testing.TB, name string) {
	t.Helper()
	from := h.Now().Truncate(time.Second)
	h.ok(t, h.Mailbox.Org.ValidateName(t.Context(), h.officer, h.names[name], org.Check{
		Wildcard: name == "stern.example", Proof: org.Proof{Method: "DNS TXT", By: "RA", From: from},
	}))
}

// appoint makes somebody else the contact of the organisation.
func (h *house) appoint(t testing.TB, account person.ID) error {
	t.Helper()
	return h.db.Tx(t.Context(), func(tx pgx.Tx) error {
		return h.Mailbox.Org.Reassign(t.Context(), tx, h.Now(), h.officer, h.id, account)
	})
}

// rule switches the organisation's rule.
func (h *house) rule(t testing.TB, auto bool) {
	t.Helper()
	h.ok(t, h.Mailbox.Org.EditOrganisation(t.Context(), h.officer, h.id, org.OrganisationInput{Name: "Universität Beispiel", Country: "DE", AutoApprove: auto}))
}

// wish is an order of one key for names, with the product that fits.
func (h *house) wish(names ...string) order.Wish {
	product := "tls-single"
	if len(names) > 1 {
		product = "tls-multi"
	}
	for _, n := range names {
		if n[0] == '*' {
			product = "tls-wildcard"
		}
	}
	return order.Wish{Organisation: h.id, Product: product, CSR: h.key, Names: names}
}

func (h *house) submit(t testing.TB, names ...string) string {
	t.Helper()
	reference, err := h.Submit(t.Context(), h.tina, order.Submission{Wish: h.wish(names...)})
	h.ok(t, err)
	return reference
}

// see is the order as an officer sees it.
func (h *house) see(t testing.TB, reference string) order.ServerOrder {
	t.Helper()
	o, err := h.Server(t.Context(), h.otto, reference)
	h.ok(t, err)
	return o
}

func (h *house) is(t testing.TB, reference string, s order.State) order.ServerOrder {
	t.Helper()
	o := h.see(t, reference)
	if o.State != s {
		t.Errorf("got order %s %s (%s), want %s", reference, o.State, o.Reason, s)
	}
	return o
}

// approved is an order that otto approved.
func (h *house) approved(t testing.TB, names ...string) order.ServerOrder {
	t.Helper()
	reference := h.submit(t, names...)
	h.ok(t, h.Approve(t.Context(), h.otto, reference, 1))
	return h.is(t, reference, order.Issuing)
}

// issued is a certificate that came of an order.
func (h *house) issued(t testing.TB, names ...string) cert.ServerCertificate {
	t.Helper()
	o := h.approved(t, names...)
	h.ok(t, h.Fulfil(t.Context(), o.ID))
	h.is(t, o.Reference, order.Issued)
	return trial.Must(h.Cert.Server(t.Context(), h.tina, o.Reference))
}

func privatePEM(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: trial.Must(x509.MarshalPKCS8PrivateKey(key))}))
}

func p521(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	return trial.Must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
}

// wantsField fails unless err says id beside the field.
func wantsField(t testing.TB, err error, field, id string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Name == field && x.ID == id }) {
		t.Errorf("got %v, want %s beside %s", err, id, field)
	}
}

var errOther = errors.New("another reference")

// sameReference fails when one of many says another reference than the others.
type sameReference struct {
	mu   sync.Mutex
	seen string
}

func (s *sameReference) note(reference string, err error) error {
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == "" {
		s.seen = reference
	}
	if s.seen != reference {
		return fmt.Errorf("%w: %s and %s", errOther, s.seen, reference)
	}
	return nil
}

func awayHouse(t testing.TB) *house  { t.Helper(); return newHouse(t, awayRig(t)) }
func localHouse(t testing.TB) *house { t.Helper(); return newHouse(t, localRig(t)) }

func (h *house) next(m ...catest.Mode) { h.away.Next(m...) }
