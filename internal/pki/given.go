package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/text"
)

// Given is a certificate that somebody brings along, whoever signed it.
type Given struct {
	Certificate
	Authority    bool   // it is for signing others
	Mail, Server bool   // what it may be used for, and names
	Organisation string // in its subject
}

// GivenPEM takes the certificates out of a file, as DER and in their order. A
// private key among them refuses the whole file: nobody is to send one. What is
// no certificate is refused, too, so that nothing is left out unsaid.
func GivenPEM(data []byte) ([][]byte, error) {
	text := plain(data)
	if holdsPrivateKey(text) || isPrivateKey(data) {
		return nil, fault.New(fault.Invalid, "pki.given.private_key")
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return [][]byte{data}, nil
	}
	var all [][]byte
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if isPrivateKey(block.Bytes) {
			return nil, fault.New(fault.Invalid, "pki.given.private_key")
		}
		if !slices.Contains([]string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}, block.Type) {
			return nil, fault.New(fault.Invalid, "pki.given.other", "what", block.Type)
		}
		all = append(all, block.Bytes)
	}
	switch n := bytes.Count(text, []byte("-----BEGIN ")); {
	case n == 0:
		return nil, fault.New(fault.Invalid, "pki.given.none")
	case n > len(all):
		return nil, fault.New(fault.Invalid, "pki.given.cut_off", "n", n-len(all))
	}
	return all, nil
}

// ParseGiven reads one of them. It refuses what the portal could not keep: no
// certificate, a key that nobody should use any more, no name it knows.
func ParseGiven(der []byte) (Given, error) {
	x, err := x509.ParseCertificate(der)
	if err != nil {
		return Given{}, fault.New(fault.Invalid, "pki.given.unreadable").Because(err)
	}
	g := Given{Authority: x.IsCA, Organisation: text.Line(strings.Join(x.Subject.Organization, ", "))}
	if g.Authority {
		g.DER, g.Issuer, g.rawSubject = x.Raw, x.RawIssuer, x.RawSubject
		return g, nil
	}
	if _, err := ReadKey(x.RawSubjectPublicKeyInfo); err != nil {
		return Given{}, fault.New(fault.Invalid, "pki.given.weak_key").Because(err)
	}
	if g.Certificate, err = read(x); err != nil {
		return Given{}, fault.New(fault.Invalid, "pki.given.unreadable").Because(err)
	}
	if len(g.Emails) == 0 { // as authorities did before it belonged into the subjectAltName
		g.Emails = subjectEmails(x)
	}
	open := len(x.ExtKeyUsage) == 0 || slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageAny)
	g.Mail = len(g.Emails) > 0 && (open || slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageEmailProtection))
	g.Server = !g.Mail && len(g.DNS) > 0 && (open || slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageServerAuth))
	if !g.Mail && !g.Server {
		return Given{}, fault.New(fault.Invalid, "pki.given.purpose")
	}
	return g, nil
}

var oidSubjectEmail = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

func subjectEmails(x *x509.Certificate) (all []string) {
	for _, a := range x.Subject.Names {
		if s, ok := a.Value.(string); ok && a.Type.Equal(oidSubjectEmail) && strings.Contains(s, "@") {
			all = append(all, shown(s))
		}
	}
	return all
}

// Above is the way from leaf through certs as far as it leads, the issuer first;
// whole tells that it ends with a root.
func Above(leaf []byte, certs ...[]byte) (above [][]byte, whole bool, err error) {
	way, whole, err := climb(leaf, certs)
	if err != nil {
		return nil, false, err
	}
	return way[1:], whole, nil
}

// SerialDecimal is the serial number as some programs write it.
func (c Certificate) SerialDecimal() string { return new(big.Int).SetBytes(c.Serial).String() }

// Distinguished is a distinguished name as people read it, empty where der is
// none.
func Distinguished(der []byte) string {
	all, err := attributes(der)
	if err != nil {
		return ""
	}
	return strings.Join(all, ", ")
}
