package digest

import (
	"fmt"
	"testing"
	"time"
)

func TestAForecastCountsEachLimitMonthByMonth(t *testing.T) {
	t.Parallel()
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC) }
	now := day(11, 22)
	f := forecast(map[time.Time]int64{day(11, 30): 3, day(12, 1): 1, day(12, 1).AddDate(1, 0, 0): 5}, now)
	if f.Certificates != 9 || len(f.Months) != 12 || f.Months[0] != day(11, 1) || f.Months[11] != day(10, 1).AddDate(1, 0, 0) {
		t.Errorf("got %d certificates in %v, want 9 from November to October", f.Certificates, f.Months)
	}
	// 30 November + 200 days is 18 June; 100 days: 10 March, 18 June, 26 September;
	// 47 days: 16 January, 4 March, 20 April, 6 June, 23 July, 8 September, 25
	// October. What began a day later ends a day later.
	want := map[int]string{
		200: "[3 1 0 0 0 0 0 4 0 0 0 0]",
		100: "[3 1 0 0 4 0 0 4 0 0 4 0]",
		47:  "[3 1 4 0 4 4 0 4 4 0 4 4]",
	}
	for _, l := range f.Limits {
		if got := fmt.Sprint(l.Renewals); got != want[l.Days] {
			t.Errorf("%d days from %v: got %s, want %s", l.Days, l.From, got, want[l.Days])
		}
	}
	if len(f.Limits) != 3 || f.Limits[0].Days != 200 || f.Limits[2].Total != 32 {
		t.Errorf("got %+v, want the limit of today, then the two to come", f.Limits)
	}
	if late := forecast(nil, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)); len(late.Limits) != 1 || late.Limits[0].Days != 47 {
		t.Errorf("in 2030: got %+v, want the last limit only", late.Limits)
	}
}
