package mailbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Asking is the newest round of an active row as somebody sees it whom it asks:
// a challenge of it was mailed to their own address, or they confirmed a part.
type Asking struct {
	Round     int64
	Kind      Kind
	Primary   org.Address // of the row
	Aliases   []org.Address
	Asks      string // who asks
	GroupName string
	Outcome   string        // open, complete, or how it ended before all was confirmed
	Total     int           // how many addresses are asked
	Confirmed []org.Address // by the person
	Missing   []org.Address // not confirmed, of an open round those that wait; to who confirmed nothing yet, only their own address is told
	Sent      *time.Time    // the newest of those that wait
	Expires   *time.Time    // when the first of them ends
}

// Open tells whether the round can still be answered.
func (a Asking) Open() bool { return a.Outcome == "open" }

// waitingDays is how long a round is told of.
const waitingDays = 30 * 24 * time.Hour

// WaitingFor returns the rounds that wait for by, and those that ended before by,
// who began, had confirmed all: newest first, at most 20. It is a hint only: the
// links in the mails are still needed.
func (b *Book) WaitingFor(ctx context.Context, by person.Actor) ([]Asking, error) {
	return b.asking(ctx, by, `n.outcome = 'open' or f.begun and n.outcome in ('expired', 'undeliverable', 'unsent')
		and not exists (select from link l where l.row_id = r.id and l.account = @account and not l.suspended)`, nil)
}

// AskedIn returns the round of that number as WaitingFor does, also a complete
// one; false if by confirmed nothing in it.
func (b *Book) AskedIn(ctx context.Context, by person.Actor, round int64) (Asking, bool, error) {
	found, err := b.asking(ctx, by, `n.id = @round and f.begun`, pgx.NamedArgs{"round": round})
	if err != nil || len(found) == 0 {
		return Asking{}, false, err
	}
	return found[0], true, nil
}

func (b *Book) asking(ctx context.Context, by person.Actor, which string, args pgx.NamedArgs) ([]Asking, error) {
	now, own := b.Now(), org.Address(by.Email).Folded()
	rows, err := b.DB.Query(ctx, `
		with mine as (
			select round from challenge where lower(recipient collate "C") = @own and @own <> '' and queued > @since and state = 'sent' and expires > @now
			union
			select round from challenge where account = @account and state = 'confirmed' and queued > @since
		)
		select n.id as round, r.kind, r.primary_address as primary, r.aliases, a.label as asks, g.name as group_name, n.outcome,
			f.total, f.confirmed, f.missing, f.sent, f.expires
		from mine join challenge_round n on n.id = mine.round join address_row r on r.id = n.row_id
		join email_domain d on d.id = r.domain join contact_group g on g.id = d.contact_group join account a on a.id = n.started_by
		cross join lateral (
			select count(*)::int as total, coalesce(bool_or(c.account = @account and c.state = 'confirmed'), false) as begun,
				coalesce(array_agg(c.recipient order by c.id) filter (where c.account = @account and c.state = 'confirmed'), '{}') as confirmed,
				coalesce(array_agg(c.recipient order by c.id) filter (where c.state <> 'confirmed' and (n.outcome <> 'open' or c.state in ('queued', 'deferred', 'sent'))), '{}') as missing,
				max(c.sent) filter (where c.state = 'sent') as sent, min(c.expires) filter (where c.state = 'sent') as expires
			from challenge c where c.round = n.id) f
		where r.active and not exists (select from challenge_round y where y.row_id = r.id and y.id > n.id) and (`+which+`)
		order by n.id desc limit 20`, org.Scope(by, Query{Args: pgx.NamedArgs{"own": own, "since": now.Add(-waitingDays), "now": now}}.with(args)))
	if err != nil {
		return nil, fmt.Errorf("list waiting challenges: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Asking])
	if err != nil {
		return nil, fmt.Errorf("list waiting challenges: %w", err)
	}
	for i := range found {
		if a := &found[i]; len(a.Confirmed) == 0 {
			a.Missing = slices.DeleteFunc(a.Missing, func(x org.Address) bool { return x.Folded() != own })
		}
	}
	return found, nil
}
