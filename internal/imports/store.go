package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
)

// number gives each line its row: the one that is there, or a number reserved
// for a new one.
func (p *planner) number(ctx context.Context, batch []*entry, fresh int) error {
	ids, err := p.book.Mailbox.Reserve(ctx, p.tx, fresh)
	if err != nil {
		return err
	}
	for _, e := range batch {
		switch {
		case e.class == LineNew:
			e.id, ids = ids[0], ids[1:]
		case !e.twice:
			e.id = e.row.ID
		}
	}
	return nil
}

var lineColumns = []string{
	"import", "line", "class", "row_id", "version", "challenged", "active", "kind", "name", "primary_address", "aliases", "applicant", "comment",
	"before_kind", "before_name", "before_aliases", "before_applicant", "before_comment", "new_aliases", "new_applicant", "faults", "hints", "cells",
}

// store writes a batch of judged lines.
func (p *planner) store(ctx context.Context, batch []*entry) error {
	source := pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) { return batch[i].values(p.im.ID) })
	if _, err := p.tx.CopyFrom(ctx, pgx.Identifier{"import_line"}, lineColumns, source); err != nil {
		return fmt.Errorf("store lines: %w", err)
	}
	return nil
}

// values are what import_line keeps of e: what its class needs.
func (e *entry) values(id ID) ([]any, error) {
	v := make([]any, len(lineColumns))
	v[0], v[1], v[2] = id, e.line, e.class
	v[18], v[19] = false, false
	if e.id != 0 {
		v[3] = e.id
	}
	switch e.class {
	case LineFaulty, LineSkipped:
		name, _ := e.name()
		v[8], v[22] = name, e.cells
		p, _ := e.cell(FieldPrimary)
		if p == "" {
			p = e.primary()
		}
		v[9] = p
		if e.class == LineSkipped {
			v[7], _ = e.cell(FieldKind) // as it stands there: none of ours
		}
	case LineNew, LineChanged:
		copy(v[7:], []any{e.dr.Kind, e.dr.Name, e.dr.Primary, e.dr.Aliases, e.dr.Applicant, e.dr.Comment})
		v[6] = true
	}
	if e.class == LineChanged {
		r := e.row
		copy(v[4:], []any{r.Version, r.Challenged, r.Active})
		copy(v[13:], []any{r.Kind, r.Name, r.Aliases, r.Applicant, r.Comment, e.newAliases, e.newApplicant})
	}
	for i, said := range []fault.Fields{e.faults, e.hints} {
		if len(said) > 0 {
			j, err := json.Marshal(said)
			if err != nil {
				return nil, fmt.Errorf("write down line %d: %w", e.line, err)
			}
			v[20+i] = string(j)
		}
	}
	return v, nil
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
