package cert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
	"petschaft/web/paths"
)

type remindArgs struct{}

func (remindArgs) Kind() string { return "cert_remind" }

// remindBatch is how many certificates one transaction reminds of.
const remindBatch = 500

// Follows is the SQL condition that the certificate n, where it is for the same, stands
// for c: it is newer, by the begin of its validity (0057), and ends no earlier. What was
// revoked or came unwanted stands for nothing.
const Follows = `n.revoked is null and n.revoking is null and not n.unwanted
	and (n.not_before, n.id) > (c.not_before, c.id) and n.not_after >= c.not_after`

// Renewed is the SQL condition that the certificate c has a successor, which
// nobody needs to be reminded of: for the same address row, or, of an imported
// server's, one of the same organisation with all its names.
const Renewed = `case when c.organisation is null then exists (select from certificate n where n.row_id = c.row_id and ` + Follows + `)
	else c.replaced_by is not null or c.imported is not null and exists (select from certificate n
		where n.organisation = c.organisation and n.names @> c.names and ` + Follows + `) end`

// ending is a certificate whose reminder is due; of a mailbox it has addresses,
// of servers an organisation and names.
type ending struct {
	ID           ID
	Reference    string
	Names        []string
	Addresses    []string
	NotBefore    time.Time
	NotAfter     time.Time
	Earlier      bool
	Revoked      bool
	Renewed      bool
	Organisation string
	Email        string
	Language     string
	Extra        []string
}

// Remind sends what reminders are due, for mailboxes and servers alike. A night
// that was missed is caught up with the newest reminder; a second run finds
// nothing. Who hears of several certificates gets one letter.
func (b *Book) Remind(ctx context.Context) error {
	err := b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.reckon(ctx, tx) })
	for n := remindBatch; err == nil && n == remindBatch; {
		err = b.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = b.remind(ctx, tx)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("remind of certificates: %w", err)
	}
	return nil
}

// reckon has every certificate looked at anew when the setting has changed.
func (b *Book) reckon(ctx context.Context, tx pgx.Tx) error {
	var before []int
	err := tx.QueryRow(ctx, `select days from reminder_days for update`).Scan(&before)
	if err != nil || slices.Equal(before, b.days()) {
		return err
	}
	_, err = tx.Exec(ctx, `update reminder_days set days = $1`, b.days())
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update certificate set remind = '-infinity'
		where revoked is null and revoking is null and unexpected is null and not unwanted and replaced_by is null and not_after > $1`, b.Now())
	return err
}

func (b *Book) remind(ctx context.Context, tx pgx.Tx) (int, error) {
	now := b.Now()
	rows, err := tx.Query(ctx, `
		select c.id, c.reference, coalesce(c.names, '{}') as names, c.emails as addresses, c.not_before, c.not_after, c.imported is not null as earlier,
			coalesce(c.revoked, c.revoking) is not null as revoked, `+Renewed+` as renewed, coalesce(o.name, '') as organisation,
			case when a.locked is not null then '' when c.organisation is null then `+holderTo+` else `+LettersTo+` end as email, a.language, coalesce(o.reminders, '{}') as extra
		from certificate c left join organisation o on o.id = c.organisation join account a on a.id = coalesce(c.account, o.contact)
		where c.remind <= @now order by c.remind, c.id limit @batch for update of c skip locked`,
		pgx.NamedArgs{"now": now, "batch": remindBatch})
	if err != nil {
		return 0, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ending])
	if err != nil {
		return 0, err
	}
	fresh, err := b.noteReminders(ctx, tx, now, all)
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(fresh, func(x, y reminded) int { return x.of.NotAfter.Compare(y.of.NotAfter) })
	servers, holders := split(fresh)
	return len(all), errors.Join(b.postServers(ctx, tx, servers), b.postHolders(ctx, tx, holders))
}

// reminded is that somebody is to hear of a certificate.
type reminded struct {
	Certificate ID
	Recipient   string
	of          *ending
}

// reader is the recipient, with the language that they chose: further addresses
// of an organisation are nobody's account.
func (r reminded) reader() mail.Reader {
	if r.Recipient == r.of.Email {
		return mail.Reader{To: r.Recipient, Lang: r.of.Language}
	}
	return mail.Reader{To: r.Recipient}
}

func split(all []reminded) (servers, holders []reminded) {
	for _, r := range all {
		if r.of.Organisation != "" {
			servers = append(servers, r)
		} else {
			holders = append(holders, r)
		}
	}
	return servers, holders
}

// noteReminders writes a line for each reminder and returns those that are new to
// whom they are for: nothing was said to them since the threshold was passed. It
// moves each certificate to its next one.
func (b *Book) noteReminders(ctx context.Context, tx pgx.Tx, now time.Time, all []ending) ([]reminded, error) {
	var certificates, moved []ID
	var thresholds, recipients []string
	var since []time.Time
	var next []*time.Time
	of := map[ID]*ending{}
	for i, e := range all {
		last, then := due(b.days(), e.NotBefore, e.NotAfter, now)
		over := e.Revoked || now.After(e.NotAfter) // too late to say that it will end
		if over {
			then = nil
		}
		moved, next = append(moved, e.ID), append(next, then)
		if over || e.Renewed || last.name == "" {
			continue
		}
		of[e.ID] = &all[i]
		for _, to := range e.recipients() {
			certificates, thresholds, since, recipients = append(certificates, e.ID), append(thresholds, last.name), append(since, last.at), append(recipients, to)
		}
	}
	_, err := tx.Exec(ctx, `update certificate c set remind = m.next from unnest(@ids::bigint[], @next::timestamptz[]) m (id, next) where c.id = m.id`,
		pgx.NamedArgs{"ids": moved, "next": next})
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `insert into reminder (certificate, threshold, recipient, at)
		select c, t, r, @now from unnest(@certificates::bigint[], @thresholds::text[], @since::timestamptz[], @recipients::text[]) u (c, t, s, r)
		where not exists (select from reminder m where m.certificate = c and m.recipient = r and m.at >= s)
		on conflict do nothing returning certificate, recipient`,
		pgx.NamedArgs{"certificates": certificates, "thresholds": thresholds, "since": since, "recipients": recipients, "now": now})
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

// recipients are the holder or the technical contact, and the organisation's
// further addresses, each once.
func (e ending) recipients() []string {
	var all []string
	for _, to := range append([]string{e.Email}, e.Extra...) {
		if to != "" && !slices.Contains(all, to) {
			all = append(all, to)
		}
	}
	return all
}

// grouped calls f for those of all that key puts together, in the order in which
// the first of each comes, at most a letter's worth at a time.
func grouped[K comparable](all []reminded, key func(reminded) K, f func(some []reminded) error) error {
	var order []K
	of := map[K][]reminded{}
	for _, r := range all {
		k := key(r)
		if of[k] == nil {
			order = append(order, k)
		}
		of[k] = append(of[k], r)
	}
	for _, k := range order {
		for some := range slices.Chunk(of[k], mail.MostEnding) {
			if err := f(some); err != nil {
				return err
			}
		}
	}
	return nil
}

// postServers queues one letter for each recipient and organisation, what ends
// first in front.
func (b *Book) postServers(ctx context.Context, tx pgx.Tx, all []reminded) error {
	key := func(r reminded) [2]string { return [2]string{r.Recipient, r.of.Organisation} }
	return grouped(all, key, func(some []reminded) error {
		w := mail.EndingWords{Reader: some[0].reader(), Organisation: some[0].of.Organisation, Link: b.Base + paths.CertificatesEnding}
		if len(some) == 1 {
			w.Link = b.serverLink(some[0].of.Reference)
		}
		for _, r := range some {
			w.Certificates = append(w.Certificates, mail.EndingLine{
				Name: Spelled(r.of.Names[0]), More: len(r.of.Names) - 1, Reference: r.of.Reference, Until: r.of.NotAfter, Elsewhere: r.of.Earlier,
			})
		}
		return b.Outbox.Post(ctx, tx, w)
	})
}

// postHolders queues one letter for each holder of client certificates.
func (b *Book) postHolders(ctx context.Context, tx pgx.Tx, all []reminded) error {
	return grouped(all, func(r reminded) string { return r.Recipient }, func(some []reminded) error {
		w := mail.MailEndingWords{Reader: some[0].reader(), Link: b.Base + paths.ClientCertificates}
		if len(some) == 1 {
			w.Link = b.link(some[0].of.ID)
		}
		for _, r := range some {
			w.Certificates = append(w.Certificates, mail.MailEndingLine{
				Address: r.of.Addresses[0], More: len(r.of.Addresses) - 1, Until: r.of.NotAfter, Elsewhere: r.of.Earlier,
			})
		}
		return b.Outbox.Post(ctx, tx, w)
	})
}
