package earlier_test

import (
	"testing"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/earlier"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

const day = 24 * time.Hour

// rig is a small university with two domains of two contact groups and people.
type rig struct {
	*campus.Mint
	Earlier                                   *earlier.Book
	campus                                    *campus.Campus
	db                                        *postgres.DB
	clock                                     *trial.Clock
	local                                     *ca.Local
	contact, stranger, officer, ada, bob, eve person.Actor
}

// newRig has the portal's own authority.
func newRig(t testing.TB) *rig {
	t.Helper()
	c := campus.On(t, pgtest.URL(t), nil)
	r := &rig{campus: c, db: c.DB, clock: c.Clock, local: c.Local()}
	r.Earlier = &earlier.Book{DB: c.DB, Cert: c.Books.Cert, Now: c.Clock.Now}
	named := func(name string) person.Claims {
		return person.Claims{Subject: name, Name: name, FamilyName: name, Email: name + "@people.example", EmailVerified: true}
	}
	r.officer = c.SignInOfficer(named("Amt"))
	for name, a := range map[string]*person.Actor{"Netz": &r.contact, "Fremd": &r.stranger, "Adler": &r.ada, "Bach": &r.bob} {
		*a = c.SignIn(named(name))
	}
	r.eve = c.SignIn(person.Claims{Subject: "Ernst", Name: "Ernst", FamilyName: "Ernst", Email: "boss@people.example"})
	for domain, by := range map[string]person.Actor{"uni.example": r.contact, "institut.example": r.stranger} {
		c.Domain(domain, c.Group(org.GroupInput{Name: domain}, by), org.ByDomain)
	}
	r.Mint = c.Mint(r.local, r.contact, "uni.example")
	return r
}

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
