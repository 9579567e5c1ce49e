package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/oauth2"

	"petschaft/internal/audit"
	"petschaft/internal/person"
)

const (
	refreshAgain = time.Minute     // after a try that got no answer
	refreshTime  = 5 * time.Second // a request waits for it
)

// refresh asks the provider for newer claims of l and returns the login as it
// is then; false when the provider no longer vouches for it. When the provider
// is away, the old claims go on. Of several requests one asks.
func (d *Desk) refresh(ctx context.Context, l current, now time.Time) (current, bool, error) {
	sealed, mine, err := d.claimRefresh(ctx, l, now)
	if err != nil || !mine {
		return l, true, err
	}
	// The rest is not undone by a browser that goes away: the provider may
	// already have replaced the refresh token.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
	defer cancel()
	c, s, err := d.renew(ctx, l, sealed)
	switch {
	case refusedGrant(err) || errors.Is(err, errOtherPerson):
		return l, false, d.refuse(ctx, l, now)
	case err != nil:
		d.log.WarnContext(ctx, "claims could not be refreshed", "login", l.ID, "error", bare(err))
		return l, true, nil
	}
	// What came must be kept even when the provider took nearly all the time.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
	defer cancel()
	var account person.Account
	err = d.db.Tx(ctx, func(tx pgx.Tx) (err error) {
		if err := d.seal(ctx, tx, l.ID, s); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update login set refreshed = $1 where id = $2`, now, l.ID); err != nil {
			return fmt.Errorf("note refresh of login %d: %w", l.ID, err)
		}
		account, err = d.people.Refreshed(ctx, tx, c)
		return err
	})
	if err != nil {
		return l, true, err
	}
	if len(l.Groups) > 0 { // lost just now
		d.remarkLost(ctx, account)
	}
	return d.login(ctx, l.ID, now)
}

// claimRefresh takes the turn for the next minute and returns the sealed
// refresh token; false when another request has it.
func (d *Desk) claimRefresh(ctx context.Context, l current, now time.Time) (sealed []byte, mine bool, err error) {
	again := now.Add(min(refreshAgain, d.cfg.RefreshEvery) - d.cfg.RefreshEvery)
	rows, err := d.db.Query(ctx, `update login set refreshed = @again
		where id = @id and refreshed = @was and ended is null and refresh is not null returning refresh`,
		pgx.NamedArgs{"id": l.ID, "was": l.Refreshed, "again": again})
	if err != nil {
		return nil, false, fmt.Errorf("take the turn to refresh login %d: %w", l.ID, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, false, fmt.Errorf("take the turn to refresh login %d: %w", l.ID, err)
	}
	if len(got) == 0 {
		return nil, false, nil
	}
	return got[0], true, nil
}

// renew is OpenID Connect Core 1.0, 12.
func (d *Desk) renew(ctx context.Context, l current, sealed []byte) (person.Claims, secrets, error) {
	token, err := d.sealer.Open(sealed, refreshPurpose(l.ID))
	if err != nil {
		return person.Claims{}, secrets{}, err
	}
	p, err := d.provider(ctx)
	if err != nil {
		return person.Claims{}, secrets{}, err
	}
	t, err := p.oauth.TokenSource(d.outward(ctx), &oauth2.Token{RefreshToken: string(token)}).Token()
	if err != nil {
		return person.Claims{}, secrets{}, err
	}
	c, idToken, err := d.claims(d.outward(ctx), p, t, expected{subject: l.Subject})
	return c, secrets{idToken, t.RefreshToken}, err
}

// refuse ends a login that the provider no longer vouches for. The portal does
// it, not the person.
func (d *Desk) refuse(ctx context.Context, l current, now time.Time) error {
	return d.db.Tx(ctx, func(tx pgx.Tx) error {
		e, err := d.end(ctx, tx, now, l.ID)
		if err != nil || e.ID == 0 {
			return err
		}
		return d.note(ctx, tx, now, audit.Who{}, "signin.refresh_refused", e)
	})
}
