package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-jose/go-jose/v4"
)

// Signer is a private key that signs ID tokens: ECDSA on P-256 (ES256) or RSA
// of 2048 bits and more (RS256).
type Signer = crypto.Signer

type signingKey struct {
	private Signer
	alg     jose.SignatureAlgorithm
	id      string
}

func openKey(cfg Config) (signingKey, error) {
	switch {
	case cfg.Key != nil:
		return newSigningKey(cfg.Key)
	case cfg.KeyFile == "":
		fresh, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return signingKey{}, fmt.Errorf("make signing key: %w", err)
		}
		return newSigningKey(fresh)
	}
	stored, err := readKey(cfg.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		stored, err = writeNewKey(cfg.KeyFile)
	}
	if err != nil {
		return signingKey{}, fmt.Errorf("signing key: %w", err)
	}
	return newSigningKey(stored)
}

func newSigningKey(s Signer) (signingKey, error) {
	var alg jose.SignatureAlgorithm
	switch k := s.(type) {
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P256() {
			return signingKey{}, errors.New("signing key: an EC key must be on P-256")
		}
		alg = jose.ES256
	case *rsa.PrivateKey:
		if k.N.BitLen() < 2048 {
			return signingKey{}, errors.New("signing key: an RSA key must have 2048 bits")
		}
		alg = jose.RS256
	default:
		return signingKey{}, fmt.Errorf("signing key: %T can sign neither ES256 nor RS256", s)
	}
	spki, err := x509.MarshalPKIXPublicKey(s.Public())
	if err != nil {
		return signingKey{}, fmt.Errorf("signing key: %w", err)
	}
	sum := sha256.Sum256(spki)
	return signingKey{private: s, alg: alg, id: base64.RawURLEncoding.EncodeToString(sum[:12])}, nil
}

func readKey(path string) (Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, ok := k.(Signer)
	if !ok {
		return nil, fmt.Errorf("%s: a %T cannot sign", path, k)
	}
	return s, nil
}

func writeNewKey(path string) (Signer, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := replaceFile(path, text); err != nil {
		return nil, err
	}
	return k, nil
}

// replaceFile writes all of a file or nothing of it.
func replaceFile(path string, text []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

func (k signingKey) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig"}
}

func (k signingKey) signer(typ jose.ContentType) (jose.Signer, error) {
	return jose.NewSigner(
		jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: k.private, KeyID: k.id}},
		(&jose.SignerOptions{}).WithType(typ))
}
