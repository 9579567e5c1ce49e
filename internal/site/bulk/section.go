// Package bulk is the pages of one step for many address rows: what will happen,
// how far it is, what became of each row. The rows are chosen on a page of the
// room mailboxes, which comes back where nothing can be done with them.
package bulk

import (
	"petschaft/internal/bulk"
	"petschaft/internal/org"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
)

// Section is the pages below /email-domains/{domain}/bulk.
type Section struct {
	*page.Page
	Org       *org.Book
	Bulk      *bulk.Book
	Mailboxes *mailboxes.Section
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
