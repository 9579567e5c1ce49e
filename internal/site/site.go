// Package site is every page: it reads requests, calls one operation, and
// renders or redirects, with what all pages share in the room page. It turns
// domain values into view models. It decides no rule: whether a button stands on
// a page is asked of the same function that guards the operation.
package site

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/cert"
	"petschaft/internal/earlier"
	"petschaft/internal/handover"
	"petschaft/internal/imports"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/recipe"
	"petschaft/internal/signin"
	"petschaft/internal/site/page"
	"petschaft/web/pages"
)

// Parts are what the site is made of; all of them are needed.
type Parts struct {
	Base     *url.URL // the portal's own address
	Desk     *signin.Desk
	People   *person.Book
	Org      *org.Book
	Handover *handover.Book
	Mailbox  *mailbox.Book
	Bulk     *bulk.Book
	Imports  *imports.Book
	Cert     *cert.Book
	Earlier  *earlier.Book
	Order    *order.Book
	Recipe   *recipe.Book
	CA       []page.Authority // the root first; empty while none is set up
	Chains   *pki.Pool        // from their certificates
	// RootList is the revocation list of a root whose key is elsewhere; false
	// where the cert room keeps that list like any other.
	RootList func(context.Context) (pki.CRL, bool, error)
	Outbox   *mail.Outbox
	Queue    *queue.Queue
	DB       *postgres.DB
	Pages    *pages.Pages
	Now      func() time.Time
	Log      *slog.Logger
	Version  string
	API      API
	// Observe hears of each answered request: its method, route pattern,
	// status and time.
	Observe func(method, route string, status int, took time.Duration)
}

// Site serves the pages.
type Site struct {
	*page.Page
	People   *person.Book
	Org      *org.Book
	Handover *handover.Book
	Mailbox  *mailbox.Book
	Imports  *imports.Book
	Bulk     *bulk.Book
	Cert     *cert.Book
	Earlier  *earlier.Book
	Order    *order.Book
	Recipe   *recipe.Book
	CA       []page.Authority // the root first; empty while none is set up
	Chains   *pki.Pool        // from their certificates
	RootList func(context.Context) (pki.CRL, bool, error)
	Outbox   *mail.Outbox
	Queue    *queue.Queue
	Pages    *pages.Pages
	API      API
	Observe  func(method, route string, status int, took time.Duration)

	exports      gate
	describedAPI func() (apiDocument, error)
}

// New puts the site together. It panics where a part is missing.
func New(p Parts) *Site {
	page.Complete(&p)
	all := page.New(page.Parts{
		Desk: p.Desk, People: p.People, Org: p.Org, Order: p.Order, DB: p.DB, Base: p.Base, Now: p.Now, Log: p.Log, Version: p.Version,
	})
	return &Site{
		Page: all, People: p.People, Org: p.Org, Handover: p.Handover, Mailbox: p.Mailbox, Imports: p.Imports, Bulk: p.Bulk, Cert: p.Cert, Earlier: p.Earlier, Order: p.Order, Recipe: p.Recipe, CA: p.CA, Chains: p.Chains, RootList: p.RootList, Outbox: p.Outbox, Queue: p.Queue, Pages: p.Pages, API: p.API, Observe: p.Observe,
		describedAPI: sync.OnceValues(func() (apiDocument, error) { return readAPI(p.API.Document) }),
	}
}
