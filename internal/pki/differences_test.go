package pki_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/pki"
)

// altered is a certificate for r in which change put something else.
func altered(t *testing.T, issuer pki.Issuer, r pki.Request, change func(*x509.Certificate)) pki.Certificate {
	t.Helper()
	good, err := x509.ParseCertificate(sign(t, issuer, r).DER)
	if err != nil {
		t.Fatal(err)
	}
	change(good)
	der, err := x509.CreateCertificate(nil, good, issuer.Certificate, good.PublicKey, issuer.Signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var subjectOIDs = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "SN": {2, 5, 4, 4}, "GN": {2, 5, 4, 42}, "C": {2, 5, 4, 6}, "O": {2, 5, 4, 10}, "L": {2, 5, 4, 7}, "pseudonym": {2, 5, 4, 65},
	"E": {1, 2, 840, 113549, 1, 9, 1},
}

// named gives a certificate another Subject: "CN=Ada", "O=Garten".
func named(parts ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		name := pkix.RDNSequence{}
		for _, part := range parts {
			kind, text, _ := strings.Cut(part, "=")
			name = append(name, pkix.RelativeDistinguishedNameSET{{Type: subjectOIDs[kind], Value: text}})
		}
		c.RawSubject, _ = asn1.Marshal(name)
	}
}

func codes(all []pki.Difference) string {
	texts := []string{}
	for _, d := range all {
		texts = append(texts, strings.TrimPrefix(d.Code, "pki.answer."))
	}
	return strings.Join(texts, " ")
}

// judged is a certificate and what it is found to be, of an authority outside
// and of the own one.
type judged struct {
	got          pki.Certificate
	outside, own string
}

func judge(t *testing.T, r pki.Request, cases map[string]judged) {
	t.Helper()
	for name, c := range cases {
		if got := codes(pki.Differences(r, c.got, false, now)); got != c.outside {
			t.Errorf("%s, from outside: got %q, want %q", name, got, c.outside)
		}
		if got := codes(pki.Differences(r, c.got, true, now)); got != c.own {
			t.Errorf("%s, from the own authority: got %q, want %q", name, got, c.own)
		}
		if fits := pki.Matches(r, c.got) == nil; fits != (c.own == "") && c.own != "begins" && c.own != "ended" {
			t.Errorf("%s: Matches is %v, want it as the differences are", name, fits)
		}
	}
}

func TestACertificateOfAPersonIsJudgedByWhatItSaysOfThem(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	r := personal(t, rsaKey())
	with := func(parts ...string) pki.Certificate { return altered(t, h.mail, r, named(parts...)) }
	judge(t, r, map[string]judged{
		"what was asked":               {sign(t, h.mail, r), "", ""},
		"an organisation more":         {with("C=DE", "O=Botanischer Garten", "L=Mühlheim", "CN=Jörg Müßig", "GN=Jörg", "SN=Müßig"), "", "subject"},
		"the common name alone":        {with("CN=Jörg Müßig"), "", "subject"},
		"no name at all":               {with(), "", "subject"},
		"in another order":             {with("SN=Müßig", "GN=Jörg", "CN=Jörg Müßig"), "", ""},
		"an address of theirs":         {with("CN=Jörg Müßig", "E=jm@garten.example"), "", "subject"},
		"somebody else's address":      {with("CN=Jörg Müßig", "E=eve@garten.example"), "person", "subject"},
		"somebody else's common name":  {with("CN=Eve Adams"), "person", "subject"},
		"somebody else's name too":     {with("CN=Jörg Müßig", "CN=Eve Adams"), "person", "subject"},
		"somebody else's given name":   {with("CN=Jörg Müßig", "GN=Eve", "SN=Müßig"), "person", "subject"},
		"somebody else's surname":      {with("CN=Jörg Müßig", "GN=Jörg", "SN=Adams"), "person", "subject"},
		"another spelling":             {with("CN=Joerg Muessig"), "person", "subject"},
		"capitals":                     {with("CN=JÖRG MÜßIG"), "person", "subject"},
		"a name nobody asked for":      {with("CN=Jörg Müßig", "pseudonym=Eve"), "person", "subject"},
		"an address instead of a name": {with("CN=jm@garten.example"), "person", "subject"},
	})
	r.CommonName = "Dr. Jörg Müßig"
	judge(t, r, map[string]judged{
		"a common name put together": {with("CN=Jörg Müßig", "GN=Jörg", "SN=Müßig"), "", "subject"},
	})
}

// R56: the certificate of a functional address names nothing else.
func TestACertificateOfAMailboxNamesNothingElse(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	for _, profile := range []pki.ProfileID{pki.MailMailbox, pki.MailFunctional} {
		r := functional(t, rsaKey())
		r.Profile = profile
		with := func(parts ...string) pki.Certificate { return altered(t, h.mail, r, named(parts...)) }
		judge(t, r, map[string]judged{
			"what was asked":                         {sign(t, h.mail, r), "", ""},
			"an empty Subject":                       {with(), "", "subject"},
			"the address as common name":             {with("CN=Kasse@garten.example"), "", "subject"},
			"both":                                   {with("CN=Kasse@garten.example", "E=Kasse@garten.example"), "", "subject"},
			"a person's common name":                 {with("CN=Eve Adams", "E=Kasse@garten.example"), "mailbox", "subject"},
			"the name of whoever applied":            {with("CN=ignored"), "mailbox", "subject"},
			"the given name of whoever applied":      {with("GN=ignored", "E=Kasse@garten.example"), "mailbox", "subject"},
			"an organisation":                        {with("O=Botanischer Garten", "E=Kasse@garten.example"), "mailbox", "subject"},
			"the address as its organisation":        {with("O=Kasse@garten.example"), "mailbox", "subject"},
			"another address":                        {with("E=eve@garten.example"), "mailbox", "subject"},
			"another address as common name as well": {with("CN=eve@garten.example", "E=Kasse@garten.example"), "mailbox", "subject"},
		})
	}
}

func TestACertificateOfAServerNamesItAndItsOrganisation(t *testing.T) {
	t.Parallel()
	_, tls := newTLS(t)
	r := serving(t, rsaKey(), "www.garten.example", "garten.example")
	with := func(parts ...string) pki.Certificate { return altered(t, tls, r, named(parts...)) }
	alter := func(change func(*x509.Certificate)) pki.Certificate { return altered(t, tls, r, change) }
	judge(t, r, map[string]judged{
		"what was asked":              {sign(t, tls, r), "", ""},
		"no common name":              {with(), "", "subject"},
		"the other name first":        {with("CN=garten.example"), "", "subject"},
		"with its organisation":       {with("C=DE", "O=Botanischer Garten", "CN=www.garten.example"), "", "subject"},
		"another common name":         {with("CN=x.garten.example"), "server", "subject"},
		"a person":                    {with("CN=www.garten.example", "SN=Adams"), "server", "subject"},
		"an address in the Subject":   {with("E=eve@garten.example"), "server", "subject"},
		"one name more":               {alter(func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "x.garten.example") }), "names", "names"},
		"one name less":               {alter(func(c *x509.Certificate) { c.DNSNames = c.DNSNames[:1] }), "names", "names"},
		"names in another order":      {alter(func(c *x509.Certificate) { slices.Reverse(c.DNSNames) }), "", ""},
		"an address of the network":   {alter(func(c *x509.Certificate) { c.IPAddresses = []net.IP{{192, 0, 2, 1}} }), "names", "names"},
		"a mailbox":                   {alter(func(c *x509.Certificate) { c.EmailAddresses = []string{"eve@garten.example"} }), "names", "names"},
		"200 days, 90 were asked":     {alter(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 200).Add(-time.Second) }), "", ""},
		"201 days":                    {alter(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 200) }), "lasts", "lasts"},
		"for signing in too":          {alter(func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) }), "purposes", "purposes"},
		"for signing in, not serving": {alter(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), "purposes", "purposes"},
	})
}

func TestKeyNamesPurposesAndLifeAreJudgedOfEveryAuthority(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	r := personal(t, rsaKey())
	alter := func(change func(*x509.Certificate)) pki.Certificate { return altered(t, h.mail, r, change) }
	other := r
	other.Key = keyOf(t, ecKey(t, elliptic.P256()))
	judge(t, r, map[string]judged{
		"another key":               {sign(t, h.mail, other), "key", "key"},
		"an address less":           {alter(func(c *x509.Certificate) { c.EmailAddresses = c.EmailAddresses[:1] }), "names", "names"},
		"an address more":           {alter(func(c *x509.Certificate) { c.EmailAddresses = append(c.EmailAddresses, "eve@garten.example") }), "names", "names"},
		"another address":           {alter(func(c *x509.Certificate) { c.EmailAddresses[1] = "eve@garten.example" }), "names", "names"},
		"a server":                  {alter(func(c *x509.Certificate) { c.DNSNames = []string{"garten.example"} }), "names", "names"},
		"an address of the web":     {alter(func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "urn", Opaque: "eve"}} }), "names", "names"},
		"an authority":              {alter(func(c *x509.Certificate) { c.IsCA = true }), "authority", "authority"},
		"for nothing":               {alter(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "purposes", "purposes"},
		"for everything":            {alter(func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageAny) }), "purposes", "purposes"},
		"for what nobody knows":     {alter(func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} }), "purposes", "purposes"},
		"825 days":                  {alter(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 825).Add(-time.Second) }), "", ""},
		"826 days":                  {alter(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 825) }), "lasts", "lasts"},
		"no time at all":            {alter(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(-time.Second) }), "lasts ended", "lasts ended"},
		"from an hour on":           {alter(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }), "", ""},
		"from more than an hour on": {alter(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour + time.Second) }), "begins", "begins"},
		"it ended just before":      {alter(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), "ended", "ended"},
		"everything at once": {altered(t, h.mail, other, func(c *x509.Certificate) {
			named("CN=Eve Adams")(c)
			c.EmailAddresses, c.IsCA, c.ExtKeyUsage = []string{"eve@garten.example"}, true, nil
			c.NotBefore, c.NotAfter = now.AddDate(1, 0, 0), now.AddDate(5, 0, 0)
		}), "key names person authority purposes lasts begins", "key names subject authority purposes lasts begins"},
	})
	multi := r
	multi.Profile, multi.Sponsor = pki.MailMulti, pki.Sponsor{Organisation: "Botanischer Garten", Identifier: "GOVDE", Country: "DE"}
	purposes := func(all ...x509.ExtKeyUsage) pki.Certificate {
		return altered(t, h.mail, multi, func(c *x509.Certificate) { c.ExtKeyUsage = all })
	}
	judge(t, multi, map[string]judged{
		"for mail and signing in": {purposes(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection), "", ""},
		"for mail alone":          {purposes(x509.ExtKeyUsageEmailProtection), "", "purposes"},
		"for signing in alone":    {purposes(x509.ExtKeyUsageClientAuth), "purposes", "purposes"},
	})
	r.Profile = "nothing"
	if got := codes(pki.Differences(r, sign(t, h.mail, personal(t, rsaKey())), false, now)); !strings.Contains(got, "purposes lasts") {
		t.Errorf("a profile that there is not: got %q, want purposes and life refused", got)
	}
}

func TestADifferenceSaysWhatWasWantedAndWhatCame(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	r := personal(t, rsaKey())
	other := r
	other.Key = keyOf(t, ecKey(t, elliptic.P256()))
	all := pki.Differences(r, altered(t, h.mail, other, func(c *x509.Certificate) {
		named("CN=Eve Adams")(c)
		c.IPAddresses, c.ExtKeyUsage = []net.IP{{192, 0, 2, 1}}, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		c.NotAfter = c.NotBefore.AddDate(3, 0, 0)
	}), false, time.Time{})
	from := r.NotBefore.Format("2006-01-02 15:04:05 UTC")
	want := []pki.Difference{
		{
			Code: "pki.answer.key", Wanted: "RSA 2048 " + pki.Colons(r.Key.Fingerprint[:]), Came: "EC P-256 " + pki.Colons(other.Key.Fingerprint[:]),
			ForeignKey: true,
		},
		{
			Code: "pki.answer.names", Wanted: "joerg.muessig@garten.example, jm@garten.example",
			Came: "joerg.muessig@garten.example, jm@garten.example, 192.0.2.1",
		},
		{Code: "pki.answer.person", Wanted: "CN=Jörg Müßig, GN=Jörg, SN=Müßig", Came: "CN=Eve Adams"},
		{Code: "pki.answer.purposes", Wanted: "emailProtection", Came: "codeSigning"},
		{Code: "pki.answer.lasts", Wanted: "≤ 825 d", Came: from + " – " + r.NotBefore.AddDate(3, 0, 0).Format("2006-01-02 15:04:05 UTC")},
	}
	if !slices.Equal(all, want) {
		t.Errorf("got %+v\nwant %+v", all, want)
	}
}
