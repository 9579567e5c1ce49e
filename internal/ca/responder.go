package ca

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// A responder's certificate says that nobody need ask about it, so it lives a
// month and is replaced when half of that is over.
const (
	responderLife  = 30 * 24 * time.Hour
	responderSpare = responderLife / 2
)

// responders are those at hand, by the name of their authority.
type responders struct {
	sealer *postgres.Sealer
	mu     sync.RWMutex
	at     map[string]pki.Responder
}

func (r *responders) of(name string) (pki.Responder, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found, ok := r.at[name]
	return found, ok
}

func (r *responders) take(name string, s pki.Responder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[name] = s
}

// Responders are the authorities whose certificates are answered for: those that
// issue.
func (l *Local) Responders() []string {
	var names []string
	for _, name := range l.Names() {
		if name != Root {
			names = append(names, name)
		}
	}
	return names
}

// SignStatus answers for the authority called name. pki.ErrNoResponder while
// nobody at hand may: RenewResponders changes that. It asks nobody and waits for
// nothing.
func (l *Local) SignStatus(name string, s pki.Status, thisUpdate, nextUpdate time.Time) (pki.Response, error) {
	r, ok := l.responders.of(name)
	if !ok {
		return pki.Response{}, pki.ErrNoResponder
	}
	return r.Sign(s, thisUpdate, nextUpdate)
}

// RenewResponders sees to it that each issuing authority has a responder at hand
// of whose life more than half is left. All processes use the same one.
func (l *Local) RenewResponders(ctx context.Context) error {
	for _, name := range l.Responders() {
		if r, ok := l.responders.of(name); ok && l.fresh(r) {
			continue
		}
		err := l.db.Tx(ctx, func(tx pgx.Tx) error {
			r, err := l.nextResponder(ctx, tx, name)
			if err == nil {
				l.responders.take(name, r)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("renew who answers for %s: %w", name, err)
		}
	}
	return nil
}

// takeResponders takes those that are kept, however old.
func (l *Local) takeResponders(ctx context.Context) error {
	for _, name := range l.Responders() {
		r, err := l.keptResponder(ctx, l.db, name)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("load who answers for %s: %w", name, err)
		}
		l.responders.take(name, r)
	}
	return nil
}

// fresh tells whether r still has time; with the end of its authority near no
// successor would have more.
func (l *Local) fresh(r pki.Responder) bool {
	return r.Certificate.NotAfter.Sub(l.now()) > responderSpare || !r.Certificate.NotAfter.Before(r.Authority.NotAfter)
}

// nextResponder is the newest one kept, or one that is made: of two processes
// that look at once the second finds the first's.
func (l *Local) nextResponder(ctx context.Context, tx pgx.Tx, name string) (pki.Responder, error) {
	a := l.all[name]
	if _, err := tx.Exec(ctx, "select from authority where id = $1 for update", a.id); err != nil {
		return pki.Responder{}, fmt.Errorf("lock authority: %w", err)
	}
	newest, err := l.keptResponder(ctx, tx, name)
	if err == nil && l.fresh(newest) || err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return newest, err
	}
	return l.makeResponder(ctx, tx, name)
}

// keptResponder loads the newest one, or is pgx.ErrNoRows.
func (l *Local) keptResponder(ctx context.Context, q querier, name string) (pki.Responder, error) {
	var der, sealed []byte
	err := q.QueryRow(ctx, "select certificate, key from ocsp_signer where authority = $1 order by id desc limit 1", l.all[name].id).Scan(&der, &sealed)
	if err != nil {
		return pki.Responder{}, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return pki.Responder{}, fmt.Errorf("read its certificate: %w", err)
	}
	key, err := unseal(l.responders.sealer, sealed, responderPurpose(name), c)
	return pki.Responder{Authority: l.all[name].issuer.Certificate, Certificate: c, Signer: key}, err
}

// makeResponder makes one and forgets those whose time is over.
func (l *Local) makeResponder(ctx context.Context, tx pgx.Tx, name string) (pki.Responder, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pki.Responder{}, err
	}
	now, issuer := l.now(), l.all[name].issuer
	c, err := issuer.SignResponder(key.Public(), pki.NotBefore(now), now.Add(responderLife).Truncate(time.Second))
	if err != nil {
		return pki.Responder{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pki.Responder{}, fmt.Errorf("write the key: %w", err)
	}
	seal, err := l.responders.sealer.Key(ctx, tx)
	if err != nil {
		return pki.Responder{}, err
	}
	_, err = tx.Exec(ctx, `insert into ocsp_signer (authority, certificate, key, not_after, created) values (@authority, @certificate, @key, @until, @now)`,
		pgx.NamedArgs{
			"authority": l.all[name].id, "certificate": c.Raw, "key": seal.Seal(der, responderPurpose(name)), "until": c.NotAfter, "now": now,
		})
	if err != nil {
		return pki.Responder{}, fmt.Errorf("keep it: %w", err)
	}
	if _, err := tx.Exec(ctx, "delete from ocsp_signer where authority = $1 and not_after < $2", l.all[name].id, now); err != nil {
		return pki.Responder{}, fmt.Errorf("forget earlier ones: %w", err)
	}
	return pki.Responder{Authority: issuer.Certificate, Certificate: c, Signer: key}, nil
}

// responderPurpose binds a sealed key to whom it answers for.
func responderPurpose(name string) string { return "responder of " + name }

// querier is the pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}
