package cert_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"sync/atomic"
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
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

const day = 24 * time.Hour

// rig is a small university with two domains of two contact groups and people.
type rig struct {
	*cert.Book
	campus                                    *campus.Campus
	db                                        *postgres.DB
	clock                                     *trial.Clock
	local                                     *ca.Local
	contact, stranger, officer, ada, bob, eve person.Actor
	intents                                   atomic.Int64
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
	r := &rig{Book: c.Books.Cert, campus: c, db: c.DB, clock: c.Clock, local: c.Local(change...)}
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
	return r
}

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) row(t testing.TB, address string) mailbox.ID {
	t.Helper()
	row, err := r.Mailbox.Add(t.Context(), r.contact, "uni.example", mailbox.Input{Kind: mailbox.Personal, Name: "Row of " + address, Primary: address})
	r.ok(t, err)
	return row.ID
}

func (r *rig) off(t testing.TB, id mailbox.ID) {
	t.Helper()
	r.ok(t, r.Mailbox.Deactivate(t.Context(), r.contact, "uni.example", id))
}

// sign lets the authority make a certificate that nobody has recorded yet.
func (r *rig) sign(t testing.TB, holder person.Actor, row mailbox.ID, address string) cert.Issuance {
	t.Helper()
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c, err := r.local.Issue(t.Context(), pki.Request{
		Intent: r.intents.Add(1), Profile: pki.MailPersonal, Key: trial.Must(pki.NewKey(key.Public())), CommonName: holder.Name, Surname: holder.Name,
		Emails: []string{address}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.Now()),
	})
	r.ok(t, err)
	email := holder.Name + "@people.example"
	if holder.Account == r.eve.Account {
		email = "" // hers is not verified
	}
	return cert.Issuance{
		Reference: "REF-" + rand.Text(), Authority: ca.Mail, Account: holder.Account, Holder: holder.Name, HolderEmail: email,
		Row: row, Certificate: c,
	}
}

// record keeps it as an issuance does, with the row locked.
func (r *rig) record(t testing.TB, i cert.Issuance) (id cert.ID) {
	t.Helper()
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		if err := r.Mailbox.LockRow(t.Context(), tx, i.Row); err != nil {
			return err
		}
		id, err = r.Record(t.Context(), tx, r.Now(), i)
		return err
	}))
	return id
}

func (r *rig) issued(t testing.TB, holder person.Actor, row mailbox.ID, address string) cert.ID {
	t.Helper()
	return r.record(t, r.sign(t, holder, row, address))
}
