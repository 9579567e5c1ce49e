package org_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/campus"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// estate is a house with an organisation: tamara is its technical contact,
// rita and ruth are registration officers, user is nobody.
type estate struct {
	*house
	org          org.OrganisationID
	tamara, ruth person.Actor
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{house: newHouse(t)}
	e.tamara, e.ruth = e.meet("Tamara Technik"), e.meet("Ruth Zweite")
	e.ruth.Officer = true
	e.org = e.campus.Organisation("Institut für Proben", e.tamara)
	return e
}

func (h *house) meet(name string) person.Actor {
	return h.campus.SignIn(campus.WithEmail(name, strings.ToLower(strings.Fields(name)[0])+"@uni.example"))
}

func (e *estate) name(t *testing.T, name string, wildcard bool) org.ServerNameID {
	t.Helper()
	id, err := e.AddName(t.Context(), e.officer, e.org, org.NameInput{Name: name, Wildcard: wildcard})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestOrganisationsAreCheckedInWords(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	contact := e.tamara.Account
	cases := []struct {
		name string
		in   org.OrganisationInput
		want string
	}{
		{"complete", org.OrganisationInput{Name: " Uni \n Probe ", Identifier: "GOVDE+BY", Country: " de", Contact: contact}, ""},
		{"of a register", org.OrganisationInput{Name: "GmbH", Identifier: "NTRDE-DER3306.HRB12345", Country: "DE", Contact: contact}, ""},
		{"a name twice, in capitals", org.OrganisationInput{Name: "UNI PROBE", Country: "DE", Contact: contact}, "schema.organisation_name"},
		{"nothing", org.OrganisationInput{Contact: contact}, "name field.required, country field.required"},
		{"an identifier that is none", org.OrganisationInput{Name: "x", Identifier: "12345", Country: "DE", Contact: contact}, "identifier org.organisation.identifier"},
		{"a country that is none", org.OrganisationInput{Name: "x", Country: "Bayern", Contact: contact}, "country org.organisation.country"},
		{"two letters that are none", org.OrganisationInput{Name: "x", Country: "XX", Contact: contact}, "country org.organisation.country"},
		{"no country", org.OrganisationInput{Name: "x", Contact: contact}, "country field.required"},
		{"150 characters", org.OrganisationInput{Name: strings.Repeat("ü", 150), Country: "DE", Contact: contact}, ""},
		{"151", org.OrganisationInput{Name: strings.Repeat("ü", 151), Country: "DE", Contact: contact}, "name field.too_long"},
		{"for nobody", org.OrganisationInput{Name: "y", Country: "DE"}, "contact field.required"},
		{"for somebody unknown", org.OrganisationInput{Name: "y", Country: "DE", Contact: 4711}, "fault.missing"},
		{"for the officer", org.OrganisationInput{Name: "y", Country: "DE", Contact: e.officer.Account}, "org.organisation.self"},
	}
	for _, c := range cases {
		if _, err := e.AddOrganisation(t.Context(), e.officer, c.in); ids(err) != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, ids(err), err, c.want)
		}
	}
	all, err := e.Organisations(t.Context(), e.officer)
	if err != nil || len(all) != 4 || all[2].Name != "Uni Probe" || all[2].Country != "DE" || all[2].ContactName != "Tamara Technik" || all[2].ContactEmail != "tamara@uni.example" {
		t.Errorf("got %+v and %v, want four by name, the third Uni Probe of Tamara", all, err)
	}
}

// TestRightsOverAnOrganisation is the matrix of who may do what.
func TestRightsOverAnOrganisation(t *testing.T) {
	t.Parallel()
	type deed func(e *estate, by person.Actor) error
	ctx := t.Context()
	proven := org.Check{Proof: proof(now, 10)}
	deeds := map[string]deed{
		"see": func(e *estate, by person.Actor) error { _, err := e.Organisation(ctx, by, e.org); return err },
		"edit": func(e *estate, by person.Actor) error {
			return e.EditOrganisation(ctx, by, e.org, org.OrganisationInput{Name: "Anders", Country: "AT", AutoApprove: true})
		},
		"confirm reminders": func(e *estate, by person.Actor) error {
			return e.ConfirmReminders(ctx, by, e.org, nil)
		},
		"add a name": func(e *estate, by person.Actor) error {
			_, err := e.AddName(ctx, by, e.org, org.NameInput{Name: "neu.example"})
			return err
		},
		"validate": func(e *estate, by person.Actor) error {
			return e.ValidateName(ctx, by, e.name(t, "v.example", false), proven)
		},
		"end a name": func(e *estate, by person.Actor) error {
			return e.EndName(ctx, by, e.name(t, "e.example", false), "vorbei")
		},
		"ask for a name": func(e *estate, by person.Actor) error {
			_, err := e.AskName(ctx, by, e.org, org.NameInput{Name: "a.example"})
			return err
		},
		"decline an ask": func(e *estate, by person.Actor) error { return e.EndName(ctx, by, e.asked(t), "nein") },
		"set reminders": func(e *estate, by person.Actor) error {
			return e.SetReminders(ctx, by, e.org, []string{"netz@uni.example"})
		},
		"see what's asked": func(e *estate, by person.Actor) error { _, err := e.AskedNames(ctx, by); return err },
		"see what lapses":  func(e *estate, by person.Actor) error { _, err := e.LapsingNames(ctx, by, now); return err },
		"add an organisation": func(e *estate, by person.Actor) error {
			_, err := e.AddOrganisation(ctx, by, org.OrganisationInput{Name: "Neu", Country: "DE", Contact: e.user.Account})
			return err
		},
	}
	const fine, missing, officers, own, contact, reminders = "", "fault.missing", "fault.officers_only", "org.organisation.own", "org.organisation.contact_only", "org.reminders.contact_only"
	// the technical contact, an officer, an officer who is the contact, a stranger
	for what, want := range map[string][4]string{
		"see":                 {fine, fine, fine, missing},
		"edit":                {officers, fine, own, missing},
		"confirm reminders":   {fine, reminders, fine, missing},
		"add a name":          {officers, fine, own, missing},
		"validate":            {officers, fine, own, missing},
		"end a name":          {officers, fine, own, missing},
		"ask for a name":      {fine, contact, fine, missing},
		"decline an ask":      {fine, fine, fine, missing},
		"set reminders":       {fine, fine, fine, missing},
		"see what's asked":    {officers, fine, fine, officers},
		"see what lapses":     {officers, fine, fine, officers},
		"add an organisation": {officers, fine, fine, officers},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for i, who := range []string{"technical contact", "officer", "officer who is the contact", "stranger"} {
				e := newEstate(t)
				by := [...]person.Actor{e.tamara, e.officer, e.tamara, e.user}[i]
				by.Officer = i == 1 || i == 2
				if got := ids(deeds[what](e, by)); got != want[i] {
					t.Errorf("%s: got %q, want %q", who, got, want[i])
				}
			}
		})
	}
}

func (e *estate) asked(t *testing.T) org.ServerNameID {
	t.Helper()
	id, err := e.AskName(t.Context(), e.tamara, e.org, org.NameInput{Name: "gefragt.example"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// appoint makes somebody else the contact, by an officer.
func (e *estate) appoint(ctx context.Context, by person.Actor, o org.OrganisationID, account person.ID) error {
	return e.DB.Tx(ctx, func(tx pgx.Tx) error { return e.Reassign(ctx, tx, e.Now(), by, o, account) })
}

func TestNobodyFoundsAnOrganisationForThemselves(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	if _, err := e.AddOrganisation(t.Context(), e.ruth, org.OrganisationInput{Name: "Eigen", Country: "DE", Contact: e.ruth.Account}); ids(err) != "org.organisation.self" {
		t.Errorf("got %v, want org.organisation.self", err)
	}
}

func TestAnAppointmentActsAtOnce(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	sees := func(by person.Actor) bool {
		t.Helper()
		all, err := e.Organisations(t.Context(), by)
		if err != nil {
			t.Fatal(err)
		}
		sections, err := e.Sections(t.Context(), by)
		if err != nil || sections.Organisations != (len(all) > 0) {
			t.Errorf("a contact anywhere: got %v and %v with %d organisations", sections.Organisations, err, len(all))
		}
		return len(all) > 0
	}
	if !sees(e.tamara) || sees(e.user) {
		t.Error("before: want Tamara to see it and the user not")
	}
	for range 2 { // twice changes nothing
		if err := e.appoint(t.Context(), e.officer, e.org, e.user.Account); err != nil {
			t.Fatal(err)
		}
	}
	if sees(e.tamara) || !sees(e.user) {
		t.Error("after: want the user to see it and Tamara not")
	}
	if err := e.appoint(t.Context(), e.officer, e.org, 4711); ids(err) != "fault.missing" {
		t.Errorf("somebody unknown: got %v, want fault.missing", err)
	}
	lines, err := audit.About(t.Context(), e.DB, e.org.Thing(), 0, 10)
	if err != nil || len(lines) != 2 || fmt.Sprint(lines[0].Detail["contact"]) != "[Tamara Technik Ada Adler]" {
		t.Errorf("got %+v and %v, want a line for founding and one for Tamara → Ada", lines, err)
	}
}

// TestAppointingMeetsDeciding holds that an officer who becomes the contact
// decides nothing that began before: fifty times the two meet, and whatever
// came through came before the appointment.
func TestAppointingMeetsDeciding(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for i := range 25 {
		o := e.campus.Organisation(fmt.Sprint("Rennen ", i), e.tamara)
		var wait sync.WaitGroup
		var appointed, added error
		wait.Go(func() { appointed = e.appoint(t.Context(), e.officer, o, e.ruth.Account) })
		wait.Go(func() {
			_, added = e.AddName(t.Context(), e.ruth, o, org.NameInput{Name: fmt.Sprintf("rennen-%d.example", i)})
		})
		wait.Wait()
		if appointed != nil || added != nil && ids(added) != "org.organisation.own" {
			t.Fatalf("got %v and %v, want an appointment, and a name or org.organisation.own", appointed, added)
		}
		lines, err := audit.About(t.Context(), e.DB, o.Thing(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if added == nil && lines[0].Action != "org.contact_appointed" {
			t.Errorf("got %s last, want the name only before the appointment", lines[0].Action)
		}
	}
}

// TestTwoOfficersAppointAtOnce: the last one counts, each line of the audit
// tells who came before.
func TestTwoOfficersAppointAtOnce(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	var wait sync.WaitGroup
	people := []person.Actor{e.user, e.meet("Bob Bach"), e.meet("Carl Chem"), e.meet("Dora Dach")}
	for i := range 20 {
		wait.Go(func() {
			by := [...]person.Actor{e.officer, e.ruth}[i%2]
			if err := e.appoint(t.Context(), by, e.org, people[i%len(people)].Account); err != nil {
				t.Errorf("got %v, want every appointment to come through", err)
			}
		})
	}
	wait.Wait()
	lines, err := audit.About(t.Context(), e.DB, e.org.Thing(), 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	before := "Tamara Technik"
	for i := len(lines) - 2; i >= 0; i-- {
		pair := lines[i].Detail["contact"].([]any)
		if pair[0] != before {
			t.Errorf("line %d: got %v, want it to begin with %s", i, pair, before)
		}
		before = pair[1].(string)
	}
	o, err := e.Organisation(t.Context(), e.officer, e.org)
	if err != nil || o.ContactName != before {
		t.Errorf("got %s and %v, want %s, who was appointed last", o.ContactName, err, before)
	}
}

// TestALockedOrganisationKeepsItsContact: while an order is decided, an
// appointment waits; and who held out for the lock sees the new contact.
func TestALockedOrganisationKeepsItsContact(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	appointed := make(chan error, 1)
	err := e.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		if _, err := e.LockOrganisation(t.Context(), tx, e.ruth, e.org); err != nil {
			return err
		}
		go func() { appointed <- e.appoint(context.WithoutCancel(t.Context()), e.officer, e.org, e.ruth.Account) }()
		e.awaitLock(t)
		o, err := e.OrganisationIn(t.Context(), tx, e.ruth, e.org)
		if err == nil && o.ContactID != e.tamara.Account {
			t.Errorf("got contact %s, want Tamara as long as the lock is held", o.ContactName)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-appointed; err != nil {
		t.Fatal(err)
	}
	waited := make(chan org.Organisation, 1)
	err = e.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `update organisation set contact = $1`, e.user.Account); err != nil {
			return err
		}
		go func() {
			_ = e.DB.Tx(context.WithoutCancel(t.Context()), func(tx pgx.Tx) error {
				o, err := e.LockOrganisation(context.WithoutCancel(t.Context()), tx, e.officer, e.org)
				waited <- o
				return err
			})
		}()
		e.awaitLock(t)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if o := <-waited; o.ContactID != e.user.Account || o.ContactName != "Ada Adler" {
		t.Errorf("got contact %q, want Ada Adler, who was appointed meanwhile", o.ContactName)
	}
}

// awaitLock waits until somebody waits for a lock.
func (e *estate) awaitLock(t *testing.T) {
	t.Helper()
	trial.Until(t, "somebody waits for the lock", func() bool {
		var waits bool
		err := e.DB.QueryRow(t.Context(), `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
		return waits
	})
}
