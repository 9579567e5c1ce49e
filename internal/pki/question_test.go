package pki_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"petschaft/internal/pki"
)

func TestAQuestionIsReadAndMeansOneAuthority(t *testing.T) {
	t.Parallel()
	h, stranger := newHierarchy(t), newHierarchy(t) // of the same names, with other keys
	leaf := sign(t, h.mail, personal(t, rsaKey()))
	c, err := x509.ParseCertificate(leaf.DER)
	if err != nil {
		t.Fatal(err)
	}
	for hash, own := range map[crypto.Hash]bool{crypto.SHA1: true, crypto.SHA256: true, crypto.SHA384: false} {
		der, err := ocsp.CreateRequest(c, h.mail.Certificate, &ocsp.RequestOptions{Hash: hash})
		if err != nil {
			t.Fatal(err)
		}
		q, err := pki.ParseQuestion(der)
		if err != nil || !bytes.Equal(q.Serial, leaf.Serial) || q.SHA256 != (hash == crypto.SHA256) {
			t.Errorf("%v: got %+v, %v, want serial %x", hash, q, err, leaf.Serial)
		}
		for name, a := range map[string]pki.Issuer{"its own": h.mail, "the root": h.root, "a stranger of the same name": stranger.mail} {
			if got, want := pki.NewAddressee(a.Certificate).Means(q), own && name == "its own"; got != want {
				t.Errorf("%v, %s: got %v, want %v", hash, name, got, want)
			}
		}
		for i := range der {
			if _, err := pki.ParseQuestion(der[:i]); err == nil {
				t.Errorf("the first %d of %d bytes are read as a question", i, len(der))
			}
		}
	}
}

func TestAQuestionWithANonceOrASerialThatCannotBeIsRead(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	dir := t.TempDir()
	write(t, dir, "ca.crt", pki.PEM(h.mail.Certificate.Raw))
	for _, c := range []struct {
		serial, nonce string
		known         bool
	}{{"0x1234", "-nonce", true}, {"0x1234", "-no_nonce", true}, {"-5", "-nonce", false}, {"0x" + strings.Repeat("f", 42), "-nonce", false}, {"0", "-nonce", false}} {
		openssl(t, dir, "ocsp", "-issuer", "ca.crt", "-serial", c.serial, c.nonce, "-reqout", "q.der")
		der, err := os.ReadFile(filepath.Join(dir, "q.der"))
		if err != nil {
			t.Fatal(err)
		}
		q, err := pki.ParseQuestion(der)
		if err != nil || len(q.Serial) > 0 != c.known || !pki.NewAddressee(h.mail.Certificate).Means(q) {
			t.Errorf("serial %s, %s: got %x, %v", c.serial, c.nonce, q.Serial, err)
		}
	}
}

// FuzzReadQuestion: whatever comes, it is read or refused.
func FuzzReadQuestion(f *testing.F) {
	f.Add([]byte{})
	der, err := (&ocsp.Request{HashAlgorithm: crypto.SHA1, IssuerNameHash: make([]byte, 20), IssuerKeyHash: make([]byte, 20), SerialNumber: big.NewInt(7)}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(named70(f))
	f.Fuzz(func(t *testing.T, der []byte) {
		if q, err := pki.ParseQuestion(der); err == nil && len(q.Serial) > 20 {
			t.Errorf("got a serial of %d bytes, want at most 20", len(q.Serial))
		}
	})
}

func named70(t testing.TB) []byte {
	t.Helper()
	der, err := os.ReadFile(filepath.Join("testdata", "70-ocsp-unsigned-requestorName-directoryName.der"))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestAQuestionWithARequestorIsRead: it may say who asks, as a name of any kind,
// ask about several certificates and be signed (RFC 6960, 4.1.1).
func TestAQuestionWithARequestorIsRead(t *testing.T) {
	t.Parallel()
	q, err := pki.ParseQuestion(named70(t))
	serial := []byte{0x6b, 0xff, 0xd1, 0xb9, 0x19, 0x57, 0x7b, 0xb3, 0xf5, 0x0d, 0xb3, 0xff, 0x5e, 0xcd, 0x17, 0xbd}
	if err != nil || !bytes.Equal(q.Serial, serial) || q.SHA256 {
		t.Errorf("case 70: got %+v, %v, want serial %x by SHA-1", q, err, serial)
	}

	h := newHierarchy(t)
	ask := func(serial int64) cryptobyte.String {
		der, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: big.NewInt(serial)}, h.mail.Certificate, nil)
		if err != nil {
			t.Fatal(err)
		}
		in := cryptobyte.String(der)
		var whole, tbs, list cryptobyte.String
		if !in.ReadASN1(&whole, tag.SEQUENCE) || !whole.ReadASN1(&tbs, tag.SEQUENCE) || !tbs.ReadASN1(&list, tag.SEQUENCE) {
			t.Fatal("the library writes other questions now")
		}
		return list
	}
	explicit := func(n uint8) tag.Tag { return tag.Tag(n).ContextSpecific().Constructed() }
	raw := func(b []byte) func(*cryptobyte.Builder) { return func(c *cryptobyte.Builder) { c.AddBytes(b) } }
	type part = func(*cryptobyte.Builder)
	none := func(*cryptobyte.Builder) {}
	name := func(kind tag.Tag, b []byte) part {
		return func(c *cryptobyte.Builder) {
			c.AddASN1(explicit(1), func(c *cryptobyte.Builder) { c.AddASN1(kind, raw(b)) })
		}
	}
	version := func(c *cryptobyte.Builder) { c.AddASN1(explicit(0), func(c *cryptobyte.Builder) { c.AddASN1Int64(0) }) }
	signature := func(c *cryptobyte.Builder) {
		c.AddASN1(explicit(0), func(c *cryptobyte.Builder) {
			c.AddASN1(tag.SEQUENCE, func(c *cryptobyte.Builder) { c.AddASN1BitString([]byte{1}) })
		})
	}
	nonce := func(c *cryptobyte.Builder) {
		c.AddASN1(explicit(2), func(c *cryptobyte.Builder) { c.AddASN1(tag.SEQUENCE, none) })
	}
	write := func(version, requestor, list, extensions, signature part) []byte {
		b := cryptobyte.NewBuilder(nil)
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				version(b)
				requestor(b)
				b.AddASN1(tag.SEQUENCE, list)
				extensions(b)
			})
			signature(b)
		})
		return b.BytesOrPanic()
	}
	seven, both := raw(ask(7)), func(c *cryptobyte.Builder) { c.AddBytes(ask(7)); c.AddBytes(ask(8)) }
	directory := name(explicit(4), h.mail.Certificate.RawSubject)
	for kind, c := range map[string]struct {
		der  []byte
		read bool
	}{
		"by directory name":     {write(none, directory, seven, none, none), true},
		"by mailbox":            {write(none, name(tag.Tag(1).ContextSpecific(), []byte("ada@uni.example")), seven, none, none), true},
		"by address":            {write(none, name(tag.Tag(7).ContextSpecific(), []byte{127, 0, 0, 1}), seven, none, none), true},
		"by a name of its own":  {write(none, name(explicit(0), []byte{6, 1, 42}), seven, none, none), true},
		"signed, with a nonce":  {write(version, directory, seven, nonce, signature), true},
		"of two the first":      {write(none, none, both, nonce, none), true},
		"about none":            {write(none, none, none, none, none), false},
		"something behind":      {append(write(none, none, seven, none, none), 0), false},
		"two signatures":        {write(none, none, seven, none, func(c *cryptobyte.Builder) { signature(c); signature(c) }), false},
		"who asks at the end":   {write(none, none, seven, directory, none), false},
		"extensions in advance": {write(none, nonce, seven, none, none), false},
	} {
		q, err := pki.ParseQuestion(c.der)
		if good := err == nil && bytes.Equal(q.Serial, []byte{7}) && pki.NewAddressee(h.mail.Certificate).Means(q); good != c.read {
			t.Errorf("%s: got serial %x, %v, want it read: %v", kind, q.Serial, err, c.read)
		}
	}
}
