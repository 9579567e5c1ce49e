package handover

import (
	"crypto/rand"
	"fmt"
	"strings"
	"unicode"

	"github.com/alexedwards/argon2id"
)

// crockford is Crockford's alphabet of base 32, which leaves out what is read
// for something else.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// letters is how long a session password is: 80 bits.
const letters = 16

// hashing is one of the settings that OWASP's Password Storage Cheat Sheet names
// for argon2id.
var hashing = argon2id.Params{Memory: 19456, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// newPassword makes a session password, in groups of four, and its hash.
func (b *Book) newPassword() (password, hash string, err error) {
	var random [letters]byte
	rand.Read(random[:])
	for i, r := range random {
		if i > 0 && i%4 == 0 {
			password += "-"
		}
		password += string(crockford[r%32])
	}
	b.hasher.Lock() // each takes 19 MB: one at a time
	defer b.hasher.Unlock()
	if hash, err = argon2id.CreateHash(plain(password), &hashing); err != nil {
		return "", "", fmt.Errorf("hash session password: %w", err)
	}
	return password, hash, nil
}

// plain is a session password as it is hashed, from what somebody typed: without
// blanks and dashes of any kind, in capitals, with O read as 0, I and L as 1.
func plain(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf) || r == '\u2212' {
			return -1
		}
		switch r = unicode.ToUpper(r); r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		return r
	}, typed)
}

// right tells whether typed is the password of that hash.
func (b *Book) right(typed, hash string) (bool, error) {
	p := plain(typed)
	if len(p) != letters || strings.Trim(p, crockford) != "" {
		return false, nil
	}
	b.hasher.Lock()
	defer b.hasher.Unlock()
	ok, err := argon2id.ComparePasswordAndHash(p, hash)
	if err != nil {
		return false, fmt.Errorf("compare session password: %w", err)
	}
	return ok, nil
}
