package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"petschaft/internal/fault"
)

// Key is a public key that was read and is not weak at first sight. Only ReadKey
// makes one; before it is certified, Check looks closer.
type Key struct {
	SPKI        []byte   // SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), as it stands in certificates
	Algorithm   string   // "RSA 3072", "EC P-256"
	Fingerprint [32]byte // SHA-256 of SPKI
	public      crypto.PublicKey
}

// Equal reports whether both are the same key.
func (k Key) Equal(l Key) bool { return len(k.SPKI) > 0 && bytes.Equal(k.SPKI, l.SPKI) }

func (k Key) isRSA() bool { _, ok := k.public.(*rsa.PublicKey); return ok }

// spki is the outline of a SubjectPublicKeyInfo.
type spki struct {
	Raw       asn1.RawContent
	Algorithm pkix.AlgorithmIdentifier
	Public    asn1.BitString
}

var (
	oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidEC  = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidDSA = asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}

	oidP224, oidP256 = asn1.ObjectIdentifier{1, 3, 132, 0, 33}, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidP384, oidP521 = asn1.ObjectIdentifier{1, 3, 132, 0, 34}, asn1.ObjectIdentifier{1, 3, 132, 0, 35}

	oidX25519, oidEd25519 = asn1.ObjectIdentifier{1, 3, 101, 110}, asn1.ObjectIdentifier{1, 3, 101, 112}
	oidX448, oidEd448     = asn1.ObjectIdentifier{1, 3, 101, 111}, asn1.ObjectIdentifier{1, 3, 101, 113}
)

// Check is CheckKey.
func (k Key) Check() error { return CheckKey(k.public) }

// ReadKey reads a DER SubjectPublicKeyInfo and checks the key as CheckKey does,
// without what takes longer than a millisecond. What it refuses is a fault whose
// words say what to make instead.
func ReadKey(der []byte) (Key, error) {
	var outline spki
	if rest, err := asn1.Unmarshal(der, &outline); err != nil || len(rest) > 0 {
		return Key{}, fault.New(fault.Invalid, "pki.key.damaged")
	}
	if err := checkAlgorithm(outline.Algorithm); err != nil {
		return Key{}, err
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		if outline.Algorithm.Algorithm.Equal(oidEC) {
			return Key{}, fault.New(fault.Invalid, "pki.key.point")
		}
		return Key{}, fault.New(fault.Invalid, "pki.key.damaged")
	}
	return NewKey(public)
}

// NewKey is ReadKey for a key that is already in memory.
func NewKey(public crypto.PublicKey) (Key, error) {
	if err := glance(public); err != nil {
		return Key{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, fmt.Errorf("write public key: %w", err)
	}
	k := Key{SPKI: der, Fingerprint: sha256.Sum256(der), public: public}
	switch p := public.(type) {
	case *rsa.PublicKey:
		k.Algorithm = fmt.Sprintf("RSA %d", p.N.BitLen())
	case *ecdsa.PublicKey:
		k.Algorithm = "EC " + p.Params().Name
	}
	return k, nil
}

// Kinds of keys that are no good for mail; for a server the reason is another.
var (
	ErrKeyPSS     = fault.New(fault.Invalid, "pki.key.pss")
	ErrKeyEdwards = fault.New(fault.Invalid, "pki.key.edwards")
	ErrKeyCurve   = fault.New(fault.Invalid, "pki.key.curve")
)

// checkAlgorithm says in words what is wrong with a kind of key that the
// standard library would only call unknown.
func checkAlgorithm(a pkix.AlgorithmIdentifier) error {
	oneOf := func(all ...asn1.ObjectIdentifier) bool {
		for _, o := range all {
			if a.Algorithm.Equal(o) {
				return true
			}
		}
		return false
	}
	switch {
	case oneOf(oidRSA):
		return nil
	case oneOf(oidEC):
		return checkCurve(a.Parameters)
	case oneOf(oidPSS):
		return ErrKeyPSS
	case oneOf(oidDSA):
		return fault.New(fault.Invalid, "pki.key.dsa")
	case oneOf(oidEd25519, oidEd448, oidX25519, oidX448):
		return ErrKeyEdwards
	}
	return fault.New(fault.Invalid, "pki.key.algorithm")
}

// checkCurve refuses every curve but P-256, P-384 and P-521, and curves that
// are written out instead of named (RFC 5480, 2.1.1).
func checkCurve(parameters asn1.RawValue) error {
	if parameters.Class == asn1.ClassUniversal && parameters.Tag == asn1.TagSequence {
		return fault.New(fault.Invalid, "pki.key.curve_explicit")
	}
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(parameters.FullBytes, &curve); err != nil {
		return ErrKeyCurve
	}
	for _, good := range []asn1.ObjectIdentifier{oidP256, oidP384, oidP521} {
		if curve.Equal(good) {
			return nil
		}
	}
	if curve.Equal(oidP224) {
		return fault.New(fault.Invalid, "pki.key.curve_small")
	}
	return ErrKeyCurve
}

// CheckKey refuses a key that must not be certified: RSA under 2,048 or over
// 8,192 bits or weak (see weak.go), a curve other than P-256, P-384 and P-521,
// a point off its curve, and every other algorithm (S/MIME BR 6.1.5, 6.1.6).
func CheckKey(public crypto.PublicKey) error {
	if err := glance(public); err != nil {
		return err
	}
	if k, ok := public.(*rsa.PublicKey); ok {
		return lookRSA(k)
	}
	return nil
}

// glance is what CheckKey sees within a millisecond.
func glance(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return glanceRSA(k)
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
		case elliptic.P224():
			return fault.New(fault.Invalid, "pki.key.curve_small")
		default:
			return ErrKeyCurve
		}
		if _, err := k.ECDH(); err != nil { // it checks that the point is on the curve and not at infinity
			return fault.New(fault.Invalid, "pki.key.point")
		}
		return nil
	}
	return fault.New(fault.Invalid, "pki.key.algorithm")
}
