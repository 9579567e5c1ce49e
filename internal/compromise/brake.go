package compromise

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
)

// What people who are not signed in may write down in an hour: each network address,
// and all of them together.
const (
	mostByOne = 10
	mostByAll = 200
	brakeTime = time.Hour
)

// origin is who is braked together: an address, or what one line of IPv6 has.
func origin(a netip.Addr) *netip.Addr {
	if !a.IsValid() {
		return nil
	}
	if a = a.Unmap(); a.Is6() {
		p, _ := a.WithZone("").Prefix(64)
		a = p.Addr()
	}
	return &a
}

// What is counted: how many of @origin since @since, how many altogether, and when the
// oldest was.
const (
	reportsCounted = `select count(*) filter (where origin is not distinct from @origin::inet)::int, count(*)::int, min(created)
		from key_report where created > @since and not word`
	valuesCounted = `select count(*) filter (where origin is not distinct from @origin::inet)::int, count(*)::int, min(given)
		from key_challenge where given > @since`
)

// brake holds whoever wrote too many rows lately, until the oldest of them is an hour old. Who counts does so alone, so that no two slip through at once.
func brake(ctx context.Context, tx pgx.Tx, now time.Time, counted string, from netip.Addr) error {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext($1))`, counted); err != nil {
		return fmt.Errorf("lock a brake: %w", err)
	}
	var own, all int
	var oldest *time.Time
	err := tx.QueryRow(ctx, counted, pgx.NamedArgs{"origin": origin(from), "since": now.Add(-brakeTime)}).Scan(&own, &all, &oldest)
	if err != nil {
		return fmt.Errorf("count what is braked: %w", err)
	}
	if own < mostByOne && all < mostByAll {
		return nil
	}
	return fault.New(fault.TooMany, "compromise.brake").Until(oldest.Add(brakeTime))
}
