package trial_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"petschaft/internal/trial"
)

type echo struct{ Word string }

func TestMain(m *testing.M) {
	trial.Main(m,
		trial.NewPart("echo", func(_ context.Context, in echo) error {
			fmt.Println(in.Word)
			_, err := bufio.NewReader(os.Stdin).ReadString('\n')
			fmt.Println("told")
			return err
		}),
		trial.NewPart("fail", func(context.Context, echo) error { return errors.New("as asked") }),
		trial.NewPart("hang", func(ctx context.Context, _ echo) error { <-ctx.Done(); return nil }))
}

func TestTodayIsMovedByTheEnvironmentOnly(t *testing.T) {
	t.Setenv("PETSCHAFT_TEST_DAYS", "")
	fixed := trial.Today()
	for days, want := range map[string]time.Duration{"200": 200 * trial.Day, "-200": -200 * trial.Day} {
		t.Setenv("PETSCHAFT_TEST_DAYS", days)
		if got := trial.Today().Sub(fixed); got != want {
			t.Errorf("PETSCHAFT_TEST_DAYS=%s moves today by %v, want %v", days, got, want)
		}
	}
}

func TestAClockStandsUntilItIsMoved(t *testing.T) {
	t.Parallel()
	c := trial.NewClock()
	c.Advance(time.Hour)
	if got, want := c.Now(), trial.Today().Add(time.Hour); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("an hour later the clock says %v, want %v", got, want)
	}
	c.Set(trial.Today())
	if got := c.Now(); !got.Equal(trial.Today()) {
		t.Errorf("got %v, want the time it was set to", got)
	}
}

func TestAChildPlaysItsPart(t *testing.T) {
	t.Parallel()
	c := trial.NewChild(t, "echo", echo{"Grüße"})
	c.Expect("Grüße")
	c.Tell()
	c.Expect("told")
	if err := c.Wait(); err != nil {
		t.Errorf("got %v, want it to end well", err)
	}
	for _, part := range []string{"fail", "unknown"} {
		if err := trial.NewChild(t, part, echo{}).Wait(); err == nil {
			t.Errorf("part %s ended well, want an exit code", part)
		}
	}
	trial.NewChild(t, "hang", echo{}).Kill()
}

func TestUntilEndsWithTheFirstYes(t *testing.T) {
	t.Parallel()
	asked := 0
	trial.Until(t, "asked three times", func() bool { asked++; return asked == 3 })
	if asked != 3 {
		t.Errorf("asked %d times, want three", asked)
	}
}

// verdict is a test that only notes whether it failed.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Errorf(string, ...any) { v.failed = true }

func TestOnceJumpsAndCounts(t *testing.T) {
	t.Parallel()
	c := trial.NewClock()
	for reads, want := range []bool{true, false, true} {
		v := &verdict{TB: t}
		c.Set(trial.Today())
		c.Once(v, "read", func() error {
			for range reads {
				c.Now()
			}
			return nil
		})
		if got := c.Now().Sub(trial.Today()); v.failed != want || got != time.Duration(reads)*time.Hour {
			t.Errorf("%d readings: got failed %t and %v later, want %t", reads, v.failed, got, want)
		}
	}
	v := &verdict{TB: t}
	c.Once(v, "fail", func() error { c.Now(); return errors.New("as asked") })
	if !v.failed {
		t.Error("an operation that fails passes, want it to fail the test")
	}
}

func TestARaceCountsWhatEachSaid(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	all.Add(3)
	got := trial.Race(3, func(err error) string { return fmt.Sprint(err) }, func(i int) error {
		all.Done()
		all.Wait() // nobody passes unless all run at once
		if i == 0 {
			return nil
		}
		return errors.New("late")
	})
	trial.Expect(t, got, map[string]int{"<nil>": 1, "late": 2})
	for _, other := range []map[string]int{{"<nil>": 1, "late": 1}, {"<nil>": 1}, {"<nil>": 1, "late": 2, "": 1}} {
		v := &verdict{TB: t}
		if trial.Expect(v, got, other); !v.failed {
			t.Errorf("got %v, and %v passed", got, other)
		}
	}
}
