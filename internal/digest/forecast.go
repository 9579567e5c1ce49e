package digest

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// forecastMonths is how far a forecast looks.
const forecastMonths = 12

// Forecast is how often server certificates will be renewed, month by month
// from the running one on.
type Forecast struct {
	Months       []time.Time // the first day of each, UTC
	Certificates int64       // that are valid now, and not replaced
	Limits       []LimitForecast
}

// LimitForecast is what happens if that limit held from now on: each
// certificate is renewed at its end, by one that lives as long as the limit
// lets it.
type LimitForecast struct {
	pki.TLSLimit
	Renewals []int64 // for each month
	Total    int64
}

// Forecast tells a registration officer what the limit of today and those to
// come mean for the certificates there are now.
func (b *Book) Forecast(ctx context.Context, by person.Actor) (Forecast, error) {
	if err := person.OfficersOnly(by); err != nil {
		return Forecast{}, err
	}
	now := b.Now()
	// The day of an end, in seconds, so that a million certificates come as a
	// few hundred rows.
	rows, err := b.DB.Query(ctx, `select extract(epoch from date_trunc('day', c.not_after))::bigint, count(*) from certificate c
		where c.organisation is not null and c.phase in ('valid', 'ending') and c.not_after > @now group by 1`, pgx.NamedArgs{"now": now})
	if err != nil {
		return Forecast{}, fmt.Errorf("count what ends: %w", err)
	}
	ends := map[time.Time]int64{}
	var day, n int64
	if _, err := pgx.ForEachRow(rows, []any{&day, &n}, func() error { ends[time.Unix(day, 0).UTC()] = n; return nil }); err != nil {
		return Forecast{}, fmt.Errorf("count what ends: %w", err)
	}
	return forecast(ends, now), nil
}

// forecast counts from how many certificates end on each day.
func forecast(ends map[time.Time]int64, now time.Time) Forecast {
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	var f Forecast
	for i := range forecastMonths {
		f.Months = append(f.Months, first.AddDate(0, i, 0))
	}
	for _, n := range ends {
		f.Certificates += n
	}
	for _, limit := range pki.TLSLimits(now) {
		l := LimitForecast{TLSLimit: limit, Renewals: make([]int64, forecastMonths)}
		for at, n := range ends {
			for ; monthsFrom(first, at) < forecastMonths; at = at.AddDate(0, 0, limit.Days) {
				l.Renewals[monthsFrom(first, at)] += n
				l.Total += n
			}
		}
		f.Limits = append(f.Limits, l)
	}
	return f
}

func monthsFrom(first, at time.Time) int {
	return 12*(at.Year()-first.Year()) + int(at.Month()) - int(first.Month())
}
