package order

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

const orderColumns = `s.id, s.reference, s.organisation, o.name as organisation_name, s.product, s.names, s.spki, s.key_kind, s.comment, s.state,
	s.since, s.reason, s.version, s.by_officer, s.submitter, u.label as submitter_name,
	s.decider, d.label as decider_name, s.replaces, k.reference as renews, s.serial,
	s.not_before, s.days, s.profile, s.findings, s.approved, i.next_look is not null as asking, ` + waitColumns + `,
	s.state = 'failed' and ` + orderHasCertificate + ` as spent,
	exists (select from certificate x where x.reference = s.reference and x.unwanted and x.organisation is not null) as late, s.certificate, s.attempts, s.created, s.ended,
	exists (select from server_order_author h where h.server_order = s.id and h.account = @account) as author,
	` + org.IsTechnicalContact + ` as contact, @officer::boolean as officer`

const orderTables = `server_order s join organisation o on o.id = s.organisation join account u on u.id = s.submitter
	left join account d on d.id = s.decider left join certificate k on k.id = s.replaces left join intent i on i.number = s.id`

// Server returns the order with that reference number to the contact of its
// organisation and to registration officers; to others it is missing.
func (b *Book) Server(ctx context.Context, by person.Actor, reference string) (ServerOrder, error) {
	return server(ctx, b.DB, by, reference, "")
}

func server(ctx context.Context, q postgres.Querier, by person.Actor, reference, lock string) (ServerOrder, error) {
	rows, err := q.Query(ctx, `select `+orderColumns+` from `+orderTables+` where s.reference = @reference and (@officer or `+org.IsTechnicalContact+`)`+lock,
		org.Scope(by, pgx.NamedArgs{"reference": text.Line(reference)}))
	if err != nil {
		return ServerOrder{}, fmt.Errorf("read order: %w", err)
	}
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ServerOrder])
	return o, postgres.Fault(err)
}

// lockServer holds the organisation as it is, then the order, then reads: what
// waited for a lock sees what was committed meanwhile.
func (b *Book) lockServer(ctx context.Context, tx pgx.Tx, by person.Actor, reference string) (ServerOrder, org.Organisation, error) {
	o, err := server(ctx, tx, by, reference, "")
	if err != nil {
		return o, org.Organisation{}, err
	}
	of, err := b.Mailbox.Org.LockOrganisation(ctx, tx, by, o.Organisation)
	if err != nil {
		return o, of, err
	}
	if _, err := tx.Exec(ctx, `select from server_order where id = $1 for update`, o.ID); err != nil {
		return o, of, fmt.Errorf("lock order %d: %w", o.ID, err)
	}
	o, err = server(ctx, tx, by, reference, "")
	return o, of, err
}

// Inspect returns the order with all checks as of now.
func (b *Book) Inspect(ctx context.Context, by person.Actor, reference string) (ServerOrder, Checks, error) {
	o, err := b.Server(ctx, by, reference)
	if err != nil {
		return o, nil, err
	}
	c, err := b.judge(ctx, b.DB, b.Now(), o)
	return o, c, err
}

// OrderView is what of a list of orders is to be seen.
type OrderView struct {
	Office bool    // all that an officer may see; else those of organisations whose contact one is
	States []State // empty: any
	Text   string  // words of reference number and names, all of them
	Before ServerID
	Size   int                // 0: 50
	Of     org.OrganisationID // 0: any
}

// Orders returns orders, newest first, and the number to go on from (0: that
// was all).
func (b *Book) Orders(ctx context.Context, by person.Actor, v OrderView) (all []ServerOrder, next ServerID, err error) {
	if v.Office {
		if err := person.OfficersOnly(by); err != nil {
			return nil, 0, err
		}
	}
	if v.Size == 0 {
		v.Size = 50
	}
	states := make([]string, len(v.States))
	for i, s := range v.States {
		states[i] = string(s)
	}
	args := pgx.NamedArgs{"before": v.Before, "limit": v.Size + 1, "states": states}
	where := textWhere(v.Text, args)
	if !v.Office {
		where += ` and ` + org.IsTechnicalContact
	}
	if v.Of != 0 {
		where += ` and s.organisation = @of`
		args["of"] = v.Of
	}
	if len(states) > 0 {
		where += ` and s.state = any(@states)`
	}
	rows, err := b.DB.Query(ctx, `select `+orderColumns+` from `+orderTables+`
		where (@before = 0::bigint or s.id < @before)`+where+` order by s.id desc limit @limit`, org.Scope(by, args))
	if err != nil {
		return nil, 0, fmt.Errorf("list orders: %w", err)
	}
	if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[ServerOrder]); err != nil {
		return nil, 0, fmt.Errorf("list orders: %w", err)
	}
	if len(all) > v.Size {
		all = all[:v.Size]
		next = all[v.Size-1].ID
	}
	return all, next, nil
}

// textWhere is the condition that an order holds every word of text. What looks
// like a reference number, however it was typed, is one.
func textWhere(sought string, args pgx.NamedArgs) string {
	if reference, ok := text.ParseReference(sought); ok {
		args["w"] = strings.ToLower(reference) + " %"
		return ` and s.search like @w`
	}
	var where strings.Builder
	for i, w := range text.Sought(sought) {
		where.WriteString(` and ` + org.HoldsWord("s.search", "w"+strconv.Itoa(i), w, args))
	}
	return where.String()
}

// OpenOrders counts what by finds under "Meine offenen Aufträge".
func (b *Book) OpenOrders(ctx context.Context, by person.Actor) (n int64, err error) {
	err = b.DB.QueryRow(ctx, `select count(*) from server_order s join organisation o on o.id = s.organisation
		where s.ended is null and `+org.IsTechnicalContact, org.Scope(by, nil)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count open orders: %w", err)
	}
	return n, nil
}

// OthersTurn counts the open orders of by's organisations that wait for others: all
// but those that were returned.
func (b *Book) OthersTurn(ctx context.Context, by person.Actor) (n int64, err error) {
	err = b.DB.QueryRow(ctx, `select count(*) from server_order s join organisation o on o.id = s.organisation
		where s.ended is null and s.state <> 'returned' and `+org.IsTechnicalContact, org.Scope(by, nil)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count orders that wait for others: %w", err)
	}
	return n, nil
}

// WaitingOrders is how many orders wait for registration officers.
type WaitingOrders struct{ Decide, Validate, Failed int64 }

// WaitingOrders counts them for an officer, without those that they may not decide.
func (b *Book) WaitingOrders(ctx context.Context, by person.Actor) (w WaitingOrders, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return w, err
	}
	rows, err := b.DB.Query(ctx, `select count(*) filter (where s.state in ('received', 'review')) as decide,
			count(*) filter (where s.state = 'waiting') as validate, count(*) filter (where s.state = 'failed') as failed
		from server_order s join organisation o on o.id = s.organisation
		where s.ended is null and not `+org.IsTechnicalContact+`
			and not exists (select from server_order_author h where h.server_order = s.id and h.account = @account)`, org.Scope(by, nil))
	if err != nil {
		return w, fmt.Errorf("count waiting orders: %w", err)
	}
	if w, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[WaitingOrders]); err != nil {
		return w, fmt.Errorf("count waiting orders: %w", err)
	}
	return w, nil
}
