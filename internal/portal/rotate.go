package portal

import (
	"context"
	"slices"

	"petschaft/internal/audit"
	"petschaft/internal/ca"
	"petschaft/internal/postgres"
	"petschaft/internal/signin"
)

// Sealed are all columns that hold sealed values.
func Sealed() []postgres.SealedColumn {
	return slices.Concat(audit.Sealed(), ca.Sealed(), signin.Sealed())
}

// Rotate seals everything anew under PETSCHAFT_SECRET, while portals that have it
// and the one before go on: see postgres.DB.Rotate.
func (c Config) Rotate(ctx context.Context, told func(column string, values int)) (postgres.Rotated, error) {
	if err := c.Check(); err != nil {
		return postgres.Rotated{}, err
	}
	db, sealer, err := c.Database(ctx)
	if err != nil {
		return postgres.Rotated{}, err
	}
	defer db.Close()
	return db.Rotate(ctx, sealer, Sealed(), told)
}
