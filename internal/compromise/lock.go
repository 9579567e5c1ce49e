package compromise

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/postgres"
)

// Hold makes b a cert.Watch: it locks what KeyLost needs for any of the certificates,
// and for those of the row that count.
func (b *Book) Hold(ctx context.Context, tx pgx.Tx, row mailbox.ID, ids ...cert.ID) error {
	rows, err := tx.Query(ctx, `select distinct key from certificate where id = any($1) or row_id = $2 and revoked is null and revoking is null`, ids, row)
	if err != nil {
		return fmt.Errorf("read the keys of certificates: %w", err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[Digest])
	if err != nil {
		return fmt.Errorf("read the keys of certificates: %w", err)
	}
	return b.lock(ctx, tx, keys...)
}

// errCame is that a certificate of another row came while somebody waited for locks.
var errCame = errors.New("a certificate of the key came meanwhile")

// lock locks keys against certificates that come meanwhile, and their certificates with
// their rows. Everybody takes these locks in one order: rows, certificates, keys. So
// what came while somebody waited is no reason to take one more lock on top: all are
// given back, and taken anew.
func (b *Book) lock(ctx context.Context, tx pgx.Tx, keys ...Digest) error {
	for {
		rows, err := rowsOf(ctx, tx, keys)
		if err != nil {
			return err
		}
		err = pgx.BeginFunc(ctx, tx, func(part pgx.Tx) error {
			if err := b.lockOnce(ctx, part, keys, rows); err != nil {
				return err
			}
			held, err := rowsOf(ctx, part, keys)
			if err == nil && !slices.Equal(held, rows) {
				err = errCame
			}
			return err
		})
		if !errors.Is(err, errCame) {
			return err
		}
	}
}

func (b *Book) lockOnce(ctx context.Context, tx pgx.Tx, keys []Digest, rows []mailbox.ID) error {
	if err := b.Cert.Mailbox.LockRows(ctx, tx, rows); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `select from certificate where key = any($1) order by id for update`, digests(keys)); err != nil {
		return fmt.Errorf("lock the certificates of a key: %w", err)
	}
	// Who records one of it holds this until their end: nobody is at it from here on.
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('blocked_key'), h)
		from (select distinct hashtext(encode(k, 'hex')) as h from unnest($1::bytea[]) k order by h) x`, digests(keys))
	if err != nil {
		return fmt.Errorf("lock a key: %w", err)
	}
	return nil
}

// rowsOf are the rows that have certificates of keys.
func rowsOf(ctx context.Context, q postgres.Querier, keys []Digest) ([]mailbox.ID, error) {
	rows, err := q.Query(ctx, `select distinct row_id from certificate where key = any($1) and row_id is not null order by row_id`, digests(keys))
	if err != nil {
		return nil, fmt.Errorf("look for the rows of a key: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[mailbox.ID])
	if err != nil {
		return nil, fmt.Errorf("look for the rows of a key: %w", err)
	}
	return ids, nil
}

// digests are keys as the database takes them.
func digests(keys []Digest) [][]byte {
	all := make([][]byte, len(keys))
	for i := range keys {
		all[i] = keys[i][:]
	}
	return all
}
