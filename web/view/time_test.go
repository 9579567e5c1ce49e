package view

import (
	"context"
	"testing"
	"time"
)

// TestAnEndAtMidnightShowsItsTime: at the first moment of a day nothing of that day
// is left, so the day alone would say too much.
func TestAnEndAtMidnightShowsItsTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)
	for end, want := range map[time.Time]string{
		time.Date(2026, time.November, 30, 23, 0, 0, 0, time.UTC):   "1. Dezember 2026, 00:00 Uhr MEZ",
		time.Date(2026, time.November, 30, 22, 59, 59, 0, time.UTC): "30. November 2026",
		time.Date(2026, time.July, 1, 22, 0, 0, 0, time.UTC):        "2. Juli 2026, 00:00 Uhr MESZ",
		time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC):     "1. Dezember 2026",
		{}: "",
	} {
		if got := Ends(context.Background(), end, now).Text; got != want {
			t.Errorf("%v: got %q, want %q", end, got, want)
		}
	}
}
