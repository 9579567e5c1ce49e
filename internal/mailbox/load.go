package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

const rowColumns = `r.id, r.domain, d.name as domain_name, d.validation, d.contact_group as group, g0.notify, r.kind, r.name,
	r.primary_address as primary, r.aliases, r.applicant, r.comment, r.active, r.challenged, r.state as status,
	nullif(r.certificate_end, 'infinity') as certificate_end, r.version, r.created, r.changed,
	l.account as linked, la.label as linked_name,
	l.since as linked_since, l.suspended, l.addresses as covered, r.doubtful,
	` + org.IsContact + ` as contact, @officer::boolean as officer`

const rowTables = `address_row r join email_domain d on d.id = r.domain join contact_group g0 on g0.id = d.contact_group
	left join link l on l.row_id = r.id left join account la on la.id = l.account`

// Row returns the row id of the domain called name, if by may see it.
func (b *Book) Row(ctx context.Context, by person.Actor, name string, id ID) (Row, error) {
	return load(ctx, b.DB, by, name, id)
}

// lock loads a row and holds it until the transaction ends. Everything of a row
// (addresses, rounds, challenges, link) changes only under this lock.
func lock(ctx context.Context, tx pgx.Tx, by person.Actor, name string, id ID) (Row, error) {
	if _, err := tx.Exec(ctx, `select from address_row where id = $1 for update`, id); err != nil {
		return Row{}, fmt.Errorf("lock row %d: %w", id, err)
	}
	return load(ctx, tx, by, name, id)
}

func load(ctx context.Context, q postgres.Querier, by person.Actor, name string, id ID) (Row, error) {
	rows, err := q.Query(ctx, `select `+rowColumns+` from `+rowTables+` where r.id = @id and d.name = @name`,
		org.Scope(by, pgx.NamedArgs{"id": id, "name": name}))
	if err != nil {
		return Row{}, fmt.Errorf("read row %d: %w", id, err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Row])
	if err != nil {
		return Row{}, postgres.Fault(err)
	}
	if !r.Sees() {
		return Row{}, fault.New(fault.Missing, "fault.missing")
	}
	return r, nil
}

// Claim is another row's hold on an address.
type Claim struct {
	Folded  string
	Primary bool
	Active  bool
	Group   org.GroupID
	Held    bool // by a valid certificate
}

// holder is another row that holds an address, and whether its reader may see it.
type holder struct {
	Claim
	Address    org.Address
	RowID      ID
	Name       string
	DomainName org.Domain
	Seen       bool
}

// InTheWay are the blanks of a fault that is about an address in the row id of the
// domain: its name, and what a page or a program makes a link of.
func InTheWay(address org.Address, id ID, name string, domain org.Domain) []any {
	return []any{"address", string(address), "name", name, "row", int64(id), "domain", string(domain)}
}

// way is InTheWay for whom may see h.
func (h holder) way() []any {
	if !h.Seen {
		return nil
	}
	return InTheWay(h.Address, h.RowID, h.Name, h.DomainName)
}

// holders are what other rows than me hold of the folded addresses.
func (b *Book) holders(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, folded []string, me ID) ([]holder, error) {
	rows, err := tx.Query(ctx, `
		select a.folded, a.place = 0 as primary, a.active, d.contact_group as group,
			exists (select from address_certificate k where k.row_id = a.row_id and k.revoked is null and k.ends > @now
				and a.folded = any(k.addresses)) as held,
			a.address, r.id as row_id, r.name, d.name as domain_name, (@officer or `+org.IsContact+`) as seen
		from address a join address_row r on r.id = a.row_id join email_domain d on d.id = r.domain
		where a.folded = any(@folded) and a.row_id <> @me order by a.active desc, r.id`,
		org.Scope(by, pgx.NamedArgs{"folded": folded, "me": me, "now": now}))
	if err != nil {
		return nil, fmt.Errorf("look for taken addresses: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[holder])
	if err != nil {
		return nil, fmt.Errorf("look for taken addresses: %w", err)
	}
	return found, nil
}

// free notes in bad which addresses of dr another row holds. me is the row's own
// number (0: new), active whether the row is or will be active, group its
// domain's contact group.
func (b *Book) free(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, dr Draft, me ID, active bool, group org.GroupID, bad *fault.Fields) error {
	found, err := b.holders(ctx, tx, now, by, org.Folded(append([]org.Address{dr.Primary}, dr.Aliases...)), me)
	if err != nil {
		return err
	}
	for _, h := range found {
		field := dr.fields[h.Folded]
		if id := Clash(field == "primary", me != 0, active, group, h.Claim); id != "" {
			bad.Add(field, id, h.way()...)
		}
	}
	return nil
}

// Clash is why a row, active or not and of group, may not have an address that
// another row claims; empty: it may. known: the row is there already.
func Clash(primary, known, active bool, group org.GroupID, c Claim) string {
	switch {
	case primary && known: // it was free when the row was added and stays its own
		return ""
	case primary && c.Primary, active && c.Active, c.Group != group:
		return "mailbox.address.taken"
	case !c.Active && c.Held:
		return "mailbox.address.held"
	}
	return ""
}
