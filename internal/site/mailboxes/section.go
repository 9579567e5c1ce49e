// Package mailboxes is the pages of e-mail domains and their address rows: the
// table and its export, a row and its steps, its mails and links, and what a
// person answers to a challenge. Work on many rows, imports and recipes have
// rooms of their own. It decides no rule: whether a button stands on a page is
// asked of the same function that guards the operation.
package mailboxes

import (
	"petschaft/internal/bulk"
	"petschaft/internal/cert"
	"petschaft/internal/digest"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/recipe"
	"petschaft/internal/site/page"
)

// Section is the pages below /email-domains, and those that the link of a
// challenge leads to.
type Section struct {
	*page.Page
	Org     *org.Book
	Mailbox *mailbox.Book
	Bulk    *bulk.Book
	Cert    *cert.Book
	Digest  *digest.Book
	Recipe  *recipe.Book
	Outbox  *mail.Outbox
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
