// Package ca holds certificate authorities, which speak in values of pki and
// nothing else. Local is the portal's own: a root and an issuing authority for
// each purpose, their keys sealed in the database. It decides which key signs and
// that one intent gets one certificate; what may be issued, to whom, and what is
// revoked is never its decision.
package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

var (
	// ErrNone says that this database has no authority yet.
	ErrNone = errors.New("there is no certificate authority yet: run `petschaft ca init`")
	// ErrExists says that this database has its authority already.
	ErrExists = errors.New("there is a certificate authority already; nothing was changed")
	// ErrOffline says that the key which would have to sign is not here.
	ErrOffline = errors.New("the key of this authority is not kept here")
)

// The names of the authorities, as in the paths of their files.
const (
	Root = "root"
	Mail = "mail"
	TLS  = "tls"
)

// Local is the portal's own authority. It is safe for use by many goroutines,
// and any number of processes may have one open on the same database.
type Local struct {
	db   *postgres.DB
	now  func() time.Time
	all  map[string]authority
	list []string // names, in the order they were made: the root first

	responders responders
	off        []string // rules that do not count
}

type authority struct {
	id     int64
	issuer pki.Issuer
	twin   pki.Issuer // signs what the rules look at
	crl    []byte     // of a root whose key is elsewhere
	way    [][]byte   // from it to the root
}

// Open loads the authorities. Without any it is ErrNone; keys that do not open
// under the sealer's secret, or do not fit their certificates, are an error.
// pkiURL is the plain http address below which /pki/… is reached; without it
// certificates carry no addresses. Without rules the authorities are private and
// name no policy.
func Open(ctx context.Context, db *postgres.DB, sealer *postgres.Sealer, now func() time.Time, pkiURL *url.URL, rules ...Rules) (*Local, error) {
	rows, err := db.Query(ctx, "select id, name, certificate, key, crl from authority order by id")
	if err != nil {
		return nil, fmt.Errorf("load authorities: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[stored])
	if err != nil {
		return nil, fmt.Errorf("load authorities: %w", err)
	}
	if len(found) == 0 {
		return nil, ErrNone
	}
	l := &Local{db: db, now: now, all: map[string]authority{}, responders: responders{sealer: sealer, at: map[string]pki.Responder{}}}
	for _, s := range found {
		a, err := s.open(sealer)
		if err != nil {
			return nil, fmt.Errorf("load authority %s: %w", s.Name, err)
		}
		a.issuer = at(a.issuer, pkiURL, s.Name)
		l.all[s.Name] = a
		l.list = append(l.list, s.Name)
	}
	l.findWays()
	var book Rules
	for _, r := range rules {
		book = r
	}
	if err := l.obey(book); err != nil {
		return nil, err
	}
	return l, l.takeResponders(ctx)
}

// stored is an authority's row.
type stored struct {
	ID          int64
	Name        string
	Certificate []byte
	Key         []byte
	CRL         []byte
}

func (s stored) open(sealer *postgres.Sealer) (authority, error) {
	c, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return authority{}, fmt.Errorf("read its certificate: %w", err)
	}
	a := authority{id: s.ID, issuer: pki.Issuer{Certificate: c}, crl: s.CRL}
	if s.Key == nil {
		return a, nil
	}
	if a.issuer.Signer, err = unseal(sealer, s.Key, purpose(s.Name), c); err != nil {
		return authority{}, err
	}
	return a, nil
}

// unseal opens the key of c.
func unseal(sealer *postgres.Sealer, sealed []byte, purpose string, c *x509.Certificate) (crypto.Signer, error) {
	der, err := sealer.Open(sealed, purpose)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("its key is damaged")
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(c.PublicKey) {
		return nil, errors.New("its key is not the one of its certificate")
	}
	return signer, nil
}

// purpose binds a sealed key to its authority.
func purpose(name string) string { return "authority " + name }

// at tells an issuer where its files are reached.
func at(i pki.Issuer, base *url.URL, name string) pki.Issuer {
	if base != nil && base.Host != "" {
		i.CertificateURL = base.JoinPath("pki", name+".crt").String()
		i.CRLURL = base.JoinPath("pki", name+".crl").String()
		if name != Root {
			i.OCSPURL = base.JoinPath("pki", "ocsp", name).String()
		}
	}
	return i
}

// SignCRL signs the revocation list number of the authority called name.
// ErrOffline when its key is elsewhere: RootCRL has the list then.
func (l *Local) SignCRL(_ context.Context, name string, number int64, revoked []pki.Revocation, thisUpdate, nextUpdate time.Time) (pki.CRL, error) {
	a, ok := l.all[name]
	if !ok {
		return pki.CRL{}, fmt.Errorf("sign revocation list: there is no authority %q", name)
	}
	if a.issuer.Signer == nil {
		return pki.CRL{}, fmt.Errorf("sign revocation list of %s: %w", name, ErrOffline)
	}
	return a.issuer.SignCRL(number, revoked, thisUpdate, nextUpdate)
}

// Names are the authorities whose lists SignCRL signs: all but a root whose key
// is elsewhere.
func (l *Local) Names() []string {
	var names []string
	for _, name := range l.list {
		if l.all[name].issuer.Signer != nil {
			names = append(names, name)
		}
	}
	return names
}

// Chain is the way from the authority called name to the root, both included;
// nil when there is none of that name.
func (l *Local) Chain(name string) [][]byte { return slices.Clone(l.all[name].way) }

// findWays finds them once: every signature on a way is checked.
func (l *Local) findWays() {
	certificates := l.certificates()
	for name, a := range l.all {
		// Init made the way whole, and rows of authorities stay.
		a.way, _ = pki.Chain(a.issuer.Certificate.Raw, certificates...)
		l.all[name] = a
	}
}

func (l *Local) certificates() [][]byte {
	var all [][]byte
	for _, name := range l.list {
		all = append(all, l.all[name].issuer.Certificate.Raw)
	}
	return all
}

// File is the certificate of an authority, as it is offered at /pki/NAME.crt.
type File struct {
	Name    string // "mail"
	Title   string // its common name
	DER     []byte
	Ends    time.Time
	SHA256  string // fingerprint, for those who compare
	Offline bool   // its key is elsewhere
	OCSPURL string // where it is asked about its certificates, empty without an address
	// Addressee is how who asks names it; nil when nobody answers for it.
	Addressee *pki.Addressee
}

// Certificates are those of all authorities, the root first.
func (l *Local) Certificates() []File {
	var files []File
	for _, name := range l.list {
		i := l.all[name].issuer
		f := File{
			Name: name, Title: i.Certificate.Subject.CommonName, DER: i.Certificate.Raw, Ends: i.Certificate.NotAfter.UTC(),
			SHA256: fingerprint(i.Certificate.Raw), Offline: i.Signer == nil,
		}
		if slices.Contains(l.Responders(), name) {
			f.OCSPURL, f.Addressee = i.OCSPURL, pki.NewAddressee(i.Certificate)
		}
		files = append(files, f)
	}
	return files
}

func fingerprint(der []byte) string { return pki.Certificate{DER: der}.Fingerprints().SHA256 }

func public(key crypto.Signer, c *x509.Certificate) bool {
	same, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && same.Equal(c.PublicKey)
}
