package postgres

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// ErrWrongSecret says that the database was sealed under another secret.
var ErrWrongSecret = errors.New("PETSCHAFT_SECRET is not the one this database was sealed with; nothing was changed")

// Sealer encrypts what must not lie in the database in clear, by AES-256-GCM
// with a random nonce (NIST SP 800-38D, 8.2.2). A sealed value opens only
// under the same purpose.
type Sealer struct{ gcm cipher.AEAD }

const sealedProbe = "petschaft"

// Sealer makes the sealer for secret (32 bytes). The first call on a database
// leaves a probe there; a later call with another secret returns
// ErrWrongSecret and changes nothing.
func (db *DB) Sealer(ctx context.Context, secret []byte) (*Sealer, error) {
	if len(secret) != 32 {
		return nil, fmt.Errorf("PETSCHAFT_SECRET has %d bytes, want 32", len(secret))
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	s := &Sealer{gcm}
	if _, err := db.Exec(ctx, "insert into sealed_probe (sealed) values ($1) on conflict do nothing", s.Seal([]byte(sealedProbe), "probe")); err != nil {
		return nil, fmt.Errorf("leave probe: %w", err)
	}
	var probe []byte
	if err := db.QueryRow(ctx, "select sealed from sealed_probe").Scan(&probe); err != nil {
		return nil, fmt.Errorf("read probe: %w", err)
	}
	if _, err := s.Open(probe, "probe"); err != nil {
		return nil, ErrWrongSecret
	}
	return s, nil
}

// Seal encrypts plain for purpose.
func (s *Sealer) Seal(plain []byte, purpose string) []byte {
	return s.gcm.Seal(nil, nil, plain, []byte(purpose))
}

// Open decrypts what Seal made for the same purpose.
func (s *Sealer) Open(sealed []byte, purpose string) ([]byte, error) {
	plain, err := s.gcm.Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("open what was sealed for %q: %w", purpose, err)
	}
	return plain, nil
}
