package cert_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// appoint makes somebody else the contact.
func (r *rig) appoint(t testing.TB, o org.OrganisationID, account person.ID) {
	t.Helper()
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error { return r.Mailbox.Org.Reassign(t.Context(), tx, r.Now(), r.officer, o, account) }))
}

// serve lets the authority make a server's certificate that nobody has recorded
// yet, for days.
func (r *rig) serve(t testing.TB, o org.OrganisationID, days int, names ...string) cert.Issuance {
	t.Helper()
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return r.serveKey(t, key, o, days, names...)
}

func (r *rig) serveKey(t testing.TB, key crypto.Signer, o org.OrganisationID, days int, names ...string) cert.Issuance {
	t.Helper()
	intent := r.Intent()
	c, err := campus.Signed(t.Context(), r.local, pki.Request{
		Intent: intent, Profile: pki.TLSServer, Key: trial.Must(pki.NewKey(key.Public())), DNS: names, Days: days,
		Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.Now()),
	})
	r.ok(t, err)
	return cert.Issuance{
		Reference: "REF-" + rand.Text()[:6], Authority: ca.TLS, Organisation: o, Order: intent, Product: "single", Certificate: c,
	}
}

func (r *rig) recordServer(t testing.TB, i cert.Issuance) (id cert.ID) {
	t.Helper()
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		id, err = r.Record(t.Context(), tx, r.Now(), i)
		return err
	}))
	return id
}

// served issues and records, and returns the reference.
func (r *rig) served(t testing.TB, o org.OrganisationID, days int, names ...string) string {
	t.Helper()
	i := r.serve(t, o, days, names...)
	r.recordServer(t, i)
	return i.Reference
}

// renewed is served for what replaces another.
func (r *rig) renewed(t testing.TB, old string, days int) string {
	t.Helper()
	c, err := r.Server(t.Context(), r.officer, old)
	r.ok(t, err)
	i := r.serve(t, c.Organisation, days, c.Names...)
	i.Replaces = &c.ID
	r.recordServer(t, i)
	return i.Reference
}

func (r *rig) noteRenewal(t testing.TB, reference, by string) {
	t.Helper()
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		c, err := r.LockServer(t.Context(), tx, r.officer, reference)
		if err != nil {
			return err
		}
		return r.NoteRenewal(t.Context(), tx, c.ID, by)
	}))
}
