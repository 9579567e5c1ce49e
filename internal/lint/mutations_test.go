package lint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/lint"
	"petschaft/internal/pki"
)

// mutation is one thing that is wrong with an otherwise good certificate, and
// the rule that says so.
type mutation struct {
	profile pki.ProfileID
	change  func(*x509.Certificate)
	key     crypto.PublicKey
	want    string
}

func longLife(x *x509.Certificate) { x.NotAfter = x.NotBefore.AddDate(0, 0, 1000) }

var (
	oidCN, oidSN, oidGN = asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 4}, asn1.ObjectIdentifier{2, 5, 4, 42}
	oidC, oidO, oidOU   = asn1.ObjectIdentifier{2, 5, 4, 6}, asn1.ObjectIdentifier{2, 5, 4, 10}, asn1.ObjectIdentifier{2, 5, 4, 11}
	oidOrgID, oidE      = asn1.ObjectIdentifier{2, 5, 4, 97}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

func ia5(s string) asn1.RawValue { return asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(s)} }

// oid is the policy that everything in the tables names.
func oid(t testing.TB, s string) x509.OID {
	t.Helper()
	o, err := x509.ParseOID(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// subject puts another Subject into the certificate.
func subject(t testing.TB, pairs ...any) func(*x509.Certificate) {
	der := sequence(t, pairs...)
	return func(x *x509.Certificate) { x.RawSubject = der }
}

func sponsored(t testing.TB, o, id, c string) func(*x509.Certificate) {
	return subject(t, oidC, c, oidO, o, oidOrgID, id, oidCN, "Jörg Müßig", oidGN, "Jörg", oidSN, "Müßig")
}

// extra adds an extension, also in the place of one that would be there.
func extra(id asn1.ObjectIdentifier, critical bool, value []byte) func(*x509.Certificate) {
	return func(x *x509.Certificate) {
		x.ExtraExtensions = append(x.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

func TestEveryMutationIsRefusedForTheRightReason(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t, pki.Policy{Arc: arc})
	all := frameMutations(t)
	for name, m := range subjectMutations(t) {
		all[name] = m
	}
	for name, m := range nameMutations(t) {
		all[name] = m
	}
	for name, m := range keyMutations(t, a) {
		all[name] = m
	}
	if len(all) < 40 {
		t.Errorf("got %d mutations, want at least 40", len(all))
	}
	for name, m := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, m.profile, ecKey(t))
			report := a.checked(r, a.forge(t, r, m.change, m.key))
			if !has(report.Findings, m.want) {
				t.Errorf("got %v, want %s among them", lint.Rules(report.Findings), m.want)
			}
		})
	}
	t.Logf("%d mutations", len(all))
}

// frameMutations are of everything but Subject, names and key.
func frameMutations(t testing.TB) map[string]mutation {
	mail, server := pki.MailMailbox, pki.TLSDomain
	return map[string]mutation{
		"1,000 days for mail, which zlint lets pass": {mail, longLife, nil, "validity"},
		"826 days for mail":                          {mail, func(x *x509.Certificate) { x.NotAfter = x.NotBefore.AddDate(0, 0, 825) }, nil, "validity"},
		"201 days for a server":                      {server, func(x *x509.Certificate) { x.NotAfter = x.NotBefore.AddDate(0, 0, 200) }, nil, "validity"},
		"it begins tomorrow":                         {mail, func(x *x509.Certificate) { x.NotBefore = now.AddDate(0, 0, 1) }, nil, "beginning"},
		"it outlives its authority":                  {mail, func(x *x509.Certificate) { x.NotAfter = now.AddDate(9, 0, 0) }, nil, "issuer-life"},
		"a serial number of 20 bits":                 {mail, func(x *x509.Certificate) { x.SerialNumber = number(1 << 20) }, nil, "serial"},
		"a serial number of 64 bits":                 {mail, func(x *x509.Certificate) { x.SerialNumber = new(big.Int).SetUint64(1<<63 + 1) }, nil, "serial"},
		"another issuer's name":                      {mail, func(x *x509.Certificate) { x.Issuer.CommonName, x.RawIssuer = "Eve", eve(t) }, nil, "issuer-name"},
		"another issuer's key":                       {mail, func(x *x509.Certificate) { x.AuthorityKeyId = []byte("eve") }, nil, "issuer-identifier"},
		"a signature of SHA-256 by a key of P-384":   {mail, func(x *x509.Certificate) { x.SignatureAlgorithm = x509.ECDSAWithSHA256 }, nil, "signature"},
		"an authority":                               {mail, func(x *x509.Certificate) { x.IsCA = true }, nil, "authority"},
		"an authority with a path":                   {mail, func(x *x509.Certificate) { x.IsCA, x.MaxPathLen = true, 3 }, nil, "authority"},
		"it signs lists":                             {mail, func(x *x509.Certificate) { x.KeyUsage |= x509.KeyUsageCRLSign }, nil, "authority"},
		"no usage":                                   {mail, func(x *x509.Certificate) { x.KeyUsage = 0 }, nil, "usage"},
		"data encipherment":                          {mail, func(x *x509.Certificate) { x.KeyUsage |= x509.KeyUsageDataEncipherment }, nil, "usage"},
		"key encipherment with an EC key":            {server, func(x *x509.Certificate) { x.KeyUsage |= x509.KeyUsageKeyEncipherment }, nil, "usage"},
		"a usage that is not critical":               {mail, extra(asn1.ObjectIdentifier{2, 5, 29, 15}, false, []byte{3, 2, 3, 0x88}), nil, "usage"},
		"client authentication in strict mail":       {mail, purpose(x509.ExtKeyUsageClientAuth), nil, "purposes"},
		"client authentication of a server":          {server, purpose(x509.ExtKeyUsageClientAuth), nil, "purposes"},
		"any purpose":                                {mail, purpose(x509.ExtKeyUsageAny), nil, "purposes"},
		"it signs code":                              {mail, purpose(x509.ExtKeyUsageCodeSigning), nil, "purposes"},
		"it answers for the authority":               {server, purpose(x509.ExtKeyUsageOCSPSigning), nil, "purposes"},
		"a purpose that the authority does not have": {mail, purpose(x509.ExtKeyUsageServerAuth), nil, "purposes-issuer"},
		"no purpose":                                 {mail, func(x *x509.Certificate) { x.ExtKeyUsage = nil }, nil, "purposes"},
		"a purpose unheard of":                       {mail, func(x *x509.Certificate) { x.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} }, nil, "purposes"},
		"no policy":                                  {mail, func(x *x509.Certificate) { x.Policies = nil }, nil, "policy"},
		"a reserved policy":                          {mail, func(x *x509.Certificate) { x.Policies = []x509.OID{oid(t, "2.23.140.1.5.1.3")} }, nil, "policy"},
		"the policy of another profile":              {mail, func(x *x509.Certificate) { x.Policies = []x509.OID{oid(t, arc+".5.3.3")} }, nil, "policy"},
		"two policies":                               {mail, func(x *x509.Certificate) { x.Policies = append(x.Policies, oid(t, arc+".1")) }, nil, "policy"},
		"no revocation list":                         {mail, func(x *x509.Certificate) { x.CRLDistributionPoints = nil }, nil, "list-address"},
		"a revocation list over https":               {mail, func(x *x509.Certificate) { x.CRLDistributionPoints = []string{"https://pki.garten.de/a.crl"} }, nil, "list-address"},
		"a revocation list in a directory":           {server, func(x *x509.Certificate) { x.CRLDistributionPoints = []string{"ldap://pki.garten.de/a"} }, nil, "list-address"},
		"nothing about the issuer":                   {server, func(x *x509.Certificate) { x.IssuingCertificateURL = nil }, nil, "issuer-address"},
		"the issuer over https":                      {mail, func(x *x509.Certificate) { x.IssuingCertificateURL = []string{"https://pki.garten.de/a.crt"} }, nil, "issuer-address"},
		"an answering service over https":            {mail, func(x *x509.Certificate) { x.OCSPServer = []string{"https://pki.garten.de/ocsp"} }, nil, "issuer-address"},
		"the key's identifier in a server's":         {server, func(x *x509.Certificate) { x.SubjectKeyId = []byte{1, 2, 3} }, nil, "key-identifier"},
		"a mailbox's without the key's identifier":   {mail, func(x *x509.Certificate) { x.SubjectKeyId = nil }, nil, "key-identifier"},
		"an extension unheard of":                    {mail, extra(asn1.ObjectIdentifier{1, 2, 3, 4}, false, []byte{5, 0}), nil, "extensions"},
		"a critical extension unheard of":            {server, extra(asn1.ObjectIdentifier{1, 2, 3, 4}, true, []byte{5, 0}), nil, "extensions"},
		"must-staple":                                {server, extra(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, false, []byte{48, 3, 2, 1, 5}), nil, "extensions"},
		"subject directory attributes":               {mail, extra(asn1.ObjectIdentifier{2, 5, 29, 9}, false, []byte{48, 0}), nil, "extensions"},
	}
}

func eve(t testing.TB) []byte { return sequence(t, oidC, "DE", oidO, "Eve", oidCN, "Eve") }

func purpose(p x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(x *x509.Certificate) { x.ExtKeyUsage = append(slices.Clone(x.ExtKeyUsage), p) }
}

func subjectMutations(t testing.TB) map[string]mutation {
	one, org, box, server := pki.MailIndividual, pki.MailSponsored, pki.MailMailbox, pki.TLSDomain
	id := sponsor.Identifier
	return map[string]mutation{
		"no organizationIdentifier, which zlint lets pass": {org, subject(t, oidC, "DE", oidO, "Garten", oidCN, "J M", oidGN, "J", oidSN, "M"), nil, "subject-needed"},
		"no organisation":                           {org, subject(t, oidOrgID, id, oidCN, "J M", oidGN, "J", oidSN, "M"), nil, "subject-needed"},
		"a sponsor's person without a name":         {org, subject(t, oidO, "Garten", oidOrgID, id, oidCN, "J M"), nil, "subject-needed"},
		"a person without a name":                   {one, subject(t, oidCN, "J M"), nil, "subject-needed"},
		"an identifier without a scheme":            {org, sponsored(t, "Garten", "DE-12345", "DE"), nil, "organisation-identifier"},
		"an identifier of a scheme unheard of":      {org, sponsored(t, "Garten", "XYZDE-12345", "DE"), nil, "organisation-identifier"},
		"an identifier without a number":            {org, sponsored(t, "Garten", "NTRDE", "DE"), nil, "organisation-identifier"},
		"a public body with a number":               {org, sponsored(t, "Garten", "GOVDE-1", "DE"), nil, "organisation-identifier"},
		"another country than the identifier's":     {org, sponsored(t, "Garten", id, "AT"), nil, "country"},
		"a country in small letters":                {org, sponsored(t, "Garten", id, "de"), nil, "country"},
		"an organisation of 65 characters":          {org, sponsored(t, strings.Repeat("ü", 65), id, "DE"), nil, "subject-text"},
		"a surname of 65 characters":                {one, subject(t, oidCN, "J", oidGN, "J", oidSN, strings.Repeat("ü", 65)), nil, "subject-text"},
		"a dash for a name":                         {one, subject(t, oidCN, "-", oidGN, "J", oidSN, "M"), nil, "subject-text"},
		"blanks around a name":                      {one, subject(t, oidCN, " J M", oidGN, "J", oidSN, "M"), nil, "subject-text"},
		"a character that turns text around":        {one, subject(t, oidCN, "J\u202eM", oidGN, "J", oidSN, "M"), nil, "subject-text"},
		"an address as UTF8String":                  {box, subject(t, oidE, "Kasse@garten.example"), nil, "subject-text"},
		"an organisation for an individual":         {one, subject(t, oidO, "Garten", oidCN, "J M", oidGN, "J", oidSN, "M"), nil, "subject-attributes"},
		"a unit":                                    {org, subject(t, oidO, "Garten", oidOrgID, id, oidOU, "Kasse", oidGN, "J", oidSN, "M"), nil, "subject-attributes"},
		"a common name for a mailbox":               {box, subject(t, oidE, ia5("Kasse@garten.example"), oidCN, "Kasse"), nil, "subject-attributes"},
		"an organisation for a server":              {server, subject(t, oidO, "Garten", oidCN, "www.garten.example"), nil, "subject-attributes"},
		"two common names":                          {server, subject(t, oidCN, "www.garten.example", oidCN, "garten.example"), nil, "subject-attributes"},
		"an address in the Subject that is no name": {box, subject(t, oidE, ia5("eve@garten.example")), nil, "subject-mailbox"},
		"an address in other capitals":              {box, subject(t, oidE, ia5("kasse@garten.example")), nil, "subject-mailbox"},
		"an address as common name that is no name": {one, subject(t, oidCN, "eve@garten.example", oidGN, "J", oidSN, "M"), nil, "subject-mailbox"},
		"a server as common name that is no name":   {server, subject(t, oidCN, "evil.example"), nil, "subject-server"},
		"an empty Subject for a mailbox":            {box, func(x *x509.Certificate) { x.RawSubject = []byte{48, 0} }, nil, "subject-needed"},
	}
}

func nameMutations(t testing.TB) map[string]mutation {
	box, server := pki.MailMailbox, pki.TLSDomain
	names := func(raw ...asn1.RawValue) func(*x509.Certificate) {
		der, err := asn1.Marshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		return extra(asn1.ObjectIdentifier{2, 5, 29, 17}, false, der)
	}
	one := func(tag int, s string) asn1.RawValue { return asn1.RawValue{Class: 2, Tag: tag, Bytes: []byte(s)} }
	good := one(1, "Kasse@garten.example")
	return map[string]mutation{
		"a server in a mailbox's, which zlint lets pass": {box, names(good, one(2, "www.garten.example")), nil, "names-kind"},
		"an address of a network in a mailbox's":         {box, func(x *x509.Certificate) { x.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }, nil, "names-kind"},
		"a web address in a mailbox's":                   {box, func(x *x509.Certificate) { x.URIs = []*url.URL{{Scheme: "http", Host: "a.example"}} }, nil, "names-kind"},
		"a mailbox in a server's":                        {server, func(x *x509.Certificate) { x.EmailAddresses = []string{"a@garten.example"} }, nil, "names-kind"},
		"an address of a network in a server's":          {server, func(x *x509.Certificate) { x.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)} }, nil, "names-kind"},
		"another kind of name":                           {box, names(good, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: []byte{6, 3, 42, 3, 4, 0xa0, 3, 12, 1, 'a'}}), nil, "names-kind"},
		"no names":                                       {server, func(x *x509.Certificate) { x.DNSNames = nil }, nil, "names-kind"},
		"a mailbox that nobody confirmed":                {box, names(good, one(1, "eve@garten.example")), nil, "names-given"},
		"a mailbox less":                                 {pki.MailIndividual, names(one(1, "jm@garten.example")), nil, "names-given"},
		"a server that nobody proved":                    {server, func(x *x509.Certificate) { x.DNSNames = append(x.DNSNames, "evil.example") }, nil, "names-given"},
		"a mailbox twice":                                {box, names(good, good), nil, "names-form"},
		"a mailbox with capitals in its domain":          {box, names(one(1, "Kasse@Garten.example")), nil, "names-form"},
		"a mailbox with a display name":                  {box, names(one(1, "Kasse <Kasse@garten.example>")), nil, "names-form"},
		"a server with capitals":                         {server, func(x *x509.Certificate) { x.DNSNames = []string{"WWW.garten.example"} }, nil, "names-form"},
		"a server with an underscore":                    {server, func(x *x509.Certificate) { x.DNSNames = []string{"a_b.garten.example"} }, nil, "names-form"},
		"a server with a dot at its end":                 {server, func(x *x509.Certificate) { x.DNSNames = []string{"garten.example."} }, nil, "names-form"},
		"a star in the middle":                           {server, func(x *x509.Certificate) { x.DNSNames = []string{"a.*.garten.example"} }, nil, "names-form"},
		"a star over a registry":                         {server, func(x *x509.Certificate) { x.DNSNames = []string{"*.co.uk"} }, nil, "names-wildcard"},
		"critical names beside a Subject":                {server, critical(t, "www.garten.example", "garten.example"), nil, "names-critical"},
	}
}

func critical(t testing.TB, names ...string) func(*x509.Certificate) {
	var raw []asn1.RawValue
	for _, n := range names {
		raw = append(raw, asn1.RawValue{Class: 2, Tag: 2, Bytes: []byte(n)})
	}
	der, err := asn1.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	return extra(asn1.ObjectIdentifier{2, 5, 29, 17}, true, der)
}

func keyMutations(t testing.TB, a authorities) map[string]mutation {
	all := map[string]mutation{
		"the key of the authority": {pki.MailMailbox, nil, a.mail.Signer.Public(), "key-issuer"},
	}
	for name, key := range weakKeys(t) {
		all[name] = mutation{pki.MailMailbox, nil, key, "key"}
	}
	return all
}

// weakKeys are public keys that nobody may use, made here.
func weakKeys(t testing.TB) map[string]crypto.PublicKey {
	p, err := rand.Prime(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	q := new(big.Int).Add(p, big.NewInt(2))
	for !q.ProbablyPrime(20) {
		q.Add(q, big.NewInt(2))
	}
	far, err := rand.Prime(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	product := func(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }
	small := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), 2048), big.NewInt(751)) // times 751 has 2,048 bits
	small.Sub(small, big.NewInt(1)).SetBit(small, 0, 1)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	prime := primeModulus(t)
	third, err := rand.Prime(rand.Reader, 688)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.PublicKey{
		"a prime":                           prime,
		"the cube of a prime":               &rsa.PublicKey{N: product(third, product(third, third)), E: 65537},
		"primes that lie near each other":   &rsa.PublicKey{N: product(p, q), E: 65537},
		"the square of a prime":             &rsa.PublicKey{N: product(p, p), E: 65537},
		"a factor of 751":                   &rsa.PublicKey{N: product(small, big.NewInt(751)), E: 65537},
		"an exponent of 3":                  &rsa.PublicKey{N: product(p, far), E: 3},
		"an even exponent":                  &rsa.PublicKey{N: product(p, far), E: 65538},
		"2,047 bits":                        &rsa.PublicKey{N: new(big.Int).Rsh(product(p, far), 1), E: 65537},
		"16,384 bits":                       &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 16383), 0, 1), E: 65537},
		"a key like those of a broken chip": &rsa.PublicKey{N: broken(t), E: 65537},
		"a curve of 224 bits":               p224.Public(),
		"a curve that mail cannot use":      edwards,
	}
}

// primeModulus is the key of a request that somebody made to fool the portal.
func primeModulus(t testing.TB) crypto.PublicKey {
	t.Helper()
	data, err := os.ReadFile("../pki/testdata/13-rsa-prime-modulus.csr")
	if err != nil {
		t.Fatal(err)
	}
	request, err := pki.ReadCSR(data)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(request.Key.SPKI)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// broken is a modulus with the mark of CVE-2017-15361: both primes are a power
// of 65537 modulo the product of the first primes.
func broken(t testing.TB) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for i, n := 0, int64(2); i < 126; n++ {
		if big.NewInt(n).ProbablyPrime(0) {
			m.Mul(m, big.NewInt(n))
			i++
		}
	}
	prime := func() *big.Int {
		bits := new(big.Int).Lsh(big.NewInt(1), uint(1024-m.BitLen()))
		for {
			k, err := rand.Int(rand.Reader, bits)
			if err != nil {
				t.Fatal(err)
			}
			power, err := rand.Int(rand.Reader, big.NewInt(1<<62))
			if err != nil {
				t.Fatal(err)
			}
			p := new(big.Int).Exp(big.NewInt(65537), power, m)
			p.Add(p, k.Mul(k, m))
			if p.BitLen() == 1024 && p.ProbablyPrime(10) {
				return p
			}
		}
	}
	for {
		if n := new(big.Int).Mul(prime(), prime()); n.BitLen() == 2048 {
			return n
		}
	}
}

func TestAWeakKeyIsToldInTheWordsOfItsKind(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t, pki.Policy{})
	weak := weakKeys(t)
	for name, want := range map[string]string{
		"primes that lie near each other": "pki.key.close_primes", "a factor of 751": "pki.key.factors", "an exponent of 3": "pki.key.exponent",
		"a key like those of a broken chip": "pki.key.roca", "a curve of 224 bits": "pki.key.curve_small", "a curve that mail cannot use": "pki.key.edwards",
	} {
		r := request(t, pki.MailPersonal, ecKey(t))
		for _, f := range a.checked(r, a.forge(t, r, nil, weak[name])).Findings {
			if f.Rule == "key" && (f.ID != want || f.Whom != lint.ByKey) {
				t.Errorf("%s: got %s for %s, want %s for its holder", name, f.ID, f.Whom, want)
			}
		}
	}
}
