package cert_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
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
	campus                                    *campus.Campus
	db                                        *postgres.DB
	clock                                     *trial.Clock
	local                                     *ca.Local
	withdrawals                               withdrawals
	contact, stranger, officer, ada, bob, eve person.Actor
}

// withdrawals are what authorities outside were to be asked; fails has nobody ask.
type withdrawals struct {
	all   []cert.Withdrawal
	fails error
}

func (w *withdrawals) Withdraw(_ context.Context, _ pgx.Tx, _ time.Time, one cert.Withdrawal) error {
	w.all = append(w.all, one)
	return w.fails
}

// revoked lets the authority of id have revoked it now.
func (r *rig) revoked(t testing.TB, id cert.ID) {
	t.Helper()
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error { return r.Revoked(t.Context(), tx, r.Now(), id, r.Now()) }))
}

// newRig has the portal's own authority; change may give its root a key that is
// kept elsewhere.
func newRig(t testing.TB, change ...func(*ca.Options)) *rig {
	t.Helper()
	return rigOn(t, pgtest.URL(t), change...)
}

// rigOn is newRig in a database that is there.
func rigOn(t testing.TB, database string, change ...func(*ca.Options)) *rig {
	t.Helper()
	c := campus.On(t, database, nil)
	r := &rig{campus: c, db: c.DB, clock: c.Clock, local: c.Local(change...)}
	named := func(name string) person.Claims {
		return person.Claims{Subject: name, Name: name, FamilyName: name, Email: name + "@people.example", EmailVerified: true}
	}
	office := named("Amt")
	office.Groups = []string{"ra"}
	r.officer = c.SignInOfficer(office)
	for name, a := range map[string]*person.Actor{"Netz": &r.contact, "Fremd": &r.stranger, "Adler": &r.ada, "Bach": &r.bob} {
		*a = c.SignIn(named(name))
	}
	r.eve = c.SignIn(person.Claims{Subject: "Ernst", Name: "Ernst", FamilyName: "Ernst", Email: "boss@people.example"})
	for domain, by := range map[string]person.Actor{"uni.example": r.contact, "institut.example": r.stranger} {
		c.Domain(domain, c.Group(org.GroupInput{Name: domain}, by), org.ByDomain)
	}
	r.Mint = c.Mint(r.local, r.contact, "uni.example")
	r.Withdrawer, r.Officers = &r.withdrawals, "ra"
	return r
}

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) off(t testing.TB, id mailbox.ID) {
	t.Helper()
	r.ok(t, r.Mailbox.Deactivate(t.Context(), r.contact, "uni.example", id))
}
