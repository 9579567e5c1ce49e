package static_test

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"petschaft/internal/browser"
	"petschaft/internal/lane"
	"petschaft/web/static"
)

// laboratory is an empty page from which tests call the modules in Chromium,
// under the policy of the portal's own pages.
type laboratory struct {
	t *testing.T
	*browser.Page
}

func newLaboratory(t *testing.T) laboratory {
	t.Helper()
	lane.Browser(t)
	files := static.Handler()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'")
		if r.URL.Path != "/" {
			files.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><title>Probe</title><link rel="icon" href="%s">`, static.Path("seal.svg"))
	}))
	t.Cleanup(site.Close)
	p := browser.Open(t, site.URL).Visitor(t.Name())
	p.Goto(site.URL)
	return laboratory{t, p}
}

// run calls an asynchronous function whose body is script; module imports one by
// its name. Bytes go in and out in base64.
func (l laboratory) run(script string, args ...any) string {
	l.t.Helper()
	paths := map[string]string{}
	for _, name := range []string{"der.js", "des.js", "key.js", "p12.js", "keep.js"} {
		paths[name] = static.Path(name)
	}
	given, err := json.Marshal(args)
	if err != nil {
		l.t.Fatal(err)
	}
	places, err := json.Marshal(paths)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.Run(fmt.Sprintf(`(async (places, args) => {
		const module = (name) => import(places[name]);
		const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
		const text = (bytes) => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
		%s
	})(%s, %s)`, script, places, given))
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("%q is not base64: %v", text, err)
	}
	return b
}

// made is what key.js makes.
type made struct{ ID, Kind, PKCS8, CSR string }

func (l laboratory) make(kind, name string) (m made) {
	l.t.Helper()
	answer := l.run(`const { make } = await module("key.js");
		const key = await make(args[0], args[1]);
		return JSON.stringify({ ...key, pkcs8: text(key.pkcs8) });`, kind, name)
	if err := json.Unmarshal([]byte(answer), &m); err != nil {
		l.t.Fatal(err)
	}
	return m
}

func TestARequestMadeInABrowserIsSignedByItsKey(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	for _, c := range []struct{ kind, name string }{{"rsa", ""}, {"rsa", "www.uni.example"}, {"ec", ""}, {"ec", "Jürgen Müller"}, {"ec", string(bytes.Repeat([]byte("x"), 300))}} {
		m := l.make(c.kind, c.name)
		b, rest := pem.Decode([]byte(m.CSR))
		if b == nil || b.Type != "CERTIFICATE REQUEST" || len(rest) > 0 {
			t.Fatalf("%s: got %q, want one request in PEM", c.kind, m.CSR)
		}
		csr, err := x509.ParseCertificateRequest(b.Bytes)
		if err != nil {
			t.Fatalf("%s %q: %v", c.kind, c.name, err)
		}
		if err := csr.CheckSignature(); err != nil || csr.Subject.CommonName != c.name {
			t.Errorf("%s: got a request for %q with the signature %v, want %q and a good one", c.kind, csr.Subject.CommonName, err, c.name)
		}
		if sum := sha256.Sum256(csr.RawSubjectPublicKeyInfo); hex.EncodeToString(sum[:]) != m.ID {
			t.Errorf("%s: got the id %s, want %x", c.kind, m.ID, sum)
		}
		key, err := x509.ParsePKCS8PrivateKey(decoded(t, m.PKCS8))
		if err != nil {
			t.Fatalf("%s: %v", c.kind, err)
		}
		switch k := key.(type) {
		case *rsa.PrivateKey:
			if c.kind != "rsa" || k.N.BitLen() != 3072 || k.E != 65537 || !k.PublicKey.Equal(csr.PublicKey) {
				t.Errorf("%s: got RSA with %d bits and e = %d", c.kind, k.N.BitLen(), k.E)
			}
		case *ecdsa.PrivateKey:
			if c.kind != "ec" || k.Params().Name != "P-256" || !k.PublicKey.Equal(csr.PublicKey) {
				t.Errorf("%s: got the curve %s", c.kind, k.Params().Name)
			}
		}
	}
}

// vectors of Triple DES in CBC mode with an initial vector of zeros: the example
// of NIST SP 800-67, appendix B, and known answers of NIST SP 800-20, where the
// three keys are one.
var vectors = []struct{ name, key, plain, want string }{
	{"SP 800-67, B.1, first block", "0123456789abcdef23456789abcdef01456789abcdef0123", "5468652071756663", "a826fd8ce53b855f"},
	{"variable plaintext, first bit", one("0101010101010101"), "8000000000000000", "95f8a5e5dd31d900"},
	{"variable plaintext, second bit", one("0101010101010101"), "4000000000000000", "dd7f121ca5015619"},
	{"variable plaintext, last bit", one("0101010101010101"), "0000000000000001", "166b40b44aba4bd6"},
	{"variable key, first bit", one("8001010101010101"), "0000000000000000", "95a8d72813daa94d"},
	{"variable key, second bit", one("4001010101010101"), "0000000000000000", "0eec1487dd8c26d5"},
	{"permutation", one("1046913489980131"), "0000000000000000", "88d55e54f54c97b4"},
	{"substitution tables", one("7ca110454a1a6e57"), "01a1d6d039776742", "690f5b0d9a26939b"},
	{"substitution tables", one("0131d9619dc1376e"), "5cd54ca83def57da", "7a389d10354bd271"},
}

func one(key string) string { return key + key + key }

func (l laboratory) tripleDES(key, iv, plain []byte) []byte {
	l.t.Helper()
	return decoded(l.t, l.run(`const { tripleDES } = await module("des.js");
		return text(tripleDES(...args.map(bytes)));`, key, iv, plain))
}

func TestTripleDESInABrowserGivesTheKnownAnswers(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	for _, v := range vectors {
		key, _ := hex.DecodeString(v.key)
		plain, _ := hex.DecodeString(v.plain)
		if got := hex.EncodeToString(l.tripleDES(key, make([]byte, 8), plain)[:8]); got != v.want {
			t.Errorf("%s: got %s, want %s", v.name, got, v.want)
		}
	}
	for _, size := range []int{0, 1, 7, 8, 9, 500} {
		key, iv, plain := random(t, 24), random(t, 8), random(t, size)
		block, err := des.NewTripleDESCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		padding := 8 - size%8
		want := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(want, want)
		if got := l.tripleDES(key, iv, plain); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %x, want %x", size, got, want)
		}
	}
}

func random(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAKeyIsKeptEncryptedInABrowserUntilItIsForgotten(t *testing.T) {
	t.Parallel()
	l := newLaboratory(t)
	secret := random(t, 1200)
	got := l.run(`const { able, keep, note, take, find, forget, all } = await module("keep.js");
		const say = [await able(), (await all()).length];
		const pkcs8 = bytes(args[0]);
		await keep({ id: "1", pkcs8, account: "7", row: "3" });
		await note("1", { applied: true });
		await note("2", { applied: true });
		const kept = await find("1");
		say.push(kept.account, kept.row, kept.applied, "pkcs8" in kept, kept.wrapping.extractable, kept.wrapping.algorithm.length);
		say.push(text(new Uint8Array(kept.secret)).includes(text(pkcs8.subarray(0, 300))), text(await take("1")) === args[0]);
		const refused = await crypto.subtle.exportKey("raw", kept.wrapping).then(() => "read", (e) => e.name);
		await forget("1");
		say.push(refused, (await all()).length);
		return say.join(" ");`, secret)
	if want := "true 0 7 3 true false false 256 false true InvalidAccessError 0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAPasswordMadeInABrowserHasTheBitsItClaims(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var all []string
	answer := newLaboratory(t).run(`const { newPassword } = await module("p12.js");
		return JSON.stringify(Array.from({ length: 400 }, newPassword));`)
	if err := json.Unmarshal([]byte(answer), &all); err != nil {
		t.Fatal(err)
	}
	letters := map[byte]int{}
	for _, p := range all {
		if len(p) != 29 || seen[p] {
			t.Fatalf("got %q, want 24 letters in groups of four, another each time", p)
		}
		seen[p] = true
		for i := range len(p) {
			letters[p[i]]++
		}
	}
	delete(letters, '-')
	if len(letters) != 32 { // 24 letters of 5 bits are 120
		t.Errorf("got %d different letters, want 32", len(letters))
	}
	for c, n := range letters { // 300 expected; 100 is 6 standard deviations away
		if n < 200 || n > 400 {
			t.Errorf("%c comes %d times among 9,600, want about 300", c, n)
		}
	}
}
