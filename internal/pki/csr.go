package pki

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"

	"petschaft/internal/fault"
)

// mostOfCSR bounds a request, in bytes.
const mostOfCSR = 64 << 10

// mostAsked is how many names of a kind are taken note of; a certificate carries
// fewer.
const mostAsked = 2 * MostDNS

// CSR is what is taken note of in a certification request (RFC 2986).
type CSR struct {
	DER        []byte // the request itself, as it was signed
	Key        Key
	CommonName string    // the first one, as typed
	Asked      Names     // as typed, at most 100 of a kind; a common name that looks like one of them is the first
	Added      bool      // the common name is among Asked though no subjectAltName has it
	Dropped    []Dropped // what no certificate of ours carries, whatever its profile
}

// Dropped is something that was asked for and is ignored: a message and its
// blanks, for the page.
type Dropped struct {
	ID   string
	Args []any
}

// outline is as much of a request as has to be in order: the key, and the
// signature over it.
type outline struct {
	TBS struct {
		Raw        asn1.RawContent
		Version    int
		Subject    asn1.RawValue
		Key        asn1.RawValue
		Attributes asn1.RawValue `asn1:"optional"` // some programs leave the field out
	}
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// ReadCSR reads one request, PEM or DER, at most 64 KiB, and checks its key and
// that who asks holds the private key. What it refuses is a fault of kind
// Invalid that says what to do; no fault repeats any of data. Subject and
// attributes decide nothing: what is odd about them is told in Dropped.
func ReadCSR(data []byte) (CSR, error) {
	o, der, err := outlined(data)
	if err != nil {
		return CSR{}, err
	}
	c := CSR{DER: der}
	if c.Key, err = ReadKey(o.TBS.Key.FullBytes); err != nil {
		return CSR{}, err
	}
	if err := o.checkSignature(); err != nil {
		return CSR{}, err
	}
	c.readSubject(o.TBS.Subject)
	c.readAttributes(o.TBS.Attributes)
	c.nameFromCommonName()
	c.bound()
	return c, nil
}

// ReadProof reads of a request only its Subject and which key signed it, both in DER:
// what is too weak to be certified can have fallen into other hands, too.
func ReadProof(data []byte) (subject, key []byte, err error) {
	o, _, err := outlined(data)
	if err == nil {
		err = o.checkSignature()
	}
	return o.TBS.Subject.FullBytes, o.TBS.Key.FullBytes, err
}

// outlined is the one request in data, and its DER; nothing is checked yet.
func outlined(data []byte) (o outline, der []byte, err error) {
	if der, err = unwrap(data); err != nil {
		return o, nil, err
	}
	if rest, err := asn1.Unmarshal(der, &o); err != nil || len(rest) > 0 {
		return o, nil, fault.New(fault.Invalid, "pki.csr.unreadable")
	}
	return o, der, nil
}

// csrHolds tells whether der is a request of that key. Its signature was checked
// by ReadCSR.
func csrHolds(der []byte, k Key) bool {
	var o outline
	if rest, err := asn1.Unmarshal(der, &o); err != nil || len(rest) > 0 {
		return false
	}
	if bytes.Equal(o.TBS.Key.FullBytes, k.SPKI) {
		return true
	}
	same, err := ReadKey(o.TBS.Key.FullBytes) // some programs write the same key otherwise
	return err == nil && same.Equal(k)
}

// checkSignature refuses a request that the holder of its key has not signed.
// The standard library knows the methods, but reads no request with anything odd
// in it. So it gets one with the same key and signature and nothing else, and
// checks it over the bytes that were signed (RFC 2986, 3).
func (o outline) checkSignature() error {
	bare := o
	bare.TBS.Raw, bare.TBS.Subject.FullBytes, bare.TBS.Attributes.FullBytes = nil, []byte{0x30, 0}, []byte{0xa0, 0}
	der, err := asn1.Marshal(bare)
	if err != nil {
		return fault.New(fault.Invalid, "pki.csr.unreadable")
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil { // its text may repeat what was typed
		return fault.New(fault.Invalid, "pki.csr.unreadable")
	}
	request.RawTBSCertificateRequest = o.TBS.Raw
	if err := request.CheckSignature(); err != nil {
		_, old := errors.AsType[x509.InsecureAlgorithmError](err)
		if old || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
			return fault.New(fault.Invalid, "pki.csr.signature_old")
		}
		return fault.New(fault.Invalid, "pki.csr.signature")
	}
	return nil
}

func (c *CSR) drop(id string, args ...any) {
	c.Dropped = append(c.Dropped, Dropped{ID: id, Args: args})
}

// Ignored is everything that was asked for and will not be in a certificate for
// given: what is dropped anyway, and names beyond given. Two names are the same
// when fold makes the same of them.
func (c CSR) Ignored(given Names, fold func(string) string) []Dropped {
	all := CSR{Dropped: slices.Clone(c.Dropped)}
	known := map[string]bool{}
	for _, name := range slices.Concat(given.DNS, given.Emails, given.IPs) {
		known[fold(name)] = true
	}
	if c.CommonName != "" && !known[fold(c.CommonName)] {
		all.drop("pki.dropped.common_name", "name", c.CommonName)
		known[fold(c.CommonName)] = true // said once is enough
	}
	beyond := func(id string, asked []string) {
		for _, name := range asked {
			if !known[fold(name)] {
				all.drop(id, "name", name)
			}
		}
	}
	beyond("pki.dropped.dns", c.Asked.DNS)
	beyond("pki.dropped.email", c.Asked.Emails)
	beyond("pki.dropped.ip", c.Asked.IPs)
	return all.Dropped
}
