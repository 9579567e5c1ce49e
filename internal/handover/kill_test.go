package handover_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/handover"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// The environment of a test binary that is to be another process of the portal.
const (
	childDatabase = "PETSCHAFT_CHILD_DATABASE"
	childOffer    = "PETSCHAFT_CHILD_OFFER"
	childAccount  = "PETSCHAFT_CHILD_ACCOUNT"
	childPassword = "PETSCHAFT_CHILD_PASSWORD"
)

func TestMain(m *testing.M) {
	if os.Getenv(childOffer) == "" {
		os.Exit(m.Run())
	}
	if err := finishElsewhere(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// finishElsewhere is that other process: it enters the session password.
func finishElsewhere() error {
	offer, err := strconv.ParseInt(os.Getenv(childOffer), 10, 64)
	if err != nil {
		return err
	}
	account, err := strconv.ParseInt(os.Getenv(childAccount), 10, 64)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // nobody is left over
	defer cancel()
	db, err := postgres.Open(ctx, os.Getenv(childDatabase))
	if err != nil {
		return err
	}
	defer db.Close()
	b, _, err := book(db, trial.Today, nil)
	if err != nil {
		return err
	}
	return b.Finish(ctx, person.Actor{Account: person.ID(account)}, handover.ID(offer), os.Getenv(childPassword))
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
	process := r.elsewhere(t, o)
	r.awaitLocks(t, 1)
	r.ok(t, process.Process.Kill())
	if err := process.Wait(); err == nil {
		t.Fatal("the process ended well, want it killed")
	}
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

func (r *rig) elsewhere(t *testing.T, o handover.WithPassword) *exec.Cmd {
	t.Helper()
	c := exec.Command(must(os.Executable()))
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	c.Env = append(os.Environ(), childDatabase+"="+r.url, fmt.Sprintf("%s=%d", childOffer, o.ID),
		fmt.Sprintf("%s=%d", childAccount, r.ada.Account), childPassword+"="+o.Password)
	r.ok(t, c.Start())
	t.Cleanup(func() {
		c.Process.Kill() // it may be over
		c.Wait()
		if t.Failed() {
			t.Logf("the other process said: %s", &said)
		}
	})
	return c
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
