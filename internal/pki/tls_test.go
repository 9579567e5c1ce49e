package pki_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestTheLongestLifeOfAServersCertificateFollowsTheCalendar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at   time.Time
		want int
	}{
		{time.Time{}, 398},
		{date(2026, 3, 15).Add(-time.Nanosecond), 398},
		{date(2026, 3, 15), 200},
		{date(2026, 11, 22), 200},
		{date(2027, 3, 15).Add(-time.Nanosecond), 200},
		{date(2027, 3, 15), 100},
		{date(2027, 3, 15).In(time.FixedZone("before", -3600)), 100},
		{date(2029, 3, 15).Add(-time.Nanosecond), 100},
		{date(2029, 3, 15), 47},
		{date(2040, 1, 1), 47},
	} {
		if got := pki.MostTLSDays(c.at); got != c.want {
			t.Errorf("at %v: got %d days, want %d", c.at, got, c.want)
		}
	}
}

// newTLS is a root and an issuing authority for servers under it.
func newTLS(t testing.TB) (root, tls pki.Issuer) {
	t.Helper()
	h := newHierarchy(t)
	key := ecKey(t, elliptic.P384())
	c, err := h.root.SignAuthority(pki.Authority{
		Organisation: "Botanischer Garten", Country: "DE", Role: "TLS CA 2026", Years: 8, Leaf: true,
		Purposes: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotBefore: yearAgo(),
	}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return h.root, pki.Issuer{
		Certificate: c, Signer: key, CertificateURL: "http://pki.garten.example/pki/tls.crt", CRLURL: "http://pki.garten.example/pki/tls.crl",
	}
}

// serving is a request for servers that is as it should be.
func serving(t testing.TB, key crypto.Signer, names ...string) pki.Request {
	t.Helper()
	return pki.Request{Intent: 9, Profile: pki.TLSServer, Key: keyOf(t, key), DNS: names, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now)}
}

func TestOpenSSLReadsAServersCertificate(t *testing.T) {
	t.Parallel()
	_, tls := newTLS(t)
	long := strings.Repeat("a", 60) + ".garten.example"
	cases := map[string]struct {
		request pki.Request
		want    []string
	}{
		"RSA, one name": {serving(t, rsaKey(), "www.garten.example"), []string{
			"Subject: CN = www.garten.example Subject Public Key Info",
			"X509v3 Subject Alternative Name: DNS:www.garten.example",
			"X509v3 Key Usage: critical Digital Signature, Key Encipherment X509v3",
		}},
		"EC, several names in their order": {serving(t, ecKey(t, elliptic.P256()), "b.garten.example", "xn--mller-kva.example", "a.garten.example"), []string{
			"Subject: CN = b.garten.example Subject", "X509v3 Key Usage: critical Digital Signature X509v3",
			"DNS:b.garten.example, DNS:xn--mller-kva.example, DNS:a.garten.example",
		}},
		"a wildcard": {serving(t, ecKey(t, elliptic.P384()), "*.garten.example"), []string{
			"Subject: CN = *.garten.example Subject", "Alternative Name: DNS:*.garten.example",
		}},
		"a name too long for a common name": {serving(t, rsaKey(), long), []string{
			"Subject: Subject Public Key Info", "X509v3 Subject Alternative Name: critical DNS:" + long,
		}},
	}
	always := []string{
		"Issuer: C = DE, O = Botanischer Garten, CN = Botanischer Garten TLS CA 2026",
		life(90),
		"X509v3 Extended Key Usage: TLS Web Server Authentication X509v3", "X509v3 Basic Constraints: critical CA:FALSE",
		"CA Issuers - URI:http://pki.garten.example/pki/tls.crt", "URI:http://pki.garten.example/pki/tls.crl", "X509v3 Authority Key Identifier:",
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "c.pem", pki.PEM(sign(t, tls, c.request).DER))
			text := strings.Join(strings.Fields(openssl(t, dir, "x509", "-in", "c.pem", "-noout", "-text", "-nameopt", "oneline,utf8,-esc_msb")), " ")
			for _, want := range append(always, c.want...) {
				if !strings.Contains(text, want) {
					t.Errorf("openssl says\n%s\nwant in it %q", text, want)
				}
			}
			for _, never := range []string{"Policies", "2.23.140", "Client Authentication", "Subject Key Identifier", "IP Address", "email:"} {
				if strings.Contains(text, never) {
					t.Errorf("openssl says\n%s\nwant no %q in it", text, never)
				}
			}
		})
	}
}

// TestALifeIsCutToWhatHoldsAtSigning: an intent may be older than a rule.
func TestALifeIsCutToWhatHoldsAtSigning(t *testing.T) {
	t.Parallel()
	_, tls := newTLS(t)
	turn := date(2027, 3, 15)
	for name, c := range map[string]struct {
		days       int
		begins, at time.Time
		want       int
	}{
		"the profile's own life":                    {0, now, now, 90},
		"what a product wants":                      {47, now, now, 47},
		"the longest today":                         {398, now, now, pki.MostTLSDays(now)},
		"begun before the turn, signed before":      {200, turn.Add(-2 * time.Hour), turn.Add(-time.Second), 200},
		"begun before the turn, signed after":       {200, turn.Add(-2 * time.Hour), turn, 100},
		"begun after the turn, by an ill-set clock": {200, turn, turn.Add(-time.Hour), 100},
		"in two years":                              {0, date(2029, 4, 1), date(2029, 4, 1), 47},
	} {
		r := serving(t, rsaKey(), "www.garten.example")
		r.Days, r.NotBefore = c.days, c.begins
		got, err := tls.Sign(r, c.at)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := c.begins.Add(time.Duration(c.want)*24*time.Hour - time.Second); !got.NotAfter.Equal(want) {
			t.Errorf("%s: got an end at %v, want %v, %d days", name, got.NotAfter, want, c.want)
		}
		if err := pki.Matches(r, got); err != nil {
			t.Errorf("%s: got %v, want it to match", name, err)
		}
	}
}

func TestNamesOfServersAreTakenOnlyAsCertificatesCarryThem(t *testing.T) {
	t.Parallel()
	_, tls := newTLS(t)
	many := make([]string, pki.MostDNS+1)
	for i := range many {
		many[i] = strings.Repeat("a", i%60+1) + string(rune('a'+i/60)) + ".garten.example"
	}
	bad := map[string][]string{
		"pki.request.no_server":    {},
		"pki.request.many_servers": many,
	}
	for id, names := range bad {
		_, err := tls.Sign(serving(t, rsaKey(), names...), now)
		wants(t, err, id)
	}
	for _, name := range []string{
		"", "www", "WWW.garten.example", "www.garten.example.", ".garten.example", "a..garten.example", "www_1.garten.example", "müller.example",
		"-a.garten.example", "a-.garten.example", "*garten.example", "*.*.garten.example", "a.*.garten.example", "*.example", "*", "192.0.2.1", "::1",
		"1.2.0.192.in-addr.arpa", "a b.example", "a@garten.example", "https://garten.example", strings.Repeat("a", 64) + ".example",
		strings.Repeat("abcdefghi.", 25) + "example", "www.garten.example\x00.evil.example",
	} {
		if _, err := tls.Sign(serving(t, rsaKey(), "ok.garten.example", name), now); fault.Of(err) == nil || fault.Of(err).ID != "pki.request.server" {
			t.Errorf("%q: got %v, want it refused", name, err)
		}
	}
	_, err := tls.Sign(serving(t, rsaKey(), "a.garten.example", "a.garten.example"), now)
	wants(t, err, "pki.request.server")
}

func TestServersAndMailboxesDoNotMix(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	_, tls := newTLS(t)
	for name, change := range map[string]func(*pki.Request){
		"an address":    func(r *pki.Request) { r.Emails = []string{"a@garten.example"} },
		"a common name": func(r *pki.Request) { r.CommonName = "www.evil.example" },
		"a person":      func(r *pki.Request) { r.Surname = "Müßig" },
	} {
		r := serving(t, rsaKey(), "www.garten.example")
		change(&r)
		_, err := tls.Sign(r, now)
		if fault.Of(err) == nil || fault.Of(err).ID != "pki.request.mixed" {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	for name, change := range map[string]func(*pki.Request){
		"a server": func(r *pki.Request) { r.DNS = []string{"www.garten.example"} },
		"a life":   func(r *pki.Request) { r.Days = 10 },
	} {
		r := personal(t, rsaKey())
		change(&r)
		_, err := h.mail.Sign(r, now)
		if fault.Of(err) == nil || fault.Of(err).ID != "pki.request.mixed" {
			t.Errorf("a mailbox with %s: got %v, want it refused", name, err)
		}
	}
}

func TestAServersCertificateForSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	_, tls := newTLS(t)
	asked := serving(t, rsaKey(), "www.garten.example", "garten.example")
	answer := func(change func(*pki.Request)) pki.Certificate {
		r := asked
		change(&r)
		return sign(t, tls, r)
	}
	for name, c := range map[string]struct {
		got  pki.Certificate
		want string
	}{
		"another key":   {answer(func(r *pki.Request) { r.Key = keyOf(t, ecKey(t, elliptic.P256())) }), "pki.answer.key"},
		"one name more": {answer(func(r *pki.Request) { r.DNS = append(r.DNS, "x.garten.example") }), "pki.answer.names"},
		"one name less": {answer(func(r *pki.Request) { r.DNS = r.DNS[:1] }), "pki.answer.names"},
		"another first": {answer(func(r *pki.Request) { r.DNS = []string{r.DNS[1], r.DNS[0]} }), "pki.answer.names"},
	} {
		if err := pki.Matches(asked, c.got); fault.Of(err) == nil || fault.Of(err).ID != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	late := asked
	late.NotBefore, late.Days = date(2027, 3, 14), 200
	long, err := tls.Sign(late, date(2027, 3, 14))
	if err != nil {
		t.Fatal(err)
	}
	late.NotBefore = date(2027, 3, 15)
	wants(t, pki.Matches(late, long), "pki.answer.profile")
	if got := pki.Differences(late, long, false, late.NotBefore); len(got) > 0 {
		t.Errorf("from outside, signed the day before: got %+v, want it as long as was allowed then", got)
	}
}

// TestTheDigestOfAServersRequestNeverChanges, whether it comes straight from an
// order or out of a table, which holds an empty list of addresses.
func TestTheDigestOfAServersRequestNeverChanges(t *testing.T) {
	t.Parallel()
	r := serving(t, rsaKey(), "a.garten.example")
	text, err := json.Marshal([]any{
		r.Intent, r.Profile, r.Key.SPKI, "", "", "", nil, r.Serial, r.NotBefore.Unix(), r.DNS, r.Days,
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := r
	kept.Emails = []string{}
	if want := sha256.Sum256(text); r.Digest() != want || kept.Digest() != want {
		t.Error("the digest of a server's request changed: intents under way would be refused")
	}
}

// TestTheDigestOfAMailRequestNeverChanges: authorities keep it for ever.
func TestTheDigestOfAMailRequestNeverChanges(t *testing.T) {
	t.Parallel()
	r := personal(t, rsaKey())
	text, err := json.Marshal([]any{
		r.Intent, r.Profile, r.Key.SPKI, r.CommonName, r.GivenName, r.Surname, r.Emails, r.Serial, r.NotBefore.Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Digest() != sha256.Sum256(text) {
		t.Error("the digest of a mail request changed: intents under way would be refused")
	}
	s := serving(t, rsaKey(), "a.garten.example")
	other, longer := s, s
	other.DNS = []string{"b.garten.example"}
	longer.Days = 47
	if s.Digest() == other.Digest() || s.Digest() == longer.Digest() {
		t.Error("requests for other names or another life have the same digest")
	}
}

func TestOpenSSLReadsPKCS7AndDER(t *testing.T) {
	t.Parallel()
	root, tls := newTLS(t)
	leaf := sign(t, tls, serving(t, rsaKey(), "www.garten.example")).DER
	chain, err := pki.NewPool(root.Certificate.Raw, tls.Certificate.Raw).Chain(leaf)
	if err != nil {
		t.Fatal(err)
	}
	p7, err := pki.PKCS7(chain...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "c.p7b", p7)
	write(t, dir, "c.cer", leaf)
	out := openssl(t, dir, "pkcs7", "-inform", "DER", "-in", "c.p7b", "-print_certs", "-noout")
	for _, want := range []string{"CN = www.garten.example", "TLS CA 2026", "Root CA 2026"} {
		if !strings.Contains(out, want) {
			t.Errorf("openssl reads\n%s\nwant in it %q", out, want)
		}
	}
	if n := strings.Count(out, "subject="); n != 3 {
		t.Errorf("openssl reads %d certificates, want 3:\n%s", n, out)
	}
	if out := openssl(t, dir, "x509", "-inform", "DER", "-in", "c.cer", "-noout", "-subject"); !strings.Contains(out, "www.garten.example") {
		t.Errorf("openssl reads %q, want the server's certificate", out)
	}
	write(t, dir, "root.pem", pki.PEM(chain[2]))
	write(t, dir, "above.pem", pki.PEM(chain[1]))
	write(t, dir, "leaf.pem", pki.PEM(leaf))
	openssl(t, dir, "verify", "-x509_strict", "-attime", fmt.Sprint(now.Add(time.Minute).Unix()), "-CAfile", "root.pem", "-untrusted", "above.pem",
		"-purpose", "sslserver", "-verify_hostname", "www.garten.example", "leaf.pem")
}

func TestAPoolFindsAWayOnceAndNeverAWrongOne(t *testing.T) {
	t.Parallel()
	root, tls := newTLS(t)
	foreignRoot, foreign := newTLS(t)
	pool := pki.NewPool(root.Certificate.Raw, tls.Certificate.Raw)
	leaf := sign(t, tls, serving(t, rsaKey(), "www.garten.example")).DER
	for range 2 {
		way, err := pool.Chain(leaf)
		if err != nil || len(way) != 3 {
			t.Fatalf("got %d certificates, %v; want three", len(way), err)
		}
	}
	other := sign(t, foreign, serving(t, rsaKey(), "www.garten.example")).DER
	if _, err := pool.Chain(other); err == nil {
		t.Error("a certificate of another hierarchy has a way here")
	}
	if _, err := pki.NewPool(tls.Certificate.Raw, foreignRoot.Certificate.Raw).Chain(leaf); err == nil {
		t.Error("a way without its root was taken")
	}
}
