package cert

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
)

type remindArgs struct{}

func (remindArgs) Kind() string { return "cert_remind" }

// threshold is how long before its end a certificate is reminded of.
type threshold struct {
	name   string
	before time.Duration
}

// shortLife is the life below which reminders follow it: 28 days would come too
// early then.
const shortLife = 60 * 24 * time.Hour

// thresholds of a certificate, the earlier reminder first.
func thresholds(notBefore, notAfter time.Time) [2]threshold {
	life := notAfter.Add(time.Second).Sub(notBefore)
	if life < shortLife {
		return [2]threshold{{"third", life / 3}, {"sixth", life / 6}}
	}
	return [2]threshold{{"28d", 28 * 24 * time.Hour}, {"14d", 14 * 24 * time.Hour}}
}

// due is the threshold that was passed last at now, empty before the first, and
// when the next reminder is due, nil for none.
func due(notBefore, notAfter, now time.Time) (last string, next *time.Time) {
	for _, t := range thresholds(notBefore, notAfter) {
		at := notAfter.Add(time.Second).Add(-t.before)
		if at.After(now) {
			return last, &at
		}
		last = t.name
	}
	return last, nil
}

func firstReminder(notBefore, notAfter time.Time) *time.Time {
	_, next := due(notBefore, notAfter, notBefore)
	return next
}

// remindBatch is how many certificates one transaction reminds of.
const remindBatch = 500

// ending is a certificate whose reminder is due.
type ending struct {
	ID           ID
	Reference    string
	CommonName   string
	Names        []string
	NotBefore    time.Time
	NotAfter     time.Time
	Organisation string
	Email        string
	Extra        []string
}

// Remind sends what reminders are due. A night that was missed is caught up with
// the newest reminder; a second run finds nothing. Who hears of several
// certificates of an organisation gets one letter.
func (b *Book) Remind(ctx context.Context) error {
	for {
		n := 0
		err := b.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = b.remind(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("remind of certificates: %w", err)
		}
		if n < remindBatch {
			return nil
		}
	}
}

func (b *Book) remind(ctx context.Context, tx pgx.Tx) (int, error) {
	rows, err := tx.Query(ctx, `
		select c.id, c.reference, c.common_name, c.names, c.not_before, c.not_after, o.name as organisation, `+contactEmail+` as email,
			o.reminders as extra
		from certificate c join organisation o on o.id = c.organisation join account a on a.id = o.contact
		where c.remind <= @now order by c.remind, c.id limit @batch for update of c skip locked`,
		pgx.NamedArgs{"now": b.Now(), "batch": remindBatch})
	if err != nil {
		return 0, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ending])
	if err != nil {
		return 0, err
	}
	fresh, err := b.noteReminders(ctx, tx, all)
	if err != nil {
		return 0, err
	}
	return len(all), b.postReminders(ctx, tx, fresh)
}

// reminded is that somebody is to hear of a certificate.
type reminded struct {
	Certificate ID
	Recipient   string
	of          *ending
}

// noteReminders writes a line for each reminder and returns those that nobody
// had before; it moves each certificate to its next one.
func (b *Book) noteReminders(ctx context.Context, tx pgx.Tx, all []ending) ([]reminded, error) {
	var certificates, moved []ID
	var thresholds, recipients []string
	var next []*time.Time
	of := map[ID]*ending{}
	for i, e := range all {
		last, then := due(e.NotBefore, e.NotAfter, b.Now())
		moved, next = append(moved, e.ID), append(next, then)
		if b.Now().After(e.NotAfter) {
			continue // too late to say that it will end
		}
		of[e.ID] = &all[i]
		for _, to := range e.recipients() {
			certificates, thresholds, recipients = append(certificates, e.ID), append(thresholds, last), append(recipients, to)
		}
	}
	_, err := tx.Exec(ctx, `update certificate c set remind = m.next from unnest(@ids::bigint[], @next::timestamptz[]) m (id, next) where c.id = m.id`,
		pgx.NamedArgs{"ids": moved, "next": next})
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `insert into reminder (certificate, threshold, recipient, at)
		select c, t, r, @now from unnest(@certificates::bigint[], @thresholds::text[], @recipients::text[]) u (c, t, r)
		on conflict do nothing returning certificate, recipient`,
		pgx.NamedArgs{"certificates": certificates, "thresholds": thresholds, "recipients": recipients, "now": b.Now()})
	if err != nil {
		return nil, err
	}
	fresh, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r reminded, err error) {
		return r, row.Scan(&r.Certificate, &r.Recipient)
	})
	for i, r := range fresh {
		fresh[i].of = of[r.Certificate]
	}
	return fresh, err
}

// recipients are the technical contact and the organisation's further addresses,
// each once.
func (e ending) recipients() []string {
	var all []string
	for _, to := range append([]string{e.Email}, e.Extra...) {
		if to != "" && !slices.Contains(all, to) {
			all = append(all, to)
		}
	}
	return all
}

// postReminders queues one letter for each recipient and organisation, what ends
// first in front; more than a letter holds goes into the next.
func (b *Book) postReminders(ctx context.Context, tx pgx.Tx, fresh []reminded) error {
	type letter struct{ to, organisation string }
	var order []letter
	lines := map[letter][]mail.EndingLine{}
	slices.SortStableFunc(fresh, func(x, y reminded) int { return x.of.NotAfter.Compare(y.of.NotAfter) })
	for _, r := range fresh {
		l := letter{r.Recipient, r.of.Organisation}
		if lines[l] == nil {
			order = append(order, l)
		}
		lines[l] = append(lines[l], mail.EndingLine{
			Name: Spelled(r.of.CommonName), More: len(r.of.Names) - 1, Reference: r.of.Reference, Until: r.of.NotAfter,
		})
	}
	for _, l := range order {
		for some := range slices.Chunk(lines[l], mail.MostEnding) {
			err := b.Outbox.Post(ctx, tx, mail.EndingWords{To: l.to, Organisation: l.organisation, Certificates: some, Link: b.endingLink(some)})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// endingLink leads to the only certificate, or to all that end soon.
func (b *Book) endingLink(lines []mail.EndingLine) string {
	if len(lines) == 1 {
		return b.serverLink(lines[0].Reference)
	}
	return b.Base + "/certificates?which=ending"
}
