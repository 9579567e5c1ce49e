package pki

import (
	"bytes"
	"fmt"

	"github.com/smallstep/pkcs7"
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
