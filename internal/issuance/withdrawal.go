package issuance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/mail"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// withdrawal is a certificate that an authority outside is to revoke.
type withdrawal struct {
	Certificate cert.ID
	Authority   string
	DER         []byte
	Reason      pki.Reason
	Attempts    int
	Said        string
	Trouble     string
}

// Withdrawer has certificates of authorities outside revoked.
func (b *Book) Withdrawer() cert.Withdrawer { return withdrawer{b} }

type withdrawer struct{ book *Book }

// Withdraw is cert's step to have a certificate revoked by the authority that
// issued it; see cert.Withdrawer.
func (w withdrawer) Withdraw(ctx context.Context, tx pgx.Tx, now time.Time, x cert.Withdrawal) error {
	err := postgres.Write(ctx, tx, `insert into withdrawal (certificate, authority, der, reason, state, since, next_look)
		values (@certificate, @authority, @der, @reason, 'written', @now, @now)
		on conflict (certificate) do update set reason = excluded.reason,
				state = case when withdrawal.state = 'refused' then 'written' else withdrawal.state end,
				since = case when withdrawal.state = 'refused' then @now else withdrawal.since end,
				next_look = case when withdrawal.state = 'refused' then @now else withdrawal.next_look end,
				attempts = case when withdrawal.state = 'refused' then 0 else withdrawal.attempts end,
				said = case when withdrawal.state = 'refused' then '' else withdrawal.said end,
				trouble = case when withdrawal.state = 'refused' then '' else withdrawal.trouble end
			where withdrawal.state <> 'done'`, pgx.NamedArgs{
		"certificate": x.Certificate, "authority": x.Authority, "der": x.DER, "reason": int16(x.Reason), "now": now,
	})
	if err != nil {
		return fmt.Errorf("have certificate %d revoked: %w", x.Certificate, err)
	}
	return w.book.Queue.Insert(ctx, tx, revokeArgs{Certificate: int64(x.Certificate)})
}

// Revoke has a certificate revoked as far as that goes now. It may run any number
// of times, in any number of processes. What is not known is asked again for as
// long as it takes: nothing is worse than a certificate that was to be revoked and
// is not.
func (b *Book) Revoke(ctx context.Context, n int64) error {
	x, err := b.due(ctx, cert.ID(n))
	if err != nil || x.Certificate == 0 {
		return err
	}
	a, err := b.revoke(ctx, x)
	now := b.Now()
	switch {
	case errors.Is(err, ErrNoAuthority):
		x.Trouble = ErrNoAuthority.ID
		return b.put(ctx, x, now.Add(time.Hour))
	case err != nil && ours(ctx, err):
		return fmt.Errorf("revoke certificate %d: %w", n, err)
	case err != nil:
		x.Said, x.Trouble = heard(x.Said, x.Attempts, x.Trouble), b.trouble(ctx, x.Authority, slog.Int64("certificate", n), err)
		x.Attempts++
		return b.put(ctx, x, now.Add(mail.Backoff(x.Attempts)))
	case a.No != nil:
		return b.revoked(ctx, x, "refused", a.Words)
	case !a.Later.IsZero():
		x.Said, x.Trouble, x.Attempts = a.Words, "", 0
		return b.put(ctx, x, a.Later)
	}
	return b.revoked(ctx, x, "done", a.Words)
}

func (b *Book) due(ctx context.Context, n cert.ID) (x withdrawal, err error) {
	now := b.Now()
	rows, err := b.DB.Query(ctx, `update withdrawal set state = 'asked', next_look = @until where certificate = @certificate and next_look <= @now
		returning certificate, authority, der, reason, attempts, said, trouble`, pgx.NamedArgs{"certificate": n, "now": now, "until": now.Add(b.lease())})
	if err != nil {
		return x, fmt.Errorf("take the revocation of certificate %d: %w", n, err)
	}
	x, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[withdrawal])
	if errors.Is(err, pgx.ErrNoRows) {
		return withdrawal{}, nil
	}
	return x, err
}

func (b *Book) revoke(ctx context.Context, x withdrawal) (pki.Answer, error) {
	c, err := pki.ParseKept(x.DER)
	if err != nil {
		return pki.Answer{}, err
	}
	a, ok := b.Registry[x.Authority]
	if !ok {
		return pki.Answer{}, ErrNoAuthority
	}
	call, cancel := context.WithTimeout(ctx, b.patience())
	defer cancel()
	return a.Authority.Revoke(call, c, x.Reason)
}

// put notes when the authority is asked again, and what is known of it by now.
func (b *Book) put(ctx context.Context, x withdrawal, at time.Time) error {
	if latest := b.Now().Add(longestWait); at.After(latest) {
		at = latest
	}
	_, err := b.DB.Exec(ctx, `update withdrawal set attempts = @attempts, next_look = @at, said = @said, trouble = @trouble
		where certificate = @certificate and state = 'asked'`,
		pgx.NamedArgs{"certificate": x.Certificate, "attempts": x.Attempts, "at": at, "said": pki.WordsOf(x.Said), "trouble": x.Trouble})
	if err != nil {
		return fmt.Errorf("put off the revocation of certificate %d: %w", x.Certificate, err)
	}
	return nil
}

// revoked tells cert what became of it.
func (b *Book) revoked(ctx context.Context, x withdrawal, state, said string) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		var err error
		if state == "done" {
			err = b.Cert.Revoked(ctx, tx, now, x.Certificate, now)
		} else {
			err = b.Cert.RevocationRefused(ctx, tx, now, x.Certificate, pki.WordsOf(said))
		}
		if err != nil {
			return err
		}
		err = postgres.Write(ctx, tx, `update withdrawal set state = @state, since = @now, next_look = null, said = @said, trouble = ''
			where certificate = @certificate and state = 'asked'`, // else another process was told first
			pgx.NamedArgs{"certificate": x.Certificate, "state": state, "now": now, "said": pki.WordsOf(said)})
		if err != nil {
			return fmt.Errorf("end the revocation of certificate %d: %w", x.Certificate, err)
		}
		return nil
	})
}
