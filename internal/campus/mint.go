package campus

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// Mint makes people's certificates by the portal's own authority, without an order,
// for rows of a domain. What it cannot do ends the test.
type Mint struct {
	*cert.Book
	Local   *ca.Local
	Contact person.Actor
	Domain  string

	campus  *Campus
	intents atomic.Int64
}

// Mint is one for the rows that contact looks after in a domain.
func (c *Campus) Mint(local *ca.Local, contact person.Actor, domain string) *Mint {
	return &Mint{Book: c.Books.Cert, Local: local, Contact: contact, Domain: domain, campus: c}
}

// Intent is one that the authority has not heard of.
func (m *Mint) Intent() int64 { return m.intents.Add(1) }

// AddRow makes a personal row for the address.
func (m *Mint) AddRow(t testing.TB, address string) mailbox.ID {
	t.Helper()
	in := mailbox.Input{Kind: mailbox.Personal, Name: "Row of " + address, Primary: address}
	row, err := m.Mailbox.Add(t.Context(), m.Contact, m.Domain, in)
	if err != nil {
		t.Fatalf("add %s: %v", address, err)
	}
	return row.ID
}

// Strike lets the authority make a certificate that nobody has recorded yet.
func (m *Mint) Strike(t testing.TB, holder person.Actor, row mailbox.ID, address string) cert.Issuance {
	t.Helper()
	account := trial.Must(m.campus.People.One(t.Context(), m.campus.Officer, holder.Account))
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c, err := Signed(t.Context(), m.Local, pki.Request{
		Intent: m.Intent(), Profile: pki.MailPersonal, Key: trial.Must(pki.NewKey(key.Public())), CommonName: holder.Name, Surname: holder.Name,
		Emails: []string{address}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(m.Now()),
	})
	if err != nil {
		t.Fatalf("issue for %s: %v", address, err)
	}
	return cert.Issuance{
		Reference: "REF-" + rand.Text(), Authority: ca.Mail, Account: holder.Account, Holder: holder.Name, HolderEmail: account.VerifiedEmail,
		Row: row, Certificate: c,
	}
}

// Keep records it as an issuance does, with the row locked.
func (m *Mint) Keep(t testing.TB, i cert.Issuance) (id cert.ID) {
	t.Helper()
	err := m.DB.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		if err := m.Mailbox.LockRow(t.Context(), tx, i.Row); err != nil {
			return err
		}
		id, err = m.Record(t.Context(), tx, m.Now(), i)
		return err
	})
	if err != nil {
		t.Fatalf("record %s: %v", i.Reference, err)
	}
	return id
}

// Issue strikes one and keeps it.
func (m *Mint) Issue(t testing.TB, holder person.Actor, row mailbox.ID, address string) cert.ID {
	t.Helper()
	return m.Keep(t, m.Strike(t, holder, row, address))
}

// RemindersOf are who was reminded of a certificate, and at which threshold.
func (m *Mint) RemindersOf(t testing.TB, reference string) []string {
	t.Helper()
	rows, err := m.DB.Query(t.Context(), `select threshold || ' ' || recipient from reminder m join certificate c on c.id = m.certificate
		where c.reference = $1 order by m.at, recipient`, reference)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// List is the newest list of an authority, and checks who signed it and that what
// is kept of it is what it says.
func (m *Mint) List(t testing.TB, authority string) (*x509.RevocationList, cert.List) {
	t.Helper()
	kept, err := m.Newest(t.Context(), authority)
	if err != nil {
		t.Fatal(err)
	}
	l, err := x509.ParseRevocationList(kept.DER)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CheckSignatureFrom(trial.Must(x509.ParseCertificate(m.Local.Chain(authority)[0]))); err != nil {
		t.Errorf("the list of %s: %v", authority, err)
	}
	if l.Number.Int64() != kept.Number || len(l.RevokedCertificateEntries) != kept.Entries || !l.NextUpdate.Equal(kept.NextUpdate) {
		t.Errorf("got number %d, %d entries until %v kept; the list says %d, %d, %v", kept.Number, kept.Entries, kept.NextUpdate,
			l.Number, len(l.RevokedCertificateEntries), l.NextUpdate)
	}
	return l, kept
}
