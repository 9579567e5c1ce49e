package earlier_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/earlier"
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
	Earlier                                   *earlier.Book
	campus                                    *campus.Campus
	db                                        *postgres.DB
	clock                                     *trial.Clock
	local                                     *ca.Local
	contact, stranger, officer, ada, bob, eve person.Actor
	intents                                   atomic.Int64
}

// newRig has the portal's own authority.
func newRig(t testing.TB) *rig {
	t.Helper()
	c := campus.On(t, pgtest.URL(t), nil)
	r := &rig{Book: c.Books.Cert, campus: c, db: c.DB, clock: c.Clock, local: c.Local()}
	r.Earlier = &earlier.Book{DB: c.DB, Cert: r.Book, Now: c.Clock.Now}
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

// reminders are who was reminded of a certificate, and at which threshold.
func (r *rig) reminders(t testing.TB, reference string) []string {
	t.Helper()
	rows, err := r.db.Query(t.Context(), `select threshold || ' ' || recipient from reminder m join certificate c on c.id = m.certificate
		where c.reference = $1 order by m.at, recipient`, reference)
	r.ok(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		r.ok(t, rows.Scan(&s))
		all = append(all, s)
	}
	return all
}

// list reads the newest list and checks who signed it.
func (r *rig) list(t testing.TB, name string) (*x509.RevocationList, cert.List) {
	t.Helper()
	kept, err := r.Newest(t.Context(), name)
	r.ok(t, err)
	l, err := x509.ParseRevocationList(kept.DER)
	r.ok(t, err)
	if err := l.CheckSignatureFrom(trial.Must(x509.ParseCertificate(r.local.Chain(name)[0]))); err != nil {
		t.Errorf("the list of %s: %v", name, err)
	}
	if l.Number.Int64() != kept.Number || len(l.RevokedCertificateEntries) != kept.Entries || !l.NextUpdate.Equal(kept.NextUpdate) {
		t.Errorf("got number %d, %d entries until %v kept; the list says %d, %d, %v", kept.Number, kept.Entries, kept.NextUpdate,
			l.Number, len(l.RevokedCertificateEntries), l.NextUpdate)
	}
	return l, kept
}

func (r *rig) organisation(t testing.TB, name string, contact person.Actor) org.OrganisationID {
	t.Helper()
	id, err := r.Mailbox.Org.AddOrganisation(t.Context(), r.officer, org.OrganisationInput{Name: name, Country: "DE", Contact: contact.Account})
	r.ok(t, err)
	return id
}
