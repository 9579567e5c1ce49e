package postgres

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

var (
	// ErrWrongSecret says that the database was sealed under another secret.
	ErrWrongSecret = errors.New("PETSCHAFT_SECRET is not the one this database was sealed with; nothing was changed")
	// ErrRotating says that values are still sealed under a secret which is not
	// there.
	ErrRotating = errors.New("a rotation of PETSCHAFT_SECRET is not over: set the secret before as PETSCHAFT_SECRET_OLD, too, and run `petschaft secret rotate` again; nothing was changed")
	// ErrSealedAnew says that the secret was rotated while this process ran
	// without the new one.
	ErrSealedAnew = errors.New("PETSCHAFT_SECRET was rotated: start this process again with the new one")
)

// Sealer encrypts what must not lie in the database in clear, by AES-256-GCM
// with a random nonce (NIST SP 800-38D, 8.2.2), under a key that is derived for
// the purpose (HKDF, RFC 5869): a sealed value opens only under the same one.
// Before it stands the number of the key. Number 0 is the secret itself, without
// a number before the value: so sealed versions without rotation.
type Sealer struct{ secrets [][]byte } // PETSCHAFT_SECRET, then the old one

const (
	sealedProbe  = "petschaft"
	probePurpose = "probe"
	sealedHead   = "seal" // and four bytes with the number
	headLength   = len(sealedHead) + 4
)

// Sealer makes the sealer for secret and, while it is rotated, the one before (32
// bytes each). The first call on a database leaves a probe there; a later call
// with other secrets returns ErrWrongSecret or ErrRotating and changes nothing.
func (db *DB) Sealer(ctx context.Context, secret []byte, old ...[]byte) (*Sealer, error) {
	s := &Sealer{append([][]byte{secret}, old...)}
	for _, one := range s.secrets {
		if len(one) != 32 {
			return nil, fmt.Errorf("PETSCHAFT_SECRET has %d bytes, want 32", len(one))
		}
	}
	first := Key{1, secret}
	_, err := db.Exec(ctx, "insert into sealed_probe (number, sealed) values (@number, @sealed) on conflict do nothing",
		pgx.NamedArgs{"number": first.number, "sealed": first.Seal([]byte(sealedProbe), probePurpose)})
	if err != nil {
		return nil, fmt.Errorf("leave probe: %w", err)
	}
	p, err := readProbe(ctx, db, "select number, sealed, was from sealed_probe")
	if err != nil {
		return nil, err
	}
	if s.under(p.Number, p.Sealed) == nil {
		return nil, ErrWrongSecret
	}
	if p.Was != nil && s.under(p.Number-1, p.Was) == nil {
		return nil, ErrRotating
	}
	return s, nil
}

// probe says which key seals.
type probe struct {
	Number int32
	Sealed []byte
	Was    []byte // of the key before, while the rotation is not over
}

func readProbe(ctx context.Context, q Querier, sql string) (probe, error) {
	rows, err := q.Query(ctx, sql)
	if err != nil {
		return probe{}, fmt.Errorf("read probe: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[probe])
	if err != nil {
		return probe{}, fmt.Errorf("read probe: %w", err)
	}
	return p, nil
}

// under is the secret with which the probe of that number was sealed, nil where it
// is none of these.
func (s *Sealer) under(number int32, sealed []byte) []byte {
	for _, secret := range s.secrets {
		if plain, err := (Key{number, secret}).open(sealed, probePurpose); err == nil && string(plain) == sealedProbe {
			return secret
		}
	}
	return nil
}

// Key is what seals in one transaction.
type Key struct {
	number int32
	secret []byte
}

// Key is the one that seals now. Until tx ends none other does: a rotation waits
// for it, and so finds what it sealed.
func (s *Sealer) Key(ctx context.Context, tx pgx.Tx) (Key, error) {
	p, err := readProbe(ctx, tx, "select number, sealed, was from sealed_probe for share")
	if err != nil {
		return Key{}, err
	}
	secret := s.under(p.Number, p.Sealed)
	if secret == nil {
		return Key{}, ErrSealedAnew
	}
	return Key{p.Number, secret}, nil
}

// Seal encrypts plain for purpose.
func (k Key) Seal(plain []byte, purpose string) []byte {
	if k.number == 0 {
		return k.cipher(purpose).Seal(nil, nil, plain, []byte(purpose))
	}
	head := k.head()
	return k.cipher(purpose).Seal(head, nil, plain, head)
}

func (k Key) open(sealed []byte, purpose string) ([]byte, error) {
	if k.number == 0 {
		return k.cipher(purpose).Open(nil, nil, sealed, []byte(purpose))
	}
	value, ok := bytes.CutPrefix(sealed, k.head())
	if !ok {
		return nil, errors.New("it has the number of another key")
	}
	return k.cipher(purpose).Open(nil, nil, value, k.head())
}

func (k Key) head() []byte {
	return binary.BigEndian.AppendUint32([]byte(sealedHead), uint32(k.number))
}

// cipher is AES under the key for purpose; nothing in it can fail with secrets of
// 32 bytes.
func (k Key) cipher(purpose string) cipher.AEAD {
	key := k.secret
	if k.number != 0 {
		var err error
		if key, err = hkdf.Key(sha256.New, k.secret, nil, "petschaft seals "+purpose, 32); err != nil {
			panic(err)
		}
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// Open decrypts what was sealed for the same purpose, under any of the secrets.
func (s *Sealer) Open(sealed []byte, purpose string) (plain []byte, err error) {
	for _, number := range numbers(sealed) {
		for _, secret := range s.secrets {
			if plain, err = (Key{number, secret}).open(sealed, purpose); err == nil {
				return plain, nil
			}
		}
	}
	return nil, fmt.Errorf("open what was sealed for %q: %w", purpose, err)
}

// numbers are the keys that may have sealed a value: the one before it, and 0, whose
// values may begin with anything.
func numbers(sealed []byte) []int32 {
	if len(sealed) > headLength && bytes.HasPrefix(sealed, []byte(sealedHead)) {
		return []int32{int32(binary.BigEndian.Uint32(sealed[len(sealedHead):headLength])), 0}
	}
	return []int32{0}
}
