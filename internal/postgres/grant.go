package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// record are the tables to which who serves adds rows and of which it changes and
// loses none.
const record = "audit_line, audit_about, audit_seal"

// grants let %[1]s serve. What migrations to come make is of this owner, and so
// of that default.
const grants = `
	grant usage on schema public to %[1]s;
	grant select, insert, update, delete on all tables in schema public to %[1]s;
	grant usage, select on all sequences in schema public to %[1]s;
	alter default privileges in schema public grant select, insert, update, delete on tables to %[1]s;
	alter default privileges in schema public grant usage, select on sequences to %[1]s;
	revoke update, delete on ` + record + ` from %[1]s;
	revoke insert, update, delete on goose_db_version, river_migration from %[1]s`

// Grant lets a role serve that is there already: it may read and write the rows of
// all tables, of later migrations too, change no table, and of the audit record
// change and lose nothing. It may be asked again. It returns an error for a role
// that is not there, and for one that may do all the same: a superuser, the owner
// of the tables or whoever belongs to it.
func Grant(ctx context.Context, db *DB, role string) error {
	var super, owner bool
	err := db.QueryRow(ctx, `
		select rolsuper, pg_has_role(oid, (select relowner from pg_class where oid = 'audit_line'::regclass), 'member')
		from pg_roles where rolname = $1`, role).Scan(&super, &owner)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("there is no role %q: somebody who administers the server makes it (create role %s login password '…')", role, pgx.Identifier{role}.Sanitize())
	case err != nil:
		return fmt.Errorf("look at role %s: %w", role, err)
	case super || owner:
		return fmt.Errorf("role %q may do whatever the owner of the tables may, so nothing is granted to it: take another one for serve", role)
	}
	if _, err := db.Exec(Slow(ctx, 0), fmt.Sprintf(grants, pgx.Identifier{role}.Sanitize())); err != nil {
		return fmt.Errorf("grant to role %s: %w", role, err)
	}
	return nil
}

// Role is the role of a connection and what it may.
type Role struct {
	Name    string
	Owns    bool     // the tables are its own, or it may do all the same
	Lacks   []string // "insert on letter": what serving needs and it may not
	Changes []string // "update on audit_line": what it may and should not
}

// Serves looks what the role of db may, and returns an error that names what it
// lacks. Of tables that are not there yet it says nothing: see Current.
func Serves(ctx context.Context, db *DB) (r Role, err error) {
	err = db.QueryRow(ctx, `
		with may as (
			select c.relname as name, p.word, has_table_privilege(c.oid, p.word) as may,
				c.relname = any(string_to_array($1, ', ')) and p.word in ('update', 'delete') as spared,
				c.relname in ('goose_db_version', 'river_migration') and p.word <> 'select' as theirs
			from pg_class c cross join unnest('{select,insert,update,delete}'::text[]) with ordinality p (word, n)
			where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
			order by c.relname, p.n
		)
		select current_user, coalesce(pg_has_role((select relowner from pg_class where oid = to_regclass('audit_line')), 'usage'), false),
			(select coalesce(array_agg(word || ' on ' || name), '{}') from may where not may and not spared and not theirs),
			(select coalesce(array_agg(word || ' on ' || name), '{}') from may where may and spared)`, record).Scan(&r.Name, &r.Owns, &r.Lacks, &r.Changes)
	if err != nil {
		return r, fmt.Errorf("look what the role may: %w", err)
	}
	some, more := r.Lacks, ""
	if len(some) > 5 {
		some, more = some[:5], fmt.Sprintf(" and %d more", len(r.Lacks)-5)
	}
	if len(some) > 0 {
		err = fmt.Errorf("role %s of DATABASE_URL may not %s%s: run `petschaft migrate --grant %[1]s` as the owner of the tables", r.Name, strings.Join(some, ", "), more)
	}
	return r, err
}
