package queue

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/pgtest"
)

// only is queued once for each row.
type only struct {
	Row int64 `json:"row"`
}

func (only) Kind() string { return "only" }

func (only) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

func (r *rig) rows() (rows []int64) {
	r.t.Helper()
	all, err := r.db.Query(r.t.Context(), `select (args->>'row')::bigint from river_job order by id`)
	if err != nil {
		r.t.Fatal(err)
	}
	if rows, err = pgx.CollectRows(all, pgx.RowTo[int64]); err != nil {
		r.t.Fatal(err)
	}
	return rows
}

func TestTheJobsOfATransactionAreInsertedAtItsEndInTheirOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put(errand{Row: 0}) // whoever works was told a moment ago
	count := pgtest.Queries(t, r.db)
	err := r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		for i := range int64(5) {
			if err := r.Insert(t.Context(), tx, errand{Row: 2*i + 1}, errand{Row: 2*i + 2}); err != nil {
				return err
			}
		}
		if n := count(); n != 0 {
			t.Errorf("got %d statements before the end, want none", n)
		}
		return r.Insert(t.Context(), tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(); n > 2 {
		t.Errorf("got %d statements for ten jobs, want one and at most one to tell of them", n)
	}
	for i, row := range r.rows() {
		if row != int64(i) {
			t.Fatalf("got %v, want the jobs in the order in which they came", r.rows())
		}
	}
	if n := len(r.rows()); n != 11 {
		t.Errorf("got %d jobs, want all 11", n)
	}
}

func TestJobsOfATransactionThatFailsAreNotThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	err := r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		return errors.Join(r.Insert(t.Context(), tx, errand{Row: 1}), errors.New("no"))
	})
	if err == nil || len(r.rows()) != 0 {
		t.Errorf("got %v and the jobs %v, want an error and none", err, r.rows())
	}
	err = r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		no := pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error {
			return errors.Join(r.Insert(t.Context(), tx, errand{Row: 2}), errors.New("no"))
		})
		if no == nil {
			t.Error("the savepoint went well")
		}
		return pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error { return r.Insert(t.Context(), tx, errand{Row: 3}) })
	})
	if rows := r.rows(); err != nil || len(rows) != 1 || rows[0] != 3 {
		t.Errorf("got %v and the jobs %v, want the one of the savepoint that was kept", err, rows)
	}
}

func TestJobsOfAnotherTransactionAreThereAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	err := pgx.BeginFunc(t.Context(), r.db, func(tx pgx.Tx) error {
		if err := r.Insert(t.Context(), tx, errand{Row: 1}); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(t.Context(), `select count(*) from river_job`).Scan(&n); err != nil || n != 1 {
			t.Errorf("got %d jobs and %v in the transaction, want 1", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTwoQueuesInOneTransactionBothInsert(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.another()
	err := r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		return errors.Join(r.Insert(t.Context(), tx, errand{Row: 1}), other.Insert(t.Context(), tx, errand{Row: 2}))
	})
	if n := len(r.rows()); err != nil || n != 2 {
		t.Errorf("got %d jobs and %v, want 2", n, err)
	}
}

func TestAUniqueJobThatIsQueuedTwiceInATransactionIsOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put(only{Row: 1}, only{Row: 2}, only{Row: 1}, errand{Row: 3}, errand{Row: 3})
	if n := len(r.rows()); n != 4 {
		t.Errorf("got the jobs %v, want the unique ones once and the others twice", r.rows())
	}
}
