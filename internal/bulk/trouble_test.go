package bulk_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/bulk"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// trouble makes changing an address row meet what, a statement of PL/pgSQL, the
// first times that it happens to a row that only picks.
func (r *rig) trouble(what string, times int, only string) {
	r.t.Helper()
	_, err := r.db.Exec(r.t.Context(), fmt.Sprintf(`create sequence trouble;
		create function trouble() returns trigger language plpgsql as $$ begin
			if %s and nextval('trouble') <= %d then %s; end if;
			return new;
		end $$;
		create trigger trouble before update on address_row for each row execute function trouble()`, only, times, what))
	r.ok(err)
}

// persist works until the bulk is over, however often the database is in
// trouble, and returns how often it was.
func (r *rig) persist(id bulk.ID) (x bulk.Bulk, troubles int) {
	r.t.Helper()
	trial.Until(r.t, "the work ends", func() bool {
		wait, more, err := r.Batch(r.t.Context(), id)
		switch {
		case err != nil:
			troubles++
		case !more: // a session that was cut keeps the row until it has died
			if x = r.one(id); x.State != bulk.Running {
				return true
			}
		}
		r.clock.Advance(wait)
		return false
	})
	return x, troubles
}

func raise(code string) string {
	return fmt.Sprintf(`raise exception 'trouble' using errcode = '%s'`, code)
}

func TestPassingTroubleBringsTheRowsBackLater(t *testing.T) {
	t.Parallel()
	const (
		cut       = `perform pg_terminate_backend(pg_backend_pid())`
		cancelled = `perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(10)`
	)
	for name, c := range map[string]struct {
		what  string
		times int
	}{
		"the disk is full":              {raise("53100"), 2 * postgres.Tries},
		"memory is short":               {raise("53200"), 2 * postgres.Tries},
		"the disk fails":                {raise("58030"), 2 * postgres.Tries},
		"a standby":                     {raise("25006"), 2 * postgres.Tries},
		"something is in use":           {raise("55006"), 2 * postgres.Tries},
		"the server shuts down":         {raise("57P01"), 2 * postgres.Tries},
		"a connection error":            {raise("08006"), 2 * postgres.Tries},
		"the connection is cut":         {cut, 5},
		"a statement is cancelled":      {cancelled, 3},
		"Postgres is confused":          {raise("XX000"), postgres.Tries - 1},
		"it deadlocks again and again":  {raise("40P01"), 4 * 2 * postgres.Tries},
		"a statement is cancelled long": {raise("57014"), postgres.Tries - 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			ids := r.many(3)
			id := r.started(bulk.Deactivate)
			r.trouble(c.what, c.times, "true")
			x, troubles := r.persist(id)
			if x.State != bulk.Done || x.Done != len(ids) || x.Failed+x.LeftOut != 0 || troubles == 0 {
				t.Errorf("got %+v after %d troubles, want every row done in the end", x, troubles)
			}
			if n := r.audited("mailbox.deactivated"); n != len(ids) {
				t.Errorf("got %d deactivations, want %d", n, len(ids))
			}
		})
	}
}

// TestWhatMayBeARowsOwnTroubleIsTriedTwentyTimes: then it fails, alone.
func TestWhatMayBeARowsOwnTroubleIsTriedTwentyTimes(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"57014", "XX001"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			ids := r.many(4)
			id := r.started(bulk.Deactivate)
			r.trouble(raise(code), 1_000_000, fmt.Sprintf("new.id = %d", ids[1]))
			x, troubles := r.persist(id)
			if failed := r.items(id, bulk.Failed); x.Done != 3 || len(failed) != 1 || failed[0].Row != ids[1] {
				t.Errorf("got %+v with %v failed, want the one row failed and the others done", x, failed)
			}
			if troubles != postgres.Tries-1 {
				t.Errorf("it was put off %d times, want the %dth try to be the last", troubles, postgres.Tries)
			}
		})
	}
}

func TestAVerdictOfPostgresFailsTheRowAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := r.many(3)
	id := r.started(bulk.Deactivate)
	r.trouble(raise("22012"), 1_000_000, fmt.Sprintf("new.id = %d", ids[0]))
	if x, troubles := r.persist(id); x.Done != 2 || x.Failed != 1 || troubles != 0 {
		t.Errorf("got %+v after %d troubles, want one row failed at the first try", x, troubles)
	}
}

// TestTroubleWhileRightsAreAskedCancelsNothing: that nobody could be asked is no
// loss of rights.
func TestTroubleWhileRightsAreAskedCancelsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(2)
	id := r.started(bulk.Deactivate)
	tx, err := r.db.Begin(t.Context())
	r.ok(err)
	defer tx.Rollback(t.Context())
	_, err = tx.Exec(t.Context(), `lock table account in access exclusive mode`)
	r.ok(err)
	quick, err := postgres.Open(t.Context(), r.db.Config().ConnString(), func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["lock_timeout"] = "200ms" })
	r.ok(err)
	t.Cleanup(quick.Close)
	worker := *r.Book
	worker.DB = quick
	if _, _, err := worker.Batch(t.Context(), id); err == nil {
		t.Error("got no error from a batch that could not ask whether it may")
	}
	r.ok(tx.Rollback(t.Context()))
	if x := r.one(id); x.State != bulk.Running {
		t.Errorf("got state %s (%s), want it running on", x.State, x.Reason)
	}
	if x := r.finish(id); x.Done != 2 {
		t.Errorf("got %+v, want it done", x)
	}
}
