package pki

import (
	"crypto/rsa"
	"math/big"
	"strconv"
	"sync"

	"github.com/titanous/rocacheck"

	"petschaft/internal/fault"
)

// Sizes of RSA keys in bits. The upper bound keeps a single check affordable.
const (
	smallestRSA = 2048
	largestRSA  = 8192
)

// smallestExponent is 2^16+1; smaller ones are allowed for S/MIME but no
// generator of today makes them (TLS BR 6.1.6).
const smallestExponent = 1<<16 + 1

// fermatRounds is how many rounds of Fermat's method a modulus must withstand
// (TLS BR 6.1.1.3).
const fermatRounds = 100

// glanceRSA refuses sizes and exponents outside the rules and moduli that are
// known to be easy to factor, as far as that shows in a millisecond. Debian's
// predictable keys of 2006 to 2008 are not recognised: that needs their list
// (docs/divergences.md).
func glanceRSA(k *rsa.PublicKey) error {
	bits := k.N.BitLen()
	switch {
	case bits < smallestRSA:
		return fault.New(fault.Invalid, "pki.key.rsa_small", "bits", strconv.Itoa(bits))
	case bits > largestRSA:
		return fault.New(fault.Invalid, "pki.key.rsa_large", "bits", strconv.Itoa(bits))
	case bits%8 != 0:
		return fault.New(fault.Invalid, "pki.key.rsa_size", "bits", strconv.Itoa(bits))
	case k.E < smallestExponent || k.E%2 == 0:
		return fault.New(fault.Invalid, "pki.key.exponent")
	case hasSmallFactor(k.N):
		return fault.New(fault.Invalid, "pki.key.factors")
	case hasClosePrimes(k.N):
		return fault.New(fault.Invalid, "pki.key.close_primes")
	case rocacheck.IsWeak(k): // CVE-2017-15361
		return fault.New(fault.Invalid, "pki.key.roca")
	}
	return nil
}

// smallPrimes is the product of all primes up to 751: a modulus must have no
// factor smaller than 752 (TLS BR 6.1.6).
var smallPrimes = sync.OnceValue(func() *big.Int {
	product, p := big.NewInt(1), new(big.Int)
	for n := range int64(752) {
		if p.SetInt64(n).ProbablyPrime(0) {
			product.Mul(product, p)
		}
	}
	return product
})

func hasSmallFactor(n *big.Int) bool {
	return new(big.Int).GCD(nil, nil, n, smallPrimes()).BitLen() > 1
}

// hasClosePrimes looks for n = a² − b² with a just above the root of n, which
// finds primes that lie near each other (CVE-2022-26320).
func hasClosePrimes(n *big.Int) bool {
	one := big.NewInt(1)
	a := new(big.Int).Sqrt(n)
	square, root := new(big.Int), new(big.Int)
	if square.Mul(a, a).Cmp(n) == 0 {
		return true
	}
	for range fermatRounds {
		a.Add(a, one)
		square.Sub(square.Mul(a, a), n)
		root.Sqrt(square)
		if root.Mul(root, root).Cmp(square) == 0 {
			return true
		}
	}
	return false
}

// isPower tells whether n, which is odd and no square, is the power of another
// number with a prime exponent, as long as that number is above 751 (TLS BR
// 6.1.6). For an odd k there is one k-th root of n modulo a power of two: n is a
// power when this root is a root without the modulus, too.
func isPower(n *big.Int) bool {
	const rootBits = 9 // of the smallest root at least
	exponent, root, power := new(big.Int), new(big.Int), new(big.Int)
	for k := 3; k*rootBits < n.BitLen(); k += 2 {
		if exponent.SetInt64(int64(k)); !exponent.ProbablyPrime(0) {
			continue
		}
		bits := uint(n.BitLen()/k + 1)
		order := new(big.Int).Lsh(big.NewInt(1), bits-2) // of the odd numbers below the modulus
		modulus := new(big.Int).Lsh(big.NewInt(1), bits)
		power.ModInverse(exponent, order)
		root.Exp(n, power, modulus)
		if power.Exp(root, exponent, nil).Cmp(n) == 0 {
			return true
		}
	}
	return false
}

// lookRSA refuses moduli that are no product of different primes. It takes an
// exponentiation: 3 ms for 2,048 bits, 9 for 3,072, 170 for 8,192.
func lookRSA(k *rsa.PublicKey) error {
	if isPower(k.N) {
		return fault.New(fault.Invalid, "pki.key.power")
	}
	if k.N.ProbablyPrime(0) { // then anybody computes the private key
		return fault.New(fault.Invalid, "pki.key.prime")
	}
	return nil
}
