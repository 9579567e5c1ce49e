package sitetest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/text"
	"petschaft/internal/trial"
)

// RSAKey is one for all tests: making one takes a while.
var RSAKey = sync.OnceValue(func() crypto.Signer { return trial.Must(rsa.GenerateKey(rand.Reader, 2048)) })

func ECKey() crypto.Signer { return trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func KeyPEM(key crypto.Signer) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: trial.Must(x509.MarshalPKCS8PrivateKey(key))})
}

// Served is a server's certificate for the key, as an order has it issued, and
// its reference.
func (r *Rig) Served(o org.OrganisationID, key crypto.PublicKey, days int, names ...string) string {
	r.T.Helper()
	return r.replacing(nil, o, key, days, names...)
}

// replacing is served for one that renews another.
func (r *Rig) replacing(old *cert.ID, o org.OrganisationID, key crypto.PublicKey, days int, names ...string) string {
	r.T.Helper()
	return r.issuedServer(old, o, trial.Must(pki.NewKey(key)), days, names...)
}

// ServedKey is served for the key of a request.
func (r *Rig) ServedKey(key pki.Key, names ...string) string {
	r.T.Helper()
	return r.issuedServer(nil, r.Organisation, key, 90, names...)
}

func (r *Rig) issuedServer(old *cert.ID, o org.OrganisationID, key pki.Key, days int, names ...string) string {
	r.T.Helper()
	ctx := r.T.Context()
	var intent int64
	trial.Must(0, r.Pool.QueryRow(ctx, `select nextval(pg_get_serial_sequence('application', 'id'))`).Scan(&intent))
	c, err := campus.Signed(ctx, r.CA, pki.Request{
		Intent: intent, Profile: pki.TLSServer, Key: key, DNS: names, Days: days, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.Clock.Now()),
	})
	if err != nil {
		r.T.Fatalf("issue for %v: %v", names, err)
	}
	i := cert.Issuance{
		Reference: text.NewReference(), Authority: "tls", Organisation: o, Order: intent, Replaces: old, Product: "tls-single", Certificate: c,
		Evidence: &cert.Evidence{Names: []cert.NameProof{{Name: names[0]}}},
	}
	err = r.DB.Tx(ctx, func(tx pgx.Tx) error {
		_, err := r.Cert.Record(ctx, tx, r.Clock.Now(), i)
		return err
	})
	if err != nil {
		r.T.Fatalf("record for %v: %v", names, err)
	}
	return i.Reference
}

// renewing notes that an order renews the certificate.
func (r *Rig) renewing(reference, by string) {
	r.T.Helper()
	ctx := r.T.Context()
	trial.Must(0, r.DB.Tx(ctx, func(tx pgx.Tx) error {
		c, err := r.Cert.LockServer(ctx, tx, r.Actors["rita"], reference)
		if err != nil {
			return err
		}
		return r.Cert.NoteRenewal(ctx, tx, c.ID, by)
	}))
}

// ServerEnds makes server certificates that end over the months to come.
func (r *Rig) ServerEnds() {
	r.T.Helper()
	trial.Must(r.Pool.Exec(r.T.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, subject, emails, search, not_before, not_after, issued,
			organisation, common_name, names, product, server_order, renewable, phase, turns)
		select 'F' || i, 'tls', '', int4send(i), int4send(i), int4send(i), '', '{}', '', @now::timestamptz, @now::timestamptz + i * interval '1 day', @now::timestamptz,
			@organisation, 'f' || i, array['f' || i], 'single', i, @now::timestamptz, 'valid', @now::timestamptz + interval '300 days'
		from generate_series(1, 190) i`,
		pgx.NamedArgs{"now": r.Clock.Now(), "organisation": r.Organisation}))
}

// Run runs a program in dir and returns what it says.
func Run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C")
	out, err := c.CombinedOutput()
	return string(out), err
}

func Says(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := Run(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

// shelf is what shelve makes: server certificates in every state.
type shelf struct{ Valid, Soon, Expired, Revoked, Replaced, Next, Renewing, Foreign string }

// Shelve makes them for nora's organisation, and a foreign one.
func (r *Rig) Shelve() (s shelf) {
	r.T.Helper()
	key := ECKey().Public()
	expired := r.Served(r.Organisation, key, 6, "alt.uni.example")
	soon := r.Served(r.Organisation, key, 30, "endet.uni.example", "xn--mnchen-3ya.uni.example", "c.uni.example")
	renewing := r.Served(r.Organisation, key, 31, "erneuert.uni.example")
	r.Clock.Advance(22 * 24 * time.Hour)
	replaced := r.Served(r.Organisation, key, 90, "ersetzt.uni.example")
	old := trial.Must(r.Cert.Server(r.T.Context(), r.Actors["nora"], replaced))
	s = shelf{
		Expired: expired, Soon: soon, Renewing: renewing, Replaced: replaced,
		Next:    r.replacing(&old.ID, r.Organisation, key, 90, "ersetzt.uni.example"),
		Valid:   r.Served(r.Organisation, RSAKey().Public(), 90, "*.shop.uni.example", "shop.uni.example"),
		Revoked: r.Served(r.Organisation, ECKey().Public(), 90, "kompromittiert.uni.example"),
	}
	other := trial.Must(r.Org.Organisations(r.T.Context(), r.Actors["sven"]))[0].ID
	s.Foreign = r.Served(other, key, 90, "www.institut.example")
	r.renewing(renewing, "ABCD-EFGHJ")
	trial.Must(0, r.Cert.RevokeServer(r.T.Context(), r.Actors["nora"], s.Revoked, pki.KeyCompromise))
	return s
}
