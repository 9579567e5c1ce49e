package org_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

var now = trial.Today()

// house is an empty registration office with an officer and a user.
type house struct {
	*org.Book
	campus        *campus.Campus
	officer, user person.Actor
}

func newHouse(t *testing.T) *house {
	t.Helper()
	c := campus.New(t)
	return &house{Book: c.Books.Org, campus: c, officer: c.SignInOfficer(campus.Named("Rita Amt")), user: c.SignIn(campus.Named("Ada Adler"))}
}

func (h *house) group(name string) org.GroupID { return h.campus.Group(org.GroupInput{Name: name}) }

func ids(err error) string {
	f := fault.Of(err)
	if f == nil {
		return ""
	}
	if f.Kind != fault.Invalid {
		return f.ID
	}
	var all []string
	for _, x := range f.Fields {
		all = append(all, x.Name+" "+x.ID)
	}
	return strings.Join(all, ", ")
}

func proof(from time.Time, days int) org.Proof {
	return org.Proof{Method: "DNS TXT", By: "RA", From: from, Until: from.Add(time.Duration(days) * 24 * time.Hour)}
}

func TestDomainsAreCheckedInWords(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	g := h.group("Rechenzentrum")
	no := org.Proof{}
	cases := []struct {
		name string
		in   org.DomainInput
		want string
	}{
		{"validated by mail", org.DomainInput{Name: "a.example", Group: g, Validation: org.ByMailbox}, ""},
		{"by itself, 398 days", org.DomainInput{Name: "b.example", Group: g, Validation: org.ByDomain, Proof: proof(now, 398)}, ""},
		{"399 days", org.DomainInput{Name: "c.example", Group: g, Validation: org.ByDomain, Proof: proof(now, 399)}, "proof_until org.proof.long"},
		{"ended before it began", org.DomainInput{Name: "c.example", Group: g, Validation: org.ByDomain, Proof: proof(now, 0)}, "proof_until org.proof.order"},
		{"validated tomorrow", org.DomainInput{Name: "c.example", Group: g, Validation: org.ByDomain, Proof: proof(now.AddDate(0, 0, 1), 30)}, "proof_from org.proof.future"},
		{"by itself without a proof", org.DomainInput{Name: "c.example", Group: g, Validation: org.ByDomain, Proof: no}, "proof_method field.required, proof_from field.date, proof_until field.date"},
		{"in no way", org.DomainInput{Name: "c.example", Group: g}, "validation field.required"},
		{"of no group", org.DomainInput{Name: "c.example", Validation: org.ByMailbox}, "group field.required"},
		{"of a group that is not there", org.DomainInput{Name: "c.example", Group: 4711, Validation: org.ByMailbox}, "fault.missing"},
		{"no domain", org.DomainInput{Name: "localhost", Group: g, Validation: org.ByMailbox}, "name org.domain.form"},
		{"registered already, in capitals", org.DomainInput{Name: "A.EXAMPLE", Group: g, Validation: org.ByMailbox}, "schema.email_domain_name"},
		{"its subdomain is another", org.DomainInput{Name: "sub.a.example", Group: g, Validation: org.ByMailbox}, ""},
		{"text no column holds", org.DomainInput{Name: "d.example", Group: g, Validation: org.ByDomain, Proof: org.Proof{Method: "a\x00b", By: "\xff", From: now, Until: now.Add(time.Hour)}}, ""},
	}
	for _, c := range cases {
		if _, err := h.AddDomain(t.Context(), h.officer, c.in); ids(err) != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, ids(err), err, c.want)
		}
	}
}

func TestOnlyOfficersKeepDomainsAndGroups(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, g := t.Context(), h.group("Rechenzentrum")
	in := org.DomainInput{Name: "a.example", Group: g, Validation: org.ByMailbox}
	_, addDomain := h.AddDomain(ctx, h.user, in)
	_, addGroup := h.AddGroup(ctx, h.user, org.GroupInput{Name: "x"})
	_, groups := h.Groups(ctx, h.user)
	_, _, group := h.Group(ctx, h.user, g)
	for what, err := range map[string]error{
		"add a domain": addDomain, "edit a domain": h.EditDomain(ctx, h.user, 1, in), "add a group": addGroup,
		"edit a group": h.EditGroup(ctx, h.user, g, org.GroupInput{Name: "x"}), "list groups": groups, "see a group": group,
		"add a member": h.AddMember(ctx, h.user, g, h.user.Account), "remove a member": h.RemoveMember(ctx, h.user, g, h.user.Account),
	} {
		if ids(err) != "fault.officers_only" {
			t.Errorf("%s: got %v, want fault.officers_only", what, err)
		}
	}
}

func TestGroupsAreCheckedAndUnique(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.group("Rechenzentrum")
	cases := []struct {
		in   org.GroupInput
		want string
	}{
		{org.GroupInput{Name: " RECHENZENTRUM "}, "schema.contact_group_name"},
		{org.GroupInput{Name: " "}, "name field.required"},
		{org.GroupInput{Name: "\x00\n"}, "name field.required"},
		{org.GroupInput{Name: strings.Repeat("ü", 100)}, ""},
		{org.GroupInput{Name: strings.Repeat("ü", 101)}, "name field.too_long"},
		{org.GroupInput{Name: "a", Notify: "nobody"}, "notify org.address.form"},
		{org.GroupInput{Name: "b", Notify: " Netz@UNI.example "}, ""},
		{org.GroupInput{Name: "c", Claims: []string{strings.Repeat("x", 201)}}, "claims field.too_long"},
		{org.GroupInput{Name: "d\x00\xff", Claims: []string{" x ", "x", "", "y"}}, ""},
	}
	for _, c := range cases {
		if _, err := h.AddGroup(t.Context(), h.officer, c.in); ids(err) != c.want {
			t.Errorf("%+v: got %q (%v), want %q", c.in, ids(err), err, c.want)
		}
	}
	all, err := h.Groups(t.Context(), h.officer)
	if err != nil || len(all) != 4 {
		t.Fatalf("got %d groups and %v, want the 4 that were added", len(all), err)
	}
	if i := slices.IndexFunc(all, func(g org.Group) bool { return g.Name == "b" }); i < 0 || all[i].Notify != "Netz@uni.example" {
		t.Errorf("got groups %+v, want b with its mailbox", all)
	}
	if i := slices.IndexFunc(all, func(g org.Group) bool { return g.Name == "d" }); i < 0 || !slices.Equal(all[i].Claims, []string{"x", "y"}) {
		t.Errorf("got groups %+v, want d with the provider's groups x and y, once", all)
	}
}

func TestMembersComeAndGoAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, g := t.Context(), h.group("Rechenzentrum")
	if _, err := h.AddDomain(ctx, h.officer, org.DomainInput{Name: "a.example", Group: g, Validation: org.ByMailbox}); err != nil {
		t.Fatal(err)
	}
	sees := func(by person.Actor) bool {
		t.Helper()
		all, err := h.Domains(ctx, by)
		if err != nil {
			t.Fatal(err)
		}
		sections, err := h.Sections(ctx, by)
		if err != nil || sections.Domains != (len(all) > 0) {
			t.Errorf("is a contact anywhere: got %v and %v with %d domains", sections.Domains, err, len(all))
		}
		return len(all) > 0
	}
	for _, step := range []struct {
		do   func() error
		want bool
	}{
		{func() error { return nil }, false},
		{func() error { return h.AddMember(ctx, h.officer, g, h.user.Account) }, true},
		{func() error { return h.AddMember(ctx, h.officer, g, h.user.Account) }, true},
		{func() error { return h.RemoveMember(ctx, h.officer, g, h.user.Account) }, false},
		{func() error { return h.RemoveMember(ctx, h.officer, g, h.user.Account) }, false},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := sees(h.user); got != step.want {
			t.Errorf("got a contact: %v, want %v", got, step.want)
		}
	}
	if err := h.AddMember(ctx, h.officer, g, 4711); ids(err) != "fault.missing" {
		t.Errorf("somebody unknown: got %v, want fault.missing", err)
	}
	lines, err := audit.About(ctx, h.DB, g.Thing(), 0, 10)
	if err != nil || len(lines) != 4 {
		t.Errorf("got %d audit lines about the group (%v), want 4: made, domain, in, out", len(lines), err)
	}
	if d, err := h.Domain(ctx, h.officer, "a.example"); err != nil || d.Contact || !d.Officer {
		t.Errorf("the officer: got %+v and %v, want a reader who is no contact", d.Standing, err)
	}
	if err := h.EditDomain(ctx, h.officer, 4711, org.DomainInput{Group: g, Validation: org.ByMailbox}); ids(err) != "fault.missing" {
		t.Errorf("a domain that is not there: got %v, want fault.missing", err)
	}
}

func TestADomainIsProvenOnlyWhileItsProofCounts(t *testing.T) {
	t.Parallel()
	from, until := now, now.Add(time.Hour)
	d := org.EmailDomain{Validation: org.ByDomain, ProofFrom: &from, ProofUntil: &until}
	for at, want := range map[time.Time]bool{from.Add(-1): false, from: true, until.Add(-1): true, until: false} {
		if got := d.Proven(at); got != want {
			t.Errorf("at %v: got proven %v, want %v", at, got, want)
		}
	}
	if (org.EmailDomain{Validation: org.ByMailbox}).Proven(now) {
		t.Error("a domain validated by mail: got proven, want not")
	}
}
