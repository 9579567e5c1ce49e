package compromise

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
	"petschaft/web/paths"
)

// tellTime is how long officers hear of no other report once they were told of some: a
// flood of reports is one letter an hour.
const tellTime = time.Hour

type tellArgs struct{}

func (tellArgs) Kind() string { return "compromise_tell" }

// TellReports writes to the officers about reports that they have not been told of,
// unless they heard of others within the hour.
func (b *Book) TellReports(ctx context.Context) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.tellReports(ctx, tx, b.Now(), nil) })
}

// tellReports is TellReports in the transaction that writes down one, of which alone
// these are the words. No lock is taken after its own.
func (b *Book) tellReports(ctx context.Context, tx pgx.Tx, now time.Time, one *mail.KeyReportWords) error {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('compromise.tell'))`); err != nil {
		return fmt.Errorf("tell of reports: %w", err)
	}
	var n int
	var due time.Time
	err := tx.QueryRow(ctx, `with told as (
			update key_report set told = @now where told is null and ended is null and not exists (select from key_report where told > @before)
			returning due
		) select count(*)::int, coalesce(min(due), @now) from told`, pgx.NamedArgs{"now": now, "before": now.Add(-tellTime)}).Scan(&n, &due)
	if err != nil {
		return fmt.Errorf("tell of reports: %w", err)
	}
	return b.tell(ctx, tx, n, due, one)
}

func (b *Book) tell(ctx context.Context, tx pgx.Tx, n int, due time.Time, one *mail.KeyReportWords) error {
	switch {
	case n == 0:
		return nil
	case n == 1 && one != nil:
		return b.Cert.TellOfficers(ctx, tx, "", func(to mail.Reader) mail.Words { one.Reader = to; return *one })
	}
	return b.Cert.TellOfficers(ctx, tx, "", func(to mail.Reader) mail.Words {
		return mail.KeyReportsWords{Reader: to, Reports: n, Due: due, Link: b.Cert.Base + paths.OfficeReports}
	})
}
