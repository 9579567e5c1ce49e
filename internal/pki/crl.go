package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Revocation is one entry of a revocation list.
type Revocation struct {
	Serial []byte
	At     time.Time
	Reason Reason
}

// CRL is a signed revocation list.
type CRL struct {
	DER        []byte
	Number     int64
	ThisUpdate time.Time
	NextUpdate time.Time
}

// SignCRL signs a version 2 list with its number and the key identifier of the
// authority (RFC 5280, 5.2). Entries come in the order of their serials; an
// unspecified reason is left out; the same arguments give the same bytes.
func (a Issuer) SignCRL(number int64, revoked []Revocation, thisUpdate, nextUpdate time.Time) (CRL, error) {
	if number < 1 {
		return CRL{}, fmt.Errorf("sign revocation list: its number is %d, want 1 or more", number)
	}
	if !nextUpdate.After(thisUpdate) {
		return CRL{}, errors.New("sign revocation list: it ends before it begins")
	}
	entries, err := crlEntries(revoked)
	if err != nil {
		return CRL{}, fmt.Errorf("sign revocation list: %w", err)
	}
	der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: thisUpdate.UTC(), NextUpdate: nextUpdate.UTC(), RevokedCertificateEntries: entries,
	}, a.Certificate, a.Signer)
	if err != nil {
		return CRL{}, fmt.Errorf("sign revocation list: %w", err)
	}
	return CRL{DER: der, Number: number, ThisUpdate: thisUpdate.UTC().Truncate(time.Second), NextUpdate: nextUpdate.UTC().Truncate(time.Second)}, nil
}

func crlEntries(revoked []Revocation) ([]x509.RevocationListEntry, error) {
	sorted := slices.SortedFunc(slices.Values(revoked), func(x, y Revocation) int { return bytes.Compare(x.Serial, y.Serial) })
	entries := make([]x509.RevocationListEntry, 0, len(sorted))
	for i, r := range sorted {
		if _, known := r.Reason.Facts(); !known {
			return nil, fmt.Errorf("%d is no reason to revoke", r.Reason)
		}
		if len(r.Serial) == 0 || i > 0 && bytes.Equal(r.Serial, sorted[i-1].Serial) {
			return nil, fmt.Errorf("the serial %s is empty or there twice", Colons(r.Serial))
		}
		entries = append(entries, x509.RevocationListEntry{
			SerialNumber: new(big.Int).SetBytes(r.Serial), RevocationTime: r.At.UTC(), ReasonCode: int(r.Reason),
		})
	}
	return entries, nil
}

// ParseCRL reads a DER revocation list.
func ParseCRL(der []byte) (CRL, error) {
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return CRL{}, fmt.Errorf("read revocation list: %w", err)
	}
	if l.Number == nil || !l.Number.IsInt64() {
		return CRL{}, errors.New("read revocation list: it has no number, or one that is too large")
	}
	return CRL{DER: l.Raw, Number: l.Number.Int64(), ThisUpdate: l.ThisUpdate.UTC(), NextUpdate: l.NextUpdate.UTC()}, nil
}
