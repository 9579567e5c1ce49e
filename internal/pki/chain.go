package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
)

// ErrChain says that no way leads from a certificate to a root.
var ErrChain = errors.New("the certificates at hand do not lead to a root")

// Chain orders certs into the way from leaf to the root that signed itself, both
// included, checking each signature on it. What does not belong to it is left
// out; a gap is ErrChain.
func Chain(leaf []byte, certs ...[]byte) ([][]byte, error) {
	way, whole, err := climb(leaf, certs)
	if err != nil {
		return nil, err
	}
	if !whole {
		return nil, ErrChain
	}
	return way, nil
}

// climb goes up from leaf as far as certs lead; whole tells that it ends with a
// root.
func climb(leaf []byte, certs [][]byte) (way [][]byte, whole bool, err error) {
	at, err := readCertificate(leaf)
	if err != nil {
		return nil, false, fmt.Errorf("read certificate: %w", err)
	}
	var pool []*x509.Certificate
	for _, der := range certs {
		c, err := readCertificate(der)
		if err != nil {
			return nil, false, fmt.Errorf("read certificate: %w", err)
		}
		pool = append(pool, c)
	}
	way = [][]byte{at.Raw}
	for !signs(at, at) {
		above := issuer(at, pool)
		if above == nil || len(way) > len(pool) {
			return way, false, nil
		}
		at = above
		way = append(way, at.Raw)
	}
	return way, true, nil
}

func issuer(c *x509.Certificate, pool []*x509.Certificate) *x509.Certificate {
	for _, p := range pool {
		if !bytes.Equal(p.Raw, c.Raw) && signs(p, c) {
			return p
		}
	}
	return nil
}

func signs(parent, child *x509.Certificate) bool {
	return bytes.Equal(parent.RawSubject, child.RawIssuer) && child.CheckSignatureFrom(parent) == nil
}

// SelfSigned tells whether der is a certificate that signed itself: a root.
func SelfSigned(der []byte) bool {
	c, err := readCertificate(der)
	return err == nil && signs(c, c)
}

// rootless is a chain without the root at its end, if there is one above the leaf.
func rootless(chain [][]byte) [][]byte {
	if n := len(chain) - 1; n > 0 && SelfSigned(chain[n]) {
		return chain[:n]
	}
	return chain
}
