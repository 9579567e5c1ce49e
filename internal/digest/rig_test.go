package digest_test

import (
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/digest"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

const day = 24 * time.Hour

// rig is a small university with two domains of two contact groups, and two
// holders of certificates.
type rig struct {
	*digest.Book
	mint                        *campus.Mint
	campus                      *campus.Campus
	db                          *postgres.DB
	clock                       *trial.Clock
	contact, stranger, ada, bob person.Actor
}

func newRig(t testing.TB) *rig {
	t.Helper()
	c := campus.On(t, pgtest.URL(t), nil)
	r := &rig{campus: c, db: c.DB, clock: c.Clock}
	r.Book = &digest.Book{DB: c.DB, Org: c.Books.Org, Cert: c.Books.Cert, Outbox: c.Books.Outbox, Now: c.Clock.Now, Base: campus.Base}
	c.SignInOfficer(campus.Named("Amt"))
	for name, a := range map[string]*person.Actor{"Netz": &r.contact, "Fremd": &r.stranger, "Adler": &r.ada, "Bach": &r.bob} {
		*a = c.SignIn(person.Claims{Subject: name, Name: name, FamilyName: name, Email: name + "@people.example", EmailVerified: true})
	}
	for domain, by := range map[string]person.Actor{"uni.example": r.contact, "institut.example": r.stranger} {
		c.Domain(domain, c.Group(org.GroupInput{Name: domain}, by), org.ByDomain)
	}
	r.mint = c.Mint(c.Local(), r.contact, "uni.example")
	return r
}

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// monday moves the clock to just after the next digest.
func (r *rig) monday() {
	r.clock.Advance(monday(r.Now()).Sub(r.Now()) + time.Minute)
}

// digests are the digest letters so far, and what the last one says of what.
func (r *rig) digests(t testing.TB, what string) (n int, said string) {
	t.Helper()
	n = r.campus.Scalar(`select count(*) from letter where kind = 'digest'`)
	if n > 0 {
		r.ok(t, r.db.QueryRow(t.Context(), `select coalesce(words->>$1, '') from letter where kind = 'digest' order by id desc limit 1`, what).Scan(&said))
	}
	return n, said
}
