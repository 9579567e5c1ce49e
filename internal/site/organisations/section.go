// Package organisations is the pages of organisations: their server names and
// reminders, their handover from one technical contact to the next, and the
// appointment of another by the registration office. What officers enter about
// an organisation is in the room office.
package organisations

import (
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
)

// Section is the pages below /organisations and /handovers.
type Section struct {
	*page.Page
	People   *person.Book
	Org      *org.Book
	Handover *handover.Book
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
