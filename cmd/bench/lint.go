package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/pki"
)

const lintEach = 400

// lints issues by the local authority, with all checks and what it records,
// against bare signing, the same insert and zlint, with eight clients each.
func lints(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer func() { r.close() }()
	if r, err = r.withAuthority(ctx); err != nil {
		return nil, err
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := pki.NewKey(leaf.Public())
	if err != nil {
		return nil, err
	}
	bare, err := newBareAuthority()
	if err != nil {
		return nil, err
	}
	var bares, portals []time.Duration
	intent := int64(1 << 40)
	for range rounds {
		began := time.Now()
		if err := share(lintEach, func(i int) error { return r.bareLinted(ctx, bare, leaf, intent+int64(i)) }); err != nil {
			return nil, err
		}
		bares = append(bares, time.Since(began))
		intent += lintEach
		began = time.Now()
		err := share(lintEach, func(i int) error {
			_, err := campus.Signed(ctx, r.CA, pki.Request{
				Intent: intent + int64(i), Profile: pki.MailIndividual, Key: key, CommonName: "Bea Bench", GivenName: "Bea", Surname: "Bench",
				Emails: []string{"bea@cert.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(time.Now()),
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		portals = append(portals, time.Since(began))
		intent += lintEach
	}
	b, p := rate(lintEach, median(bares)), rate(lintEach, median(portals))
	return []figure{{
		name:     fmt.Sprintf("issuance with every rule, %d clients", issueClients),
		measured: fmt.Sprintf("bare %.0f/s, portal %.0f/s = %.2f ×", b, p, p/b), bound: "≥ 0.3 ×", ok: p >= 0.3*b,
	}}, nil
}

// bareLinted signs, lints and inserts.
func (r *rig) bareLinted(ctx context.Context, b bareAuthority, leaf *ecdsa.PrivateKey, intent int64) error {
	serial, der, err := b.mail(leaf.Public(), "bea@cert.example")
	if err != nil {
		return err
	}
	_, err = r.DB.Exec(ctx, `insert into ca_issued (intent, authority, serial, asked, der, at) select $1, id, $2, '\x00', $3, now() from authority where name = 'mail'`,
		intent, serial, der)
	return err
}
