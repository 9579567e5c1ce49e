package imports

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
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

// spoil makes faulty what a batch holds of the bad lines, unless it is already.
func (p *planner) spoil(ctx context.Context, batch []*entry, bad map[int]fault.Fields) error {
	lines, at := []int{}, map[int]*entry{}
	for _, e := range batch {
		if e.faults = bad[e.line]; len(e.faults) > 0 {
			lines, at[e.line] = append(lines, e.line), e
		}
	}
	if len(lines) == 0 {
		return nil
	}
	rows, err := p.tx.Query(ctx, `delete from import_line where import = $1 and class in ('new', 'changed') and line = any($2)
		returning line, class, row_id`, p.im.ID, lines)
	if err != nil {
		return fmt.Errorf("note faults: %w", err)
	}
	var line int
	var was Class
	var row mailbox.ID
	var spoiled []*entry
	_, err = pgx.ForEachRow(rows, []any{&line, &was, &row}, func() error {
		e := at[line]
		if e.class = LineFaulty; was == LineChanged {
			e.id = row
		}
		p.count[was]--
		p.count[LineFaulty]++
		spoiled = append(spoiled, e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("note faults: %w", err)
	}
	return p.store(ctx, spoiled)
}
