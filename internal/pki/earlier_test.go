package pki

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// FuzzGiven: a file of anything makes neither a panic nor a certificate out of
// nothing, and what was read once is read again.
func FuzzGiven(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte{0x30, 0x82, 0xff, 0xff})
	for _, name := range []string{"51-old-all.pem", "50c-old.p7b"} {
		file, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
		for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
			f.Add(block.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		all, err := EarlierFile(file)
		if (err == nil) != (len(all) > 0) {
			t.Errorf("got %d certificates and %v, want one or the other", len(all), err)
		}
		for _, der := range all {
			g, err := ParseEarlier(der)
			if err != nil || g.Authority {
				continue
			}
			if !g.Mail && !g.Server || g.Mail && len(g.Emails) == 0 || g.Server && len(g.DNS) == 0 {
				t.Errorf("got one that is for nothing it names: %+v", g)
			}
			if again, err := EarlierFile(PEM(der)); err != nil || !bytes.Equal(again[0], der) {
				t.Errorf("the same one written and read again: got %v", err)
			}
		}
	})
}
