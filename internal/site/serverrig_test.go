package site_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"sync"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
)

// rsaKey is one for all tests: making one takes a while.
var rsaKey = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func ecKey() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func keyPEM(key crypto.Signer) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))})
}

// served is a server's certificate for the key, as an order has it issued, and
// its reference.
func (r *rig) served(o org.OrganisationID, key crypto.PublicKey, days int, names ...string) string {
	r.t.Helper()
	return r.replacing(nil, o, key, days, names...)
}

// replacing is served for one that renews another.
func (r *rig) replacing(old *cert.ID, o org.OrganisationID, key crypto.PublicKey, days int, names ...string) string {
	r.t.Helper()
	return r.issuedServer(old, o, must(pki.NewKey(key)), days, names...)
}

// servedKey is served for the key of a request.
func (r *rig) servedKey(key pki.Key, names ...string) string {
	r.t.Helper()
	return r.issuedServer(nil, r.organisation, key, 90, names...)
}

func (r *rig) issuedServer(old *cert.ID, o org.OrganisationID, key pki.Key, days int, names ...string) string {
	r.t.Helper()
	ctx := r.t.Context()
	var intent int64
	must(0, r.db.QueryRow(ctx, `select nextval(pg_get_serial_sequence('application', 'id'))`).Scan(&intent))
	c, err := r.CA.Issue(ctx, pki.Request{
		Intent: intent, Profile: pki.TLSServer, Key: key, DNS: names, Days: days, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.clock.Now()),
	})
	if err != nil {
		r.t.Fatalf("issue for %v: %v", names, err)
	}
	i := cert.ServerIssuance{
		Reference: order.NewReference(), Authority: "tls", Organisation: o, Order: intent, Replaces: old, Product: "tls-single", Certificate: c,
	}
	err = r.DB.Tx(ctx, func(tx pgx.Tx) error {
		n, err := r.Cert.RecordServer(ctx, tx, i)
		if err != nil {
			return err
		}
		return r.Cert.RecordEvidence(ctx, tx, n, c, cert.Evidence{Reference: i.Reference, Names: []cert.NameProof{{Name: names[0]}}})
	})
	if err != nil {
		r.t.Fatalf("record for %v: %v", names, err)
	}
	return i.Reference
}

// renewing notes that an order renews the certificate.
func (r *rig) renewing(reference, by string) {
	r.t.Helper()
	ctx := r.t.Context()
	must(0, r.DB.Tx(ctx, func(tx pgx.Tx) error {
		c, err := r.Cert.LockServer(ctx, tx, r.actors["rita"], reference)
		if err != nil {
			return err
		}
		return r.Cert.NoteRenewal(ctx, tx, c.ID, by)
	}))
}
