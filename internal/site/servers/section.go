// Package servers is the pages of server certificates and of the orders for
// them: the steps in which somebody orders, renews or corrects, how far an order
// is, the certificate with its files, and its revocation. Who decides about an
// order does so in the room office.
package servers

import (
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
)

// Section is the pages below /certificates and /orders.
type Section struct {
	*page.Page
	Org        *org.Book
	Cert       *cert.Book
	Compromise *compromise.Book
	Order      *order.Book
	Chains     *pki.Pool // from the certificates of the portal's authorities
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
