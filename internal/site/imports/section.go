// Package imports is the pages of CSV imports into a domain: the file that is
// sent, how it is read, the plan, what came of it, and taking it back. What a
// line means is decided by the subject.
package imports

import (
	"petschaft/internal/imports"
	"petschaft/internal/org"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
)

// Section is the pages below /email-domains/{domain}/imports.
type Section struct {
	*page.Page
	Org       *org.Book
	Imports   *imports.Book
	Mailboxes *mailboxes.Section
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
