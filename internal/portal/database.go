package portal

import (
	"context"

	"petschaft/internal/postgres"
)

// Database opens the database and what seals in it, for commands that need no
// portal. The schema must be current.
func (c Config) Database(ctx context.Context) (*postgres.DB, *postgres.Sealer, error) {
	db, err := postgres.Open(ctx, c.DatabaseURL)
	if err != nil {
		return nil, nil, err
	}
	if err := postgres.Current(ctx, db); err != nil {
		db.Close()
		return nil, nil, err
	}
	sealer, err := db.Sealer(ctx, c.readSecret(func(string, string, ...any) {}))
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return db, sealer, nil
}
