package text

import (
	"slices"
	"strings"
)

// mostSought bounds the words of one search.
const mostSought = 6

// Sought is what somebody looks for, word by word, in the form in which every
// search compares: Line, in lower case, at most six words, each without what mail
// programs and lists put around a name or an address: "Lee, Alice" <alice@…>,
// mailto:alice@…
func Sought(s string) []string {
	words := strings.Fields(strings.ToLower(Line(s)))
	for i, w := range words {
		words[i] = strings.Trim(strings.TrimPrefix(strings.Trim(w, around), "mailto:"), around)
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return words[:min(len(words), mostSought)]
}

// around are the signs that stand around words.
const around = `<>()[]"„“”,;:`
