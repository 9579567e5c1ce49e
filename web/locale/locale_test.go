package locale

import (
	"net/http/httptest"
	"testing"
	"time"
)

func TestTheLanguageOfARequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, cookie, accept, want string }{
		{"German when nothing is asked for", "", "", "de"},
		{"what the browser asks for", "", "en-GB,en;q=0.8,de;q=0.5", "en"},
		{"an Austrian browser reads German", "", "de-AT", "de"},
		{"German when the language is unknown", "", "fr-FR,fr", "de"},
		{"the chosen one before the browser's", "en", "de", "en"},
		{"an unknown choice is no choice", "fr", "en", "en"},
		{"nonsense is German", "", "!!;;q=x", "de"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Accept-Language", c.accept)
			if c.cookie != "" {
				r.Header.Set("Cookie", Cookie+"="+c.cookie)
			}
			if got := FromRequest(r).Lang(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheContextCarriesTheReader(t *testing.T) {
	t.Parallel()
	if got := From(t.Context()).Lang(); got != "de" {
		t.Errorf("an empty context: got %q, want de", got)
	}
	if got := From(With(t.Context(), For("en"))).Lang(); got != "en" {
		t.Errorf("a context with English: got %q, want en", got)
	}
}

func TestAnUnknownIDIsNoticedInTests(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"frame.no-such-words", "date.in-days"} {
		if got, want := For("de").T(id), Missing+id+"⟧"; got != want {
			t.Errorf("an unknown id, or no value for a blank: got %q, want %q", got, want)
		}
	}
	if Has("frame.no-such-words") || !Has("date.today") || !Has("date.in-days") {
		t.Error("Has: want false, true, true")
	}
}

func TestDatesTimesAndNumbers(t *testing.T) {
	t.Parallel()
	winter := time.Date(2027, 3, 14, 8, 5, 0, 0, time.UTC)
	summer := time.Date(2027, 7, 1, 22, 30, 0, 0, time.UTC)
	de, en := For("de"), For("en")
	for _, c := range []struct{ name, got, want string }{
		{"a German day", de.Date(winter), "14. März 2027"},
		{"an English day", en.Date(winter), "14 March 2027"},
		{"a German winter time", de.DateTime(winter), "14. März 2027, 09:05 Uhr MEZ"},
		{"an English winter time", en.DateTime(winter), "14 March 2027, 09:05 CET"},
		{"a summer night is already the next day in Berlin", de.DateTime(summer), "2. Juli 2027, 00:30 Uhr MESZ"},
		{"another zone", en.In(time.UTC).DateTime(summer), "1 July 2027, 22:30 UTC"},
		{"a German number", de.Number(1284), "1.284"},
		{"an English number", en.Number(1284), "1,284"},
		{"one of what is counted", de.T("import.brake", "n", 1, "of", 4), "Dieser Plan ändert eine von 4 Zeilen der Domain, mehr als ein Fünftel. Sehen Sie unten nach, ob das so gemeint ist."},
		{"one of what has no form of its own for one", de.T("pki.given.cut_off", "file", "x.pem", "n", 1), "„x.pem“ enthält einen unlesbaren Block: Es fehlt ein Anfang oder ein Ende."},
		{"a count in words is grouped", de.T("date.in-days", "n", 12345), "in 12.345 Tagen"},
		{"a time in words", de.T("date.day", "day", winter, "month", "", "year", ""), "14. März 2027, 09:05 Uhr MEZ.  "},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestDistances(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC) // summer time begins the next night
	day := 24 * time.Hour
	for _, c := range []struct {
		d      time.Duration
		de, en string
	}{
		{0, "gerade eben", "just now"},
		{-time.Minute, "vor einer Minute", "one minute ago"},
		{5 * time.Minute, "in 5 Minuten", "in 5 minutes"},
		{-3 * time.Hour, "vor 3 Stunden", "3 hours ago"},
		{time.Hour, "in einer Stunde", "in one hour"},
		{day, "morgen", "tomorrow"},
		{-day, "gestern", "yesterday"},
		{12 * day, "in 12 Tagen", "in 12 days"},
		{-59 * day, "vor 59 Tagen", "59 days ago"},
		{92 * day, "in 3 Monaten", "in 3 months"},
		{-800 * day, "vor 2 Jahren", "2 years ago"},
	} {
		if got := For("de").Relative(now.Add(c.d), now); got != c.de {
			t.Errorf("%v German: got %q, want %q", c.d, got, c.de)
		}
		if got := For("en").Relative(now.Add(c.d), now); got != c.en {
			t.Errorf("%v English: got %q, want %q", c.d, got, c.en)
		}
	}
	if got := For("de").RelativeDay(now.Add(3*time.Hour), now); got != "heute" {
		t.Errorf("later on the same day: got %q, want heute", got)
	}
}
