package ca

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// errSerialTaken is that an authority has signed another certificate under the
// serial number.
var errSerialTaken = fault.New(fault.Conflict, "schema.ca_issued_serial")

// errIntent is that an intent comes a second time and asks for something else.
var errIntent = fault.New(fault.Conflict, "ca.intent")

// Ask answers r at once, with the certificate that the authority of its profile
// signed, those above it and what was checked before; or with a no for good. It
// passed every rule before (package lint), else it is refused as invalid, with
// the *lint.Refusal. One intent has one certificate: asked again, also at once,
// from elsewhere or after a crash, it is answered with the same bytes. An intent
// that comes with another key or other names is refused, "ca.intent". An error
// means that the outcome is unknown: ask again.
func (l *Local) Ask(ctx context.Context, r pki.Request) (pki.Answer, error) {
	c, checks, err := l.issue(ctx, r)
	return l.answer(r, c, checks, err)
}

// answer is what came of r: a conflict and what breaks a rule will not be
// otherwise the next time.
func (l *Local) answer(r pki.Request, c pki.Certificate, checks []byte, err error) (pki.Answer, error) {
	if err != nil {
		if f := fault.Of(err); f.Kind == fault.Conflict || f.Kind == fault.Invalid {
			return pki.Answer{No: err}, nil
		}
		return pki.Answer{}, err
	}
	p, _ := r.Profile.Profile()
	return pki.Answer{Certificate: &c, Chain: l.Chain(p.Authority), Checks: checks}, nil
}

// Collect answers as Ask did, and signs nothing: where nothing was signed for the
// intent it is a no, pki.ErrUnasked.
func (l *Local) Collect(ctx context.Context, r pki.Request, _ string) (pki.Answer, error) {
	c, checks, err := l.issued(ctx, r)
	if errors.Is(err, pgx.ErrNoRows) {
		return pki.Answer{No: pki.ErrUnasked}, nil
	}
	return l.answer(r, c, checks, err)
}

// Revoke has nothing to do: what a certificate counts for says the list that the
// portal itself signs.
func (l *Local) Revoke(context.Context, pki.Certificate, pki.Reason) (pki.Answer, error) {
	return pki.Answer{}, nil
}

// issue is the certificate of r and what was checked before it was signed.
func (l *Local) issue(ctx context.Context, r pki.Request) (pki.Certificate, []byte, error) {
	if err := r.Check(); err != nil {
		return pki.Certificate{}, nil, err
	}
	// An intent is rarely asked for twice, and signing is deterministic: so sign
	// first, and give the earlier answer where there is one.
	c, report, err := l.sign(r)
	if err != nil {
		if earlier, checks, old := l.issued(ctx, r); old == nil {
			return earlier, checks, nil
		}
		return pki.Certificate{}, nil, err
	}
	checks, err := json.Marshal(report)
	if err != nil {
		return pki.Certificate{}, nil, fmt.Errorf("write the checks of intent %d: %w", r.Intent, err)
	}
	asked := r.Digest()
	tag, err := l.db.Exec(ctx, `insert into ca_issued (intent, authority, serial, asked, der, at, checks)
		values (@intent, @authority, @serial, @asked, @der, @at, @checks) on conflict do nothing`,
		pgx.NamedArgs{
			"intent": r.Intent, "authority": l.authorityOf(r), "serial": r.Serial, "asked": asked[:], "der": c.DER, "at": l.now(), "checks": checks,
		})
	if err != nil {
		return pki.Certificate{}, nil, fmt.Errorf("record what was signed for intent %d: %w", r.Intent, postgres.Fault(err))
	}
	if tag.RowsAffected() == 0 { // asked before, or somebody was faster: theirs counts
		c, checks, err = l.issued(ctx, r)
		if errors.Is(err, pgx.ErrNoRows) {
			return pki.Certificate{}, nil, errSerialTaken.Because(err)
		}
	}
	return c, checks, err
}

func (l *Local) authorityOf(r pki.Request) int64 {
	p, _ := r.Profile.Profile()
	return l.all[p.Authority].id
}

// issued is what was signed for r before and what was checked then, or
// pgx.ErrNoRows.
func (l *Local) issued(ctx context.Context, r pki.Request) (c pki.Certificate, checks []byte, err error) {
	var asked, der []byte
	if err := l.db.QueryRow(ctx, "select asked, der, checks from ca_issued where intent = $1", r.Intent).Scan(&asked, &der, &checks); err != nil {
		return pki.Certificate{}, nil, fmt.Errorf("look for intent %d: %w", r.Intent, err)
	}
	if [32]byte(asked) != r.Digest() {
		return pki.Certificate{}, nil, errIntent
	}
	c, err = pki.ParseCertificate(der)
	return c, checks, err
}
