// Package keys is the pages about keys that fell into other hands and about
// certificates that somebody reported: for registration officers, and for whoever it
// is who reports one or proves to hold a key. What they may do is decided by
// compromise.
package keys

import (
	"net/http"
	"net/netip"

	"petschaft/internal/compromise"
	"petschaft/internal/site/page"
)

// Section is the pages below /office/keys, /office/reports and /report.
type Section struct {
	*page.Page
	Compromise *compromise.Book
	ClientIP   func(*http.Request) netip.Addr // where a request comes from
	Security   Security
}

// New panics where a part of s is missing.
func New(s *Section) *Section { return page.Complete(s) }
