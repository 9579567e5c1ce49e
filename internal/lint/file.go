package lint

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// File is what a file holds: a certificate and, if it stands there too, that of
// its issuer.
type File struct {
	DER    []byte
	Issuer *x509.Certificate
}

// ReadFile reads a certificate: PEM, DER or PKCS#7. Of several the first counts
// that is no authority's, and its issuer if it is among the others. What is in
// the file instead of one is said as a fault.
func ReadFile(data []byte) (File, error) {
	blocks, err := blocksOf(data)
	if err != nil {
		return File{}, err
	}
	var all []*x509.Certificate
	var instead error
	for _, b := range blocks {
		ders, is := certificatesOf(b)
		if !is {
			if instead == nil {
				instead = other(b)
			}
			continue
		}
		for _, der := range ders {
			c, err := x509.ParseCertificate(der)
			switch {
			case err == nil:
				all = append(all, c)
			case !slices.ContainsFunc(all, ofSubscriber): // it may be the one that counts
				return File{}, unreadable(der, err)
			}
		}
	}
	if len(all) == 0 {
		return File{}, instead
	}
	at := slices.IndexFunc(all, ofSubscriber)
	if at < 0 {
		return File{}, fault.New(fault.Invalid, "lint.file.authority")
	}
	f := File{DER: all[at].Raw}
	for i, c := range all {
		if i != at && bytes.Equal(c.RawSubject, all[at].RawIssuer) {
			f.Issuer = c
		}
	}
	return f, nil
}

func ofSubscriber(c *x509.Certificate) bool { return !c.IsCA }

// blocksOf are the blocks of a PEM file, or DER as the one block without a label.
func blocksOf(data []byte) (all []*pem.Block, err error) {
	begins := bytes.Count(data, []byte("-----BEGIN "))
	if begins == 0 {
		return []*pem.Block{{Bytes: data}}, nil
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		all = append(all, block)
	}
	if len(all) < begins {
		return nil, fault.New(fault.Invalid, "lint.file.cut_off")
	}
	return all, nil
}

// certificatesOf are those in a block; false: it holds something else.
func certificatesOf(b *pem.Block) ([][]byte, bool) {
	if all, ok := pki.FromPKCS7(b.Bytes); ok && len(all) > 0 {
		return all, true
	}
	switch b.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		return [][]byte{b.Bytes}, true
	case "":
		_, err := pki.ParseKept(b.Bytes)
		_, strict := x509.ParseCertificate(b.Bytes)
		return [][]byte{b.Bytes}, err == nil || strict == nil
	}
	return nil, false
}

// unreadable says why a certificate cannot be checked; one that other programs
// read breaks rules of its form.
func unreadable(der []byte, err error) error {
	id := "lint.file.damaged"
	if _, odd := pki.ParseKept(der); odd == nil {
		id = "lint.file.odd"
	}
	return fault.New(fault.Invalid, id).Because(err)
}

// other says what a block is that holds no certificate.
func other(b *pem.Block) error {
	_, request := x509.ParseCertificateRequest(b.Bytes)
	_, ours := pki.ReadCSR(b.Bytes)
	_, list := x509.ParseRevocationList(b.Bytes)
	switch {
	case strings.HasSuffix(b.Type, "CERTIFICATE REQUEST") || request == nil || ours == nil:
		return fault.New(fault.Invalid, "lint.file.request")
	case b.Type == "X509 CRL" || list == nil:
		return fault.New(fault.Invalid, "lint.file.crl")
	case strings.HasSuffix(b.Type, "PRIVATE KEY") || isPrivate(b.Bytes):
		return fault.New(fault.Invalid, "lint.file.private_key")
	case b.Type != "":
		return fault.New(fault.Invalid, "lint.file.other", "what", b.Type)
	}
	return fault.New(fault.Invalid, "lint.file.none")
}

func isPrivate(der []byte) bool {
	_, err := pki.EarlierFile(der)
	return errors.Is(err, pki.ErrEarlierPrivateKey)
}

// Guess is the profile that a certificate looks like; false: none.
func Guess(der []byte) (pki.ProfileID, bool) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return "", false
	}
	silent := len(c.Policies) == 0
	pick := func(id, old pki.ProfileID) (pki.ProfileID, bool) {
		if silent {
			return old, true
		}
		return id, true
	}
	l := leaf{}
	if l.subject, err = readSubject(c.RawSubject); err != nil {
		return "", false
	}
	switch {
	case slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth):
		return pick(pki.TLSDomain, pki.TLSServer)
	case !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection):
		return "", false
	case len(l.of(oidOrgID)) > 0 && slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return pki.MailMulti, true
	case len(l.of(oidOrgID)) > 0:
		return pki.MailSponsored, true
	case len(l.of(oidGivenName))+len(l.of(oidSurname)) > 0:
		return pick(pki.MailIndividual, pki.MailPersonal)
	}
	return pick(pki.MailMailbox, pki.MailFunctional)
}
