package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/sheet"
)

// planBatch is how many lines are judged with one look at the portal.
const planBatch = 2000

// planner makes the plan of one import, in one transaction and with the memory
// of a batch: what lines say about each other is found out by the database.
type planner struct {
	book   *Book
	tx     pgx.Tx
	now    time.Time
	by     person.Actor
	im     Import
	domain org.EmailDomain
	layout layout
	stale  map[int]bool   // lines whose rows changed since the plan before
	seen   map[string]int // primary addresses by the line that has them first; 0: only skipped ones
	count  map[Class]int
	active int // active rows that the file names
	done   int
	shown  time.Time
}

// plan makes the plan of im anew. Lines in stale become faults that say that
// somebody was quicker.
func (b *Book) plan(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import, stale map[int]bool) error {
	d, err := b.Mailbox.Org.DomainIn(ctx, tx, by, string(im.DomainName))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from import_line where import = $1`, im.ID); err != nil {
		return fmt.Errorf("plan import %d: %w", im.ID, err)
	}
	p := &planner{
		book: b, tx: tx, now: now, by: by, im: im, domain: d, layout: newLayout(im.Columns), stale: stale,
		seen: map[string]int{}, count: map[Class]int{},
	}
	if err := p.each(ctx, p.judge); err != nil {
		return fmt.Errorf("plan import %d: %w", im.ID, err)
	}
	if err := p.contest(ctx); err != nil {
		return fmt.Errorf("plan import %d: %w", im.ID, err)
	}
	return p.finish(ctx)
}

// each reads the file from its beginning, in batches.
func (p *planner) each(ctx context.Context, f func(ctx context.Context, batch []*entry) error) error {
	r := sheet.NewReader(&file{ctx: ctx, q: p.tx, id: p.im.ID}, p.im.Format())
	if _, err := readHeader(r, p.im.HeaderLine); err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	batch := make([]*entry, 0, planBatch)
	for {
		rec, err := r.Read()
		wrong, one := errors.AsType[*sheet.LineError](err)
		switch {
		case err == io.EOF:
			return f(ctx, batch)
		case one:
			batch = append(batch, unreadable(p.layout, wrong))
		case err != nil:
			return err
		default:
			batch = append(batch, newEntry(p.layout, rec))
		}
		if len(batch) == planBatch {
			if err := f(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
}

// judge puts a batch into the plan, as far as each line is judged by itself.
func (p *planner) judge(ctx context.Context, batch []*entry) error {
	pending, err := p.rows(ctx, batch)
	if err != nil {
		return err
	}
	known, err := p.known(ctx, batch)
	if err != nil {
		return err
	}
	fresh := 0
	for _, e := range batch {
		p.meet(e)
		if e.class == "" {
			e.judge(p.domain, known)
			e.hint(pending[e.row.ID])
		}
		p.count[e.class]++
		if e.class == LineNew {
			fresh++
		}
	}
	if err := p.number(ctx, batch, fresh); err != nil {
		return err
	}
	p.done += len(batch)
	p.show(ctx)
	return p.store(ctx, batch)
}

// meet notes that the file names a row, and refuses to name it twice.
func (p *planner) meet(e *entry) {
	if e.key == "" {
		return
	}
	first, met := p.seen[e.key]
	if !met && e.row.Active {
		p.active++
	}
	switch {
	case e.class == LineSkipped:
		if !met {
			p.seen[e.key] = 0
		}
	case first > 0:
		e.twice = true
		e.faults.Add(string(FieldPrimary), "mailbox.import.twice", "line", fmt.Sprint(first))
	default:
		p.seen[e.key] = e.line
	}
}

// rows loads the rows that a batch is about, and returns how many challenges of
// each wait for an answer.
func (p *planner) rows(ctx context.Context, batch []*entry) (map[mailbox.ID]int, error) {
	keys := make([]string, 0, len(batch))
	for _, e := range batch {
		if e.key != "" {
			keys = append(keys, e.key)
		}
	}
	rows, err := p.tx.Query(ctx, `
		select r.id, r.kind, r.name, r.primary_address as primary, r.aliases, r.applicant, r.comment, r.active, r.challenged, r.version,
			l.account as linked, l.suspended, case when r.challenged then (select count(*) from challenge c
				where c.row_id = r.id and c.state in ('queued', 'deferred', 'sent'))::int else 0 end as pending
		from address a join address_row r on r.id = a.row_id left join link l on l.row_id = r.id
		where a.folded = any($1) and a.place = 0 and r.domain = $2`, keys, p.domain.ID)
	if err != nil {
		return nil, fmt.Errorf("load rows: %w", err)
	}
	type found struct {
		mailbox.Row
		Pending int
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[found])
	if err != nil {
		return nil, fmt.Errorf("load rows: %w", err)
	}
	at, pending := make(map[string]mailbox.Row, len(all)), make(map[mailbox.ID]int, len(all))
	for _, f := range all {
		f.Domain, f.DomainName, f.Group, f.Validation = p.domain.ID, p.domain.Name, p.domain.Group, p.domain.Validation
		at[f.Primary.Folded()], pending[f.ID] = f.Row, f.Pending
	}
	for _, e := range batch {
		if e.key != "" {
			e.row = at[e.key]
		}
	}
	return pending, nil
}

// known returns the registered domains among those of a batch's addresses.
func (p *planner) known(ctx context.Context, batch []*entry) (map[org.Domain]org.EmailDomain, error) {
	names := map[string]bool{}
	for _, e := range batch {
		if e.class != "" {
			continue
		}
		for _, name := range e.input().Domains() {
			names[name] = true
		}
	}
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	return p.book.Mailbox.Org.Known(ctx, p.tx, p.by, all)
}

// show writes down how far the plan is, once a second at most. It is a comfort: when
// no second connection is free, nobody waits for one.
func (p *planner) show(ctx context.Context) {
	if time.Since(p.shown) < time.Second {
		return
	}
	p.shown = time.Now()
	soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	conn, err := p.book.DB.Acquire(soon)
	if err != nil {
		return
	}
	defer conn.Release()
	_, _ = conn.Exec(ctx, `update import set done = $2 where id = $1`, p.im.ID, p.done)
}

// contest finds the lines whose addresses are not free when all others are
// carried out, and makes them faulty.
func (p *planner) contest(ctx context.Context) error {
	if err := gatherPlan(ctx, p.tx, p.im.ID); err != nil {
		return err
	}
	bad, err := p.book.contested(ctx, p.tx, p.now, p.domain, p.stale)
	if err != nil || len(bad) == 0 {
		return err
	}
	return p.each(ctx, func(ctx context.Context, batch []*entry) error { return p.spoil(ctx, batch, bad) })
}

// gatherPlan gathers the addresses as they are when the plan is carried out.
func gatherPlan(ctx context.Context, tx pgx.Tx, id ID) error {
	return gather(ctx, tx, `
		insert into import_move (line, row_id, active, known)
		select line, row_id, active, class = 'changed' from import_line where import = $1 and class in ('new', 'changed')`, `
		insert into import_claim (line, row_id, place, folded, active, known)
		select l.line, l.row_id, u.place - 1, lower(u.address collate "C"), l.active, l.class = 'changed'
		from import_line l, unnest(array_prepend(l.primary_address, l.aliases)) with ordinality u (address, place)
		where l.import = $1 and l.class in ('new', 'changed')`, id)
}

// finish writes the counts; from now on the plan can be applied.
func (p *planner) finish(ctx context.Context) error {
	var existing, active int
	err := p.tx.QueryRow(ctx, `select coalesce(sum(n), 0), coalesce(sum(n) filter (where state <> 'inactive'), 0)
		from address_row_tally where domain = $1`, p.domain.ID).Scan(&existing, &active)
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	missing := 0
	if Tells(Import{New: p.count[LineNew], Changed: p.count[LineChanged], Unchanged: p.count[LineUnchanged]}) {
		missing = max(0, active-p.active)
	}
	trouble := ""
	if len(p.stale) > 0 {
		trouble = "mailbox.import.trouble_meanwhile"
	}
	err = exactlyOne(p.tx.Exec(ctx, `update import set state = 'planned', since = @now, planned = @now, tries = 0, trouble = @trouble, done = @done,
			new = @new, changed = @changed, unchanged = @unchanged, skipped = @skipped, faulty = @faulty, missing = @missing,
			existing = @existing, contact_group = @group, validation = @validation
		where id = @id and state in ('planning', 'applying')`,
		pgx.NamedArgs{
			"id": p.im.ID, "now": p.now, "trouble": trouble, "done": p.done, "new": p.count[LineNew], "changed": p.count[LineChanged],
			"unchanged": p.count[LineUnchanged], "skipped": p.count[LineSkipped], "faulty": p.count[LineFaulty],
			"missing": missing, "existing": existing, "group": p.domain.Group, "validation": p.domain.Validation,
		}))
	if err != nil {
		return fmt.Errorf("finish plan of import %d: %w", p.im.ID, err)
	}
	return nil
}
