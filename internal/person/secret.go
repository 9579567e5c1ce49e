package person

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"math/big"
	"strings"
)

// The secret of a token is tokenPrefix, 32 random bytes as 43 digits of base 62,
// and the CRC-32 (IEEE) of all that as 6 more, so that a scanner for leaked
// secrets knows one without asking.
const (
	tokenPrefix = "pts_"
	randomText  = 43
	sumText     = 6
	base62      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func newSecret() string {
	random := make([]byte, 32)
	rand.Read(random)
	s := tokenPrefix + digits(new(big.Int).SetBytes(random), randomText)
	return s + checksum(s)
}

func checksum(s string) string {
	return digits(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(s)))), sumText)
}

// digits writes n in base 62, padded with zeros to length.
func digits(n *big.Int, length int) string {
	out := make([]byte, length)
	base, digit := big.NewInt(int64(len(base62))), new(big.Int)
	for i := length - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = base62[digit.Int64()]
	}
	return string(out)
}

// LooksLikeToken tells whether s has the form and the checksum of a token's
// secret, which says nothing of whether there is one.
func LooksLikeToken(s string) bool {
	if len(s) != len(tokenPrefix)+randomText+sumText || !strings.HasPrefix(s, tokenPrefix) {
		return false
	}
	if strings.Trim(s[len(tokenPrefix):], base62) != "" {
		return false
	}
	body := s[:len(s)-sumText]
	return checksum(body) == s[len(body):]
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
