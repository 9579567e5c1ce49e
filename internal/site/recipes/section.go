// Package recipes is the pages of guided procedures on one address row: what a
// recipe will do, its next step, and its end. Which step is next is decided by
// the subject.
package recipes

import (
	"petschaft/internal/mailbox"
	"petschaft/internal/recipe"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
)

// Section is the pages below /recipes, and those of a row that begin one.
type Section struct {
	*page.Page
	Mailbox   *mailbox.Book
	Recipe    *recipe.Book
	Mailboxes *mailboxes.Section
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
