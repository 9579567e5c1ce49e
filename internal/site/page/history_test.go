package page

import (
	"slices"
	"testing"

	"petschaft/internal/audit"
	"petschaft/web/locale"
)

// TestAHistorySpeaksInWords and not in what the portal calls things itself.
func TestAHistorySpeaksInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lang, action, key, value, want string }{
		{"en", "person.language_chosen", "language", "de", "Language: German"},
		{"de", "person.language_chosen", "language", "en", "Sprache: Englisch"},
		{"en", "org.organisation_added", "country", "DE", "Country: Germany (DE)"},
		{"de", "org.organisation_added", "country", "DE", "Land: Deutschland (DE)"},
		{"de", "order.submitted", "name", "*.xn--bcher-kva.example, www.uni.example", "Name: *.bücher.example, www.uni.example"},
		{"de", "mailbox.added", "name", "xn--bcher-kva", "Name: xn--bcher-kva"}, // a person's, as they write it
	} {
		ctx := locale.With(t.Context(), locale.For(c.lang))
		got := DetailWords(ctx, audit.Entry{Action: c.action, Detail: audit.Detail{c.key: c.value}})
		if !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s, %s %q: got %q, want %q", c.action, c.key, c.value, got, c.want)
		}
	}
}
