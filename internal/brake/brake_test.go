package brake_test

import (
	"errors"
	"testing"
	"time"

	"petschaft/internal/brake"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

var looks = brake.Brake{Kind: "test.look", Most: 3, Per: time.Hour}

func TestWhoDoesItTooOftenIsHeldUntilTheTimeIsOver(t *testing.T) {
	t.Parallel()
	db, clock := pgtest.New(t), trial.NewClock()
	ends := clock.Now().Add(time.Hour)
	for i, want := range []bool{false, false, false, true, true} {
		got := trial.Must(looks.Take(t.Context(), db, clock.Now(), "ada"))
		if got.Held != want || !got.Until.Equal(ends) {
			t.Errorf("time %d: got %+v, want held %v until %s, an hour after the first", i+1, got, want, ends)
		}
		clock.Advance(time.Minute)
	}
	if got := trial.Must(looks.Take(t.Context(), db, clock.Now(), "bob")); got.Held {
		t.Error("somebody else is held for it")
	}
	other := brake.Brake{Kind: "test.call", Most: 3, Per: time.Hour}
	if got := trial.Must(other.Take(t.Context(), db, clock.Now(), "ada")); got.Held {
		t.Error("she is held for something else")
	}
	if got := trial.Must(looks.Take(t.Context(), db, ends, "ada")); got.Held || !got.Until.Equal(ends.Add(time.Hour)) {
		t.Errorf("got %+v when the hour is over, want a new one", got)
	}
}

func TestOfFiftyAtOnceExactlyAsManyPassAsAreLeft(t *testing.T) {
	t.Parallel()
	db, clock := pgtest.New(t), trial.NewClock()
	passed, held := errors.New("passed"), errors.New("held")
	for range 3 {
		got := trial.Race(50, error.Error, func(int) error {
			took, err := looks.Take(t.Context(), db, clock.Now(), "ada")
			switch {
			case err != nil:
				return err
			case took.Held:
				return held
			}
			return passed
		})
		trial.Expect(t, got, map[string]int{"passed": 3, "held": 47})
		clock.Advance(time.Hour)
	}
}

func TestACountThatIsOverIsForgotten(t *testing.T) {
	t.Parallel()
	db, clock := pgtest.New(t), trial.NewClock()
	trial.Must(looks.Take(t.Context(), db, clock.Now(), "ada"))
	clock.Advance(30 * time.Minute)
	trial.Must(looks.Take(t.Context(), db, clock.Now(), "bob"))
	clock.Advance(30 * time.Minute)
	if err := brake.Tidy(t.Context(), db, clock.Now()); err != nil {
		t.Fatal(err)
	}
	var left string
	if err := db.QueryRow(t.Context(), `select string_agg(who, ',') from brake`).Scan(&left); err != nil || left != "bob" {
		t.Errorf("got %q left and %v, want bob's", left, err)
	}
}
