// Package clients is the pages of client certificates: applying for one, how far
// an application is, the certificate with its files and its evidence, and its
// revocation. Keys that are made in a browser never come here.
package clients

import (
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
)

// Section is the pages below /client-certificates.
type Section struct {
	*page.Page
	People     *person.Book
	Mailbox    *mailbox.Book
	Cert       *cert.Book
	Compromise *compromise.Book
	Order      *order.Book
	CA         []page.Authority // empty while none is set up
	Chains     *pki.Pool        // from their certificates
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
