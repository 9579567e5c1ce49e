// Package trial is the ground of tests: the day they begin on and a clock that
// they move, waiting for what others do, many at once, another process of the test
// binary. It decides what today is in a test and how long one waits; it knows no room of
// the portal, and what is tested it never does.
package trial

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// shift is the environment variable that moves Today by so many days.
const shift = "PETSCHAFT_TEST_DAYS"

// Day is one of a clock in UTC.
const Day = 24 * time.Hour

// Today is when tests begin: a fixed day, so that what passes on one passes on
// any other. PETSCHAFT_TEST_DAYS=200 or -200 shows that none hangs on that day
// either (go test -count=1, for its cache does not see the change).
func Today() time.Time {
	today := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	days := os.Getenv(shift)
	if days == "" {
		return today
	}
	n, err := strconv.Atoi(days)
	if err != nil {
		panic(fmt.Sprintf("%s=%q: want a number of days, as in 200 or -200", shift, days))
	}
	return today.AddDate(0, 0, n)
}

// Machine is the machine's day, to the second: for tests in which foreign programs
// check what was made in them, for they know no other.
func Machine() time.Time { return time.Now().UTC().Truncate(time.Second) }

// Clock is a time that tests move.
type Clock struct {
	micros atomic.Int64
	jumps  atomic.Bool
	reads  atomic.Int64 // while it jumps
}

// NewClock stands at Today.
func NewClock() *Clock { return ClockAt(Today()) }

// ClockAt stands at a time, to the microsecond, as Postgres keeps it.
func ClockAt(t time.Time) *Clock {
	c := &Clock{}
	c.Set(t)
	return c
}

// Now is in UTC.
func (c *Clock) Now() time.Time {
	if c.jumps.Load() {
		c.reads.Add(1)
		c.Advance(time.Hour)
	}
	return time.UnixMicro(c.micros.Load()).UTC()
}

// Once runs an operation, which has one value of time: it fails the test if the
// operation fails, or does not read the clock exactly once. The clock jumps an
// hour at each reading, so a second one shows in what was written, too. Nobody
// else may read it meanwhile.
func (c *Clock) Once(t testing.TB, what string, operation func() error) {
	t.Helper()
	c.reads.Store(0)
	c.jumps.Store(true)
	defer c.jumps.Store(false)
	if err := operation(); err != nil || c.reads.Load() != 1 {
		t.Errorf("%s: read the clock %d times (%v), want once", what, c.reads.Load(), err)
	}
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// Set moves the clock to a time.
func (c *Clock) Set(t time.Time) { c.micros.Store(t.UnixMicro()) }
