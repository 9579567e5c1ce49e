package mail

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/pgtest"
)

// letters are the ids of the letters and of their jobs, each in its order.
func (b *box) letters(t *testing.T) (letters, jobs []int64) {
	t.Helper()
	for sql, into := range map[string]*[]int64{
		`select id from letter order by id`:                           &letters,
		`select (args->>'letter')::bigint from river_job order by id`: &jobs,
	} {
		rows, err := b.db.Query(t.Context(), sql)
		if err == nil {
			*into, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return letters, jobs
}

func (b *box) postMany(t *testing.T, n int) error {
	return b.db.Tx(t.Context(), func(tx pgx.Tx) error {
		for range n {
			if err := b.Post(t.Context(), tx, note); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestTheLettersOfATransactionAndTheirJobsAreAStatementEach(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.post(t, note)
	count := pgtest.Queries(t, b.db)
	if err := b.postMany(t, 20); err != nil {
		t.Fatal(err)
	}
	if n := count(); n > 3 {
		t.Errorf("got %d statements, want one for the letters, one for their jobs, and at most one that tells of those", n)
	}
	letters, jobs := b.letters(t)
	if len(letters) != 21 || !slices.Equal(letters, jobs) {
		t.Errorf("got letters %v and jobs for %v, want each with its job, in their order", letters, jobs)
	}
}

func TestNumbersGrowWithTheLettersOfAProcess(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				if err := b.postMany(t, numbersAtOnce/2+7); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	letters, jobs := b.letters(t)
	if want := 12 * (numbersAtOnce/2 + 7); len(letters) != want || len(slices.Compact(slices.Sorted(slices.Values(jobs)))) != want {
		t.Errorf("got %d letters and %d jobs, want %d each", len(letters), len(jobs), want)
	}
}

func TestALetterThatIsUndoneLeavesAGap(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	first := b.post(t, note)
	err := b.db.Tx(t.Context(), func(tx pgx.Tx) error {
		return errors.Join(b.Post(t.Context(), tx, note), errors.New("no"))
	})
	if next := b.post(t, note); err == nil || next != first+2 {
		t.Errorf("got letter %d after %d and %v, want the number between unused", next, first, err)
	}
	letters, jobs := b.letters(t)
	if len(letters) != 2 || len(jobs) != 2 {
		t.Errorf("got %v and jobs for %v, want two", letters, jobs)
	}
}

func TestAnotherProcessDrawsOtherNumbers(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	other := &box{Outbox: &Outbox{DB: b.db, Queue: b.queue, Now: b.now}, db: b.db}
	one, two, three := b.post(t, note), other.post(t, note), ID(0)
	err := b.db.Tx(t.Context(), func(tx pgx.Tx) error {
		if err := b.Post(t.Context(), tx, note); err != nil {
			return err
		}
		return tx.QueryRow(t.Context(), `select max(id) from letter where id <> $1`, two).Scan(&three)
	})
	if err != nil || three != one+1 || two <= three {
		t.Errorf("got %d and %d of one process, %d of the other, %v", one, three, two, err)
	}
	// The version before draws them one by one.
	if _, err := b.db.Exec(t.Context(), `insert into letter (kind, recipient, words, state, created, since) values ('x', 'x', '{}', 'queued', now(), now())`); err != nil {
		t.Error(err)
	}
}

func TestNumbersThatLayTooLongAreNotUsed(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	first := b.post(t, note)
	b.numbers.drawn = b.numbers.drawn.Add(-2 * numbersFresh)
	if next := b.post(t, note); next != first+numbersAtOnce {
		t.Errorf("got letter %d after %d, want one of the next block", next, first)
	}
	n := numbers{drawn: time.Now(), free: []ID{101}}
	if id := n.take([]ID{51, 52}); id != 101 {
		t.Errorf("got %d, want the greater block to stay", id)
	}
}
