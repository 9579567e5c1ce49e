package imports

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/audit"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// apply carries the plan of im out. When a row is no longer what the plan saw,
// nothing is written and the plan is made anew with those lines as faults.
func (b *Book) apply(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import) error {
	stale, err := b.stale(ctx, tx, now, by, im)
	if err != nil {
		return err
	}
	if len(stale) > 0 {
		return b.plan(ctx, tx, now, by, im, stale)
	}
	if err := b.writeLines(ctx, tx, now, im.Domain, im.ID); err != nil {
		return err
	}
	if err := b.follow(ctx, tx, now, by, im); err != nil {
		return err
	}
	edited := func(l storedLine) (string, audit.Detail) {
		return "mailbox.edited", mailbox.Differences(l.before(), l.after())
	}
	if err := b.noteLines(ctx, tx, now, by, im, LineChanged, edited); err != nil {
		return err
	}
	added := func(l storedLine) (string, audit.Detail) { return "mailbox.added", l.after().Detail() }
	if err := b.noteLines(ctx, tx, now, by, im, LineNew, added); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from import_chunk where import = $1`, im.ID); err != nil {
		return fmt.Errorf("drop file: %w", err)
	}
	err = exactlyOne(tx.Exec(ctx, `update import set state = 'applied', since = @now, applied = @now, applied_by = @by, tries = 0, trouble = '',
			last_round = (select coalesce(max(id), 0) from challenge_round) where id = @id and state = 'applying'`,
		pgx.NamedArgs{"id": im.ID, "now": now, "by": by.Account}))
	if err != nil {
		return fmt.Errorf("end import: %w", err)
	}
	return b.note(ctx, tx, now, by.Who(), "mailbox.imported",
		audit.Detail{"file": im.FileName, "import": im.ID, "new": im.New, "changed": im.Changed}, im.ID.Thing(), im.Domain.Thing())
}

// stale returns the lines whose rows are no longer what the plan saw, having
// locked those rows: from now on they stay what they are.
func (b *Book) stale(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import) (map[int]bool, error) {
	d, err := b.Mailbox.Org.DomainIn(ctx, tx, by, string(im.DomainName))
	if err != nil {
		return nil, err
	}
	stale := map[int]bool{}
	collect := func(sql string, args ...any) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return fmt.Errorf("compare with the plan: %w", err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[int])
		for _, l := range lines {
			stale[l] = true
		}
		return err
	}
	err = b.Mailbox.LockMany(ctx, tx, mailbox.Query{
		SQL: `select row_id from import_line where import = @import and class = 'changed'`, Args: pgx.NamedArgs{"import": im.ID},
	})
	if err != nil {
		return nil, err
	}
	err = collect(`select l.line from import_line l left join address_row r on r.id = l.row_id
		where l.import = $1 and l.class = 'changed'
			and (r.version, r.challenged, r.active) is distinct from (l.version, l.challenged, l.active)`, im.ID)
	if err != nil {
		return nil, err
	}
	err = collect(`select l.line from import_line l join address a on a.folded = lower(l.primary_address) and a.place = 0
		where l.import = $1 and l.class = 'new'`, im.ID)
	if err != nil {
		return nil, err
	}
	err = collect(`select l.line from import_line l, import m where m.id = $1 and l.import = $1 and l.class in ('new', 'changed')
			and ((m.contact_group, m.validation) is distinct from ($2::bigint, $3::text) or exists (select from unnest(l.aliases) a
				where split_part(a, '@', 2) not in (select d.name from email_domain d where d.contact_group = $2)))`,
		im.ID, d.Group, d.Validation)
	if err != nil || len(stale) > 0 {
		return stale, err
	}
	if err := gatherPlan(ctx, tx, im.ID); err != nil {
		return nil, err
	}
	bad, err := b.contested(ctx, tx, now, d, nil)
	for line := range bad {
		stale[line] = true
	}
	return stale, err
}

// writeLines writes the rows: first those that change, for they free addresses.
func (b *Book) writeLines(ctx context.Context, tx pgx.Tx, now time.Time, d org.ID, id ID) error {
	args := pgx.NamedArgs{"import": id}
	err := b.Mailbox.ChangeMany(ctx, tx, now, mailbox.Query{SQL: `
		select row_id, kind, name, aliases, applicant, comment from import_line where import = @import and class = 'changed'`, Args: args})
	if err != nil {
		return err
	}
	return b.Mailbox.AddMany(ctx, tx, now, d, mailbox.Query{SQL: `
		select row_id, kind, name, primary_address, aliases, applicant, comment
		from import_line where import = @import and class = 'new' order by line`, Args: args})
}

// followBatch is for how many rows at once the consequences are drawn.
const followBatch = 5000

// follow draws the consequences of new aliases and applicants, as an edit by
// hand does. Lines that stay are left out.
func (b *Book) follow(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import) error {
	type moved struct {
		Line         int
		RowID        mailbox.ID
		NewAliases   bool
		NewApplicant bool
	}
	for after := 0; ; {
		rows, err := tx.Query(ctx, `select line, row_id, new_aliases, new_applicant from import_line
			where import = @import and class = 'changed' and line > @after and (new_aliases or new_applicant) and stays = ''
			order by line limit @limit`, pgx.NamedArgs{"import": im.ID, "after": after, "limit": followBatch})
		if err != nil {
			return fmt.Errorf("read what follows: %w", err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[moved])
		if err != nil || len(all) == 0 {
			return err
		}
		after = all[len(all)-1].Line
		var ids, suspended, unlinked []mailbox.ID
		for _, m := range all {
			ids = append(ids, m.RowID)
			if m.NewAliases {
				suspended = append(suspended, m.RowID)
			}
			if m.NewApplicant {
				unlinked = append(unlinked, m.RowID)
			}
		}
		err = b.Mailbox.FollowMany(ctx, tx, now, mailbox.Changed{
			By: by, Domain: im.Domain, Rows: ids, NewAliases: suspended, NewApplicants: unlinked,
			Detail: audit.Detail{"import": im.ID}, Part: im.ID.Thing(),
		})
		if err != nil {
			return err
		}
	}
}

// noteLines writes an audit line for every line of the class that does not stay.
func (b *Book) noteLines(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import, c Class, say func(storedLine) (string, audit.Detail)) error {
	for after := 0; ; {
		all, err := storedLines(ctx, tx, im.ID, c, after, planBatch)
		if err != nil || len(all) == 0 {
			return err
		}
		after = all[len(all)-1].Line
		lines := make([]audit.Line, 0, len(all))
		for _, l := range all {
			if l.Stays != "" {
				continue
			}
			action, detail := say(l)
			detail["import"] = im.ID
			lines = append(lines, audit.Line{
				Who: by.Who(), At: now, Action: action, Detail: detail,
				About: []audit.Thing{l.RowID.Thing(), im.Domain.Thing(), im.ID.Thing()},
			})
		}
		if err := audit.Copy(ctx, tx, lines); err != nil {
			return err
		}
	}
}

// exactlyOne is err, or one of its own when not exactly one row was written.
func exactlyOne(tag pgconn.CommandTag, err error) error {
	if n := tag.RowsAffected(); err == nil && n != 1 {
		return fmt.Errorf("%d rows written, want one", n)
	}
	return err
}
