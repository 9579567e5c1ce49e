package digest

import (
	"testing"
	"time"
)

func TestADigestIsDueOnMondayMorning(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	for now, want := range map[time.Time]time.Time{
		monday.Add(-time.Second): monday, monday: monday.AddDate(0, 0, 7), monday.Add(time.Hour): monday.AddDate(0, 0, 7),
		monday.AddDate(0, 0, -1): monday, monday.AddDate(0, 0, -7): monday, monday.AddDate(0, 0, 6): monday.AddDate(0, 0, 7),
	} {
		if got := nextMonday(now); !got.Equal(want) {
			t.Errorf("from %v: got %v, want %v", now, got, want)
		}
	}
}
