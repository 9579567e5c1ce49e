package lint

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"

	"petschaft/internal/pki"
)

// File is what a file holds: a certificate and, if it stands there too, that of
// its issuer.
type File struct {
	DER    []byte
	Issuer *x509.Certificate
}

// ReadFile reads a certificate, PEM or DER. Of several in PEM the first counts,
// and its issuer if it is among the others.
func ReadFile(data []byte) (File, error) {
	if !bytes.Contains(data, []byte("-----BEGIN")) {
		if _, err := x509.ParseCertificate(data); err != nil {
			return File{}, err
		}
		return File{DER: data}, nil
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return File{}, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return File{}, errors.New("there is no certificate in it")
	}
	f := File{DER: all[0].Raw}
	for _, c := range all[1:] {
		if bytes.Equal(c.RawSubject, all[0].RawIssuer) {
			f.Issuer = c
		}
	}
	return f, nil
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
