package portal

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/postgres"
)

// OpenDatabase opens the database as it is, whatever its schema. Every command
// opens it so: over a network the server must prove its name, unless the operator
// said otherwise.
func (c Config) OpenDatabase(ctx context.Context, change ...func(*pgxpool.Config)) (*postgres.DB, error) {
	switch {
	case c.Unread != nil:
		return nil, c.Unread
	case c.DatabaseURL == "":
		return nil, errors.New("DATABASE_URL is missing")
	case c.DatabaseTLS == "off":
		return postgres.OpenUnverified(ctx, c.DatabaseURL, change...)
	}
	return postgres.Open(ctx, c.DatabaseURL, change...)
}

// Database opens the database and what seals in it, for commands that need no
// portal. The schema must be current.
func (c Config) Database(ctx context.Context) (*postgres.DB, *postgres.Sealer, error) {
	db, err := c.OpenDatabase(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err := postgres.Serves(ctx, db); err != nil {
		db.Close()
		return nil, nil, err
	}
	if err := postgres.Current(ctx, db); err != nil {
		db.Close()
		return nil, nil, err
	}
	secret, old := c.readSecrets(func(string, string, ...any) {})
	sealer, err := db.Sealer(ctx, secret, old...)
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return db, sealer, nil
}

// checkDatabase looks at how the database is reached. What is wrong with the way is
// returned, for it names its variable itself.
func (c Config) checkDatabase(say sayer) error {
	if !slices.Contains([]string{"", "on", "off"}, c.DatabaseTLS) {
		say("PETSCHAFT_DATABASE_TLS", "holds %q, want on or off", c.DatabaseTLS)
	}
	if clear, ok := errors.AsType[*postgres.ClearError](postgres.Verified(c.DatabaseURL)); ok && c.DatabaseURL != "" && c.DatabaseTLS != "off" {
		return errors.Join(c.Unread, clear)
	}
	return c.Unread
}
