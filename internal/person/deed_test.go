package person_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

// doing is ada with a deed.
func (d *desk) doing(key, what string) person.Actor {
	by := d.ada
	by.Deed = &person.Deed{Key: key, Digest: func() []byte { return []byte(what) }}
	return by
}

// once asks for it in a transaction of its own.
func (d *desk) once(t *testing.T, by person.Actor, do func() (person.ID, error)) (id person.ID, err error) {
	t.Helper()
	return id, d.DB.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		id, err = person.Once(t.Context(), tx, by, d.Now(), do)
		return err
	})
}

// makes returns n and counts how often it was called.
func makes(n person.ID, times *int) func() (person.ID, error) {
	return func() (person.ID, error) { *times++; return n, nil }
}

func TestADeedIsDoneOnceForADay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	times := 0
	want := func(what string, by person.Actor, n, id person.ID, done int) {
		t.Helper()
		again := times == done
		if got, err := d.once(t, by, makes(n, &times)); got != id || err != nil || times != done {
			t.Errorf("%s: got %d and %v, done %d times; want %d and %d times", what, got, err, times, id, done)
		}
		if by.Deed != nil && by.Deed.Again() != again {
			t.Errorf("%s: it says again: %v, want %v", what, by.Deed.Again(), again)
		}
	}
	want("without a key", d.ada, 1, 1, 1)
	want("without a key again", d.ada, 2, 2, 2)
	want("the first time", d.doing("k", "x"), 7, 7, 3)
	want("the second time", d.doing("k", "x"), 8, 7, 3)
	want("another key", d.doing("K", "x"), 9, 9, 4)
	other := d.doing("k", "y")
	other.Account = d.officer.Account
	want("somebody else's key", other, 10, 10, 5)
	d.later(person.DeedLife - time.Second)
	if err := d.ForgetDeeds(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("almost a day later", d.doing("k", "x"), 11, 7, 5)
	d.later(time.Second)
	want("a day later", d.doing("k", "y"), 12, 12, 6)
	if err := d.ForgetDeeds(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := d.DB.QueryRow(t.Context(), `select count(*) from deed`).Scan(&left); left != 1 || err != nil {
		t.Errorf("got %d deeds and %v, want the new one alone", left, err)
	}
}

func TestAKeyBelongsToWhatWasDone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	times := 0
	if _, err := d.once(t, d.doing("k", "x"), makes(7, &times)); err != nil {
		t.Fatal(err)
	}
	by := d.doing("k", "y")
	_, err := d.once(t, by, makes(8, &times))
	campus.Wants(t, err, "api.key_reused")
	if times != 1 || !by.Deed.Strange() || by.Deed.Again() {
		t.Errorf("done %d times, want once", times)
	}
}

func TestWhatFailedIsNoDeed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	times, broken := 0, errors.New("broken")
	if _, err := d.once(t, d.doing("k", "x"), func() (person.ID, error) { return 7, broken }); !errors.Is(err, broken) {
		t.Fatalf("got %v, want what went wrong", err)
	}
	if id, err := d.once(t, d.doing("k", "y"), makes(8, &times)); id != 8 || err != nil {
		t.Errorf("got %d and %v, want it done now", id, err)
	}
}

func TestWhoAsksForTheRightAloneDoesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	by, times := d.doing("k", "x"), 0
	by.Deed.Answered = true
	if by.Deed.Allowed() {
		t.Error("it is allowed before anybody asked")
	}
	_, err := d.once(t, by, makes(7, &times))
	campus.Wants(t, err, "deed.answered")
	_, err = person.Done[person.ID](t.Context(), d.DB, by, d.Now())
	campus.Wants(t, err, "deed.answered")
	var left int
	if err := d.DB.QueryRow(t.Context(), `select count(*) from deed`).Scan(&left); left+times != 0 || err != nil || !by.Deed.Allowed() {
		t.Errorf("got %d deeds, done %d times, allowed %v, %v; want the answer that it is allowed", left, times, by.Deed.Allowed(), err)
	}
}

func TestFiftyOfTwoProcessesDoItOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	pools := []*postgres.DB{d.DB, pgtest.Open(t, d.DB.Config().ConnString())}
	var times atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			var id person.ID
			by := d.doing("k", "x")
			err := pools[i%2].Tx(t.Context(), func(tx pgx.Tx) (err error) {
				id, err = person.Once(t.Context(), tx, by, d.Now(), func() (person.ID, error) { return person.ID(100 + times.Add(1)), nil })
				return err
			})
			if id != 101 || err != nil {
				t.Errorf("got %d and %v, want 101", id, err)
			}
		})
	}
	all.Wait()
	if n := times.Load(); n != 1 {
		t.Errorf("done %d times, want once", n)
	}
}
