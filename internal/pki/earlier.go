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

// Earlier is a certificate from before the portal, whoever signed it.
type Earlier struct {
	Certificate
	Authority    bool     // it is for signing others
	Mail, Server bool     // what it may be used for, and names
	Organisation string   // in its subject
	Odd          []string // messages: what breaks a rule in it, and was read all the same
}

// ErrEarlierPrivateKey is that a private key stands where certificates are wanted:
// it is never shown again.
var ErrEarlierPrivateKey = fault.New(fault.Invalid, "pki.given.private_key")

// EarlierFile takes the certificates out of a file, PEM, DER or PKCS#7 (.p7b), as
// DER and in their order. A private key among them refuses the whole file: nobody
// is to send one. What is no certificate is refused, too, so that nothing is left
// out unsaid.
func EarlierFile(data []byte) ([][]byte, error) {
	text := plain(data)
	if holdsPrivateKey(text) || isPrivateKey(data) {
		return nil, ErrEarlierPrivateKey
	}
	if _, err := readCertificate(data); err == nil {
		return [][]byte{data}, nil
	}
	if all, ok := FromPKCS7(data); ok {
		return some(all)
	}
	var all [][]byte
	blocks := 0
	for rest := text; ; blocks++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		more, err := ofBlock(block)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	switch n := bytes.Count(text, []byte("-----BEGIN ")); {
	case n == 0:
		return nil, fault.New(fault.Invalid, "pki.given.none")
	case n > blocks:
		return nil, fault.New(fault.Invalid, "pki.given.cut_off", "n", n-blocks)
	}
	return some(all)
}

func some(all [][]byte) ([][]byte, error) {
	if len(all) == 0 {
		return nil, fault.New(fault.Invalid, "pki.given.none")
	}
	return all, nil
}

// ofBlock are the certificates in a block of PEM. Windows writes PKCS#7 under the
// label of a certificate, too.
func ofBlock(block *pem.Block) ([][]byte, error) {
	if isPrivateKey(block.Bytes) {
		return nil, ErrEarlierPrivateKey
	}
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS":
		if all, ok := FromPKCS7(block.Bytes); ok {
			return all, nil
		}
	case "TRUSTED CERTIFICATE": // behind it OpenSSL writes what it is trusted for
		if n, ok := sequenceLength(block.Bytes); ok && n <= len(block.Bytes) {
			return [][]byte{block.Bytes[:n]}, nil
		}
	}
	if !strings.HasSuffix(block.Type, "CERTIFICATE") {
		return nil, fault.New(fault.Invalid, "pki.given.other", "what", block.Type)
	}
	return [][]byte{block.Bytes}, nil
}

// ParseEarlier reads one of them. It refuses what the portal could not keep: no
// certificate, a key that nobody should use any more, no name it knows.
func ParseEarlier(der []byte) (Earlier, error) {
	x, err := readCertificate(der)
	if err != nil {
		return Earlier{}, fault.New(fault.Invalid, "pki.given.unreadable").Because(err)
	}
	subject, err := readName(x.RawSubject)
	if err != nil {
		return Earlier{}, fault.New(fault.Invalid, "pki.given.unreadable").Because(err)
	}
	g := Earlier{Authority: x.IsCA, Organisation: strings.Join(texts(subject, oidOrg), ", ")}
	if g.Authority {
		g.DER, g.Issuer, g.rawSubject = x.Raw, x.RawIssuer, x.RawSubject
		return g, nil
	}
	if _, err := ReadKey(x.RawSubjectPublicKeyInfo); err != nil {
		return Earlier{}, fault.New(fault.Invalid, "pki.given.weak_key").Because(err)
	}
	if g.Certificate, err = read(x); err != nil {
		return Earlier{}, fault.New(fault.Invalid, "pki.given.unreadable").Because(err)
	}
	g.Odd = oddities(x, subject)
	g.settleNames(subject)
	open := len(x.ExtKeyUsage) == 0 || slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageAny)
	g.Mail = len(g.Emails) > 0 && (open || slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageEmailProtection))
	g.Server = !g.Mail && len(g.DNS) > 0 && (open || slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageServerAuth))
	if !g.Mail && !g.Server {
		return Earlier{}, fault.New(fault.Invalid, "pki.given.purpose")
	}
	return g, nil
}

// texts are the values of an attribute in a name, as one sees them.
func texts(name []namePart, oid asn1.ObjectIdentifier) (all []string) {
	for _, p := range name {
		if p.oid.Equal(oid) {
			all = append(all, text.Line(p.text))
		}
	}
	return all
}

// settleNames writes names of servers with A-labels and, where the
// subjectAltName names nobody, takes those of the subject, as authorities did
// before they belonged there.
func (g *Earlier) settleNames(subject []namePart) {
	names := g.DNS
	g.DNS = nil
	for _, n := range names {
		a, ok := withALabels(n)
		if !ok || a != n {
			g.odd("pki.odd.letters")
		}
		if ok {
			g.DNS = add(g.DNS, a)
		}
	}
	for _, e := range texts(subject, oidEmail) {
		if len(g.Emails) == 0 && strings.Contains(e, "@") {
			g.Emails = []string{e}
			g.odd("pki.odd.subject")
		}
	}
	if len(g.DNS)+len(g.Emails) > 0 {
		return
	}
	for _, cn := range texts(subject, oidCommonName) {
		if a, ok := withALabels(cn); ok && canonicalDNS(strings.ToLower(a)) {
			g.DNS = add(g.DNS, a)
			g.odd("pki.odd.subject")
		} else if checkEmails([]string{cn}) == nil {
			g.Emails = add(g.Emails, cn)
			g.odd("pki.odd.subject")
		}
	}
}

func (g *Earlier) odd(id string) { g.Odd = add(g.Odd, id) }

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
