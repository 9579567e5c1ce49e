package handover_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/handover"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m, trial.NewPart("finish", finishElsewhere)) }

// finishing is what another process of the portal does.
type finishing struct {
	Database string
	Account  person.ID
	Offer    handover.ID
	Password string
}

// finishElsewhere is that other process: it enters the session password.
func finishElsewhere(ctx context.Context, f finishing) error {
	db, err := postgres.Open(ctx, f.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	b, _, err := book(db, trial.Today, nil)
	if err != nil {
		return err
	}
	return b.Finish(ctx, person.Actor{Account: f.Account}, f.Offer, f.Password)
}

// TestAProcessKilledInTheLastTransactionLeavesTheOldContact: it had written the
// new contact and waited for a token of the old one when it was killed. Nothing
// of it stays, and the successor enters the password again.
func TestAProcessKilledInTheLastTransactionLeavesTheOldContact(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.accepted(t)
	release := r.holdUp(t)
	before := r.count(t, `select count(*) from audit_line`)
	process := trial.NewChild(t, "finish", finishing{r.url, r.ada.Account, o.ID, o.Password})
	r.awaitLocks(t, 1)
	process.Kill()
	release()
	r.awaitNobody(t)

	r.is(t, o.ID, handover.Accepted)
	r.keeps(t, r.tina, r.garden)
	if n := r.count(t, `select count(*) from audit_line`); n != before {
		t.Errorf("got %d audit lines, want %d: none of the dead process's", n, before)
	}
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina")
	r.ok(t, r.Finish(t.Context(), r.ada, o.ID, o.Password))
	r.keeps(t, r.ada, r.garden)
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina", "handover_given tina", "handover_taken ada")
}

// holdUp lets the last step wait after it has written the new contact: for a
// token of the old one, until release.
func (r *rig) holdUp(t *testing.T) (release func()) {
	t.Helper()
	_, token, err := r.Org.MakeToken(t.Context(), r.tina, person.TokenInput{
		Name: "Nachts", Form: "1", Organisations: []int64{int64(r.garden)}, Verbs: []person.Verb{"orders.read"}, Ends: r.Now().Add(day),
	})
	r.ok(t, err)
	hold, err := r.db.Begin(t.Context())
	r.ok(t, err)
	t.Cleanup(func() { hold.Rollback(context.WithoutCancel(t.Context())) })
	_, err = hold.Exec(t.Context(), `select from token where id = $1 for update`, token)
	r.ok(t, err)
	return func() { r.ok(t, hold.Rollback(t.Context())) }
}

// awaitLocks waits until so many wait for a lock.
func (r *rig) awaitLocks(t testing.TB, n int) {
	t.Helper()
	r.await(t, fmt.Sprintf("%d wait for a lock", n), `select count(*) >= $1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`, n)
}

// awaitNobody waits until nobody else is in a transaction: the server has seen
// that the other process is dead.
func (r *rig) awaitNobody(t testing.TB) {
	t.Helper()
	r.await(t, "nobody is in a transaction", `select not exists (select from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null)`)
}

func (r *rig) await(t testing.TB, what, sql string, args ...any) {
	t.Helper()
	trial.Until(t, what, func() bool {
		rows, err := r.db.Query(t.Context(), sql, args...)
		r.ok(t, err)
		yes, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
		r.ok(t, err)
		return yes
	})
}
