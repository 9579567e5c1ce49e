package pki_test

import (
	"encoding/asn1"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// requestFile is a request as people brought it.
func requestFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "cases", name+".csr"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRequestsOfEverydayProgramsAreRead holds what is taken note of in requests
// that OpenSSL reads, whatever a stricter reader finds odd about them.
func TestRequestsOfEverydayProgramsAreRead(t *testing.T) {
	t.Parallel()
	const www, wiki = "www.institut.example", "wiki.institut.example"
	cases := map[string]struct {
		dns     []string
		dropped string
	}{
		"02-noattrs":              {[]string{www}, ""},
		"03-printable-underscore": {[]string{www}, "pki.dropped.subject"},
		"05-upper":                {[]string{"WWW.Institut.Example", "Mail.INSTITUT.example"}, ""},
		"05b-trailingdot":         {[]string{www + "."}, ""},
		"06c-only-ip":             {[]string{www}, ""},
		"07-cn-not-in-san":        {[]string{www, wiki}, ""},
		"07e-san-prefix":          {[]string{www, "DNS:" + www}, ""},
		"10-oneline":              {[]string{www}, ""},
		"10b-backslash-n":         {[]string{www}, ""},
		"11c-underscore":          {[]string{"my_server.institut.example"}, ""},
		"11z-openssl-idn":         {[]string{www, "prüfstand-süd.example"}, ""},
		"12b-ms-extreq":           {[]string{www, wiki}, ""},
	}
	for name, want := range cases {
		got, err := pki.ReadCSR(requestFile(t, name))
		if err != nil {
			t.Errorf("%s: got %v, want it read", name, err)
			continue
		}
		if d := cmp.Diff(want.dns, got.Asked.DNS); d != "" || got.Key.Algorithm != "EC P-256" {
			t.Errorf("%s: got %s and names (-want +got)\n%s", name, got.Key.Algorithm, d)
		}
		if said := strings.Join(ids(got.Dropped), " "); said != want.dropped {
			t.Errorf("%s: got dropped %q, want %q", name, said, want.dropped)
		}
	}
	for name, want := range map[string]string{"09c-ed25519": "pki.key.edwards", "09l-explicit-ec": "pki.key.curve_explicit"} {
		_, err := pki.ReadCSR(requestFile(t, name))
		wants(t, err, want)
	}
	ip, err := pki.ReadCSR(requestFile(t, "06c-only-ip"))
	if err != nil || !slices.Equal(ip.Asked.IPs, []string{"192.0.2.7"}) {
		t.Errorf("got the addresses %v and %v, want 192.0.2.7", ip.Asked.IPs, err)
	}
}

// TestTheSignatureHoldsWhatIsNotRead changes requests after they were signed: the
// signature is over all of them, whatever a part is worth.
func TestTheSignatureHoldsWhatIsNotRead(t *testing.T) {
	t.Parallel()
	for _, change := range []struct{ name, from, to string }{
		{"02-noattrs", "www.institut.example", "www.institut.exampla"},
		{"03-printable-underscore", "IT_Service", "IT_Servica"},
		{"11z-openssl-idn", "prüfstand-süd", "prüfstand-sud."},
		{"12b-ms-extreq", "wiki.institut", "wika.institut"},
	} {
		data := decoded(t, requestFile(t, change.name))
		if !strings.Contains(string(data), change.from) {
			t.Fatalf("%s: it does not hold %q", change.name, change.from)
		}
		_, err := pki.ReadCSR([]byte(strings.Replace(string(data), change.from, change.to, 1)))
		wants(t, err, "pki.csr.signature")
	}
}

// TestWhatIsOddIsSaidAndDecidesNothing takes requests apart that are signed as
// they are.
func TestWhatIsOddIsSaidAndDecidesNothing(t *testing.T) {
	t.Parallel()
	octets := func(b ...byte) []byte { return mustMarshal(asn1.RawValue{Tag: asn1.TagOctetString, Bytes: b}) }
	sequence := func(parts ...[]byte) []byte {
		return mustMarshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: slices.Concat(parts...)})
	}
	set := func(parts ...[]byte) []byte {
		return mustMarshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: slices.Concat(parts...)})
	}
	text := func(tag int, s string) []byte { return mustMarshal(asn1.RawValue{Tag: tag, Bytes: []byte(s)}) }
	oid := func(n ...int) []byte { return mustMarshal(asn1.ObjectIdentifier(n)) }
	cn := func(value []byte) []byte { return sequence(set(sequence(oid(2, 5, 4, 3), value))) }
	extensions := func(all ...[]byte) []byte { return sequence(oid(1, 2, 840, 113549, 1, 9, 14), set(sequence(all...))) }
	good := sequence(oid(2, 5, 29, 17), octets(sequence(mustMarshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("a.garten.example")}))...))
	named := []string{"a.garten.example"}
	cases := map[string]struct {
		subject, attributes []byte
		cn                  string
		dns                 []string
		dropped             string
	}{
		"umlauts in a PrintableString":      {cn(text(asn1.TagPrintableString, "Müller")), nil, "Müller", nil, ""},
		"T61String of Latin-1":              {cn(text(asn1.TagT61String, "M\xfcller")), nil, "Müller", nil, ""},
		"BMPString":                         {cn(text(asn1.TagBMPString, "\x00M\x00\xfc")), nil, "Mü", nil, ""},
		"UniversalString":                   {cn(text(28, "\x00\x00\x00M\x00\x00\x00\xfc")), nil, "Mü", nil, ""},
		"a number for a name":               {cn(mustMarshal(7)), nil, "", nil, ""},
		"an empty part of the Subject":      {sequence(set(sequence())), nil, "", nil, "pki.dropped.odd"},
		"a Subject that is none":            {text(asn1.TagUTF8String, "CN=x"), nil, "", nil, "pki.dropped.odd"},
		"an attribute that is none":         {sequence(), slices.Concat(oid(1, 2), extensions(good)), "", named, "pki.dropped.odd"},
		"an extension that is none":         {sequence(), extensions(oid(1, 2), good), "", named, "pki.dropped.odd"},
		"critical as 0x01":                  {sequence(), extensions(sequence(oid(2, 5, 29, 17), []byte{1, 1, 1}, good[len(good)-22:])), "", named, ""},
		"a damaged key usage":               {sequence(), extensions(sequence(oid(2, 5, 29, 15), octets(1)), good), "", named, "pki.dropped.odd"},
		"a damaged subjectAltName":          {cn(text(asn1.TagUTF8String, "b.garten.example")), extensions(sequence(oid(2, 5, 29, 17), octets(1))), "b.garten.example", []string{"b.garten.example"}, "pki.dropped.odd"},
		"both kinds of requests for names":  {sequence(), slices.Concat(extensions(good), sequence(oid(1, 3, 6, 1, 4, 1, 311, 2, 1, 14), set(sequence(good)))), "", []string{"a.garten.example", "a.garten.example"}, ""},
		"a whole list in one name":          {sequence(), extensions(sequence(oid(2, 5, 29, 17), octets(sequence(mustMarshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("a.example, b.example")}))...))), "", []string{"a.example", "b.example"}, ""},
		"an address of a network as a name": {cn(text(asn1.TagUTF8String, "192.0.2.1")), nil, "192.0.2.1", nil, ""},
	}
	for name, c := range cases {
		got, err := pki.ReadCSR(rawRequest(t, c.subject, c.attributes))
		if err != nil {
			t.Errorf("%s: got %v, want it read", name, err)
			continue
		}
		if got.CommonName != c.cn || !slices.Equal(got.Asked.DNS, c.dns) || strings.Join(ids(got.Dropped), " ") != c.dropped {
			t.Errorf("%s: got CN %q, names %q, dropped %q; want %q, %q, %q", name, got.CommonName, got.Asked.DNS, ids(got.Dropped), c.cn, c.dns, c.dropped)
		}
	}
}

// TestManyNamesAreBounded sends as many as a request holds.
func TestManyNamesAreBounded(t *testing.T) {
	t.Parallel()
	var all []string
	for i := range 5000 {
		all = append(all, string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))+".de")
	}
	got, err := pki.ReadCSR(csr(t, rsaKey(), dnsNames(all...)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Asked.DNS); n != 2*pki.MostDNS || len(got.Dropped) != 1 || got.Dropped[0].ID != "pki.dropped.more" || got.Dropped[0].Args[1] != 4901 {
		t.Errorf("got %d names and %+v, want %d and a note on 4,901 more", n, got.Dropped, 2*pki.MostDNS)
	}
}

// TestNamesAreComparedAsTheyAreMeant: what differs in case only is no name left
// out.
func TestNamesAreComparedAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	got, err := pki.ReadCSR(requestFile(t, "05-upper"))
	if err != nil {
		t.Fatal(err)
	}
	if left := got.Ignored(pki.Names{DNS: []string{"www.institut.example", "mail.institut.example"}}, strings.ToLower); len(left) > 0 {
		t.Errorf("got %+v, want nothing left out", left)
	}
	if left := ids(got.Ignored(pki.Names{DNS: []string{"www.institut.example"}}, strings.ToLower)); !slices.Equal(left, []string{"pki.dropped.dns"}) {
		t.Errorf("got %v, want the other name left out", left)
	}
}

func BenchmarkReadCSR(b *testing.B) {
	for name, data := range map[string][]byte{
		"RSA 2048": requestPEM(csr(b, rsaKey(), dnsNames("www.garten.example", "garten.example"))), "EC P-256": requestFile(b, "05-upper"),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := pki.ReadCSR(data); err != nil {
					b.Fatal(fault.Of(err))
				}
			}
		})
	}
}
