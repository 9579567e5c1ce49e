package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"

	"petschaft/internal/fault"
)

// mostOfCSR bounds a request, in bytes.
const mostOfCSR = 64 << 10

// CSR is what is taken note of in a certification request (RFC 2986). The
// request itself is not kept.
type CSR struct {
	Key        Key
	CommonName string    // the first one, as typed
	Asked      Names     // as typed; a common name alone counts as the name asked for
	Dropped    []Dropped // what no certificate of ours carries, whatever its profile
}

// Dropped is something that was asked for and is ignored: a message and its
// blanks, for the page.
type Dropped struct {
	ID   string
	Args []any
}

// outline is as much of a request as tells what is in it before any of it is
// trusted.
type outline struct {
	TBS struct {
		Raw        asn1.RawContent
		Version    int
		Subject    asn1.RawValue
		Key        asn1.RawValue
		Attributes []attribute `asn1:"tag:0,set"`
	}
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue
}

// ReadCSR reads one request, PEM or DER, at most 64 KiB, and checks its key and
// that who asks holds the private key. What it refuses is a fault of kind
// Invalid that says what to do; no fault repeats any of data.
func ReadCSR(data []byte) (CSR, error) {
	der, err := unwrap(data)
	if err != nil {
		return CSR{}, err
	}
	var o outline
	if rest, err := asn1.Unmarshal(der, &o); err != nil || len(rest) > 0 {
		return CSR{}, fault.New(fault.Invalid, "pki.csr.unreadable")
	}
	key, err := ReadKey(o.TBS.Key.FullBytes)
	if err != nil {
		return CSR{}, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil { // its text may repeat what was typed
		return CSR{}, fault.New(fault.Invalid, "pki.csr.unreadable")
	}
	if err := request.CheckSignature(); err != nil {
		_, old := errors.AsType[x509.InsecureAlgorithmError](err)
		if old || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
			return CSR{}, fault.New(fault.Invalid, "pki.csr.signature_old")
		}
		return CSR{}, fault.New(fault.Invalid, "pki.csr.signature")
	}
	c := CSR{Key: key}
	c.readSubject(request.Subject)
	if err := c.readExtensions(request.Extensions); err != nil {
		return CSR{}, fault.New(fault.Invalid, "pki.csr.unreadable")
	}
	for _, a := range o.TBS.Attributes {
		if a.Type.Equal(oidChallengePassword) {
			c.drop("pki.dropped.challenge_password")
		}
	}
	return c, nil
}

func (c *CSR) drop(id string, args ...any) {
	c.Dropped = append(c.Dropped, Dropped{ID: id, Args: args})
}

// Ignored is everything that was asked for and will not be in a certificate for
// given: what is dropped anyway, and names beyond given. Names are compared byte
// by byte.
func (c CSR) Ignored(given Names) []Dropped {
	all := CSR{Dropped: slices.Clone(c.Dropped)}
	known := slices.Concat(given.DNS, given.Emails, given.IPs)
	if c.CommonName != "" && !slices.Contains(known, c.CommonName) {
		all.drop("pki.dropped.common_name", "name", c.CommonName)
		known = append(known, c.CommonName) // said once is enough
	}
	beyond := func(id string, asked []string) {
		for _, name := range asked {
			if !slices.Contains(known, name) {
				all.drop(id, "name", name)
			}
		}
	}
	beyond("pki.dropped.dns", c.Asked.DNS)
	beyond("pki.dropped.email", c.Asked.Emails)
	beyond("pki.dropped.ip", c.Asked.IPs)
	return all.Dropped
}
