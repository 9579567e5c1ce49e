package handover

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"unicode"

	"github.com/alexedwards/argon2id"

	"petschaft/internal/person"
)

// crockford is Crockford's alphabet of base 32, which leaves out what is read
// for something else.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// letters is how long a session password is: 80 bits.
const letters = 16

// hashing is one of the settings that OWASP's Password Storage Cheat Sheet names
// for argon2id.
var hashing = argon2id.Params{Memory: 19456, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// newPasswords makes n session passwords and their hashes.
func (b *Book) newPasswords(ctx context.Context, by person.Actor, n int) (passwords, hashes []string, err error) {
	leave, err := b.hasher.enter(by.Account, cmp.Or(b.Waiting, MostWaiting), cmp.Or(b.WaitingOwn, MostOwn))
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	passwords, hashes = make([]string, n), make([]string, n)
	for i := range passwords {
		passwords[i] = newPassword()
		err := b.hasher.alone(ctx, func() (err error) {
			hashes[i], err = argon2id.CreateHash(plain(passwords[i]), &hashing)
			return err
		})
		if err != nil {
			return nil, nil, fmt.Errorf("hash session password: %w", err)
		}
	}
	return passwords, hashes, nil
}

// newPassword is a session password, in groups of four.
func newPassword() (password string) {
	var random [letters]byte
	rand.Read(random[:])
	for i, r := range random {
		if i > 0 && i%4 == 0 {
			password += "-"
		}
		password += string(crockford[r%32])
	}
	return password
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
func (b *Book) right(ctx context.Context, by person.Actor, typed, hash string) (ok bool, err error) {
	p := plain(typed)
	if len(p) != letters || strings.Trim(p, crockford) != "" {
		return false, nil
	}
	leave, err := b.hasher.enter(by.Account, cmp.Or(b.Waiting, MostWaiting), cmp.Or(b.WaitingOwn, MostOwn))
	if err != nil {
		return false, err
	}
	defer leave()
	err = b.hasher.alone(ctx, func() (err error) {
		ok, err = argon2id.ComparePasswordAndHash(p, hash)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("compare session password: %w", err)
	}
	return ok, nil
}
