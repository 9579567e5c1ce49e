package portal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"petschaft/internal/api"
	"petschaft/internal/audit"
	"petschaft/internal/brake"
	"petschaft/internal/bulk"
	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/digest"
	"petschaft/internal/draft"
	"petschaft/internal/earlier"
	"petschaft/internal/handover"
	"petschaft/internal/imports"
	"petschaft/internal/intake"
	"petschaft/internal/issuance"
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
	"petschaft/internal/site"
	"petschaft/internal/site/page"
	"petschaft/internal/trace"
	"petschaft/web/pages"
	"petschaft/web/paths"
)

// Portal is the parts, put together. Its books are open to the demo and to
// tests, which fill them.
type Portal struct {
	DB         *postgres.DB
	Audit      *audit.Book
	People     *person.Book
	Org        *org.Book
	Mailbox    *mailbox.Book
	Imports    *imports.Book
	Bulk       *bulk.Book
	Cert       *cert.Book
	Compromise *compromise.Book
	Digest     *digest.Book
	Earlier    *earlier.Book
	Issuance   *issuance.Book
	Order      *order.Book
	Recipe     *recipe.Book
	Drafts     *draft.Book
	Handover   *handover.Book
	CA         *ca.Local // nil while there is none
	Outbox     *mail.Outbox
	Queue      *queue.Queue
	Desk       *signin.Desk
	API        *api.API
	Intake     *intake.Budget
	Handler    http.Handler
	// Jobs are the times of the queue; the zero value is the usual ones.
	Jobs queue.Work
	// Defaults are the footer pages that still hold the default text.
	Defaults []string

	cfg     Config
	sender  *mail.Sender
	log     *slog.Logger
	metrics *metrics
	trace   *trace.Log
	role    postgres.Role
}

// Open makes a portal that is ready to serve. It starts nothing that works by
// itself. The schema must be current: see postgres.Current.
func Open(ctx context.Context, c Config, log *slog.Logger, now func() time.Time, change ...func(*pgxpool.Config)) (*Portal, error) {
	s, err := c.read()
	if err != nil {
		return nil, err
	}
	db, err := c.OpenDatabase(ctx, change...)
	if err != nil {
		return nil, err
	}
	p := &Portal{DB: db, cfg: c, sender: s.sender, log: log, Intake: intake.New()}
	if err := p.build(ctx, s, now); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Portal) build(ctx context.Context, s settings, now func() time.Time) error {
	role, err := postgres.Serves(ctx, p.DB)
	if err != nil {
		return err
	}
	p.role = role
	if err := postgres.Current(ctx, p.DB); err != nil {
		return err
	}
	sealer, err := p.DB.Sealer(ctx, s.secret, s.old...)
	if err != nil {
		return err
	}
	if p.Queue, err = queue.Open(p.DB); err != nil {
		return err
	}
	p.Audit = &audit.Book{DB: p.DB, Sealer: sealer, Now: now, Log: p.log}
	if err := p.authority(ctx, s, sealer, now); err != nil {
		return err
	}
	footer, err := pages.Load(p.cfg.Pages)
	if err != nil {
		return err
	}
	p.Defaults, p.metrics = footer.Missing(), newMetrics()
	p.subjects(s, footer.Version("terms"), now)
	p.metrics.watch(p)
	door := site.Door{Proxies: s.proxies, Forwarded: s.forwarded}
	p.trace = trace.New(p.log, now, door.ClientIP, p.metrics.wasRefused)
	p.Desk, err = signin.New(signin.Config{
		Issuer: p.cfg.OIDCIssuer, ClientID: p.cfg.OIDCClientID, ClientSecret: p.cfg.OIDCClientSecret,
		GroupsClaim: p.cfg.OIDCGroupsClaim, RAGroup: p.cfg.RAGroup, ACR: p.cfg.OIDCACR, AnyAge: p.cfg.Fresh == "off", BaseURL: s.base, ClientIP: door.ClientIP,
		KnownGroups: p.Org.KnownGroups, Vouches: p.cfg.vouches, Count: p.metrics.signInFailed, PerMinute: p.cfg.SignInPerMinute,
	}, p.DB, p.People, sealer, now, p.log)
	if err != nil {
		return err
	}
	front, err := p.front(s, door, footer, now)
	if err != nil {
		return err
	}
	p.Handler = front.Routes()
	return nil
}

// front puts the site together, with the API in it.
func (p *Portal) front(s settings, door site.Door, footer *pages.Pages, now func() time.Time) (*site.Site, error) {
	chains := pki.NewPool(p.own()...)
	described, err := p.openAPI(door, chains, now)
	if err != nil {
		return nil, err
	}
	parts := site.Parts{
		Base: s.base, Desk: p.Desk, People: p.People, Org: p.Org, Mailbox: p.Mailbox, Imports: p.Imports, Bulk: p.Bulk, Cert: p.Cert, Digest: p.Digest, Earlier: p.Earlier, Order: p.Order,
		Recipe: p.Recipe, Drafts: p.Drafts, Handover: p.Handover, Outbox: p.Outbox, Queue: p.Queue, DB: p.DB, Pages: footer, Chains: chains, RootList: p.rootList, API: described,
		Now: now, Log: p.log, Version: p.cfg.Version, Intake: p.Intake, Trace: p.trace, Observe: p.metrics.observe,
		Compromise: p.Compromise, ClientIP: door.ClientIP, Security: s.security,
	}
	for _, f := range p.certificates() {
		parts.CA = append(parts.CA, page.Authority{Name: f.Name, DER: f.DER, Addressee: f.Addressee, OCSPURL: f.OCSPURL})
	}
	return site.New(parts), nil
}

// subjects makes the books, the right-most subject first: each is complete
// before another gets it. terms is the version of the terms of use.
func (p *Portal) subjects(s settings, terms string, now func() time.Time) {
	var signs cert.Authority
	registry := p.cfg.Registry
	if p.CA != nil {
		signs, registry = p.CA, issuance.Own(p.CA).With(registry)
	}
	base := s.base.Scheme + "://" + s.base.Host
	p.Outbox = p.outbox(s, base, now)
	p.Audit.Tell = p.tellAuditor(base)
	p.People = &person.Book{DB: p.DB, Now: now, Issuer: p.cfg.OIDCIssuer, TokenSleep: time.Duration(p.cfg.TokenSleep) * 24 * time.Hour, Outbox: p.Outbox, Base: base, Readers: cert.Readers}
	p.Org = &org.Book{DB: p.DB, People: p.People, Now: now, Outbox: p.Outbox, Base: base, Authorities: registry.ForMail()}
	p.Mailbox = &mailbox.Book{DB: p.DB, Org: p.Org, Queue: p.Queue, Sender: s.sender, Outbox: p.Outbox, Now: now, Base: base, Brakes: s.brakes}
	p.Imports = &imports.Book{DB: p.DB, Mailbox: p.Mailbox, Queue: p.Queue, Now: now}
	p.Bulk = &bulk.Book{
		DB: p.DB, People: p.People, Org: p.Org, Mailbox: p.Mailbox, Queue: p.Queue, Now: now, Log: p.log, PerMinute: p.cfg.BulkMails,
	}
	p.Cert = &cert.Book{
		DB: p.DB, Mailbox: p.Mailbox, Queue: p.Queue, Outbox: p.Outbox, Now: now, Base: base, Reminders: p.cfg.RemindDays, Authority: signs,
		Officers: p.cfg.RAGroup,
	}
	p.Digest = &digest.Book{DB: p.DB, Org: p.Org, Cert: p.Cert, Outbox: p.Outbox, Now: now, Base: base}
	p.Earlier = &earlier.Book{DB: p.DB, Cert: p.Cert, Now: now, Own: p.own()}
	p.Issuance = issuance.New(issuance.Book{DB: p.DB, Queue: p.Queue, Cert: p.Cert, Now: now, Registry: registry, Log: p.log})
	p.Cert.Withdrawer = p.Issuance.Withdrawer()
	p.Compromise = &compromise.Book{DB: p.DB, Cert: p.Cert, Now: now}
	p.Cert.Watch = p.Compromise
	p.Order = order.New(order.Book{
		DB: p.DB, Mailbox: p.Mailbox, Cert: p.Cert, Queue: p.Queue, Issuance: p.Issuance, Now: now, Officers: p.cfg.RAGroup,
		Multipurpose: p.cfg.Multipurpose, Terms: terms,
	})
	p.Recipe = &recipe.Book{DB: p.DB, Mailbox: p.Mailbox, Cert: p.Cert, Now: now}
	p.Drafts = &draft.Book{DB: p.DB, Now: now}
	p.Handover = &handover.Book{
		DB: p.DB, Org: p.Org, Person: p.People, Outbox: p.Outbox, Now: now, Base: base,
		PerDay: p.cfg.HandoverDay, LookUps: p.cfg.LookUpHour, Waiting: handover.MostWaiting, WaitingOwn: handover.MostOwn, SecondOfficer: p.cfg.SecondOfficer,
	}
}

// tellAuditor mails what leaves the record to the mailbox outside, if there is one.
func (p *Portal) tellAuditor(base string) func(context.Context, pgx.Tx, audit.Telling) error {
	return func(ctx context.Context, tx pgx.Tx, t audit.Telling) error { // a letter to nobody is none
		w := mail.RecordWords{Reader: mail.Reader{To: p.cfg.AuditMail}, Seal: t.End.Seq, Hash: t.Hash(), Key: t.Key, At: t.At, Link: base + paths.OfficeAudit}
		if t.Broken != nil {
			w.Broken, w.Seal, w.Line = true, t.Broken.Seq, t.Broken.Line
		}
		return p.Outbox.Post(ctx, tx, w)
	}
}

// outbox keeps what is to be mailed.
func (p *Portal) outbox(s settings, base string, now func() time.Time) *mail.Outbox {
	return &mail.Outbox{
		DB: p.DB, Sender: s.sender, Queue: p.Queue, Now: now, Log: p.log, OfficeLink: base + paths.OfficeMail, Count: p.metrics.mailFailed,
		Officers: func(ctx context.Context, tx pgx.Tx) ([]mail.Reader, error) {
			return p.People.OfficersToTell(ctx, tx, p.cfg.RAGroup)
		},
	}
}

// openAPI makes the API as the site, which must not know it, serves and explains
// it.
func (p *Portal) openAPI(door site.Door, chains *pki.Pool, now func() time.Time) (site.API, error) {
	p.API = &api.API{
		DB: p.DB, People: p.People, Org: p.Org, Mailbox: p.Mailbox, Imports: p.Imports, Cert: p.Cert, Order: p.Order, Now: now, Log: p.log, Base: p.Mailbox.Base,
		PerMinute: p.cfg.APIPerMinute, ClientIP: door.ClientIP, Chains: chains,
	}
	routes, document, err := p.API.Open()
	described := site.API{Path: api.Path, Handler: routes, Document: document}
	for _, k := range api.Kinds() {
		described.Problems = append(described.Problems, site.APIProblem{Name: k.Name, Status: k.Status, Title: k.Title, Text: k.Text})
	}
	return described, err
}

// authority opens the portal's own authority, if there is one: without it
// everything else works and applying says so.
func (p *Portal) authority(ctx context.Context, s settings, sealer *postgres.Sealer, now func() time.Time) error {
	local, err := ca.Open(ctx, p.DB, sealer, now, s.pki, p.cfg.Rules())
	if errors.Is(err, ca.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.pki == nil {
		p.log.Warn("no certificate can be issued: set PETSCHAFT_PKI_URL, the rules want to know where revocation lists are")
	}
	if p.cfg.Multipurpose && !local.Gives(pki.MailMulti) {
		return errors.New("PETSCHAFT_MAIL_MULTIPURPOSE needs an authority that was made with `petschaft ca init --with-sign-in`: this one's is limited to mail")
	}
	p.CA = local
	return nil
}

// Work starts the jobs; Close lets running ones finish.
func (p *Portal) Work(ctx context.Context) error {
	w := river.NewWorkers()
	periodic := slices.Concat(
		p.Outbox.Jobs(w), p.Audit.Jobs(w), brake.Jobs(w, p.DB, p.People.Now), p.Mailbox.Jobs(w), p.Imports.Jobs(w), p.Bulk.Jobs(w),
		p.Cert.Jobs(w), p.Digest.Jobs(w), p.Desk.Jobs(w), p.Drafts.Jobs(w), p.People.Jobs(w), p.Org.Jobs(w), p.Handover.Jobs(w),
		p.API.Jobs(w), p.Issuance.Jobs(w), p.Order.Jobs(w), p.Compromise.Jobs(w),
	)
	jobs := p.Jobs
	jobs.Workers, jobs.Periodic, jobs.Log = w, periodic, p.log
	return p.Queue.Start(ctx, jobs)
}
