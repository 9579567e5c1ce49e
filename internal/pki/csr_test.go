package pki_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

func ids(dropped []pki.Dropped) []string {
	var all []string
	for _, d := range dropped {
		all = append(all, d.ID)
	}
	return all
}

func TestARequestIsReadInEveryShapePeopleHaveIt(t *testing.T) {
	t.Parallel()
	key := ecKey(t, elliptic.P256())
	der := csr(t, key, func(r *x509.CertificateRequest) { r.DNSNames = []string{"mail.garten.example", "garten.example"} })
	text := string(requestPEM(der))
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	shapes := map[string][]byte{
		"DER":                        der,
		"PEM":                        []byte(text),
		"the older label":            asPEM("NEW CERTIFICATE REQUEST", der),
		"CRLF":                       []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"a byte order mark":          []byte("\xef\xbb\xbf" + text),
		"UTF-16 of a Windows editor": wide,
		"indented by a mail program": []byte("  " + strings.ReplaceAll(text, "\n", "\n\t ")),
		"text before it":             []byte("Certificate Request:\n    Data:\n" + text),
		"no newline at the end":      []byte(strings.TrimSpace(text)),
		"one line":                   []byte(strings.ReplaceAll(text, "\n", " ")),
		"one line without blanks":    []byte(strings.ReplaceAll(text, "\n", "")),
		"line breaks of JSON":        []byte(strings.ReplaceAll(text, "\n", `\n`)),
		"those of Windows":           []byte(strings.ReplaceAll(text, "\n", `\r\n`)),
		"written out twice":          []byte(`"` + strings.ReplaceAll(text, "\n", `\\n`) + `"`),
	}
	for name, data := range shapes {
		got, err := pki.ReadCSR(data)
		if err != nil {
			t.Errorf("%s: got %v, want it read", name, err)
			continue
		}
		if got.Key.Algorithm != "EC P-256" || got.CommonName != "mail.garten.example" || len(got.Dropped) != 0 ||
			!slices.Equal(got.Asked.DNS, []string{"mail.garten.example", "garten.example"}) {
			t.Errorf("%s: got %+v, want P-256 and both names and nothing dropped", name, got)
		}
	}
}

func TestACommonNameAloneIsTheNameAskedFor(t *testing.T) {
	t.Parallel()
	for cn, want := range map[string]pki.Names{
		"alt.garten.example": {DNS: []string{"alt.garten.example"}},
		"ada@garten.example": {Emails: []string{"ada@garten.example"}},
		"Ada Lovelace":       {},
		"Dr. Ada Lovelace":   {},
	} {
		got, err := pki.ReadCSR(csr(t, rsaKey(), func(r *x509.CertificateRequest) { r.Subject = pkix.Name{CommonName: cn} }))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got.Asked); d != "" || got.CommonName != cn || got.Key.Algorithm != "RSA 2048" {
			t.Errorf("%q alone: got %+v (-want +got)\n%s", cn, got, d)
		}
	}
}

// greedy asks for all that one may not have.
func greedy(r *x509.CertificateRequest) {
	uri, _ := url.Parse("http://schmuggel.example/")
	plain := x509.CertificateRequest{
		DNSNames: []string{"schmuggel.example"}, EmailAddresses: []string{"schmuggel@garten.example"},
		IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}, URIs: []*url.URL{uri},
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &plain, rsaKey())
	if err != nil {
		panic(err)
	}
	read, _ := x509.ParseCertificateRequest(der)
	var names []asn1.RawValue
	if _, err := asn1.Unmarshal(read.Extensions[0].Value, &names); err != nil {
		panic(err)
	}
	other := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: mustMarshal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3})}
	other.Bytes = append(other.Bytes, mustMarshal(asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: mustMarshal("schmuggel")})...)
	names = append(names, other)
	r.Subject = pkix.Name{Organization: []string{"Schmuggel AG"}, ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "schmuggel"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "schmuggel.other.example"},
		{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "schmuggel@other.example"},
	}}
	oid := func(last int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, last} }
	r.ExtraExtensions = []pkix.Extension{
		{Id: oid(17), Value: mustMarshal(names)},
		{Id: oid(19), Critical: true, Value: mustMarshal(struct{ CA bool }{true})},
		{Id: oid(15), Value: mustMarshal(asn1.BitString{Bytes: []byte{0x86}, BitLength: 7})},
		{Id: oid(37), Value: mustMarshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 9}, {1, 3, 6, 1, 5, 5, 7, 3, 4}})},
		{Id: oid(32), Value: mustMarshal([][]asn1.ObjectIdentifier{{{2, 23, 140, 1, 5, 1, 3}}})},
	}
}

func mustMarshal(v any) []byte {
	der, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return der
}

func TestWhatIsAskedForBeyondKeyAndNamesIsSaid(t *testing.T) {
	t.Parallel()
	got, err := pki.ReadCSR(csr(t, rsaKey(), greedy))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"pki.dropped.second_common_name", "pki.dropped.subject_email", "pki.dropped.subject",
		"pki.dropped.uri", "pki.dropped.other_name", "pki.dropped.ca", "pki.dropped.ca_usage", "pki.dropped.purpose", "pki.dropped.extension",
	}
	if d := cmp.Diff(want, ids(got.Dropped)); d != "" {
		t.Errorf("dropped (-want +got)\n%s", d)
	}
	want = append(want, "pki.dropped.common_name", "pki.dropped.dns", "pki.dropped.ip")
	if d := cmp.Diff(want, ids(got.Ignored(pki.Names{Emails: []string{"schmuggel@garten.example"}}, strings.ToLower))); d != "" {
		t.Errorf("ignored where the address is given (-want +got)\n%s", d)
	}
}

func TestAPasswordInARequestIsDroppedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "c.cnf", []byte("[req]\nprompt=no\ndistinguished_name=d\nattributes=a\n[d]\nCN=x.garten.example\n[a]\nchallengePassword=Geheimnis9\n"))
	openssl(t, dir, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-config", "c.cnf", "-keyout", "k.pem", "-out", "c.csr")
	data, err := os.ReadFile(filepath.Join(dir, "c.csr"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := pki.ReadCSR(data)
	if err != nil || !slices.Equal(ids(got.Dropped), []string{"pki.dropped.challenge_password"}) {
		t.Errorf("got %+v and %v, want the password dropped and nothing else", got, err)
	}
	if strings.Contains(fmt.Sprintf("%+v", got), "Geheimnis9") {
		t.Error("the password is in what was read, want it nowhere")
	}
}

func TestNamesThatCannotBeShownTurnIntoNoOther(t *testing.T) {
	t.Parallel()
	names := []asn1.RawValue{
		{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("www.garten.example\x00.boese.example")},
		{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(strings.Repeat("a.", 140) + "garten.example")},
	}
	got, err := pki.ReadCSR(csr(t, rsaKey(), func(r *x509.CertificateRequest) {
		r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: mustMarshal(names)}}
	}))
	if err != nil {
		wants(t, err, "pki.csr.unreadable")
		return
	}
	for _, name := range got.Asked.DNS[1:] { // the first is the common name
		if !strings.ContainsAny(name, "\ufffd…") {
			t.Errorf("got the name %q, want a mark that it is not whole", name)
		}
	}
}

func TestRequestsThatCannotBeTakenAreRefusedInWords(t *testing.T) {
	t.Parallel()
	der := csr(t, rsaKey())
	whole := requestPEM(der)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Clone(der)
	forged[len(forged)-1] ^= 1
	self := &x509.Certificate{SerialNumber: asn1Serial(), NotBefore: now, NotAfter: now}
	certificate, err := x509.CreateCertificate(rand.Reader, self, self, rsaKey().Public(), rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		data []byte
		want string
	}{
		"nothing":                       {nil, "pki.csr.empty"},
		"blanks":                        {[]byte(" \r\n\t"), "pki.csr.empty"},
		"words":                         {[]byte("Guten Tag"), "pki.csr.not_request"},
		"a picture":                     {[]byte("\x89PNG\r\n\x1a\n0000"), "pki.csr.not_request"},
		"65 KiB":                        {bytes.Repeat([]byte("x"), 64<<10+1), "pki.csr.too_large"},
		"a weak key":                    {csr(t, small), "pki.key.rsa_small"},
		"P-224":                         {csr(t, ecKey(t, elliptic.P224())), "pki.key.curve_small"},
		"a wrong signature":             {requestPEM(forged), "pki.csr.signature"},
		"another key put in":            {otherKeyPutIn(t), "pki.csr.signature"},
		"PEM cut off":                   {whole[:len(whole)/2], "pki.csr.cut_off"},
		"PEM whose end is missing":      {bytes.Split(whole, []byte("-----END"))[0], "pki.csr.cut_off"},
		"DER cut off":                   {der[:len(der)-20], "pki.csr.cut_off"},
		"DER with more after it":        {append(bytes.Clone(der), 0, 0), "pki.csr.unreadable"},
		"cut inside a whole frame":      {requestPEM(der[:200]), "pki.csr.cut_off"},
		"two blocks":                    {append(bytes.Clone(whole), whole...), "pki.csr.two_blocks"},
		"a certificate":                 {asPEM("CERTIFICATE", certificate), "pki.csr.certificate"},
		"a certificate in DER":          {certificate, "pki.csr.certificate"},
		"a certificate under the label": {requestPEM(certificate), "pki.csr.certificate"},
		"a public key":                  {asPEM("PUBLIC KEY", keyOf(t, rsaKey()).SPKI), "pki.csr.not_request"},
		"base64 without its frame":      {[]byte(base64.StdEncoding.EncodeToString(der)), "pki.csr.no_frame"},
		"a sequence of nothing":         {requestPEM([]byte{0x30, 0}), "pki.csr.unreadable"},
	}
	for name, c := range cases {
		_, err := pki.ReadCSR(c.data)
		if !fault.Is(err, fault.Invalid) || fault.Of(err).ID != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// otherKeyPutIn is a request whose signature another key made.
func otherKeyPutIn(t *testing.T) []byte {
	t.Helper()
	one, two := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P256())
	a, _ := pki.NewKey(one.Public())
	b, _ := pki.NewKey(two.Public())
	return bytes.Replace(csr(t, one), a.SPKI, b.SPKI, 1)
}

func TestAPrivateKeyIsKnownInEveryShapeAndNeverRepeated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := ecKey(t, elliptic.P256())
	p8, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p1 := x509.MarshalPKCS1PrivateKey(rsaKey())
	p8ec, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "k.pem", asPEM("PRIVATE KEY", p8ec))
	openssl(t, dir, "pkcs8", "-topk8", "-in", "k.pem", "-passout", "pass:x", "-outform", "DER", "-out", "enc.der")
	openssl(t, dir, "req", "-x509", "-key", "k.pem", "-subj", "/CN=x", "-out", "c.pem")
	openssl(t, dir, "pkcs12", "-export", "-inkey", "k.pem", "-in", "c.pem", "-passout", "pass:x", "-out", "k.p12")
	file := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	request := requestPEM(csr(t, key))
	shapes := map[string][]byte{
		"PKCS#8":                    asPEM("PRIVATE KEY", p8),
		"PKCS#1":                    asPEM("RSA PRIVATE KEY", p1),
		"SEC 1":                     asPEM("EC PRIVATE KEY", sec1),
		"encrypted":                 asPEM("ENCRYPTED PRIVATE KEY", file("enc.der")),
		"OpenSSH":                   []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n"),
		"PuTTY":                     []byte("PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 14\nAAAA\n"),
		"cut off":                   asPEM("PRIVATE KEY", p8)[:120],
		"in lower case":             bytes.ToLower(asPEM("PRIVATE KEY", p8)),
		"PKCS#8 in DER":             p8,
		"PKCS#8 of EC in DER":       p8ec,
		"PKCS#1 in DER":             p1,
		"SEC 1 in DER":              sec1,
		"encrypted in DER":          file("enc.der"),
		"PKCS#12":                   file("k.p12"),
		"base64 alone":              []byte(base64.StdEncoding.EncodeToString(p8)),
		"under the label of a CSR":  requestPEM(p8),
		"together with the request": append(bytes.Clone(request), asPEM("PRIVATE KEY", p8)...),
		"in a file of 70 KiB":       append(bytes.Repeat([]byte("# \n"), 24<<10), asPEM("PRIVATE KEY", p8)...),
		"JSON Web Key":              []byte(`{"kty":"EC","crv":"P-256","d":"AAAA"}`),
	}
	for name, data := range shapes {
		got, err := pki.ReadCSR(data)
		f := fault.Of(err)
		if f == nil || f.ID != "pki.csr.private_key" {
			t.Errorf("%s: got %v, want pki.csr.private_key", name, err)
			continue
		}
		if len(f.Args) > 0 || f.Unwrap() != nil || got.Key.SPKI != nil {
			t.Errorf("%s: the refusal carries %v and %v, want nothing of the key", name, f.Args, f.Unwrap())
		}
	}
}

func TestTheSamplesBehaveAsTheyShould(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join("testdata", "samples", "*.csr"))
	if len(files) != 14 {
		t.Fatalf("got %d samples, want 14", len(files))
	}
	want := map[string]string{
		"bad-p224": "pki.key.curve_small", "bad-rsa1024": "pki.key.rsa_small", "bad-signature": "pki.csr.signature",
		"bad-truncated": "pki.csr.cut_off", "bad-two-blocks": "pki.csr.two_blocks",
		"smuggle-ca-true":   "pki.dropped.ca pki.dropped.purpose pki.dropped.purpose",
		"smuggle-names":     "pki.dropped.subject_email pki.dropped.uri pki.dropped.email pki.dropped.ip",
		"smuggle-second-cn": "pki.dropped.second_common_name",
		"foreign-name":      "pki.dropped.dns",
		"good-rsa3072":      "pki.dropped.subject",
	}
	given := pki.Names{DNS: []string{"www.institut.example", "institut.example", "api.institut.example", "alt.institut.example", "*.labor.institut.example"}}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csr")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pki.ReadCSR(data)
		if strings.HasPrefix(name, "bad-") {
			wants(t, err, want[name])
			continue
		}
		if err != nil {
			t.Errorf("%s: got %v, want it read", name, err)
			continue
		}
		if said := strings.Join(ids(got.Ignored(given, strings.ToLower)), " "); said != want[name] {
			t.Errorf("%s: said to be ignored: %q, want %q", name, said, want[name])
		}
		if len(got.Asked.DNS) == 0 {
			t.Errorf("%s: no server name was read, want at least one", name)
		}
	}
}
