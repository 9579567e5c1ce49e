package pki

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// PKCS7 is one file of certificates and nothing else, signed by nobody, as
// Windows takes it (RFC 2315, 9.1; DER, usually called .p7b).
func PKCS7(certificates ...[]byte) ([]byte, error) {
	der, err := pkcs7.DegenerateCertificate(bytes.Join(certificates, nil))
	if err != nil {
		return nil, fmt.Errorf("write PKCS#7: %w", err)
	}
	return der, nil
}

var oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

// FromPKCS7 takes the certificates out of SignedData, whoever signed it (RFC 5652,
// 5.1), as they are: the library would refuse all for one that is odd. Attribute
// certificates and the like are left out.
func FromPKCS7(der []byte) (all [][]byte, ok bool) {
	context0 := tag.Tag(0).ContextSpecific().Constructed()
	in := cryptobyte.String(der)
	var info, content, data, certificates, one cryptobyte.String
	var kind asn1.ObjectIdentifier
	var present bool
	if !in.ReadASN1(&info, tag.SEQUENCE) || !in.Empty() || !info.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidSignedData) ||
		!info.ReadASN1(&content, context0) || !content.ReadASN1(&data, tag.SEQUENCE) || !data.SkipASN1(tag.INTEGER) || !data.SkipASN1(tag.SET) ||
		!data.SkipASN1(tag.SEQUENCE) || !data.ReadOptionalASN1(&certificates, &present, context0) {
		return nil, false
	}
	for !certificates.Empty() {
		var which tag.Tag
		if !certificates.ReadAnyASN1Element(&one, &which) {
			return nil, false
		}
		if which == tag.SEQUENCE {
			all = append(all, one)
		}
	}
	return all, true
}
