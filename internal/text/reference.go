package text

import (
	"crypto/rand"
	"strings"
)

// alphabet has no 0 and O, 1 and I: a reference number is read aloud.
const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// NewReference makes a reference number: eight random characters and one that
// checks them, as XXXX-XXXXC. 40 random bits; the schema keeps them unique.
func NewReference() string {
	b := make([]byte, 8)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b[:4]) + "-" + string(b[4:]) + string(check(string(b)))
}

// check is the check character of s: its characters are numbers of the field
// with 32 elements (polynomial x⁵+x²+1), each counts x times the one after it,
// and with the check character all of them add up to nothing. So every single
// wrong character and every swap of neighbours is noticed.
func check(s string) byte {
	sum := 0
	for i := range len(s) {
		sum = (sum ^ strings.IndexByte(alphabet, s[i])) << 1
		if sum >= 32 {
			sum ^= 0b100101
		}
	}
	return alphabet[sum]
}

// ParseReference reads a reference number as somebody typed it: any case,
// blanks and dashes anywhere. ok is false where the check character is wrong.
func ParseReference(s string) (reference string, ok bool) {
	s = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(s))
	if len(s) != 9 || strings.Trim(s, alphabet) != "" || check(s[:8]) != s[8] {
		return "", false
	}
	return s[:4] + "-" + s[4:], true
}
