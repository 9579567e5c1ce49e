package org_test

import (
	"crypto/rand"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// keeper looks after two domains, one by a group of the provider, and two
// organisations, and makes a token for the first of each.
type keeper struct {
	*estate
	domains       [2]org.ID
	organisations [2]org.OrganisationID
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	k := &keeper{estate: newEstate(t)}
	for i, name := range []string{"uni.example", "labor.example"} {
		var members []person.Actor
		if i == 0 {
			members = append(members, k.tamara)
		}
		group := k.campus.Group(org.GroupInput{Name: name, Claims: []string{"net-" + name}}, members...)
		k.domains[i] = k.campus.Domain(name, group, org.ByMailbox)
	}
	k.tamara.Groups = []string{"net-labor.example"}
	k.organisations = [2]org.OrganisationID{k.org, k.campus.Organisation("Zweites Institut", k.tamara)}
	return k
}

func (k *keeper) input() person.TokenInput {
	return person.TokenInput{
		Form: rand.Text(), Name: "Abgleich", Ends: now.AddDate(0, 6, 0), Domains: []int64{int64(k.domains[0])},
		Organisations: []int64{int64(k.organisations[0])}, Verbs: person.Verbs(),
	}
}

// token is tamara through one.
func (k *keeper) token(t *testing.T, in person.TokenInput) person.Actor {
	t.Helper()
	if _, _, err := k.MakeToken(t.Context(), k.tamara, in); err != nil {
		t.Fatal(err)
	}
	by := k.tamara
	by.Reach = &person.Reach{Domains: in.Domains, Organisations: in.Organisations, Verbs: in.Verbs}
	return by
}

func TestATokenIsMadeForWhatItsMakerLooksAfter(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	foreign := k.campus.Organisation("Fremdes Institut", k.user)
	for what, c := range map[string]struct {
		change func(in *person.TokenInput)
		by     person.Actor
		want   string
	}{
		"all":                        {func(in *person.TokenInput) { in.Domains = append(in.Domains, int64(k.domains[1])) }, k.tamara, ""},
		"a foreign organisation":     {func(in *person.TokenInput) { in.Organisations = []int64{int64(foreign)} }, k.tamara, "organisations token.organisations_foreign"},
		"what there is not":          {func(in *person.TokenInput) { in.Domains = append(in.Domains, 4711) }, k.tamara, "domains token.domains_foreign"},
		"an officer without a group": {func(in *person.TokenInput) { in.Organisations = nil }, k.officer, "domains token.domains_foreign"},
		"a stranger":                 {func(*person.TokenInput) {}, k.user, "domains token.domains_foreign, organisations token.organisations_foreign"},
	} {
		in := k.input()
		c.change(&in)
		secret, id, err := k.MakeToken(t.Context(), c.by, in)
		if ids(err) != c.want || (err == nil) != (person.LooksLikeToken(secret) && id > 0) {
			t.Errorf("%s: got %q, want %q", what, ids(err), c.want)
		}
	}
	_, _, err := k.MakeToken(t.Context(), k.token(t, k.input()), k.input())
	if ids(err) != "token.by_token" {
		t.Errorf("a token made a token: got %v", err)
	}
}

func TestATokenSeesNothingBeyondItsReach(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	ctx := t.Context()
	by := k.token(t, k.input())
	domains, err := k.Domains(ctx, by)
	if err != nil || len(domains) != 1 || domains[0].ID != k.domains[0] {
		t.Errorf("got the domains %v and %v, want the first alone", domains, err)
	}
	organisations, err := k.Organisations(ctx, by)
	if err != nil || len(organisations) != 1 || organisations[0].ID != k.organisations[0] {
		t.Errorf("got the organisations %v and %v, want the first alone", organisations, err)
	}
	if all, err := k.Domains(ctx, k.tamara); err != nil || len(all) != 2 {
		t.Errorf("its maker: got %d domains and %v, want both", len(all), err)
	}
	for want, err := range map[bool]error{
		true:  second(k.Domain(ctx, by, "uni.example")),
		false: second(k.Domain(ctx, by, "labor.example")),
	} {
		if (err == nil) != want || err != nil && !fault.Is(err, fault.Missing) {
			t.Errorf("a domain in reach %v: got %v", want, err)
		}
	}
	if err := second(k.Organisation(ctx, by, k.organisations[1])); !fault.Is(err, fault.Missing) {
		t.Errorf("the other organisation: got %v, want it missing", err)
	}
	known, err := k.Known(ctx, k.DB, by, []string{"uni.example", "labor.example"})
	if err != nil || !known["uni.example"].Contact || known["labor.example"].Sees() {
		t.Errorf("known domains: got %v and %v, want contact of the first alone", known, err)
	}
	if s, err := k.Sections(ctx, by); err != nil || !s.Domains || !s.Organisations {
		t.Errorf("sections: got %v and %v", s, err)
	}
	none := by
	none.Reach = &person.Reach{Domains: []int64{}, Organisations: []int64{}}
	if s, err := k.Sections(ctx, none); err != nil || s.Domains || s.Organisations {
		t.Errorf("without any reach: got %v and %v, want nothing", s, err)
	}
}

func TestATokenDiesWithTheRightThatMadeIt(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	ctx := t.Context()
	in := k.input()
	in.Domains = []int64{int64(k.domains[0]), int64(k.domains[1])}
	by := k.token(t, in)
	all, err := k.Domains(ctx, by)
	if err != nil || len(all) != 2 {
		t.Fatalf("got %d domains and %v, want both", len(all), err)
	}
	if err := k.RemoveMember(ctx, k.officer, all[1].Group, k.tamara.Account); err != nil {
		t.Fatal(err)
	}
	by.Groups = nil // asleep
	if all, err := k.Domains(ctx, by); err != nil || len(all) != 0 {
		t.Errorf("taken out of one group, the other asleep: got %d domains and %v, want none", len(all), err)
	}
	_, err = k.DB.Exec(ctx, `update organisation set contact = @contact where id = @id`, pgx.NamedArgs{"contact": k.user.Account, "id": k.organisations[0]})
	if err != nil {
		t.Fatal(err)
	}
	if err := second(k.Organisation(ctx, by, k.organisations[0])); !fault.Is(err, fault.Missing) {
		t.Errorf("another technical contact: got %v, want the organisation missing", err)
	}
}

func second[T any](_ T, err error) error { return err }
