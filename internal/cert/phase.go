package cert

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

type phaseArgs struct{}

func (phaseArgs) Kind() string { return "cert_phases" }

// turnBatch is how many certificates one transaction turns.
const turnBatch = 1000

// TurnPhases puts every server certificate into the phase that its time asks
// for. Lists are right also before: they look for what is late.
func (b *Book) TurnPhases(ctx context.Context) error {
	for {
		n := 0
		err := b.DB.Tx(ctx, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `
				with late as (
					select id from certificate where turns <= @now order by turns limit @batch for update skip locked
				)
				update certificate c set
					phase = case when c.not_after < @now then 'over' else 'ending' end,
					turns = case when c.not_after < @now then null else c.not_after + interval '1 microsecond' end
				from late l where c.id = l.id`, pgx.NamedArgs{"now": b.Now(), "batch": turnBatch})
			n = int(tag.RowsAffected())
			return err
		})
		if err != nil {
			return fmt.Errorf("turn phases: %w", err)
		}
		if n < turnBatch {
			return nil
		}
	}
}
