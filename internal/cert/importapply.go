package cert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/text"
)

// Assign says whose the certificate of a line is; what is left empty is looked
// for. What was taken over belongs to whom it was given.
func (b *Book) Assign(ctx context.Context, by person.Actor, id ImportID, line int, o Owner) error {
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
		if err := b.assigned(ctx, tx, id, line); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Line{
			Who: by.Who(), At: b.Now(), Action: "cert.import_assigned", About: []audit.Thing{id.Thing()},
			Detail: audit.Detail{"line": line, "address": o.Address, "holder": o.Holder, "organisation": o.Organisation},
		})
	})
}

// assigned refuses an assignment that leaves open whose the certificate is.
func (b *Book) assigned(ctx context.Context, tx pgx.Tx, id ImportID, line int) error {
	lines, err := b.plan(ctx, tx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(lines, func(l ImportLine) bool { return l.Line == line })
	if i < 0 || lines[i].State != LineUnassigned {
		return nil
	}
	field := map[string]string{"cert.import.no_row": "address", "cert.import.unknown_holder": "holder", "cert.import.no_holder": "holder"}[lines[i].Fault]
	if field == "" {
		field = "organisation"
	}
	var bad fault.Fields
	bad.Add(field, lines[i].Fault)
	return bad.Err()
}

// ApplyImport takes over what is new and assigned, all of it or nothing; the rest
// stays in the plan. Applying once more takes over what is new since. reference
// makes the numbers.
func (b *Book) ApplyImport(ctx context.Context, by person.Actor, id ImportID, reference func() string) (n int, err error) {
	return n, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := b.lockImport(ctx, tx, by, id); err != nil {
			return err
		}
		lines, err := b.plan(ctx, tx, id)
		if err != nil {
			return err
		}
		lines = slices.DeleteFunc(lines, func(l ImportLine) bool { return l.State != LineNew })
		if n = len(lines); n == 0 {
			return fault.New(fault.Conflict, "cert.import.none_new")
		}
		if err := b.Mailbox.LockRows(ctx, tx, rowsOf(lines)); err != nil {
			return err
		}
		if err := b.insertLines(ctx, tx, id, lines, reference); err != nil {
			return err
		}
		if err := b.noteLines(ctx, tx, lines); err != nil {
			return err
		}
		return b.auditLines(ctx, tx, by, id, lines)
	})
}

func rowsOf(lines []ImportLine) (all []mailbox.ID) {
	for _, l := range lines {
		if l.Row != nil {
			all = append(all, l.Row.ID)
		}
	}
	return all
}

// insertLines writes the certificates, one way to the server and back for all,
// and their numbers into lines. One that came in another way meanwhile is a
// conflict that undoes all.
func (b *Book) insertLines(ctx context.Context, tx pgx.Tx, id ImportID, lines []ImportLine, reference func() string) error {
	all := &pgx.Batch{}
	for i := range lines {
		l := &lines[i]
		l.Reference = reference()
		all.Queue(`
			with n as (
				insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, account, row_id, subject, emails, search,
					not_before, not_after, issued, organisation, common_name, names, product, renewable, phase, turns, imported, chain)
				values (@reference, @authority, @issuer, @serial, @der, @fingerprint, @key, @account, @row, @subject, @emails, @search,
					@from, @until, @from, @organisation, @name, @names, @product, @renewable, @phase, @turns, @import, @chain)
				returning id
			)
			update certificate_import_line set certificate = n.id from n where import = @import and line = @line returning n.id`,
			b.imported(id, l)).QueryRow(func(row pgx.Row) error { return row.Scan(&l.Certificate) })
	}
	if err := tx.SendBatch(ctx, all).Close(); err != nil {
		return fmt.Errorf("apply import %d: %w", id, err)
	}
	return nil
}

// imported are the columns of a certificate that is taken over.
func (b *Book) imported(id ImportID, l *ImportLine) pgx.NamedArgs {
	sum := sha256.Sum256(l.DER)
	args := pgx.NamedArgs{
		"reference": l.Reference, "authority": Foreign, "issuer": l.Issuer, "serial": l.Serial, "der": l.DER, "fingerprint": sum[:],
		"key": l.Key.Fingerprint[:], "subject": l.Subject, "from": l.NotBefore, "until": l.NotAfter, "import": id, "line": l.Line,
		"chain": append([][]byte{}, l.Above...), "account": nil, "row": nil, "emails": []string{}, "organisation": nil, "name": nil,
		"names": nil, "product": nil, "renewable": nil, "phase": nil, "turns": nil,
	}
	if l.Mail {
		args["account"], args["row"], args["emails"] = l.Account.ID, l.Row.ID, l.Emails
		args["search"] = Issuance{Reference: l.Reference, Holder: l.Account.Name, HolderEmail: l.Account.Email, Certificate: l.Given.Certificate}.words()
		return args
	}
	names := make([]string, len(l.DNS))
	for i, n := range l.DNS {
		names[i] = strings.ToLower(n)
	}
	c := l.Given.Certificate
	c.DNS = names
	phase, turns := l.phase(b.Now())
	args["organisation"], args["name"], args["names"], args["product"] = l.Of.ID, names[0], names, ""
	args["renewable"], args["phase"], args["turns"] = renewable(l.NotBefore, l.NotAfter), phase, turns
	args["search"] = ServerIssuance{Reference: l.Reference, Certificate: c}.words()
	return args
}

// noteLines tells the rows; they are locked.
func (b *Book) noteLines(ctx context.Context, tx pgx.Tx, lines []ImportLine) error {
	var all []mailbox.Certified
	for _, l := range lines {
		if l.Mail {
			all = append(all, mailbox.Certified{
				Certificate: int64(*l.Certificate), Row: l.Row.ID, Account: l.Account.ID, Issued: l.NotBefore, Ends: l.NotAfter, Addresses: l.Emails,
			})
		}
	}
	return b.Mailbox.NoteImported(ctx, tx, all)
}

func (b *Book) auditLines(ctx context.Context, tx pgx.Tx, by person.Actor, id ImportID, lines []ImportLine) error {
	all := []audit.Line{{
		Who: by.Who(), At: b.Now(), Action: "cert.import_applied", Detail: audit.Detail{"rows": len(lines)}, About: []audit.Thing{id.Thing()},
	}}
	for _, l := range lines {
		a := audit.Line{Who: by.Who(), At: b.Now(), Action: "cert.imported", Detail: audit.Detail{"reference": l.Reference, "serial": hex.EncodeToString(l.Serial)}}
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
