package earlier

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/text"
)

// Assign says whose the certificate of a line is; what is left empty is looked
// for. What was taken over belongs to whom it was given.
func (b *Book) Assign(ctx context.Context, by person.Actor, id ID, line int, o Owner) error {
	var bad fault.Fields
	for name, x := range map[string]struct {
		value *string
		most  int
	}{"address": {&o.Address, 254}, "holder": {&o.Holder, 254}, "organisation": {&o.Organisation, 150}} {
		if *x.value = text.Line(*x.value); len([]rune(*x.value)) > x.most {
			bad.Add(name, "field.too_long", "max", x.most)
		}
	}
	if err := bad.Err(); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := b.lockImport(ctx, tx, by, id); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update certificate_import_line set address = @address, holder = @holder, organisation = @organisation
			where import = @import and line = @line and certificate is null and der <> ''`,
			pgx.NamedArgs{"import": id, "line": line, "address": o.Address, "holder": o.Holder, "organisation": o.Organisation})
		if err != nil {
			return fmt.Errorf("assign line %d of import %d: %w", line, id, err)
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Missing, "fault.missing")
		}
		now := b.Now()
		if err := b.assigned(ctx, tx, now, id, line); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			Who: by.Who(), At: now, Action: "cert.import_assigned", About: []audit.Thing{id.Thing()},
			Detail: audit.Detail{"line": line, "address": o.Address, "holder": o.Holder, "organisation": o.Organisation},
		})
	})
}

// assigned refuses an assignment that leaves open whose the certificate is.
func (b *Book) assigned(ctx context.Context, tx pgx.Tx, now time.Time, id ID, line int) error {
	lines, err := b.plan(ctx, tx, now, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Line == line })
	if i < 0 || lines[i].State != LineUnassigned {
		return nil
	}
	field := "organisation"
	switch lines[i].Fault {
	case noRow:
		field = "address"
	case unknownHolder, noHolder:
		field = "holder"
	}
	var bad fault.Fields
	bad.Add(field, lines[i].Fault)
	return bad.Err()
}

// Apply takes over what is new and assigned, all of it or nothing; the rest
// stays in the plan. Applying once more takes over what is new since. reference
// makes the numbers.
func (b *Book) Apply(ctx context.Context, by person.Actor, id ID, reference func() string) (n int, err error) {
	return n, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := b.lockImport(ctx, tx, by, id); err != nil {
			return err
		}
		now := b.Now()
		lines, err := b.plan(ctx, tx, now, id)
		if err != nil {
			return err
		}
		lines = slices.DeleteFunc(lines, func(l Line) bool { return l.State != LineNew })
		if n = len(lines); n == 0 {
			return fault.New(fault.Conflict, "cert.import.none_new")
		}
		if err := b.Cert.Mailbox.LockRows(ctx, tx, rowsOf(lines)); err != nil {
			return err
		}
		if err := b.record(ctx, tx, now, id, lines, reference); err != nil {
			return err
		}
		return b.auditLines(ctx, tx, now, by, id, lines)
	})
}

func rowsOf(lines []Line) (all []mailbox.ID) {
	for _, l := range lines {
		if l.Row != nil {
			all = append(all, l.Row.ID)
		}
	}
	return all
}

// record keeps the certificates, and their numbers and references in lines. One
// that came in another way meanwhile is a conflict that undoes all.
func (b *Book) record(ctx context.Context, tx pgx.Tx, now time.Time, id ID, lines []Line, reference func() string) error {
	all, numbers := make([]cert.Earlier, len(lines)), make([]int, len(lines))
	for i := range lines {
		lines[i].Reference = reference()
		all[i], numbers[i] = lines[i].certificate(id), lines[i].Line
	}
	ids, err := b.Cert.RecordEarlier(ctx, tx, now, all)
	if err != nil {
		return fmt.Errorf("apply import %d: %w", id, err)
	}
	for i := range lines {
		lines[i].Certificate = &ids[i]
	}
	_, err = tx.Exec(ctx, `update certificate_import_line l set certificate = n.id from unnest(@lines::int[], @ids::bigint[]) n (line, id)
		where l.import = @import and l.line = n.line`, pgx.NamedArgs{"import": id, "lines": numbers, "ids": ids})
	if err != nil {
		return fmt.Errorf("apply import %d: %w", id, err)
	}
	return nil
}

// certificate is what the line becomes.
func (l *Line) certificate(id ID) cert.Earlier {
	e := cert.Earlier{Reference: l.Reference, Import: int64(id), Chain: l.Above, Certificate: l.Earlier.Certificate}
	if l.Mail {
		e.Account, e.Holder, e.HolderEmail, e.Row = l.Account.ID, l.Account.Name, l.Account.Email, l.Row.ID
		return e
	}
	e.Organisation = l.Of.ID
	return e
}

func (b *Book) auditLines(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id ID, lines []Line) error {
	all := []audit.Line{{
		Who: by.Who(), At: now, Action: "cert.import_applied", Detail: audit.Detail{"rows": len(lines)}, About: []audit.Thing{id.Thing()},
	}}
	for _, l := range lines {
		a := audit.Line{Who: by.Who(), At: now, Action: "cert.imported", Detail: audit.Detail{"reference": l.Reference, "serial": hex.EncodeToString(l.Serial)}}
		if l.Mail {
			a.Detail["addresses"] = strings.Join(l.Emails, ", ")
			a.About = []audit.Thing{l.Certificate.Thing(), l.Row.ID.Thing(), l.Account.ID.Thing(), id.Thing()}
		} else {
			a.Detail["names"] = strings.Join(l.DNS, ", ")
			a.About = []audit.Thing{l.Certificate.ServerThing(), org.OrganisationID(l.Of.ID).Thing(), id.Thing()}
		}
		all = append(all, a)
	}
	return audit.Copy(ctx, tx, all)
}
