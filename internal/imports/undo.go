package imports

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// staysWords say why a line cannot be undone.
var staysWords = map[string]string{
	"gone":       "mailbox.import.stays_gone",
	"challenged": "mailbox.import.stays_challenged",
	"edited":     "mailbox.import.stays_edited",
	"rules":      "mailbox.import.stays_rules",
	"taken":      "mailbox.import.stays_taken",
}

// undo takes an applied import back, as far as nobody touched its rows since.
// What an edit ended (challenges, a link) does not come back.
func (b *Book) undo(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import) error {
	args := pgx.NamedArgs{"import": im.ID}
	err := b.Mailbox.LockMany(ctx, tx, mailbox.Query{SQL: `select row_id from import_line where import = @import and class in ('new', 'changed')`, Args: args})
	if err != nil {
		return err
	}
	if err := b.markStaying(ctx, tx, now, by, im); err != nil {
		return err
	}
	err = b.Mailbox.DeleteMany(ctx, tx, mailbox.Query{
		SQL: `select row_id from import_line where import = @import and class = 'new' and stays = ''`, Args: args,
	})
	if err != nil {
		return err
	}
	err = b.Mailbox.ChangeMany(ctx, tx, now, mailbox.Query{SQL: `
		select row_id, before_kind as kind, before_name as name, before_aliases as aliases, before_applicant as applicant, before_comment as comment
		from import_line where import = @import and class = 'changed' and stays = ''`, Args: args})
	if err != nil {
		return err
	}
	if err := b.follow(ctx, tx, now, by, im); err != nil {
		return err
	}
	deleted := func(l storedLine) (string, audit.Detail) { return "mailbox.deleted", l.after().Detail() }
	if err := b.noteLines(ctx, tx, now, by, im, LineNew, deleted); err != nil {
		return err
	}
	back := func(l storedLine) (string, audit.Detail) {
		before := l.before()
		return "mailbox.edited", mailbox.Differences(
			mailbox.Row{Kind: l.Kind, Name: l.Name, Aliases: l.Aliases, Applicant: l.Applicant, Comment: l.Comment},
			mailbox.Draft{Kind: before.Kind, Name: before.Name, Aliases: before.Aliases, Applicant: before.Applicant, Comment: before.Comment})
	}
	if err := b.noteLines(ctx, tx, now, by, im, LineChanged, back); err != nil {
		return err
	}
	err = exactlyOne(tx.Exec(ctx, `update import set state = 'undone', since = @now, undone = @now, undone_by = @by, tries = 0, trouble = '',
			stays = (select count(*) from import_line where import = @import and stays <> '') where id = @import and state = 'undoing'`,
		pgx.NamedArgs{"import": im.ID, "now": now, "by": by.Account}))
	if err != nil {
		return fmt.Errorf("end undoing: %w", err)
	}
	return b.note(ctx, tx, now, by.Who(), "mailbox.import_undone", audit.Detail{"file": im.FileName, "import": im.ID}, im.ID.Thing(), im.Domain.Thing())
}

// markStaying writes into the lines why they cannot be undone.
func (b *Book) markStaying(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, im Import) error {
	d, err := b.Mailbox.Org.DomainIn(ctx, tx, by, string(im.DomainName))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		with found as (
			select l.class, l.line, case
				when r.id is null then 'gone'
				when r.challenged <> coalesce(l.challenged, false)
					or exists (select from challenge_round n where n.row_id = r.id and n.id > m.last_round) then 'challenged'
				when r.version <> coalesce(l.version, 0) + 1 then 'edited'
				when l.before_kind = 'functional' and l.kind = 'personal' and $3 <> 'domain'
					or l.new_aliases and exists (select from unnest(l.before_aliases) a
						where split_part(a, '@', 2) not in (select d.name from email_domain d where d.contact_group = $2)) then 'rules'
				else '' end as why
			from import m join import_line l on l.import = m.id left join address_row r on r.id = l.row_id
			where m.id = $1 and l.class in ('new', 'changed'))
		update import_line l set stays = f.why from found f where l.import = $1 and l.class = f.class and l.line = f.line and f.why <> ''`,
		im.ID, d.Group, d.Validation)
	if err != nil {
		return fmt.Errorf("look what was touched: %w", err)
	}
	if err := gatherUndo(ctx, tx, im.ID); err != nil {
		return err
	}
	bad, err := b.contested(ctx, tx, now, d, nil)
	if err != nil || len(bad) == 0 {
		return err
	}
	lines := make([]int, 0, len(bad))
	for line := range bad {
		lines = append(lines, line)
	}
	_, err = tx.Exec(ctx, `update import_line set stays = 'taken' where import = $1 and class = 'changed' and line = any($2)`, im.ID, lines)
	if err != nil {
		return fmt.Errorf("note taken addresses: %w", err)
	}
	return nil
}

// gatherUndo gathers the addresses as they are when the import is undone: those
// of new rows are free then.
func gatherUndo(ctx context.Context, tx pgx.Tx, id ID) error {
	return gather(ctx, tx, `
		insert into import_move (line, row_id, active, known)
		select line, row_id, active, true from import_line where import = $1 and class in ('new', 'changed') and stays = ''`, `
		insert into import_claim (line, row_id, place, folded, active, known)
		select l.line, l.row_id, u.place - 1, lower(u.address collate "C"), l.active, true
		from import_line l, unnest(array_prepend(l.primary_address, l.before_aliases)) with ordinality u (address, place)
		where l.import = $1 and l.class = 'changed' and l.stays = ''`, id)
}

// staying runs f on an import whose lines say why they stay: stored ones, or
// those that would stay now.
func (b *Book) staying(ctx context.Context, im Import, f func(q pgx.Tx) error) error {
	tx, err := b.DB.Begin(ctx)
	if err != nil {
		return fmt.Errorf("look what stays: %w", err)
	}
	defer tx.Rollback(ctx) // what was marked is for this look only
	if im.State == Applied {
		if err := b.markStaying(ctx, tx, b.Now(), person.Actor{Officer: true}, im); err != nil {
			return err
		}
	}
	return f(tx)
}

// Stays returns lines of an applied import that cannot be undone, or of an
// undone one that were not, behind the line after, with the reason in Stays.
func (b *Book) Stays(ctx context.Context, im Import, after, limit int) (lines []Line, err error) {
	return lines, b.staying(ctx, im, func(q pgx.Tx) (err error) {
		rows, err := q.Query(ctx, `select `+storedColumns+` from `+storedTables+`
			where l.import = @import and l.class in ('new', 'changed') and l.stays <> '' and l.line > @after order by l.line limit @limit`,
			pgx.NamedArgs{"import": im.ID, "after": after, "limit": limit})
		lines, err = showLines(collectLines(im.ID, rows, err))
		return err
	})
}

// Undoable counts the lines of an applied import that can be undone, and those
// that cannot.
func (b *Book) Undoable(ctx context.Context, im Import) (can, stays int, err error) {
	return can, stays, b.staying(ctx, im, func(q pgx.Tx) error {
		return q.QueryRow(ctx, `select count(*) filter (where stays = ''), count(*) filter (where stays <> '')
			from import_line where import = $1 and class in ('new', 'changed')`, im.ID).Scan(&can, &stays)
	})
}
