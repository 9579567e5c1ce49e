package imports

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
)

// Which addresses are free is judged on the state after all lines: a line that
// gives an address up frees it for another, unless it is itself faulty. Two
// tables that live as long as the transaction hold the lines in question:
// import_move the rows they change, add or delete, import_claim the addresses
// that these rows will have then.

// gather fills both tables; each statement gets the same arguments.
func gather(ctx context.Context, tx pgx.Tx, moves, claims string, args ...any) error {
	for _, sql := range []string{
		`create temp table if not exists import_move (line int, row_id bigint primary key, active boolean, known boolean) on commit drop`,
		`create temp table if not exists import_claim (line int, row_id bigint, place smallint, folded text collate "C", active boolean,
			known boolean, kept boolean not null default false) on commit drop`,
		`create index if not exists import_claim_folded on import_claim (folded)`,
		`truncate import_move, import_claim`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("gather addresses: %w", err)
		}
	}
	for _, sql := range []string{moves, claims} {
		if _, err := tx.Exec(ctx, sql, args...); err != nil {
			return fmt.Errorf("gather addresses: %w", err)
		}
	}
	for _, sql := range []string{
		`update import_claim c set kept = true from address a where c.known and a.row_id = c.row_id and a.folded = c.folded`,
		`analyze import_move, import_claim`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("gather addresses: %w", err)
		}
	}
	return nil
}

// contest is what is known of lines that want the same addresses.
type contest struct {
	bad  map[int]fault.Fields
	then map[int][]doom // what else is bad as soon as a line is
}

type doom struct {
	line  int
	place int
	id    string
	way   []any // to the row that has it
}

// rival is an address that a line claims, and who else has it.
type rival struct {
	Line   int
	Place  int
	Active bool
	Known  bool
	Unless int // the line by which the other row gives it up, 0: it stays there
	mailbox.Claim
}

// contested tells what is wrong with which of the gathered lines; stale ones are
// wrong in any case. Its work grows with the number of lines that meet, whatever
// chains they form.
func (b *Book) contested(ctx context.Context, tx pgx.Tx, now time.Time, d org.EmailDomain, stale map[int]bool) (map[int]fault.Fields, error) {
	c := &contest{bad: map[int]fault.Fields{}, then: map[int][]doom{}}
	if err := c.againstRows(ctx, tx, now, d); err != nil {
		return nil, err
	}
	for line := range stale {
		if c.bad[line] == nil {
			c.lose(line, fault.Field{ID: "mailbox.import.meanwhile"})
		}
	}
	return c.bad, c.againstLines(ctx, tx, now, d.Group)
}

// againstRows looks for addresses that rows of the portal have.
func (c *contest) againstRows(ctx context.Context, tx pgx.Tx, now time.Time, domain org.EmailDomain) error {
	rows, err := tx.Query(ctx, `
		select c.line, c.place, c.active, c.known, a.folded, a.place = 0 as primary, a.active, d.contact_group, a.address, r.id, r.name, d.name, r.domain = $2, `+held("a.row_id", "a.folded", "a.active")+`,
			case when m.line is null or exists (select from import_claim k where k.row_id = a.row_id and k.folded = a.folded) then 0 else m.line end
		from import_claim c join address a on a.folded = c.folded and a.row_id <> c.row_id
		join address_row r on r.id = a.row_id join email_domain d on d.id = r.domain
		left join import_move m on m.row_id = a.row_id`, now, domain.ID)
	if err != nil {
		return fmt.Errorf("look for taken addresses: %w", err)
	}
	var r rival
	var lost []doom
	var address org.Address
	var row mailbox.ID
	var name string
	var of org.Domain
	var near bool // in the domain of the import, where whoever reads the plan sees it
	_, err = pgx.ForEachRow(rows, []any{&r.Line, &r.Place, &r.Active, &r.Known, &r.Folded, &r.Primary, &r.Claim.Active, &r.Group, &address, &row, &name, &of, &near, &r.Held, &r.Unless}, func() error {
		id := mailbox.Clash(r.Place == 0, r.Known, r.Active, domain.Group, r.Claim)
		d := doom{line: r.Line, place: r.Place, id: id}
		if near {
			d.way = mailbox.InTheWay(address, row, name, of)
		}
		switch {
		case id == "":
		case r.Unless == 0:
			lost = append(lost, d)
		default:
			c.then[r.Unless] = append(c.then[r.Unless], d)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for taken addresses: %w", err)
	}
	for _, l := range lost {
		c.lose(l.line, fault.Field{Name: placeField(l.place), ID: l.id, Args: l.way})
	}
	return nil
}

// held is the condition that a valid certificate of an inactive row holds an
// address of it; $1 is now.
func held(row, folded, active string) string {
	return `(not ` + active + ` and exists (select from address_certificate k where k.row_id = ` + row + ` and k.revoked is null and k.ends > $1
		and ` + folded + ` = any(k.addresses)))`
}

// againstLines lets the first of the lines win that newly want an address.
func (c *contest) againstLines(ctx context.Context, tx pgx.Tx, now time.Time, group org.GroupID) error {
	rows, err := tx.Query(ctx, `
		select c.line, c.place, c.active, c.known, g.n, `+held("c.row_id", "c.folded", "c.active")+`
		from (select folded, row_number() over () as n from import_claim where not kept group by folded having count(*) > 1) g
		join import_claim c on c.folded = g.folded where not c.kept order by c.line, c.place`, now)
	if err != nil {
		return fmt.Errorf("look for addresses that are wanted twice: %w", err)
	}
	winners := map[int64][]rival{} // by the address; of those that are alike the first
	var r rival
	var n int64
	var mine []int64 // what the line wants
	var claims []rival
	won := func() {
		for i, n := range mine {
			alike := func(w rival) bool { return w.Claim == claims[i].Claim }
			if c.bad[claims[i].Line] == nil && !slices.ContainsFunc(winners[n], alike) {
				winners[n] = append(winners[n], claims[i])
			}
		}
		mine, claims = mine[:0], claims[:0]
	}
	_, err = pgx.ForEachRow(rows, []any{&r.Line, &r.Place, &r.Active, &r.Known, &n, &r.Held}, func() error {
		if len(claims) > 0 && claims[0].Line != r.Line {
			won()
		}
		if len(c.bad[r.Line]) > 0 {
			return nil
		}
		r.Claim = mailbox.Claim{Primary: r.Place == 0, Active: r.Active, Group: group, Held: r.Held}
		for _, w := range winners[n] {
			if mailbox.Clash(r.Place == 0, r.Known, r.Active, group, w.Claim) != "" {
				c.lose(r.Line, fault.Field{Name: placeField(r.Place), ID: "mailbox.import.claimed", Args: []any{"line", fmt.Sprint(w.Line)}})
				return nil
			}
		}
		mine, claims = append(mine, n), append(claims, r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for addresses that are wanted twice: %w", err)
	}
	return nil
}

// lose makes a line faulty, and with it the lines that need what it would have
// given up.
func (c *contest) lose(line int, f fault.Field) {
	queue := []doom{}
	note := func(line int, f fault.Field) {
		said := c.bad[line]
		if slices.ContainsFunc(said, f.Same) {
			return
		}
		if c.bad[line] = append(said, f); len(said) == 0 {
			queue = append(queue, c.then[line]...)
		}
	}
	note(line, f)
	for len(queue) > 0 {
		d := queue[0]
		queue = queue[1:]
		note(d.line, fault.Field{Name: placeField(d.place), ID: d.id, Args: d.way})
	}
}

// placeField is the input of an address by its place in the row.
func placeField(place int) string {
	return [...]string{string(FieldPrimary), string(FieldAlias1), string(FieldAlias2)}[place]
}
