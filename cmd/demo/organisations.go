package main

import (
	"context"
	"fmt"
	"time"

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

var organisations = []struct {
	org.OrganisationInput
	contact string
	remind  []string
	names   []sampleName
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
	},
	{
		org.OrganisationInput{Name: "Fakultät für Musterkunde", Identifier: "GOVDE+BY", Country: "DE", AutoApprove: true},
		"theo", nil,
		[]sampleName{
			{org.NameInput{Name: faculty, Wildcard: true}, false, 3},
			{org.NameInput{Name: "archiv." + faculty}, false, 190},
		},
	},
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
		if err := f.Org.SetReminders(ctx, contact, id, o.remind); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		for _, n := range o.names {
			if err := f.name(ctx, office, contact, id, n); err != nil {
				return fmt.Errorf("%s: %w", n.Name, err)
			}
		}
	}
	return nil
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
