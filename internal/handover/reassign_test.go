package handover_test

import (
	"strings"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestTheOfficeReassignsWithASecondOfficer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	ruth := r.signIn(t, "Ruth Dritte")
	ruth.Officer = true
	o := r.accepted(t)
	id, done, err := r.AskReassign(ctx, r.rita, r.garden, r.bob.Account, " Frau Technik ist nicht mehr da. ")
	if err != nil || done {
		t.Fatalf("got done %v and %v, want it to wait", done, err)
	}
	r.keeps(t, r.tina, r.garden)
	_, _, err = r.AskReassign(ctx, r.otto, r.garden, r.eve.Account, "anders")
	campus.Wants(t, err, "schema.reassignment_one_open")
	campus.Wants(t, r.ConfirmReassign(ctx, r.rita, id), "handover.reassign.second")
	for _, by := range []person.Actor{r.tina, r.ada, r.bob, {}} {
		campus.Wants(t, r.ConfirmReassign(ctx, by, id), "fault.officers_only")
		campus.Wants(t, r.DropReassign(ctx, by, id), "fault.officers_only")
		_, err := r.Reassignments(ctx, by)
		campus.Wants(t, err, "fault.officers_only")
	}
	bob := r.bob
	bob.Officer = true
	campus.Wants(t, r.ConfirmReassign(ctx, bob, id), "org.organisation.self")
	tina := r.tina
	tina.Officer = true
	campus.Wants(t, r.ConfirmReassign(ctx, tina, id), "org.organisation.own")
	campus.Wants(t, r.DropReassign(ctx, tina, id), "org.organisation.own")
	waiting := trial.Must(r.Reassignments(ctx, r.otto))
	if len(waiting) != 1 || waiting[0].Reason != "Frau Technik ist nicht mehr da." || waiting[0].Asker || waiting[0].AskedByName != "Rita Amt" || waiting[0].BeforeName != "Tina Technik" || handover.MayConfirmReassign(waiting[0]) != nil {
		t.Errorf("got %+v, want what Rita asked for, for Otto to confirm", waiting)
	}
	r.ok(t, r.ConfirmReassign(ctx, r.otto, id))
	campus.Wants(t, r.ConfirmReassign(ctx, ruth, id), "handover.reassign.over")
	campus.Wants(t, r.DropReassign(ctx, ruth, id), "handover.reassign.over")
	r.keeps(t, r.bob, r.garden)
	r.keeps(t, r.tina, r.library)
	r.is(t, o.ID, handover.Cancelled)
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina", "handover_cancelled ada", "contact_relieved tina", "contact_appointed bob")
}

func TestWithoutASecondOfficerAReassignmentActsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.SecondOfficer = false
	_, done, err := r.AskReassign(t.Context(), r.rita, r.garden, r.bob.Account, "weg")
	if err != nil || !done {
		t.Fatalf("got done %v and %v, want it done", done, err)
	}
	r.keeps(t, r.bob, r.garden)
	if all := trial.Must(r.Reassignments(t.Context(), r.otto)); len(all) != 0 {
		t.Errorf("got %d that wait, want none", len(all))
	}
	r.wantLetters(t, "contact_relieved tina", "contact_appointed bob")
}

func TestWhomTheOfficeMayAppoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.lock(t, r.eve)
	tina := r.tina
	tina.Officer = true
	for _, c := range []struct {
		name, want string
		by         person.Actor
		account    person.ID
		reason     string
	}{
		{"by the contact herself", "fault.officers_only", r.tina, r.ada.Account, "x"},
		{"by a stranger", "fault.missing", r.ada, r.ada.Account, "x"},
		{"by an officer who is the contact", "org.organisation.own", tina, r.ada.Account, "x"},
		{"the officer themselves", "org.organisation.self", r.rita, r.rita.Account, "x"},
		{"who is the contact", "handover.reassign.same", r.rita, r.tina.Account, "x"},
		{"a locked account", "handover.email.locked", r.rita, r.eve.Account, "x"},
		{"somebody unknown", "fault.missing", r.rita, 4711, "x"},
		{"without a reason", "field.required", r.rita, r.ada.Account, " \n"},
		{"with too long a reason", "field.too_long", r.rita, r.ada.Account, strings.Repeat("x", 2001)},
	} {
		_, _, err := r.AskReassign(t.Context(), c.by, r.garden, c.account, c.reason)
		if campus.Said(err) != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	r.keeps(t, r.tina, r.garden)
	r.wantLetters(t)
}

func TestAReassignmentThatWaitsMeetsWhatHappensMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	id, _, err := r.AskReassign(ctx, r.rita, r.garden, r.bob.Account, "weg")
	r.ok(t, err)
	r.lock(t, r.bob)
	campus.Wants(t, r.ConfirmReassign(ctx, r.otto, id), "handover.email.locked")
	r.ok(t, r.DropReassign(ctx, r.rita, id)) // whoever asked may take it back

	id, _, err = r.AskReassign(ctx, r.rita, r.garden, r.eve.Account, "doch nicht weg")
	r.ok(t, err)
	o := r.accepted(t)
	r.ok(t, r.Finish(ctx, r.ada, o.ID, o.Password)) // the contact was there after all
	campus.Wants(t, r.ConfirmReassign(ctx, r.otto, id), "handover.reassign.over")
	r.keeps(t, r.ada, r.garden)
	if n := r.count(t, `select count(*) from reassignment where state = 'dropped'`); n != 2 {
		t.Errorf("got %d dropped, want both", n)
	}
}

func TestAContactWhoseAddressIsUnknownGetsNoLetter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	lost := r.claims(t, person.Claims{Subject: "lost", Name: "Lena Lost", Email: "lena@uni.example"}) // not verified
	kitchen := r.campus.Organisation("Küche", lost)
	id, _, err := r.AskReassign(t.Context(), r.rita, kitchen, r.bob.Account, "weg")
	r.ok(t, err)
	r.ok(t, r.ConfirmReassign(t.Context(), r.otto, id))
	r.wantLetters(t, "contact_appointed bob")
}
