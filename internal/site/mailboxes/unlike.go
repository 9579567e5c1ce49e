package mailboxes

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// unlike tells whether two names of a person differ so much that somebody
// should look: they have no word in common. Case, accents and the spelling of
// umlauts make no difference, and single letters count for nothing.
func unlike(one, other string) bool {
	mine := nameWords(one)
	theirs := nameWords(other)
	if len(mine) == 0 || len(theirs) == 0 {
		return false
	}
	for w := range mine {
		if theirs[w] {
			return false
		}
	}
	return true
}

var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "ø", "oe", "æ", "ae", "å", "aa")

// nameWords are the words of a name, each as people without its letters write
// it: with umlauts spelled out, and with accents left out.
func nameWords(name string) map[string]bool {
	words := map[string]bool{}
	name = norm.NFC.String(strings.ToLower(name))
	for _, spelled := range []string{umlauts.Replace(name), name} {
		bare := strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFD.String(spelled))
		for _, w := range strings.FieldsFunc(bare, func(r rune) bool { return !unicode.IsLetter(r) }) {
			if len([]rune(w)) > 1 {
				words[w] = true
			}
		}
	}
	return words
}
