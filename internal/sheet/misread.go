package sheet

import (
	"strings"
	"unicode"
)

// signs are what letters with accents of another encoding turn into, where a
// word has them: Mac Roman, CP850 and UTF-8 read as Windows-1252. What people
// take for an apostrophe or a hyphen is none.
const (
	signs    = "€‚ƒ„…†‡ˆ‰‹“”•˜™›¡¢£¤¥¦§¨©«¬®¯°±²³µ¶¸¹»¼½¾¿÷×"
	capitals = "ŠŽŸ"
	second   = signs + capitals + "šžœŒ‘’–—´ªº" // behind the first half of a letter in UTF-8
)

// Misread tells whether s, a name, looks as if it had been read in the wrong
// encoding: it has control characters, signs inside words, or capitals behind
// small letters that only another encoding puts there. Many a misreading looks
// like a name; those it cannot tell.
func Misread(s string) bool {
	runes := []rune(s)
	for i, r := range runes {
		before, after := at(runes, i-1), at(runes, i+1)
		switch {
		case r >= 0x80 && r < 0xa0, r == unicode.ReplacementChar:
			return true
		case strings.ContainsRune("ÃÂ", r) && strings.ContainsRune(second, after):
			return true
		case strings.ContainsRune(capitals, r) && unicode.IsLetter(before) && (unicode.IsLower(before) || unicode.IsLower(after)):
			return true
		case strings.ContainsRune(signs, r) && unicode.IsLetter(before) && unicode.IsLetter(after):
			return true
		case strings.ContainsRune("€†…", r) && before == 0 && unicode.IsLower(after):
			return true
		}
	}
	return false
}

// at is the character at i, 0 where there is none or a blank.
func at(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) || unicode.IsSpace(runes[i]) {
		return 0
	}
	return runes[i]
}
