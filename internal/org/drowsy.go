package org

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/queue"
	"petschaft/web/paths"
)

type drowsyArgs struct{}

func (drowsyArgs) Kind() string { return "org_drowsy" }

// Jobs registers the room's work and returns what runs by itself: every hour makers
// of tokens, and the groups whose domains they reach, hear of those that fall asleep.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[drowsyArgs]) error { return b.TellDrowsy(ctx) }))
	return []queue.Task{queue.Every(time.Hour, drowsyArgs{})}
}

// TellDrowsy writes about API tokens that fall asleep because their makers do not sign
// in: to the maker one letter about all of them, to the mailbox of each contact group
// one for each maker about those that reach its domains. A second run finds nothing.
func (b *Book) TellDrowsy(ctx context.Context) error {
	for n := person.DrowsyBatch; n == person.DrowsyBatch; {
		err := b.DB.Tx(ctx, func(tx pgx.Tx) error {
			all, err := b.People.Drowsy(ctx, tx, b.Now())
			if n = len(all); err != nil || n == 0 {
				return err
			}
			return b.tellDrowsy(ctx, tx, all)
		})
		if err != nil {
			return fmt.Errorf("tell of tokens that fall asleep: %w", err)
		}
	}
	return nil
}

// tellDrowsy writes about tokens that stand together by maker.
func (b *Book) tellDrowsy(ctx context.Context, tx pgx.Tx, all []person.Token) error {
	var makers []person.ID
	for _, t := range all {
		makers = append(makers, t.Account)
	}
	to, err := b.People.Readers(ctx, tx, slices.Compact(makers)...)
	if err != nil {
		return err
	}
	groups, err := mailboxes(ctx, tx, all)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(x, y person.Token) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), b.People.SleepsAt(x).Compare(b.People.SleepsAt(y)))
	})
	for len(all) > 0 {
		first, sleeps, n := all[0], b.People.SleepsAt(all[0]), 1
		for n < len(all) && all[n].Account == first.Account && b.People.SleepsAt(all[n]).Equal(sleeps) {
			n++
		}
		own := all[:n]
		all = all[n:]
		w := mail.TokensSleepingWords{SignedIn: first.MakerSignedIn, Sleeps: sleeps, Link: b.Base + paths.Tokens}
		w.Reader, w.Tokens = to[first.Account], called(own)
		if err := b.Outbox.Post(ctx, tx, w); err != nil {
			return err
		}
		w.Maker = first.Maker
		for _, g := range groups {
			if g.Notify == w.To { // who reads it has heard of all of them
				continue
			}
			w.Tokens = called(slices.DeleteFunc(slices.Clone(own), func(t person.Token) bool { return !slices.ContainsFunc(t.Domains, g.has) }))
			if len(w.Tokens) == 0 {
				continue
			}
			theirs := w
			theirs.Reader = mail.Reader{To: g.Notify}
			if err := b.Outbox.Post(ctx, tx, theirs); err != nil {
				return err
			}
		}
	}
	return nil
}

func called(tokens []person.Token) (names []string) {
	for _, t := range tokens {
		names = append(names, t.Name)
	}
	return names
}

// noticed is a contact group with a mailbox, and its domains.
type noticed struct {
	Notify  string
	Domains []int64
}

func (n noticed) has(domain int64) bool { return slices.Contains(n.Domains, domain) }

// mailboxes are those of the contact groups whose domains the tokens reach, each once.
func mailboxes(ctx context.Context, tx pgx.Tx, tokens []person.Token) ([]noticed, error) {
	var domains []int64
	for _, t := range tokens {
		domains = append(domains, t.Domains...)
	}
	rows, err := tx.Query(ctx, `select c.notify, array_agg(d.id order by d.id) as domains from email_domain d join contact_group c on c.id = d.contact_group
		where d.id = any($1) and c.notify <> '' group by c.notify order by c.notify`, domains)
	if err != nil {
		return nil, fmt.Errorf("look for mailboxes of contact groups: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[noticed])
	if err != nil {
		return nil, fmt.Errorf("look for mailboxes of contact groups: %w", err)
	}
	return all, nil
}
