// Package site is the portal's web site: the table of contents, what stands
// before every page (bounds, headers, languages, who comes from where), the
// start page, and what belongs to no subject: signing in, tokens, the footer,
// the pages of the API, the files of the authorities. The pages of a subject
// are in a room below it. It decides no rule: whether a button stands on a page
// is asked of the same function that guards the operation.
package site

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/digest"
	"petschaft/internal/draft"
	"petschaft/internal/earlier"
	"petschaft/internal/handover"
	"petschaft/internal/imports"
	"petschaft/internal/intake"
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
	bulkpages "petschaft/internal/site/bulk"
	"petschaft/internal/site/clients"
	earlierpages "petschaft/internal/site/earlier"
	importpages "petschaft/internal/site/imports"
	"petschaft/internal/site/keys"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/office"
	"petschaft/internal/site/organisations"
	"petschaft/internal/site/page"
	"petschaft/internal/site/recipes"
	"petschaft/internal/site/servers"
	"petschaft/internal/trace"
	"petschaft/web/pages"
)

// Parts are what the site is made of; all of them are needed.
type Parts struct {
	Base       *url.URL // the portal's own address
	Desk       *signin.Desk
	People     *person.Book
	Org        *org.Book
	Handover   *handover.Book
	Mailbox    *mailbox.Book
	Bulk       *bulk.Book
	Imports    *imports.Book
	Cert       *cert.Book
	Digest     *digest.Book
	Earlier    *earlier.Book
	Order      *order.Book
	Recipe     *recipe.Book
	Drafts     *draft.Book
	Compromise *compromise.Book
	ClientIP   func(*http.Request) netip.Addr // where a request comes from
	Security   keys.Security
	CA         []page.Authority // the root first; empty while none is set up
	Chains     *pki.Pool        // from their certificates
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
	Intake   *intake.Budget // of all bodies that come in
	Trace    *trace.Log     // what is refused
	// Observe hears of each answered request: its method, route pattern,
	// status and time.
	Observe func(method, route string, status int, took time.Duration)
}

// Site serves the pages: its own, with the books they need, and those of its
// sections.
type Site struct {
	*page.Page
	people   *person.Book
	org      *org.Book
	mailbox  *mailbox.Book
	cert     *cert.Book
	ca       []page.Authority
	rootList func(context.Context) (pki.CRL, bool, error)
	pages    *pages.Pages
	api      API
	intake   *intake.Budget
	trace    *trace.Log
	observe  func(method, route string, status int, took time.Duration)

	mailboxes     *mailboxes.Section
	imports       *importpages.Section
	bulk          *bulkpages.Section
	recipes       *recipes.Section
	clients       *clients.Section
	servers       *servers.Section
	organisations *organisations.Section
	earlier       *earlierpages.Section
	office        *office.Section
	keys          *keys.Section

	describedAPI func() (apiDocument, error)
}

// New puts the site together. It panics where a part is missing.
func New(p Parts) *Site {
	page.Complete(&p)
	all := page.New(page.Parts{
		Desk: p.Desk, People: p.People, Org: p.Org, Order: p.Order, Drafts: p.Drafts, DB: p.DB, Base: p.Base, Now: p.Now, Log: p.Log, Version: p.Version,
	})
	s := &Site{
		Page: all, people: p.People, org: p.Org, mailbox: p.Mailbox, cert: p.Cert, ca: p.CA, rootList: p.RootList,
		pages: p.Pages, api: p.API, intake: p.Intake, trace: p.Trace, observe: p.Observe,

		mailboxes: mailboxes.New(&mailboxes.Section{
			Page: all, Org: p.Org, Mailbox: p.Mailbox, Bulk: p.Bulk, Cert: p.Cert, Digest: p.Digest, Recipe: p.Recipe, Outbox: p.Outbox,
		}),
		clients: clients.New(&clients.Section{
			Page: all, People: p.People, Mailbox: p.Mailbox, Cert: p.Cert, Compromise: p.Compromise, Order: p.Order, CA: p.CA, Chains: p.Chains,
		}),
		servers:       servers.New(&servers.Section{Page: all, Org: p.Org, Cert: p.Cert, Compromise: p.Compromise, Order: p.Order, Chains: p.Chains}),
		organisations: organisations.New(&organisations.Section{Page: all, People: p.People, Org: p.Org, Handover: p.Handover}),
		earlier:       earlierpages.New(&earlierpages.Section{Page: all, Earlier: p.Earlier}),
		describedAPI:  sync.OnceValues(func() (apiDocument, error) { return readAPI(p.API.Document) }),
	}
	s.imports = importpages.New(&importpages.Section{Page: all, Org: p.Org, Imports: p.Imports, Mailboxes: s.mailboxes})
	s.bulk = bulkpages.New(&bulkpages.Section{Page: all, Org: p.Org, Bulk: p.Bulk, Mailboxes: s.mailboxes})
	s.recipes = recipes.New(&recipes.Section{Page: all, Mailbox: p.Mailbox, Recipe: p.Recipe, Mailboxes: s.mailboxes})
	s.keys = keys.New(&keys.Section{Page: all, Compromise: p.Compromise, ClientIP: p.ClientIP, Security: p.Security})
	s.office = office.New(&office.Section{
		Page: all, People: p.People, Org: p.Org, Mailbox: p.Mailbox, Cert: p.Cert, Digest: p.Digest, Order: p.Order, Outbox: p.Outbox, Queue: p.Queue,
		Servers: s.servers, Organisations: s.organisations, Keys: s.keys,
	})
	return s
}
