package signin

import "strings"

// sign is a word in a User-Agent header and what it stands for.
type sign struct{ word, name string }

// browser shortens a User-Agent header to names that a person knows their
// browser and machine by. The first sign that fits wins: most browsers also
// claim to be others.
func browser(agent string) string {
	program := first(agent, []sign{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"Vivaldi/", "Vivaldi"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chromium/", "Chromium"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
	})
	machine := first(agent, []sign{
		{"Android", "Android"},
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Windows", "Windows"},
		{"CrOS", "ChromeOS"},
		{"Macintosh", "macOS"},
		{"Linux", "Linux"},
		{"BSD", "BSD"},
	})
	switch {
	case program == "":
		return machine
	case machine == "":
		return program
	default:
		return program + ", " + machine
	}
}

func first(agent string, signs []sign) string {
	for _, s := range signs {
		if strings.Contains(agent, s.word) {
			return s.name
		}
	}
	return ""
}
