package org_test

import (
	"fmt"
	"testing"

	"petschaft/internal/person"
)

func TestFurtherAddressesAreFewAndReal(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for _, c := range []struct {
		in   []string
		want string
	}{
		{[]string{" netz@UNI.example ", "", "NETZ@uni.example"}, ""},
		{[]string{"netz"}, "reminders org.address.form"},
		{[]string{"a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example", "f@x.example"}, "reminders org.organisation.reminders"},
	} {
		if err := e.SetReminders(t.Context(), e.tamara, e.org, c.in); ids(err) != c.want {
			t.Errorf("%q: got %v, want %q", c.in, err, c.want)
		}
	}
	o, err := e.Organisation(t.Context(), e.tamara, e.org)
	if err != nil || fmt.Sprint(o.Extra) != "[netz@uni.example]" {
		t.Errorf("got %v and %v, want the one address once", o.Extra, err)
	}
}

func TestANewContactConfirmsTheFurtherAddresses(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	holds := func(when, extra, waiting string) {
		t.Helper()
		o, err := e.Organisation(t.Context(), e.officer, e.org)
		if err != nil || fmt.Sprint(o.Extra) != extra || fmt.Sprint(o.Unconfirmed) != waiting {
			t.Errorf("%s: got %v, to confirm %v, and %v; want %s and %s", when, o.Extra, o.Unconfirmed, err, extra, waiting)
		}
	}
	set := func(by person.Actor, want string, all ...string) {
		t.Helper()
		if err := e.SetReminders(t.Context(), by, e.org, all); ids(err) != want {
			t.Errorf("set %v: got %v, want %q", all, err, want)
		}
	}
	set(e.tamara, "", "a@x.example", "b@x.example", "c@x.example")
	if err := e.appoint(t.Context(), e.officer, e.org, e.user.Account); err != nil {
		t.Fatal(err)
	}
	holds("with a new contact", "[]", "[a@x.example b@x.example c@x.example]")
	set(e.user, "reminders org.organisation.reminders", "d@x.example", "e@x.example", "f@x.example")
	set(e.user, "", "d@x.example", "B@x.example") // b was entered anew
	holds("after entering some", "[d@x.example B@x.example]", "[a@x.example c@x.example]")
	if err := e.appoint(t.Context(), e.officer, e.org, e.tamara.Account); err != nil {
		t.Fatal(err)
	}
	holds("with the next contact", "[]", "[a@x.example c@x.example d@x.example B@x.example]")
	if err := e.ConfirmReminders(t.Context(), e.user, e.org, nil); ids(err) != "fault.missing" {
		t.Errorf("the contact before: got %v, want it missing", err)
	}
	for range 2 {
		if err := e.ConfirmReminders(t.Context(), e.tamara, e.org, []string{"D@X.example", "a@x.example", "new@x.example"}); err != nil {
			t.Fatal(err)
		}
	}
	holds("confirmed", "[a@x.example d@x.example]", "[]")
}
