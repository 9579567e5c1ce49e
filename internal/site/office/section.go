// Package office is "Verwaltung", the pages of registration officers: domains,
// contact groups, organisations and their names, people, products, decisions
// about orders, the state of the mail, the audit log. Only officers come here;
// what they may do is decided by the subjects all the same.
package office

import (
	"petschaft/internal/cert"
	"petschaft/internal/digest"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/queue"
	"petschaft/internal/site/keys"
	"petschaft/internal/site/organisations"
	"petschaft/internal/site/page"
	"petschaft/internal/site/servers"
)

// Section is the pages below /office.
type Section struct {
	*page.Page
	People        *person.Book
	Org           *org.Book
	Mailbox       *mailbox.Book
	Cert          *cert.Book
	Digest        *digest.Book
	Order         *order.Book
	Outbox        *mail.Outbox
	Queue         *queue.Queue
	Servers       *servers.Section
	Organisations *organisations.Section
	Keys          *keys.Section
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
