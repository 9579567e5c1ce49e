package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// serving opens the database of url as a role that may serve.
func serving(t *testing.T, url string) (owner, run *postgres.DB, role string) {
	t.Helper()
	owner, role = pgtest.Open(t, url), "serve_"+strings.ToLower(rand.Text())
	trial.Must(owner.Exec(t.Context(), "create role "+role+" login"))
	admin := pgtest.Open(t, url)
	t.Cleanup(func() {
		if _, err := admin.Exec(context.WithoutCancel(t.Context()), "drop owned by "+role+"; drop role "+role); err != nil {
			t.Errorf("drop the role: %v", err)
		}
	})
	trial.Must(0, postgres.Grant(t.Context(), owner, role))
	return owner, pgtest.Open(t, strings.Replace(url, "postgres://postgres@", "postgres://"+role+"@", 1)), role
}

const aLine = `insert into audit_line (at, action, salt, detail, digest) values (now(), 'test.done', '\x00', '{"mail": "ada@uni.example"}', sha256('\x00'::bytea || '{"mail": "ada@uni.example"}'::bytea)) returning id`

func TestWhoServesChangesNothingOfTheRecord(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	owner, run, role := serving(t, url)
	var line int64
	if err := run.QueryRow(t.Context(), aLine).Scan(&line); err != nil {
		t.Fatalf("a line by who serves: %v", err)
	}
	for _, sql := range []string{
		"update audit_line set action = 'x'", "update audit_line set detail = null, salt = null", "delete from audit_line", "truncate audit_line cascade",
		"update audit_about set id = 1", "delete from audit_about", "truncate audit_about",
		"update audit_seal set hash = '\\x00'", "delete from audit_seal", "truncate audit_seal",
		"alter table audit_line disable trigger all", "drop trigger audit_line_append_only on audit_line", "drop table audit_seal cascade",
		"create table mine (id int)", "update goose_db_version set version_id = 1", "delete from river_migration",
		"select audit_erase(1, 'because')", "set session_replication_role = replica",
	} {
		_, err := run.Exec(t.Context(), sql)
		if wrong, ok := errors.AsType[*pgconn.PgError](err); !ok || wrong.Code != "42501" && wrong.Code != "01007" {
			t.Errorf("%s: got %v, want that it is not permitted", sql, err)
		}
	}
	r := trial.Must(postgres.Serves(t.Context(), run))
	if r.Name != role || r.Owns || len(r.Lacks)+len(r.Changes) > 0 {
		t.Errorf("the role that serves is %+v, want neither more nor less than it needs", r)
	}
	if r := trial.Must(postgres.Serves(t.Context(), owner)); !r.Owns {
		t.Errorf("the owner is %+v, want one that owns and lacks nothing", r)
	}
}

func TestWhatARoleLacksOrMayTooMuchIsNamed(t *testing.T) {
	t.Parallel()
	owner, run, role := serving(t, pgtest.URL(t))
	trial.Must(owner.Exec(t.Context(), "grant update on audit_line to "+role+"; revoke insert on letter from "+role))
	r, err := postgres.Serves(t.Context(), run)
	if !slices.Equal(r.Lacks, []string{"insert on letter"}) || !slices.Equal(r.Changes, []string{"update on audit_line"}) {
		t.Errorf("got %+v", r)
	}
	if err == nil || !strings.Contains(err.Error(), "insert on letter") || !strings.Contains(err.Error(), "petschaft migrate --grant "+role) {
		t.Errorf("it is told as %v", err)
	}
	trial.Must(0, postgres.Grant(t.Context(), owner, role))
	trial.Must(owner.Exec(t.Context(), "create table later (id int)"))
	if r := trial.Must(postgres.Serves(t.Context(), run)); len(r.Lacks)+len(r.Changes) > 0 {
		t.Errorf("after another grant, and with a table made later: %+v", r)
	}
}

func TestNothingIsGrantedToWhoMayAllTheSame(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for role, says := range map[string]string{"nobody there": "there is no role", "postgres": "may do whatever the owner"} {
		if err := postgres.Grant(t.Context(), db, role); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a grant to %s: got %v", role, err)
		}
	}
}

func TestDetailIsErasedByAFunctionThatSaysSo(t *testing.T) {
	t.Parallel()
	owner, run, role := serving(t, pgtest.URL(t))
	var line int64
	if err := run.QueryRow(t.Context(), aLine).Scan(&line); err != nil {
		t.Fatal(err)
	}
	trial.Must(owner.Exec(t.Context(), `insert into audit_about (line, kind, id) values ($1, 'account', 7)`, line))
	trial.Must(owner.Exec(t.Context(), "grant execute on function audit_erase to "+role))
	erase := trial.Paper(t, "docs/operations.md", "erase.sql")
	if _, err := run.Exec(t.Context(), erase); err == nil || !strings.Contains(err.Error(), "there is no line 4711") {
		t.Errorf("a line that is not there: got %v", err)
	}
	if _, err := run.Exec(t.Context(), "select audit_erase($1, ' ')", line); err == nil {
		t.Error("it is erased without a reason")
	}
	var own int64
	if err := run.QueryRow(t.Context(), "select audit_erase($1, 'she asked')", line).Scan(&own); err != nil {
		t.Fatal(err)
	}
	var gone, told bool
	err := owner.QueryRow(t.Context(), `
		select (select detail is null and salt is null from audit_line where id = $1),
			(select action = 'audit.erased' and digest = sha256(salt || convert_to(detail::text, 'UTF8')) and detail->>'line' = $1::text
				and detail->>'reason' = 'she asked' and detail->>'role' = $3 from audit_line where id = $2)
			and exists (select from audit_about where line = $2 and kind = 'account' and id = 7)`, line, own, role).Scan(&gone, &told)
	if err != nil || !gone || !told {
		t.Errorf("erased %v, told %v, %v", gone, told, err)
	}
}
