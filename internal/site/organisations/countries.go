package organisations

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"petschaft/internal/org"
	"petschaft/web/locale"
	"petschaft/web/view"
)

// CountryChoices are all countries by name, as a dictionary orders them. What
// was typed and is none stays to be seen, in front.
func CountryChoices(ctx context.Context, typed string) (all []view.Choice) {
	lang := locale.From(ctx).Lang()
	for _, code := range org.Countries() {
		all = append(all, view.Choice{Value: code, Label: org.CountryName(lang, code)})
	}
	slices.SortFunc(all, func(a, b view.Choice) int { return cmp.Compare(bareLetters(a.Label), bareLetters(b.Label)) })
	if !slices.ContainsFunc(all, func(c view.Choice) bool { return c.Value == typed }) {
		all = slices.Insert(all, 0, view.Choice{Value: typed, Label: typed})
	}
	return all
}

// bareLetters is s in lower case and without accents and dots.
func bareLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}
