package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

const (
	rootYears    = 20
	issuingYears = 8
)

// OfflineDays is how long the list of a root whose key is elsewhere is good: a
// list of authorities may last a year (S/MIME BR 4.9.7).
const OfflineDays = 360

// Options of Init.
type Options struct {
	Organisation string        // O of every authority
	Country      string        // C, as in "DE"
	RootKey      crypto.Signer // the root's key when it is kept elsewhere; nil: make one and keep it sealed
	Now          time.Time
	PKIURL       *url.URL // as for Open
	Multipurpose bool     // the authority for mail may also give away signing in (clientAuth)
}

// Init makes a root (P-384 unless RootKey is another, 20 years) and below it the
// issuing authorities for mail and for TLS servers (P-384, 8 years, each limited
// to its purpose), or nothing: where there are any it is ErrExists. A RootKey is
// used and not kept; the first revocation list of such a root is signed here.
func Init(ctx context.Context, db *postgres.DB, sealer *postgres.Sealer, o Options) error {
	made, err := makeAll(o)
	if err != nil {
		return fmt.Errorf("make authorities: %w", err)
	}
	return db.Tx(ctx, func(tx pgx.Tx) error {
		// Two that begin at once take turns, and the second finds the first's.
		if _, err := tx.Exec(ctx, "lock table authority in share row exclusive mode"); err != nil {
			return fmt.Errorf("lock authorities: %w", err)
		}
		var there bool
		if err := tx.QueryRow(ctx, "select exists (select from authority)").Scan(&there); err != nil {
			return fmt.Errorf("look for authorities: %w", err)
		}
		if there {
			return ErrExists
		}
		key, err := sealer.Key(ctx, tx)
		if err != nil {
			return err
		}
		var root *int64
		for _, m := range made {
			var id int64
			sealed, err := m.seal(key)
			if err != nil {
				return err
			}
			err = tx.QueryRow(ctx, `insert into authority (name, parent, certificate, key, crl, created)
				values (@name, @parent, @certificate, @key, @crl, @created) returning id`, pgx.NamedArgs{
				"name": m.name, "parent": root, "certificate": m.certificate.Raw, "key": sealed, "crl": m.crl, "created": o.Now,
			}).Scan(&id)
			if err != nil {
				return fmt.Errorf("keep authority %s: %w", m.name, err)
			}
			if root == nil {
				root = &id
			}
		}
		return nil
	})
}

// newAuthority is one that was made and is not kept yet.
type newAuthority struct {
	name        string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey // nil: kept elsewhere
	crl         []byte
}

func (m newAuthority) seal(key postgres.Key) ([]byte, error) {
	if m.key == nil {
		return nil, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(m.key)
	if err != nil {
		return nil, fmt.Errorf("write the key of %s: %w", m.name, err)
	}
	return key.Seal(der, purpose(m.name)), nil
}

func makeAll(o Options) ([]newAuthority, error) {
	root, signer, err := makeRoot(o)
	if err != nil {
		return nil, err
	}
	made := []newAuthority{root}
	issuer := at(pki.Issuer{Certificate: root.certificate, Signer: signer}, o.PKIURL, Root)
	mail := []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	if o.Multipurpose {
		mail = append(mail, x509.ExtKeyUsageClientAuth)
	}
	for _, sub := range []struct {
		name, role string
		purposes   []x509.ExtKeyUsage
	}{
		{Mail, "Mail CA", mail},
		{TLS, "TLS CA", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
	} {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			return nil, err
		}
		c, err := issuer.SignAuthority(o.authority(sub.role, issuingYears, sub.purposes...), key.Public())
		if err != nil {
			return nil, err
		}
		made = append(made, newAuthority{name: sub.name, certificate: c, key: key})
	}
	return made, nil
}

func makeRoot(o Options) (newAuthority, crypto.Signer, error) {
	root := newAuthority{name: Root}
	signer := o.RootKey
	if signer == nil {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			return root, nil, err
		}
		root.key, signer = key, key
	}
	var err error
	if root.certificate, err = pki.NewRoot(o.authority("Root CA", rootYears), signer); err != nil {
		return root, nil, err
	}
	if root.key == nil {
		list, err := offlineList(root.certificate, signer, 1, o.Now)
		if err != nil {
			return root, nil, err
		}
		root.crl = list.DER
	}
	return root, signer, nil
}

// authority names the year, so that a successor has another name.
func (o Options) authority(role string, years int, purposes ...x509.ExtKeyUsage) pki.Authority {
	return pki.Authority{
		Organisation: o.Organisation, Country: o.Country, Role: fmt.Sprintf("%s %d", role, o.Now.UTC().Year()),
		Purposes: purposes, Years: years, Leaf: len(purposes) > 0, NotBefore: pki.NotBefore(o.Now),
	}
}

func offlineList(root *x509.Certificate, key crypto.Signer, number int64, now time.Time) (pki.CRL, error) {
	from := now.UTC().Truncate(time.Second)
	return pki.Issuer{Certificate: root, Signer: key}.SignCRL(number, nil, from, from.AddDate(0, 0, OfflineDays))
}

// RootCRL is the revocation list of a root whose key is elsewhere, as it was
// signed last; false when the key is here and SignCRL makes the lists.
func (l *Local) RootCRL(ctx context.Context) (pki.CRL, bool, error) {
	if l.all[Root].crl == nil {
		return pki.CRL{}, false, nil
	}
	var der []byte
	if err := l.db.QueryRow(ctx, "select crl from authority where name = $1", Root).Scan(&der); err != nil {
		return pki.CRL{}, false, fmt.Errorf("load the root's revocation list: %w", err)
	}
	list, err := pki.ParseCRL(der)
	return list, err == nil, err
}

// RenewRootCRL signs the next list of a root whose key is elsewhere, with that
// key, and keeps the list alone. Another key is refused.
func RenewRootCRL(ctx context.Context, db *postgres.DB, key crypto.Signer, now time.Time) error {
	return db.Tx(ctx, func(tx pgx.Tx) error {
		var certificate, crl []byte
		err := tx.QueryRow(ctx, "select certificate, crl from authority where name = $1 for update", Root).Scan(&certificate, &crl)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNone
		}
		if err != nil {
			return fmt.Errorf("load the root: %w", err)
		}
		if crl == nil {
			return errors.New("the key of the root is kept here: its lists are signed by themselves")
		}
		root, err := x509.ParseCertificate(certificate)
		if err != nil {
			return fmt.Errorf("read the root: %w", err)
		}
		if !public(key, root) {
			return errors.New("this is not the key of the root")
		}
		last, err := pki.ParseCRL(crl)
		if err != nil {
			return err
		}
		next, err := offlineList(root, key, last.Number+1, now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "update authority set crl = $1 where name = $2", next.DER, Root); err != nil {
			return fmt.Errorf("keep the root's revocation list: %w", err)
		}
		return nil
	})
}

// ReadRootKey reads the private key of a root from a PEM file: PKCS#8, SEC 1 or
// PKCS#1, not encrypted. Its errors repeat nothing of the file.
func ReadRootKey(file []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(file)
	for block != nil && block.Type == "EC PARAMETERS" { // `openssl ecparam -genkey` writes them first
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("the file holds no PEM block of a private key")
	}
	if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if s, ok := k.(crypto.Signer); ok {
			return s, nil
		}
	}
	if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	return nil, errors.New("the file holds no private key that can be read; decrypt it first: openssl pkey -in FILE -out PLAIN")
}
