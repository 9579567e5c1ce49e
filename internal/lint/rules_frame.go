package lint

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"net/url"
	"slices"
	"time"
)

func version(l leaf) *trouble { return when(l.x.Version != 3) }

// serial wants room for 64 random bits and at most 20 bytes.
func serial(l leaf) *trouble {
	n := l.x.SerialNumber
	return when(n.Sign() <= 0 || n.BitLen() <= 64 || n.BitLen() >= 160)
}

// signature wants SHA-2, of the size that goes with the curve of the issuer.
func signature(l leaf) *trouble {
	good := []x509.SignatureAlgorithm{
		x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512,
	}
	if l.Issuer != nil {
		if k, ok := l.Issuer.PublicKey.(*ecdsa.PublicKey); ok {
			good = map[elliptic.Curve][]x509.SignatureAlgorithm{
				elliptic.P256(): {x509.ECDSAWithSHA256}, elliptic.P384(): {x509.ECDSAWithSHA384}, elliptic.P521(): {x509.ECDSAWithSHA512},
			}[k.Curve]
		}
	}
	return when(!slices.Contains(good, l.x.SignatureAlgorithm), "algorithm", l.x.SignatureAlgorithm.String())
}

// beginning may lie a little before the signature, never after it. A public
// authority signs within 48 hours; an intent of a private one may have waited
// for longer.
func beginning(l leaf) *trouble {
	before := l.At.Sub(l.x.NotBefore)
	return when(before < -time.Minute || l.Policy.Public() && before > 48*time.Hour)
}

func validity(l leaf) *trouble {
	most := min(l.Profile.MostDays(l.x.NotBefore), l.Profile.MostDays(l.At))
	return when(l.days() < 1 || l.days() > most, "days", l.days(), "most", most)
}

func issuerName(l leaf) *trouble {
	return when(l.Issuer != nil && !bytes.Equal(l.x.RawIssuer, l.Issuer.RawSubject))
}

func issuerLife(l leaf) *trouble {
	return when(l.Issuer != nil && (l.x.NotAfter.After(l.Issuer.NotAfter) || l.x.NotBefore.Before(l.Issuer.NotBefore)))
}

// identified wants the identifier of the issuer's key, and nothing else of the
// issuer.
func identified(l leaf) *trouble {
	value, critical, ok := l.extension(oidIssuerKey)
	if !ok || critical {
		return bad()
	}
	var only struct {
		Key []byte `asn1:"tag:0"`
	}
	rest, err := asn1.Unmarshal(value, &only)
	wrong := err != nil || len(rest) > 0 || len(only.Key) == 0
	return when(wrong || l.Issuer != nil && !bytes.Equal(only.Key, l.Issuer.SubjectKeyId))
}

func keyIdentifier(l leaf) *trouble { return when(l.Profile.NamesKey() != (len(l.x.SubjectKeyId) > 0)) }

func usage(l leaf) *trouble {
	_, critical, _ := l.extension(oidUsage)
	return when(l.keyErr == nil && (!critical || l.x.KeyUsage != l.Profile.Usage(l.key)), "key", l.key.Algorithm)
}

func purposes(l leaf) *trouble {
	same := slices.Equal(slices.Sorted(slices.Values(l.x.ExtKeyUsage)), slices.Sorted(slices.Values(l.Profile.Purposes)))
	return when(!same || len(l.x.UnknownExtKeyUsage) > 0)
}

// issuerPurposes: an authority that is limited to purposes gives none away that
// it does not have.
func issuerPurposes(l leaf) *trouble {
	if l.Issuer == nil || len(l.Issuer.ExtKeyUsage) == 0 {
		return nil
	}
	for _, p := range l.x.ExtKeyUsage {
		if !slices.Contains(l.Issuer.ExtKeyUsage, p) {
			return bad()
		}
	}
	return nil
}

func authority(l leaf) *trouble {
	_, critical, ok := l.extension(oidBasic)
	limited := l.x.MaxPathLen > 0 || l.x.MaxPathLenZero
	signs := l.x.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0
	return when(l.x.IsCA || limited || signs || ok && !critical)
}

// policy wants the one that the profile has under this authority, and no other:
// reserved ones in a private certificate claim an audit that nobody made.
func policy(l leaf) *trouble {
	want, named := l.Policy.OID(l.Profile)
	_, critical, ok := l.extension(oidPolicies)
	switch {
	case !named:
		return when(ok, "want", "–")
	case critical || len(l.x.Policies) != 1:
		return bad("want", want.String())
	}
	return when(!l.x.Policies[0].Equal(want), "want", want.String())
}

func listAddress(l leaf) *trouble {
	_, critical, _ := l.extension(oidCRL)
	return when(critical || len(l.x.CRLDistributionPoints) == 0 || !allHTTP(l.x.CRLDistributionPoints))
}

func issuerAddress(l leaf) *trouble {
	_, critical, _ := l.extension(oidAccess)
	return when(critical || len(l.x.IssuingCertificateURL) == 0 || !allHTTP(l.x.IssuingCertificateURL) || !allHTTP(l.x.OCSPServer))
}

// allHTTP: who fetches a list over TLS would have to check a certificate first.
func allHTTP(addresses []string) bool {
	return !slices.ContainsFunc(addresses, func(a string) bool {
		u, err := url.Parse(a)
		return err != nil || u.Scheme != "http" || u.Host == ""
	})
}

var known = []asn1.ObjectIdentifier{
	oidKeyName, oidUsage, oidAlternative, oidBasic, oidCRL, oidPolicies, oidIssuerKey, oidPurposes, oidAccess,
}

func extensions(l leaf) *trouble {
	for _, e := range l.x.Extensions {
		if !slices.ContainsFunc(known, e.Id.Equal) {
			return bad("oid", e.Id.String())
		}
	}
	return nil
}
