package cert

import (
	"slices"
	"testing"
	"time"
)

// TestThresholdsAreDaysOfTheSettingInTheSecondHalfOfALife: a third and a sixth of
// a short one, and of one that no day fits.
func TestThresholdsAreDaysOfTheSettingInTheSecondHalfOfALife(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what string
		set  []int
		life int
		want []string
	}{
		{"the usual", nil, 365, []string{"28d", "14d"}},
		{"the usual of 60 days", nil, 60, []string{"28d", "14d"}},
		{"a day less", nil, 59, []string{"third", "sixth"}},
		{"in any order, each once", []int{3, 60, 3, 30}, 200, []string{"60d", "30d", "3d"}},
		{"one in the first half", []int{60, 30, 7}, 90, []string{"30d", "7d"}},
		{"one at the middle", []int{45}, 90, []string{"45d"}},
		{"all in the first half", []int{300, 200}, 90, []string{"third", "sixth"}},
		{"one only", []int{1}, 398, []string{"1d"}},
	} {
		var got []string
		b := &Book{Reminders: c.set}
		for _, x := range thresholds(b.days(), from, from.AddDate(0, 0, c.life).Add(-time.Second)) {
			got = append(got, x.name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}
