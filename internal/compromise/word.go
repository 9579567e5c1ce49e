package compromise

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
	"petschaft/web/paths"
)

// ReportLife is within which time a report is to be answered (S/MIME BR 4.9.5, TLS BR
// 4.9.5: within 24 hours).
const ReportLife = 24 * time.Hour

// Others says what happens to the other certificates of a key when somebody who may
// revoke one of them says that the key fell into other hands.
type Others struct {
	Falling []Certificate // at once, for the reader may revoke them anyway
	Waiting int           // for an officer: how many is not for the reader to know
}

// Others returns them for a certificate that the reader sees.
func (b *Book) Others(ctx context.Context, by person.Actor, id cert.ID) (o Others, err error) {
	key, err := keyOf(ctx, b.DB, id)
	if err != nil {
		return o, err
	}
	all, err := certificates(ctx, b.DB, by, key)
	return others(all, by, id, b.Now()), err
}

func others(all []Certificate, by person.Actor, id cert.ID, now time.Time) (o Others) {
	for _, c := range all {
		switch fate := c.Fate(now); {
		case c.ID == id, fate == Stays:
		case c.mayRevoke(by):
			o.Falling = append(o.Falling, c)
		case fate.Falls(), fate == Told:
			o.Waiting++
		}
	}
	return o
}

// KeyLost makes b a cert.Watch. Whoever may revoke one certificate ends with it what
// else of its key they may revoke: an officer everything, a holder or contact their
// own, and the rest is a task of the officers. No certificate is given for the key any
// more (see Of), but no other falls by itself: that is Fall.
func (b *Book) KeyLost(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id cert.ID) error {
	key, err := keyOf(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := b.lock(ctx, tx, key); err != nil {
		return err
	}
	all, err := certificates(ctx, tx, by, key)
	if err != nil {
		return err
	}
	why, o := Cause{By: &by.Account, Who: by.Who(), Name: by.Name}, others(all, by, id, now)
	for _, c := range all {
		if c.ID == id {
			o.Falling = append(o.Falling, c)
		}
	}
	for _, c := range o.Falling {
		if err := b.end(ctx, tx, now, why, c); err != nil {
			return err
		}
	}
	if o.Waiting == 0 {
		return nil
	}
	return b.reportRest(ctx, tx, now, by, key, id, o.Waiting)
}

// reportRest makes what is left of a key a task of the officers, unless it is one.
func (b *Book) reportRest(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, key Digest, id cert.ID, n int) error {
	reference := text.NewReference()
	var report int64
	err := tx.QueryRow(ctx, `with n as (insert into key_report (reference, key, certificate, word, reason, account, created, due)
			values (@reference, @key, @certificate, true, @reason, @account, @now, @due) on conflict (key) where word and ended is null do nothing returning id)
		select coalesce((select id from n), 0)`, pgx.NamedArgs{
		"reference": reference, "key": key[:], "certificate": id, "reason": keyCompromise, "account": by.Account, "now": now, "due": now.Add(ReportLife),
	}).Scan(&report)
	if err != nil {
		return fmt.Errorf("report the rest of a key: %w", err)
	}
	if report == 0 {
		return nil
	}
	if err := b.noteReport(ctx, tx, now, by.Who(), report, "compromise.reported", audit.Detail{"reference": reference, "key": key.String()}); err != nil {
		return err
	}
	return b.tellReports(ctx, tx, now, &mail.KeyReportWords{
		Reference: reference, By: by.Name, Word: true, Others: n, Due: now.Add(ReportLife), Link: b.Cert.Base + paths.OfficeReport(report),
	})
}

// noteReport writes an audit line about a report.
func (b *Book) noteReport(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, id int64, action string, d audit.Detail) error {
	return audit.Write(ctx, tx, audit.Line{Who: who, At: now, Action: action, Detail: d, About: []audit.Thing{{Kind: "key_report", ID: id}}})
}

func keyOf(ctx context.Context, q postgres.Querier, id cert.ID) (key Digest, err error) {
	rows, err := q.Query(ctx, `select key from certificate where id = $1`, id)
	if err == nil {
		key, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[Digest])
	}
	if err != nil {
		return key, fmt.Errorf("read the key of certificate %d: %w", id, err)
	}
	return key, nil
}
