package text

import "strings"

// mostSought bounds the words of one search.
const mostSought = 6

// Sought is what somebody looks for, word by word, in the form in which every
// search compares: Line, in lower case, at most six words.
func Sought(s string) []string {
	words := strings.Fields(strings.ToLower(Line(s)))
	return words[:min(len(words), mostSought)]
}
