package locale

import (
	"time"

	"golang.org/x/text/number"
)

// Number writes n grouped: "1.284" in German, "1,284" in English.
func (r *Reader) Number(n int64) string { return r.numbers.Sprint(number.Decimal(n)) }

// Date writes the day of t in the reader's zone: "14. März 2027".
func (r *Reader) Date(t time.Time) string {
	t = t.In(r.zone)
	return r.T("date.day", "day", t.Format("2"), "month", r.month(t.Month()), "year", t.Format("2006"))
}

// ISODate writes the day of t in the reader's zone as files hold it, in every
// language: "2027-03-14" (ISO 8601).
func (r *Reader) ISODate(t time.Time) string { return t.In(r.zone).Format(time.DateOnly) }

// Month writes the month of t in UTC: "März 2027".
func (r *Reader) Month(t time.Time) string {
	t = t.UTC()
	return r.T("date.month", "month", r.month(t.Month()), "year", t.Format("2006"))
}

// DateTime writes t with its zone: "14. März 2027, 09:05 Uhr MEZ".
func (r *Reader) DateTime(t time.Time) string {
	t = t.In(r.zone)
	return r.T("date.time", "date", r.Date(t), "clock", t.Format("15:04"), "zone", r.abbreviation(t))
}

// Second writes t with its second, in figures: "14.03.2027, 09:05:07 MEZ".
func (r *Reader) Second(t time.Time) string {
	t = t.In(r.zone)
	return t.Format(r.T("date.second")) + " " + r.abbreviation(t)
}

// Midnight tells whether t is in the first minute of a day of the reader's zone.
func (r *Reader) Midnight(t time.Time) bool {
	h, m, _ := t.In(r.zone).Clock()
	return h == 0 && m == 0
}

// Relative writes the distance of t from now in one unit: "vor 3 Stunden",
// "in 12 Tagen". From a day on it counts calendar days of the reader's zone.
func (r *Reader) Relative(t, now time.Time) string {
	d := t.Sub(now)
	past := d < 0
	if past {
		d = -d
	}
	switch {
	case d < time.Minute:
		return r.T("date.now")
	case d < time.Hour && past:
		return r.T("date.minutes-ago", "n", int(d.Minutes()))
	case d < time.Hour:
		return r.T("date.in-minutes", "n", int(d.Minutes()))
	case d < 24*time.Hour && past:
		return r.T("date.hours-ago", "n", int(d.Hours()))
	case d < 24*time.Hour:
		return r.T("date.in-hours", "n", int(d.Hours()))
	}
	return r.RelativeDay(t, now)
}

// Days counts the days of the reader's zone from one moment's to the other's.
func (r *Reader) Days(from, until time.Time) int { return r.dayNumber(until) - r.dayNumber(from) }

// RelativeDay writes the distance of t's day from today: "heute", "morgen",
// "in 12 Tagen", "vor 5 Monaten". Months begin at 60 days, years at 24 months.
func (r *Reader) RelativeDay(t, now time.Time) string {
	days := r.Days(now, t)
	switch {
	case days == 0:
		return r.T("date.today")
	case days == 1:
		return r.T("date.tomorrow")
	case days == -1:
		return r.T("date.yesterday")
	case days >= 730:
		return r.T("date.in-years", "n", days/365)
	case days <= -730:
		return r.T("date.years-ago", "n", -days/365)
	case days >= 60:
		return r.T("date.in-months", "n", days*12/365)
	case days <= -60:
		return r.T("date.months-ago", "n", -days*12/365)
	case days > 0:
		return r.T("date.in-days", "n", days)
	}
	return r.T("date.days-ago", "n", -days)
}

// dayNumber counts calendar days, so that a change of summer time is no hour off.
func (r *Reader) dayNumber(t time.Time) int {
	y, m, d := t.In(r.zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (r *Reader) month(m time.Month) string {
	ids := [...]string{
		"date.january", "date.february", "date.march", "date.april", "date.may", "date.june",
		"date.july", "date.august", "date.september", "date.october", "date.november", "date.december",
	}
	return r.T(ids[m-1])
}

// Begins is the first moment of a day of the reader's zone, n days after day.
func (r *Reader) Begins(day time.Time, n int) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d+n, 0, 0, 0, 0, r.zone)
}

// abbreviation is the zone's name as people of the language write it.
func (r *Reader) abbreviation(t time.Time) string {
	name, _ := t.Zone()
	switch name {
	case "CET":
		return r.T("date.cet")
	case "CEST":
		return r.T("date.cest")
	}
	return name
}
