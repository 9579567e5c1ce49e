package static_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"petschaft/internal/lane"
)

// friendly is what programs show.
const friendly = "jürgen@uni.example 4711"

// file is a P12 file as the browser made it, and what is in it.
type file struct {
	kind            string
	older           bool
	path, password  string
	key, leaf, root []byte // PKCS#8 and certificates, in DER
	chain           string
}

// certified returns leaf, issuing certificate and root for the key of a request.
func certified(t *testing.T, csrPEM string) (all [][]byte) {
	t.Helper()
	b, _ := pem.Decode([]byte(csrPEM))
	csr, err := x509.ParseCertificateRequest(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	var parent *x509.Certificate
	var by *ecdsa.PrivateKey
	for i, name := range []string{"Wurzel", "Mail CA", "Jürgen Müller"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		public := any(key.Public())
		if i == 2 {
			c.IsCA, c.KeyUsage, c.EmailAddresses = false, x509.KeyUsageDigitalSignature, []string{"juergen@uni.example"}
			public = csr.PublicKey
		}
		if parent == nil {
			parent, by = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, public, by)
		if err != nil {
			t.Fatal(err)
		}
		if parent, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		by, all = key, append([][]byte{der}, all...)
	}
	return all
}

// save lets the browser make a file.
func (l laboratory) save(kind string, older bool) file {
	l.t.Helper()
	m := l.make(kind, "")
	chain := certified(l.t, m.CSR)
	var text strings.Builder
	for _, der := range chain {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	f := file{kind: kind, older: older, key: decoded(l.t, m.PKCS8), leaf: chain[0], root: chain[2], chain: text.String()}
	password, content, _ := strings.Cut(l.run(`const { p12, newPassword } = await module("p12.js");
		const { unframed } = await module("der.js");
		const password = newPassword();
		const [pkcs8, chain, name, forOlder] = args;
		return password + " " + text(await p12({ pkcs8: bytes(pkcs8), certificates: unframed(chain), name, password, forOlder }));`,
		m.PKCS8, f.chain, friendly, older), " ")
	f.password, f.path = password, filepath.Join(l.t.TempDir(), "datei.p12")
	if err := os.WriteFile(f.path, decoded(l.t, content), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return f
}

// program runs a program, which must say all the words.
func program(t *testing.T, in string, line []string, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, line[0], line[1:]...)
	c.Stdin, c.WaitDelay = strings.NewReader(in), time.Second
	said, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v:\n%s", strings.Join(line, " "), err, said)
	}
	for _, w := range words {
		if !bytes.Contains(said, []byte(w)) {
			t.Errorf("%s does not say %q:\n%s", strings.Join(line, " "), w, said)
		}
	}
	return string(said)
}

func TestPeersOpenTheFile(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "keytool", "certutil", "pk12util", "certtool", "gpgsm")
	l := newLaboratory(t)
	for _, kind := range []string{"rsa", "ec"} {
		for _, older := range []bool{false, true} {
			f := l.save(kind, older)
			f.inGo(t)
			f.inOpenSSL(t)
			f.inJava(t)
			f.inNSS(t)
			f.inGnuTLS(t)
			if kind == "rsa" && older { // gpgsm of Debian 12 knows neither AES in P12 nor EC
				f.inGnuPG(t)
			}
		}
	}
}

func (f file) inGo(t *testing.T) {
	t.Helper()
	content, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	key, leaf, above, err := pkcs12.DecodeChain(content, f.password)
	if err != nil {
		t.Fatalf("%s, older %v: %v", f.kind, f.older, err)
	}
	want, err := x509.ParsePKCS8PrivateKey(f.key)
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := key.(interface{ Equal(crypto.PrivateKey) bool }); !ok || !k.Equal(want) {
		t.Errorf("%s: another key", f.kind)
	}
	if !bytes.Equal(leaf.Raw, f.leaf) || len(above) != 2 || !bytes.Equal(above[1].Raw, f.root) {
		t.Errorf("%s: got another certificate or a chain of %d above it, want 2", f.kind, len(above))
	}
	if _, _, _, err := pkcs12.DecodeChain(content, "falsch"); err == nil {
		t.Errorf("%s: a wrong password opens the file", f.kind)
	}
}

func (f file) inOpenSSL(t *testing.T) {
	t.Helper()
	words := []string{"MAC: sha256", "Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256", "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 100000"}
	if f.older {
		words = []string{"MAC: sha1", "Encrypted data: pbeWithSHA1And3-KeyTripleDES-CBC", "Shrouded Keybag: pbeWithSHA1And3-KeyTripleDES-CBC"}
	}
	said := program(t, "", []string{"openssl", "pkcs12", "-info", "-noenc", "-in", f.path, "-passin", "pass:" + f.password}, append(words, "BEGIN PRIVATE KEY")...)
	if n := strings.Count(said, "BEGIN CERTIFICATE"); n != 3 {
		t.Errorf("openssl finds %d certificates, want 3", n)
	}
}

func (f file) inJava(t *testing.T) {
	t.Helper()
	program(t, "", []string{"keytool", "-J-Duser.language=en", "-J-Dfile.encoding=UTF-8", "-list", "-v", "-storetype", "PKCS12", "-keystore", f.path, "-storepass", f.password},
		"PrivateKeyEntry", "Certificate chain length: 3")
}

func (f file) inNSS(t *testing.T) {
	t.Helper()
	db := "sql:" + t.TempDir()
	program(t, "", []string{"certutil", "-N", "-d", db, "--empty-password"})
	program(t, "", []string{"pk12util", "-i", f.path, "-d", db, "-W", f.password}, "IMPORT SUCCESSFUL")
	program(t, "", []string{"certutil", "-K", "-d", db}, f.kind, friendly)
	program(t, "", []string{"certutil", "-L", "-d", db}, friendly, "u,u,u", "Mail CA", "Wurzel")
}

func (f file) inGnuTLS(t *testing.T) {
	t.Helper()
	cipher := "Cipher: AES-256-CBC"
	if f.older {
		cipher = "Cipher: 3DES-CBC"
	}
	said := program(t, "", []string{"certtool", "--p12-info", "--inder", "--infile", f.path, "--password", f.password}, cipher, "Friendly name: "+friendly)
	if n := strings.Count(said, "BEGIN CERTIFICATE"); n != 3 {
		t.Errorf("certtool finds %d certificates, want 3", n)
	}
	_, key, _ := strings.Cut(said, "-----BEGIN ENCRYPTED PRIVATE KEY-----")
	program(t, "-----BEGIN ENCRYPTED PRIVATE KEY-----"+key, []string{"certtool", "--key-info", "--pkcs8", "--password", f.password}, "Public Key Info")
}

func (f file) inGnuPG(t *testing.T) {
	t.Helper()
	home, err := os.MkdirTemp("", "gpgsm") // its sockets want a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	program(t, f.password+"\n", []string{
		"gpgsm", "--homedir", home, "--batch", "--disable-dirmngr", "--pinentry-mode", "loopback", "--passphrase-fd", "0", "--import", f.path,
	}, "secret keys imported: 1")
	program(t, "", []string{"gpgsm", "--homedir", home, "--batch", "--disable-dirmngr", "--list-secret-keys"}, "juergen@uni.example")
}
