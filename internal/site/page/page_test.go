package page

import (
	"strings"
	"testing"
)

// TestAMissingPartIsNamedWhenThePortalStarts, by the struct and the field.
func TestAMissingPartIsNamedWhenThePortalStarts(t *testing.T) {
	t.Parallel()
	type section struct {
		*Page
		Book  *strings.Builder
		Clock func()
		Texts []string // may be empty
	}
	all, book := &Page{}, &strings.Builder{}
	for _, c := range []struct {
		name, want string
		s          section
	}{
		{"nothing is missing", "", section{Page: all, Book: book, Clock: func() {}}},
		{"no page", "lacks its part Page", section{Book: book, Clock: func() {}}},
		{"no book", "section lacks its part Book", section{Page: all, Clock: func() {}}},
		{"no function", "lacks its part Clock", section{Page: all, Book: book}},
	} {
		said := ""
		func() {
			defer func() {
				if p := recover(); p != nil {
					said, _ = p.(string)
				}
			}()
			Complete(&c.s)
		}()
		if c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("%s: it says %q, want %q", c.name, said, c.want)
		}
	}
}
