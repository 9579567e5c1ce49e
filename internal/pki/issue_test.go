package pki_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

func TestOpenSSLReadsWhatIsIssued(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	cases := map[string]struct {
		request pki.Request
		want    []string // in `openssl x509 -text`, blanks folded
	}{
		"a person with an RSA key": {personal(t, rsaKey()), []string{
			"Subject: CN = Jörg Müßig, GN = Jörg, SN = Müßig",
			"X509v3 Subject Alternative Name: email:joerg.muessig@garten.example, email:jm@garten.example",
			"X509v3 Key Usage: critical Digital Signature, Key Encipherment X509v3",
		}},
		"a person with an EC key": {personal(t, ecKey(t, elliptic.P256())), []string{
			"X509v3 Key Usage: critical Digital Signature, Key Agreement X509v3",
		}},
		"an office": {functional(t, rsaKey()), []string{
			"Subject: emailAddress = Kasse@garten.example Subject Public Key Info",
			"X509v3 Subject Alternative Name: email:Kasse@garten.example",
		}},
	}
	always := []string{
		"Version: 3 (0x2)",
		"Issuer: C = DE, O = Botanischer Garten Mühlheim, CN = Botanischer Garten Mühlheim Mail CA 2026",
		life(730),
		"X509v3 Extended Key Usage: E-mail Protection X509v3", "X509v3 Basic Constraints: critical CA:FALSE",
		"CA Issuers - URI:http://pki.garten.example/pki/mail.crt", "URI:http://pki.garten.example/pki/mail.crl",
		"X509v3 Subject Key Identifier:", "X509v3 Authority Key Identifier:", "Signature Algorithm: ecdsa-with-SHA384",
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "c.pem", pki.PEM(sign(t, h.mail, c.request).DER))
			text := strings.Join(strings.Fields(openssl(t, dir, "x509", "-in", "c.pem", "-noout", "-text", "-nameopt", "oneline,utf8,-esc_msb")), " ")
			for _, want := range append(always, c.want...) {
				if !strings.Contains(text, want) {
					t.Errorf("openssl says\n%s\nwant in it %q", text, want)
				}
			}
			for _, never := range []string{"Policies", "2.23.140", "ignored"} {
				if strings.Contains(text, never) {
					t.Errorf("openssl says\n%s\nwant no %q in it", text, never)
				}
			}
		})
	}
}

// life is how openssl writes that of days whole ones, begun an hour ago.
func life(days int) string {
	from := now.Add(-time.Hour)
	return "Not Before: " + from.Format("Jan 2 15:04:05 2006 GMT") + " Not After : " +
		from.AddDate(0, 0, days).Add(-time.Second).Format("Jan 2 15:04:05 2006 GMT")
}

func TestOpenSSLVerifiesTheChainWithEveryList(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	dir := t.TempDir()
	good, bad := sign(t, h.mail, personal(t, rsaKey())), sign(t, h.mail, functional(t, rsaKey()))
	rootList, err := h.root.SignCRL(1, nil, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	list, err := h.mail.SignCRL(5, []pki.Revocation{{Serial: bad.Serial, At: now, Reason: pki.KeyCompromise}}, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "root.pem", pki.PEM(h.root.Certificate.Raw))
	write(t, dir, "mail.pem", pki.PEM(h.mail.Certificate.Raw))
	write(t, dir, "lists.pem", append(asPEM("X509 CRL", rootList.DER), asPEM("X509 CRL", list.DER)...))
	write(t, dir, "good.pem", pki.PEM(good.DER))
	write(t, dir, "bad.pem", pki.PEM(bad.DER))
	verify := func(file string) (string, error) {
		return try(dir, "verify", "-x509_strict", "-attime", fmt.Sprint(now.Add(time.Minute).Unix()), "-CAfile", "root.pem", "-untrusted", "mail.pem",
			"-CRLfile", "lists.pem", "-crl_check_all", "-purpose", "smimesign", file)
	}
	if out, err := verify("good.pem"); err != nil || !strings.Contains(out, "good.pem: OK") {
		t.Errorf("got %v\n%s\nwant good.pem OK", err, out)
	}
	if out, err := verify("bad.pem"); err == nil || !strings.Contains(out, "certificate revoked") {
		t.Errorf("got %v\n%s\nwant it revoked", err, out)
	}
}

// subjectValues are the values of a Subject, with the types of their text.
func subjectValues(t *testing.T, der []byte) []asn1.RawValue {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	var sets []asn1.RawValue
	if _, err := asn1.Unmarshal(c.RawSubject, &sets); err != nil {
		t.Fatal(err)
	}
	var all []asn1.RawValue
	for _, set := range sets {
		var one struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		if rest, err := asn1.Unmarshal(set.Bytes, &one); err != nil || len(rest) > 0 {
			t.Fatalf("an RDN of %x holds more than one attribute", set.FullBytes)
		}
		all = append(all, one.Value)
	}
	return all
}

func TestTextInASubjectHasItsProperType(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	person := subjectValues(t, sign(t, h.mail, personal(t, rsaKey())).DER)
	if len(person) != 3 || person[0].Tag != asn1.TagUTF8String || string(person[0].Bytes) != "Jörg Müßig" {
		t.Errorf("a person: got %v, want three values, the first UTF8String", person)
	}
	office := subjectValues(t, sign(t, h.mail, functional(t, rsaKey())).DER)
	if len(office) != 1 || office[0].Tag != asn1.TagIA5String || string(office[0].Bytes) != "Kasse@garten.example" {
		t.Errorf("an office: got %v, want one IA5String with the address", office)
	}
}

func TestNothingOfARequestButItsKeyGetsIntoACertificate(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	read := func(der []byte) pki.Key {
		c, err := pki.ReadCSR(der)
		if err != nil {
			t.Fatal(err)
		}
		return c.Key
	}
	for _, key := range []crypto.Signer{rsaKey(), ecKey(t, elliptic.P384())} {
		modest, more := personal(t, key), personal(t, key)
		more.Serial = modest.Serial
		modest.Key, more.Key = read(csr(t, key)), read(csr(t, key, greedy))
		a, b := sign(t, h.mail, modest), sign(t, h.mail, more)
		if !bytes.Equal(a.DER, b.DER) {
			t.Errorf("a request that asks for more gets another certificate: %x, want %x", b.DER, a.DER)
		}
		if bytes.Contains(bytes.ToLower(b.DER), []byte("schmuggel")) {
			t.Error("the certificate holds a smuggled name")
		}
	}
}

func TestASubjectTakesWhatFitsAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 65)
	cases := map[string]struct {
		change func(*pki.Request)
		want   string // Subject, or the refusal
	}{
		"a name of 64 characters stays":      {func(r *pki.Request) { r.CommonName = long[:128] }, "CN=" + long[:128] + ", GN=Jörg, SN=Müßig"},
		"a longer common name is left out":   {func(r *pki.Request) { r.CommonName = long }, "GN=Jörg, SN=Müßig"},
		"a longer surname is refused":        {func(r *pki.Request) { r.Surname = long }, "pki.request.name_long"},
		"a longer given name is refused":     {func(r *pki.Request) { r.GivenName = long }, "pki.request.name_long"},
		"placeholders are left out":          {func(r *pki.Request) { r.GivenName, r.Surname = "-", " . " }, "CN=Jörg Müßig"},
		"blanks around a name go":            {func(r *pki.Request) { r.CommonName = " Jörg Müßig\u00a0" }, "CN=Jörg Müßig, GN=Jörg, SN=Müßig"},
		"no name at all is refused":          {func(r *pki.Request) { r.CommonName, r.GivenName, r.Surname = "", "", "" }, "pki.request.no_name"},
		"control characters are refused":     {func(r *pki.Request) { r.CommonName = "a\x00b" }, "pki.request.name_characters"},
		"direction marks are refused":        {func(r *pki.Request) { r.Surname = "a\u202eb" }, "pki.request.name_characters"},
		"broken UTF-8 is refused":            {func(r *pki.Request) { r.Surname = "a\xff" }, "pki.request.name_characters"},
		"no address is refused":              {func(r *pki.Request) { r.Emails = nil }, "pki.request.no_address"},
		"the same address twice is refused":  {func(r *pki.Request) { r.Emails = []string{"a@b.example", "a@b.example"} }, "pki.request.address"},
		"an umlaut in an address is refused": {func(r *pki.Request) { r.Emails = []string{"ü@b.example"} }, "pki.request.address"},
		"a display name is refused":          {func(r *pki.Request) { r.Emails = []string{"A <a@b.example>"} }, "pki.request.address"},
		"a capital domain is not canonical":  {func(r *pki.Request) { r.Emails = []string{"a@B.example"} }, "pki.request.address"},
	}
	h := newHierarchy(t)
	for name, c := range cases {
		r := personal(t, rsaKey())
		c.change(&r)
		got, err := h.mail.Sign(r, now)
		if err != nil {
			wants(t, err, c.want)
		} else if got.Subject != c.want {
			t.Errorf("%s: got the Subject %q, want %q", name, got.Subject, c.want)
		}
	}
}

func TestAMailAddressOverSixtyFourCharactersFits(t *testing.T) {
	t.Parallel()
	r := functional(t, rsaKey())
	r.Emails = []string{strings.Repeat("a", 64) + "@" + strings.Repeat("b", 60) + ".garten.example"}
	if c := sign(t, newHierarchy(t).mail, r); c.Subject != "E="+r.Emails[0] {
		t.Errorf("got %q, want the address whole", c.Subject)
	}
}

func TestRequestsThatAProgramGotWrongAreRefused(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	for name, change := range map[string]func(*pki.Request){
		"no serial":              func(r *pki.Request) { r.Serial = nil },
		"a negative serial":      func(r *pki.Request) { r.Serial[0] = 0x80 },
		"a short serial":         func(r *pki.Request) { r.Serial = r.Serial[:8] },
		"an unknown profile":     func(r *pki.Request) { r.Profile = "tls" },
		"no key":                 func(r *pki.Request) { r.Key = pki.Key{} },
		"a key nobody checked":   func(r *pki.Request) { r.Key = pki.Key{SPKI: r.Key.SPKI} },
		"a beginning in between": func(r *pki.Request) { r.NotBefore = r.NotBefore.Add(time.Millisecond) },
		"no beginning":           func(r *pki.Request) { r.NotBefore = time.Time{} },
	} {
		r := personal(t, rsaKey())
		change(&r)
		if _, err := h.mail.Sign(r, now); err == nil {
			t.Errorf("%s: got a certificate, want a refusal", name)
		}
	}
}

func TestACertificateEndsWithItsAuthority(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	r := personal(t, rsaKey())
	r.NotBefore = h.mail.Certificate.NotAfter.AddDate(0, -3, 0)
	if c := sign(t, h.mail, r); !c.NotAfter.Equal(h.mail.Certificate.NotAfter) {
		t.Errorf("got the end %s, want that of its authority, %s", c.NotAfter, h.mail.Certificate.NotAfter)
	}
	r.NotBefore = h.mail.Certificate.NotAfter
	if _, err := h.mail.Sign(r, now); !errors.Is(err, pki.ErrIssuerEnds) {
		t.Errorf("at the end of the authority: got %v, want ErrIssuerEnds", err)
	}
	r.NotBefore = h.mail.Certificate.NotBefore.Add(-time.Second)
	if _, err := h.mail.Sign(r, now); !errors.Is(err, pki.ErrIssuerEnds) {
		t.Errorf("before the authority begins: got %v, want ErrIssuerEnds", err)
	}
}

func TestTheSameRequestGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	r := personal(t, rsaKey())
	if a, b := sign(t, h.mail, r), sign(t, h.mail, r); !bytes.Equal(a.DER, b.DER) {
		t.Error("two signatures of one request differ, want RFC 6979: then a crash before the record repeats it")
	}
}

func TestAnAnswerForSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	asked := personal(t, rsaKey())
	answer := func(change func(*pki.Request)) pki.Certificate {
		r := asked
		change(&r)
		return sign(t, h.mail, r)
	}
	cases := map[string]struct {
		got  pki.Certificate
		want string
	}{
		"what was asked":         {answer(func(*pki.Request) {}), ""},
		"another serial":         {answer(func(r *pki.Request) { r.Serial = pki.NewSerial() }), ""},
		"addresses in disorder":  {answer(func(r *pki.Request) { r.Emails = []string{r.Emails[1], r.Emails[0]} }), ""},
		"another key":            {answer(func(r *pki.Request) { r.Key = keyOf(t, ecKey(t, elliptic.P256())) }), "pki.answer.key"},
		"another address":        {answer(func(r *pki.Request) { r.Emails = []string{r.Emails[0], "eve@garten.example"} }), "pki.answer.names"},
		"an address less":        {answer(func(r *pki.Request) { r.Emails = r.Emails[:1] }), "pki.answer.names"},
		"an address in capitals": {answer(func(r *pki.Request) { r.Emails = []string{"Joerg.Muessig@garten.example", r.Emails[1]} }), "pki.answer.names"},
		"another name":           {answer(func(r *pki.Request) { r.CommonName = "Eve" }), "pki.answer.names"},
		"a name less":            {answer(func(r *pki.Request) { r.GivenName = "" }), "pki.answer.names"},
		"another profile":        {answer(func(r *pki.Request) { r.Profile = pki.MailFunctional }), "pki.answer.names"},
		"an authority":           {odd(t, h, asked, func(c *x509.Certificate) { c.IsCA = true }), "pki.answer.profile"},
		"for servers too": {odd(t, h, asked, func(c *x509.Certificate) {
			c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		}), "pki.answer.profile"},
		"for something unheard of": {odd(t, h, asked, func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}}
		}), "pki.answer.profile"},
		"826 days":           {odd(t, h, asked, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 825) }), "pki.answer.profile"},
		"with a server name": {odd(t, h, asked, func(c *x509.Certificate) { c.DNSNames = []string{"garten.example"} }), "pki.answer.names"},
	}
	for name, c := range cases {
		err := pki.Matches(asked, c.got)
		if f := fault.Of(err); (f == nil) != (c.want == "") || f != nil && (f.ID != c.want || f.Kind != fault.Conflict) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// odd is a certificate for r that another authority would sign.
func odd(t *testing.T, h hierarchy, r pki.Request, change func(*x509.Certificate)) pki.Certificate {
	t.Helper()
	return altered(t, h.mail, r, change)
}

func TestADigestChangesWithEverythingAskedFor(t *testing.T) {
	t.Parallel()
	r := personal(t, rsaKey())
	seen := map[[32]byte]string{}
	for name, change := range map[string]func(*pki.Request){
		"as it is":  func(*pki.Request) {},
		"intent":    func(r *pki.Request) { r.Intent++ },
		"profile":   func(r *pki.Request) { r.Profile = pki.MailFunctional },
		"key":       func(r *pki.Request) { r.Key = keyOf(t, ecKey(t, elliptic.P256())) },
		"name":      func(r *pki.Request) { r.CommonName, r.GivenName = r.GivenName, r.CommonName },
		"addresses": func(r *pki.Request) { r.Emails = r.Emails[:1] },
		"order":     func(r *pki.Request) { r.Emails = []string{r.Emails[1], r.Emails[0]} },
		"serial":    func(r *pki.Request) { r.Serial = pki.NewSerial() },
		"beginning": func(r *pki.Request) { r.NotBefore = r.NotBefore.Add(time.Second) },
	} {
		q := r
		change(&q)
		if other, ok := seen[q.Digest()]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[q.Digest()] = name
	}
	q := r
	q.NotBefore = r.NotBefore.In(time.FixedZone("somewhere", 3600))
	if q.Digest() != r.Digest() {
		t.Error("the same moment in another zone has another digest")
	}
	q = r
	q.CSR, q.Reference = csr(t, rsaKey()), "A-7"
	if q.Digest() != r.Digest() {
		t.Error("the same with its CSR and our reference has another digest")
	}
}

func TestSerialsArePositiveAndOfOneLength(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		s := pki.NewSerial()
		if len(s) != 16 || s[0] == 0 || s[0]&0x80 != 0 || seen[string(s)] {
			t.Fatalf("got %x, want 16 bytes with a positive first one, never twice", s)
		}
		seen[string(s)] = true
	}
}
