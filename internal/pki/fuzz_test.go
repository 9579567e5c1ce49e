package pki_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

// seed gives f the samples, the requests that people brought, and some made here.
func seed(f *testing.F) {
	f.Helper()
	files, _ := filepath.Glob(filepath.Join("testdata", "*", "*.csr"))
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		if block, _ := pem.Decode(data); block != nil {
			f.Add(block.Bytes)
		}
	}
	key := ecKey(f, elliptic.P256())
	for _, der := range [][]byte{csr(f, key), csr(f, rsaKey()), csr(f, key, greedy)} {
		f.Add(der)
		f.Add(requestPEM(der))
		f.Add(der[:len(der)/2])
	}
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"))
	f.Add(bytes.Repeat([]byte("0\x80"), 1000))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----"))
	f.Add([]byte{0x30, 0x83, 0xff, 0xff, 0xff})
	f.Add([]byte("\xff\xfe-\x00-\x00"))
}

// FuzzReadCSR: whatever is pasted is either read, with a key that may be
// certified and names that a page can show, or refused in words that repeat none
// of it.
func FuzzReadCSR(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		request, err := pki.ReadCSR(data)
		if err != nil {
			said := fault.Of(err)
			if said.Kind != fault.Invalid || said.ID == "" {
				t.Fatalf("got %v, want a refusal with words", err)
			}
			return
		}
		if again, err := pki.ReadKey(request.Key.SPKI); err != nil || !again.Equal(request.Key) {
			t.Fatalf("the key that was read is refused: %v", err)
		}
		for _, name := range append(append(append([]string{request.CommonName}, request.Asked.DNS...), request.Asked.Emails...), request.Asked.IPs...) {
			if !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\r\n") {
				t.Fatalf("the name %q cannot be shown", name)
			}
		}
		_ = request.Ignored(pki.Names{}, strings.ToLower)
	})
}

// FuzzReadKey: a key that is taken is written as it was read.
func FuzzReadKey(f *testing.F) {
	f.Add(keyOf(f, ecKey(f, elliptic.P384())).SPKI)
	f.Add(keyOf(f, rsaKey()).SPKI)
	f.Fuzz(func(t *testing.T, der []byte) {
		k, err := pki.ReadKey(der)
		if err == nil && (k.Algorithm == "" || len(k.SPKI) == 0) {
			t.Fatalf("%x is taken for a key without a name", der)
		}
	})
}
