package bulk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

const bulkColumns = `b.id, b.domain, d.name as domain_name, b.account, a.label as account_name,
	b.verb, b.comment, b.state, b.reason, b.total, b.due, b.left_out, b.done, b.failed, b.mails, b.next, b.created, b.started, b.ended,
	(select e.label from account e where e.id = b.ended_by) as ended_by,
	(select count(*)::int from bulk y where y.state = 'running' and y.verb = 'challenge') as paced,
	` + org.IsContact + ` as contact, @officer::boolean as officer`

const bulkTables = `bulk b join email_domain d on d.id = b.domain join account a on a.id = b.account`

// One returns the bulk id of the domain called name, if by may see the domain.
func (b *Book) One(ctx context.Context, by person.Actor, name string, id ID) (Bulk, error) {
	return load(ctx, b.DB, by, name, id)
}

func lock(ctx context.Context, tx pgx.Tx, by person.Actor, name string, id ID) (Bulk, error) {
	if _, err := tx.Exec(ctx, `select from bulk where id = $1 for update`, id); err != nil {
		return Bulk{}, fmt.Errorf("lock bulk %d: %w", id, err)
	}
	return load(ctx, tx, by, name, id)
}

func load(ctx context.Context, q postgres.Querier, by person.Actor, name string, id ID) (Bulk, error) {
	rows, err := q.Query(ctx, `select `+bulkColumns+` from `+bulkTables+` where b.id = @id and d.name = @name`,
		org.Scope(by, pgx.NamedArgs{"id": id, "name": name}))
	if err != nil {
		return Bulk{}, fmt.Errorf("read bulk %d: %w", id, err)
	}
	x, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Bulk])
	if err != nil {
		return Bulk{}, postgres.Fault(err)
	}
	if !x.Sees() {
		return Bulk{}, fault.New(fault.Missing, "fault.missing")
	}
	return x, nil
}

// OfDomain returns the bulks of a domain that the caller has loaded, newest
// first, older than before (0: from the newest), at most limit. Drafts are not
// among them.
func (b *Book) OfDomain(ctx context.Context, by person.Actor, d org.EmailDomain, before ID, limit int) ([]Bulk, error) {
	return b.list(ctx, by, `b.domain = @domain and b.state <> 'draft' and (@before = 0::bigint or b.id < @before)`,
		pgx.NamedArgs{"domain": d.ID, "before": before, "limit": limit})
}

// UnderWay returns those that run now, newest first, at most 5.
func (b *Book) UnderWay(ctx context.Context, by person.Actor, d org.EmailDomain) ([]Bulk, error) {
	return b.list(ctx, by, `b.domain = @domain and b.state = 'running'`, pgx.NamedArgs{"domain": d.ID, "limit": 5})
}

func (b *Book) list(ctx context.Context, by person.Actor, where string, args pgx.NamedArgs) ([]Bulk, error) {
	rows, err := b.DB.Query(ctx, `select `+bulkColumns+` from `+bulkTables+` where (@officer or `+org.IsContact+`) and `+where+`
		order by b.id desc limit @limit`, org.Scope(by, args))
	if err != nil {
		return nil, fmt.Errorf("list bulks: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Bulk])
}

// Item is a row of a bulk and what became of it.
type Item struct {
	Row     mailbox.ID
	Name    string
	Address org.Address
	Mails   int
	Outcome Outcome
	Reason  string     // message id of why it was left out, empty for what nobody foresaw
	Until   *time.Time // a brake: when to try again
	There   bool       // the row still exists
}

// Items returns the rows of a bulk that the caller has loaded, by number, behind
// the row after (0: from the first), at most limit. Outcome and reason, where
// they are not empty, choose among them.
func (b *Book) Items(ctx context.Context, x Bulk, o Outcome, reason string, after mailbox.ID, limit int) ([]Item, error) {
	outcomes := []Outcome{o}
	if o == "" {
		outcomes = Outcomes[:]
	}
	rows, err := b.DB.Query(ctx, `
		select i.row_id as row, i.name, i.address, i.mails, i.state as outcome, i.reason, i.until, r.id is not null as there
		from bulk_item i left join address_row r on r.id = i.row_id
		where i.bulk = @bulk and i.row_id > @after and i.state = any(@outcomes) and (@reason = '' or i.reason = @reason)
		order by i.row_id limit @limit`,
		pgx.NamedArgs{"bulk": x.ID, "after": after, "outcomes": outcomes, "reason": reason, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list rows of bulk %d: %w", x.ID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Item])
}

// Group is how many rows of a bulk were left out or failed for one reason.
type Group struct {
	Outcome Outcome
	Reason  string
	N       int
}

// Reasons counts them, the most frequent first, at most 20.
func (b *Book) Reasons(ctx context.Context, x Bulk) ([]Group, error) {
	rows, err := b.DB.Query(ctx, `select i.state as outcome, i.reason, count(*)::int as n from bulk_item i
		where i.bulk = $1 and i.state in ('left_out', 'failed') group by i.state, i.reason order by n desc, i.reason limit 20`, x.ID)
	if err != nil {
		return nil, fmt.Errorf("count reasons of bulk %d: %w", x.ID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Group])
}

// Comments is how many rows that are due in x have a comment now, which a new
// one would replace.
func (b *Book) Comments(ctx context.Context, x Bulk) (n int, err error) {
	err = b.DB.QueryRow(ctx, `select count(*) from bulk_item i join address_row r on r.id = i.row_id
		where i.bulk = $1 and i.state = 'due' and r.comment <> ''`, x.ID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count comments of bulk %d: %w", x.ID, err)
	}
	return n, nil
}
