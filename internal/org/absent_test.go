package org_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/campus"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

func TestOfficersSeeContactsWhoDoNotSignIn(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	tina := y.SignIn(campus.Named("Tina Technik"))
	y.SignIn(campus.Named("Otto Ohnerecht"))
	y.SignIn(person.Claims{Subject: "Frank", Name: "Frank", Groups: []string{"net"}})
	institute := y.Organisation("Institut", tina)
	shared := y.Group(org.GroupInput{Name: "Geteilt", Claims: []string{"net"}}, y.maker)
	y.token("Abgleich", 300, y.domains[0])
	y.Clock.Advance(100 * aDay)
	y.SignIn(campus.Named("Da"))
	y.Group(org.GroupInput{Name: "Hier"}, y.SignIn(campus.Named("Hier")))
	all, more, err := y.Books.Org.Absents(t.Context(), y.Officer, y.Clock.Now().Add(-90*aDay))
	if err != nil || more {
		t.Fatalf("got %v, %v", more, err)
	}
	var got []string
	for _, a := range all {
		line := a.Label
		for _, o := range a.Organisations {
			line += ", contact of " + o.Name
			if org.OrganisationID(o.ID) != institute {
				t.Errorf("got organisation %d, want %d", o.ID, institute)
			}
		}
		for _, g := range a.Groups {
			if line += ", in " + g.Name; g.Only {
				line += " alone"
			}
			if g.Name == "Geteilt" && org.GroupID(g.ID) != shared {
				t.Errorf("got group %d, want %d", g.ID, shared)
			}
		}
		if a.Tokens > 0 {
			line += ", with tokens"
		}
		got = append(got, line)
	}
	want := []string{"Nora Netz, in Geteilt, in labor.example alone, in uni.example alone, with tokens", "Tina Technik, contact of Institut", "Frank, in Geteilt"}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if all, _, err = y.Books.Org.Absents(t.Context(), y.Officer, y.Clock.Now().Add(-101*aDay)); err != nil || len(all) != 0 {
		t.Errorf("for longer: got %v and %v, want nobody", all, err)
	}
	_, _, err = y.Books.Org.Absents(t.Context(), y.maker, y.Clock.Now())
	campus.Wants(t, err, "fault.officers_only")
}
