package compromise

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// ErrKey is that nothing in what was typed names a key.
var ErrKey = fault.New(fault.Invalid, "compromise.key.unreadable")

// ReadKey reads which key is meant: a certificate, a request or a public key in PEM, or
// the digest. A private key among it is pki.ErrPrivateKey: nobody may show it again.
func ReadKey(typed string) (Digest, error) {
	data := []byte(strings.TrimSpace(typed))
	switch {
	case len(data) == 0:
		return Digest{}, fault.New(fault.Invalid, "field.required")
	case pki.HoldsPrivateKey(data):
		return Digest{}, pki.ErrPrivateKey
	case !bytes.Contains(data, []byte("-----BEGIN ")):
		d, err := ParseDigest(typed)
		if err != nil {
			return d, ErrKey
		}
		return d, nil
	case bytes.Contains(data, []byte("REQUEST-----")):
		_, spki, err := pki.ReadProof(data) // a weak key is one, too
		if err != nil {
			return Digest{}, err
		}
		return digestOfSPKI(spki)
	}
	if block, _ := pem.Decode(data); block != nil && block.Type == "PUBLIC KEY" {
		return digestOfSPKI(block.Bytes)
	}
	given, err := readCertificate(data)
	return given.key, err
}

// digestOf is the digest of a key as certificates here are known by it: however it came
// encoded.
func digestOf(public any, spki []byte) Digest {
	if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
		spki = der
	}
	return sha256.Sum256(spki)
}

// digestOfSPKI is the digest of a key in DER.
func digestOfSPKI(spki []byte) (Digest, error) {
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return Digest{}, ErrKey
	}
	return digestOf(public, spki), nil
}

// given is a certificate that somebody gave.
type given struct {
	issuer, serial []byte
	key            Digest
}

func readCertificate(data []byte) (given, error) {
	all, err := pki.EarlierFile(data)
	if err != nil {
		return given{}, err
	}
	x, err := x509.ParseCertificate(all[0])
	if err != nil {
		return given{}, ErrKey
	}
	return given{issuer: x.RawIssuer, serial: x.SerialNumber.Bytes(), key: digestOf(x.PublicKey, x.RawSubjectPublicKeyInfo)}, nil
}

// Sought is which certificate somebody means, as typed: itself in PEM or its SHA-256
// fingerprint, or else its serial number and issuer.
type Sought struct {
	Certificate string
	Serial      string
	Issuer      string
}

// found is what Sought means: a key, and the certificate where it is known here.
type found struct {
	key         Digest
	certificate *cert.ID
}

// errUnknown is that the certificate is none that is known here.
var errUnknown = fault.New(fault.Invalid, "compromise.sought.unknown")

// find looks for the certificate; what is wrong is said beside the field.
func (s Sought) find(ctx context.Context, q postgres.Querier) (f found, err error) {
	field := "certificate"
	switch typed := strings.TrimSpace(s.Certificate); {
	case strings.Contains(typed, "-----BEGIN "):
		f, err = findGiven(ctx, q, []byte(typed))
	case typed != "":
		var d Digest
		if d, err = ParseDigest(typed); err == nil {
			f, err = findBy(ctx, q, `c.fingerprint = @digest`, pgx.NamedArgs{"digest": d[:]}, "")
		}
	default:
		field = "serial"
		f, err = s.findSerial(ctx, q)
	}
	return f, beside(field, err)
}

// beside says what is wrong with an input beside its field.
func beside(field string, err error) error {
	if err == nil || !fault.Is(err, fault.Invalid) || len(fault.Of(err).Fields) > 0 {
		return err
	}
	var bad fault.Fields
	bad.Add(field, fault.Of(err).ID, fault.Of(err).Args...)
	return bad.Err()
}

func findGiven(ctx context.Context, q postgres.Querier, data []byte) (found, error) {
	if pki.HoldsPrivateKey(data) {
		return found{}, pki.ErrPrivateKey
	}
	g, err := readCertificate(data)
	if err != nil {
		return found{}, err
	}
	f, err := findBy(ctx, q, `c.issuer = @issuer and c.serial = @serial`, pgx.NamedArgs{"issuer": g.issuer, "serial": g.serial}, "")
	if err == nil {
		return f, nil
	}
	if _, err := findBy(ctx, q, `c.key = @key`, pgx.NamedArgs{"key": g.key[:]}, ""); err != nil {
		return found{}, err
	}
	return found{key: g.key}, nil // another certificate of a key that is known here
}

func (s Sought) findSerial(ctx context.Context, q postgres.Querier) (found, error) {
	serial := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(strings.TrimSpace(s.Serial)))
	if serial == "" {
		return found{}, fault.New(fault.Invalid, "compromise.sought.none")
	}
	b, err := hex.DecodeString(strings.Repeat("0", len(serial)%2) + serial)
	if err != nil || len(b) > 21 {
		return found{}, fault.New(fault.Invalid, "compromise.sought.serial")
	}
	return findBy(ctx, q, `c.serial = @serial`, pgx.NamedArgs{"serial": bytes.TrimLeft(b, "\x00")}, s.Issuer)
}

// findBy is the one certificate for which SQL holds and whose issuer is called so.
func findBy(ctx context.Context, q postgres.Querier, where string, args pgx.NamedArgs, issuer string) (f found, err error) {
	rows, err := q.Query(ctx, `select c.id, c.key, c.issuer from certificate c where `+where+` order by c.id desc limit 20`, args)
	if err != nil {
		return f, fmt.Errorf("look for a certificate: %w", err)
	}
	type line struct {
		ID     cert.ID
		Key    Digest
		Issuer []byte
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[line])
	if err != nil {
		return f, fmt.Errorf("look for a certificate: %w", err)
	}
	for _, l := range all {
		if name, _ := pki.NameText(l.Issuer); issuer == "" || sameName(name, issuer) {
			return found{key: l.Key, certificate: &l.ID}, nil
		}
	}
	return f, errUnknown
}

// sameName tells whether a typed name of an issuer means this one: people leave out
// parts of it.
func sameName(name, typed string) bool {
	plain := func(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), "") }
	return strings.Contains(plain(name), strings.TrimPrefix(plain(typed), "cn=")) && plain(typed) != ""
}

// Scan reads a digest from the database.
func (d *Digest) Scan(v any) error {
	b, ok := v.([]byte)
	if ok && len(b) == 0 { // of a certificate whose key nobody noted
		*d = Digest{}
		return nil
	}
	if !ok || len(b) != len(d) {
		return fmt.Errorf("%T of %d bytes is no digest", v, len(b))
	}
	*d = Digest(b)
	return nil
}
