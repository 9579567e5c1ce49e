package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// sampleName is a server name as it stands: asked for, entered, or validated so
// many days ago.
type sampleName struct {
	org.NameInput
	asked bool
	days  int // since the validation; 0 is none
}

// observatory is an organisation of Tina's.
const observatory = "Sternwarte am Beispielberg"

var organisations = []struct {
	org.OrganisationInput
	contact string
	remind  []string
	names   []sampleName
	orders  []order.Wish
}{
	{
		org.OrganisationInput{Name: "Institut für Beispielforschung", Identifier: "NTRDE-VR12345", Country: "DE"},
		"tina",
		[]string{"netz@" + institute},
		[]sampleName{
			{org.NameInput{Name: institute, Wildcard: true}, false, 20},
			{org.NameInput{Name: "prüfstand-süd.example"}, false, 0},
			{org.NameInput{Name: "projekt-aurora.example", Wildcard: true}, true, 0},
		},
		[]order.Wish{
			{Product: "tls-multi", Names: []string{"www." + institute, "wiki." + institute}},
			{Product: "tls-single", Names: []string{"prüfstand-süd.example"}},
		},
	},
	{
		org.OrganisationInput{Name: observatory, Country: "DE"}, // her second one: to be handed over alone, or with the first
		"tina",
		[]string{"sternwarte@" + institute},
		[]sampleName{{org.NameInput{Name: "sternwarte.example"}, false, 60}},
		[]order.Wish{{Product: "tls-single", Names: []string{"www.sternwarte.example"}}},
	},
	{
		org.OrganisationInput{Name: "Fakultät für Musterkunde", Identifier: "GOVDE+BY", Country: "DE", AutoApprove: true},
		"theo", nil,
		[]sampleName{
			{org.NameInput{Name: faculty, Wildcard: true}, false, 3},
			{org.NameInput{Name: "archiv." + faculty}, false, 190},
		},
		[]order.Wish{{Product: "tls-single", Names: []string{"www." + faculty}}}, // the rule approves it
	},
}

// vouch lets the organisation stand in the certificates of the people of its
// e-mail domain, where it has one.
func (f filler) vouch(ctx context.Context, office person.Actor, id org.OrganisationID, domain string) error {
	d, err := f.Org.Domain(ctx, office, domain)
	if fault.Is(err, fault.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	in := org.DomainInput{Group: d.Group, Validation: d.Validation, Vouching: id, Authority: d.Authority}
	if d.ProofFrom != nil {
		in.Proof = org.Proof{Method: d.ProofMethod, By: d.ProofBy, From: *d.ProofFrom, Until: *d.ProofUntil}
	}
	return f.Org.EditDomain(ctx, office, d.ID, in)
}

// organisations makes them, as the registration office and the contacts would.
func (f filler) organisations(ctx context.Context, office person.Actor) error {
	for _, o := range organisations {
		contact := f.actors[o.contact]
		o.Contact = contact.Account
		id, err := f.Org.AddOrganisation(ctx, office, o.OrganisationInput)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		if err := f.vouch(ctx, office, id, o.names[0].Name); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		if err := f.Org.SetReminders(ctx, contact, id, o.remind); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		for _, n := range o.names {
			if err := f.name(ctx, office, contact, id, n); err != nil {
				return fmt.Errorf("%s: %w", n.Name, err)
			}
		}
		for _, w := range o.orders {
			if err := f.order(ctx, contact, id, w); err != nil {
				return fmt.Errorf("%s: %w", w.Names[0], err)
			}
		}
	}
	return nil
}

// order submits one with a key that nobody keeps.
func (f filler) order(ctx context.Context, contact person.Actor, o org.OrganisationID, w order.Wish) error {
	csr, err := newCSR()
	if err != nil {
		return err
	}
	w.Organisation, w.CSR = o, csr
	_, err = f.Order.Submit(ctx, contact, order.Submission{Wish: w})
	return err
}

// newCSR is a request of a new key.
func newCSR() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

func (f filler) name(ctx context.Context, office, contact person.Actor, o org.OrganisationID, n sampleName) error {
	if n.asked {
		_, err := f.Org.AskName(ctx, contact, o, n.NameInput)
		return err
	}
	id, err := f.Org.AddName(ctx, office, o, n.NameInput)
	if err != nil || n.days == 0 {
		return err
	}
	from := f.Org.Now().Truncate(24*time.Hour).AddDate(0, 0, -n.days)
	return f.Org.ValidateName(ctx, office, id, org.Check{
		Wildcard: n.Wildcard, Proof: org.Proof{Method: "DNS TXT (TLS BR 3.2.2.4.7)", By: office.Name, From: from},
	})
}
