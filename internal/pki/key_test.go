package pki_test

import (
	"crypto/dsa" //lint:ignore SA1019 to see it refused
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

func asn1Serial() *big.Int { return new(big.Int).SetBytes(pki.NewSerial()) }

// modulus is n as a public key.
func modulus(n *big.Int) *rsa.PublicKey { return &rsa.PublicKey{N: n, E: 65537} }

func randomPrime(t *testing.T, bits int) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// roca makes a prime as the faulty chips of CVE-2017-15361 do: k·M + (65537^a mod M),
// M the product of the first 126 primes.
func roca(t *testing.T) *big.Int {
	t.Helper()
	m, p := big.NewInt(1), new(big.Int)
	for n, found := int64(2), 0; found < 126; n++ {
		if p.SetInt64(n).ProbablyPrime(0) {
			m.Mul(m, p)
			found++
		}
	}
	high := new(big.Int).Lsh(big.NewInt(3), 1022) // two of these have 2,048 bits
	for {
		a, err := rand.Int(rand.Reader, m)
		if err != nil {
			t.Fatal(err)
		}
		k, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 50))
		if err != nil {
			t.Fatal(err)
		}
		k.Add(k, new(big.Int).Div(high, m)).Add(k, big.NewInt(1))
		p := new(big.Int).Exp(big.NewInt(65537), a, m)
		p.Add(p, k.Mul(k, m))
		if p.BitLen() == 1024 && p.ProbablyPrime(10) {
			return p
		}
	}
}

func nextPrime(n *big.Int) *big.Int {
	p := new(big.Int).Add(n, big.NewInt(2))
	for !p.ProbablyPrime(10) {
		p.Add(p, big.NewInt(2))
	}
	return p
}

func TestWeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	good := rsaKey().N
	p := randomPrime(t, 1024)
	with := func(e int) *rsa.PublicKey { return &rsa.PublicKey{N: good, E: e} }
	long := func(bits int) *big.Int { return new(big.Int).SetBit(new(big.Int).Set(good), bits-1, 1) }
	var old dsa.PrivateKey
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	square := new(big.Int).Mul(p, p)
	near := new(big.Int).Mul(p, nextPrime(p))
	cases := map[string]struct {
		key  any
		want string
	}{
		"RSA 1024":                {modulus(new(big.Int).Rsh(good, 1024)), "pki.key.rsa_small"},
		"RSA 2047":                {modulus(new(big.Int).Rsh(good, 1)), "pki.key.rsa_small"},
		"RSA 8200":                {modulus(long(8200)), "pki.key.rsa_large"},
		"RSA 2052":                {modulus(long(2052)), "pki.key.rsa_size"},
		"an even exponent":        {with(65538), "pki.key.exponent"},
		"the exponent 3":          {with(3), "pki.key.exponent"},
		"the exponent 1":          {with(1), "pki.key.exponent"},
		"an even modulus":         {modulus(new(big.Int).Sub(good, big.NewInt(1))), "pki.key.factors"},
		"the factor 751":          {modulus(factor751(good)), "pki.key.factors"},
		"a square":                {modulus(square), "pki.key.close_primes"},
		"neighbours":              {modulus(near), "pki.key.close_primes"},
		"a cube":                  {modulus(power(func() *big.Int { return randomPrime(t, 688) }, 3)), "pki.key.power"},
		"the fifth power":         {modulus(power(func() *big.Int { return randomPrime(t, 416) }, 5)), "pki.key.power"},
		"a power of a composite":  {modulus(power(func() *big.Int { return new(big.Int).Mul(randomPrime(t, 148), randomPrime(t, 148)) }, 7)), "pki.key.power"},
		"a power of 757":          {modulus(power(func() *big.Int { return big.NewInt(757) }, 271)), "pki.key.power"},
		"a faulty chip":           {modulus(new(big.Int).Mul(roca(t), roca(t))), "pki.key.roca"},
		"P-224":                   {ecKey(t, elliptic.P224()).Public(), "pki.key.curve_small"},
		"DSA":                     {&old.PublicKey, "pki.key.algorithm"},
		"Ed25519 in memory":       {edwards, "pki.key.algorithm"},
		"nothing":                 {nil, "pki.key.algorithm"},
		"an RSA key as it should": {modulus(good), ""},
		"P-521":                   {ecKey(t, elliptic.P521()).Public(), ""},
	}
	for name, c := range cases {
		err := pki.CheckKey(c.key)
		if f := fault.Of(err); (f == nil) != (c.want == "") || f != nil && f.ID != c.want {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// power is a number that root makes, to the power of k, of a whole number of bytes.
func power(root func() *big.Int, k int64) *big.Int {
	for {
		if n := new(big.Int).Exp(root(), big.NewInt(k), nil); n.BitLen()%8 == 0 {
			return n
		}
	}
}

// factor751 is a multiple of 751 near n and as long, without smaller factors.
func factor751(n *big.Int) *big.Int {
	m := new(big.Int).Div(n, big.NewInt(751))
	for m.SetBit(m, 0, 1); ; m.Sub(m, big.NewInt(2)) {
		if m.ProbablyPrime(0) {
			return m.Mul(m, big.NewInt(751))
		}
	}
}

func TestKeysOfEveryKindAreNamedOrRefusedInWords(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		make []string
		want string // of the refusal, or the algorithm
	}{
		"RSA":         {[]string{"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, "RSA 2048"},
		"P-256":       {[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, "EC P-256"},
		"P-384":       {[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"}, "EC P-384"},
		"P-521":       {[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, "EC P-521"},
		"P-224":       {[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"}, "pki.key.curve_small"},
		"bitcoin":     {[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"}, "pki.key.curve"},
		"written out": {[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"}, "pki.key.curve_explicit"},
		"Ed25519":     {[]string{"genpkey", "-algorithm", "ED25519"}, "pki.key.edwards"},
		"Ed448":       {[]string{"genpkey", "-algorithm", "ED448"}, "pki.key.edwards"},
		"X25519":      {[]string{"genpkey", "-algorithm", "X25519"}, "pki.key.edwards"},
		"RSASSA-PSS":  {[]string{"genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"}, "pki.key.pss"},
		"DSA":         {[]string{"dsaparam", "-genkey", "-noout", "1024"}, "pki.key.dsa"},
		"exponent 3":  {[]string{"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"}, "pki.key.exponent"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			openssl(t, dir, append([]string{c.make[0], "-out", "k.pem"}, c.make[1:]...)...)
			openssl(t, dir, "pkey", "-in", "k.pem", "-pubout", "-out", "p.pem")
			text, err := os.ReadFile(filepath.Join(dir, "p.pem"))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(text)
			k, err := pki.ReadKey(block.Bytes)
			if err == nil && (k.Algorithm != c.want || string(k.SPKI) != string(block.Bytes) || k.Fingerprint != sha256.Sum256(block.Bytes)) {
				t.Errorf("got %q with %x, want %s and the bytes of OpenSSL", k.Algorithm, k.SPKI, c.want)
			}
			if f := fault.Of(err); f != nil && f.ID != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestDamagedKeysAreRefused(t *testing.T) {
	t.Parallel()
	good := keyOf(t, ecKey(t, elliptic.P256())).SPKI
	off := append([]byte(nil), good...)
	off[len(off)-1] ^= 1
	for name, c := range map[string]struct {
		der  []byte
		want string
	}{
		"nothing":        {nil, "pki.key.damaged"},
		"cut":            {good[:30], "pki.key.damaged"},
		"more after it":  {append(append([]byte(nil), good...), 0), "pki.key.damaged"},
		"off the curve":  {off, "pki.key.point"},
		"another's name": {[]byte{0x30, 0x0b, 0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x03, 0x02, 0, 0}, "pki.key.algorithm"},
	} {
		_, err := pki.ReadKey(c.der)
		if f := fault.Of(err); f == nil || f.ID != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// TestAModulusThatIsAPrimeIsRefused: read from a request in no time, and refused
// before anything is signed for it.
func TestAModulusThatIsAPrimeIsRefused(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "13-rsa-prime-modulus.csr"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := pki.ReadCSR(data)
	if err != nil || request.CommonName != "www.fakultaet.example" {
		t.Fatalf("got %+v, %v, want it read", request, err)
	}
	wants(t, request.Key.Check(), "pki.key.prime")
	wants(t, pki.Request{
		Intent: 1, Profile: pki.TLSServer, Key: request.Key, DNS: []string{"www.fakultaet.example"}, Serial: pki.NewSerial(), NotBefore: now,
	}.Check(), "pki.key.prime")
}
