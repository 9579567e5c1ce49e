// Package earlier is the pages by which officers take certificates over that
// were issued before the portal: the files, the plan, and who gets what nobody
// could be found for. What is taken over is decided by the subject.
package earlier

import (
	"petschaft/internal/earlier"
	"petschaft/internal/site/page"
)

// Section is the pages below /office/earlier.
type Section struct {
	*page.Page
	Earlier *earlier.Book
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
