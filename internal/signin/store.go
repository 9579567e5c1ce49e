package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// store keeps the sessions of scs, which hands it the hash of a token. Each
// question ends with the request that it is asked for, and each row is measured
// by the portal's clock.
type store struct {
	db  *postgres.DB
	now func() time.Time
}

var _ scs.CtxStore = store{}

// FindCtx returns a session's data, false when there is none or it is over.
func (s store) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.db.QueryRow(ctx, `select data from sessions where token = $1 and expiry > $2`, token, s.now()).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read session: %w", err)
	}
	return data, true, nil
}

// CommitCtx writes a session. expiry is by the clock of the machine, the only
// one that scs knows: what is left until then counts.
func (s store) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	_, err := s.db.Exec(ctx, `insert into sessions (token, data, expiry) values (@token, @data, @expiry)
		on conflict (token) do update set data = excluded.data, expiry = excluded.expiry`,
		pgx.NamedArgs{"token": token, "data": data, "expiry": s.now().Add(time.Until(expiry))})
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	return nil
}

// DeleteCtx forgets a session; one that is not there is no error.
func (s store) DeleteCtx(ctx context.Context, token string) error {
	if _, err := s.db.Exec(ctx, `delete from sessions where token = $1`, token); err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	return nil
}

// Find, Commit and Delete belong to scs.Store; scs calls those above.
func (s store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is as CommitCtx.
func (s store) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is as DeleteCtx.
func (s store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
