package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// outline is a certificate (RFC 5280, 4.1) as far as it has to be taken apart to
// exchange an extension.
type outline struct {
	TBS       tbs
	Algorithm asn1.RawValue
	Signature asn1.RawValue
}

type tbs struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     asn1.RawValue
	Algorithm  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	Key        asn1.RawValue
	IssuerID   asn1.BitString   `asn1:"optional,tag:1"`
	SubjectID  asn1.BitString   `asn1:"optional,tag:2"`
	Extensions []pkix.Extension `asn1:"omitempty,optional,explicit,tag:3"`
}

// shadow is the certificate with policy in the place of those it names. Its
// signature is that of the other one and good for nothing: nobody looks at it.
func shadow(der []byte, policy x509.OID) ([]byte, error) {
	var o outline
	if rest, err := asn1.Unmarshal(der, &o); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("take a certificate apart: %w", err)
	}
	value, err := policies(policy)
	if err != nil {
		return nil, err
	}
	placed := false
	for i, e := range o.TBS.Extensions {
		if e.Id.Equal(oidPolicies) {
			o.TBS.Extensions[i], placed = pkix.Extension{Id: e.Id, Critical: e.Critical, Value: value}, true
		}
	}
	if !placed {
		o.TBS.Extensions = append(o.TBS.Extensions, pkix.Extension{Id: oidPolicies, Value: value})
	}
	return asn1.Marshal(o)
}

// policies is the value of a certificatePolicies extension with one policy
// (RFC 5280, 4.2.1.4).
func policies(one x509.OID) ([]byte, error) {
	der, err := one.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return asn1.Marshal([]struct{ ID asn1.RawValue }{{asn1.RawValue{Tag: asn1.TagOID, Bytes: der}}})
}
