package campus

import (
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/trial"
)

// Base is where the portal of books is.
const Base = "https://portal.example"

// Books are the rooms that most stand on, as a process of the portal has them.
// Certificates have no authority yet.
type Books struct {
	People  *person.Book
	Org     *org.Book
	Queue   *queue.Queue
	Outbox  *mail.Outbox
	Mailbox *mailbox.Book
	Cert    *cert.Book
	Keys    *compromise.Book
}

// Open opens them. Without a sender letters stay where they are.
func Open(db *postgres.DB, now func() time.Time, sender *mail.Sender) (Books, error) {
	q, err := queue.Open(db)
	if err != nil {
		return Books{}, err
	}
	b := Books{People: &person.Book{DB: db, Now: now, Readers: cert.Readers}, Queue: q, Outbox: &mail.Outbox{DB: db, Sender: sender, Queue: q, Now: now}}
	b.Org = &org.Book{DB: db, People: b.People, Now: now, Outbox: b.Outbox, Base: Base}
	b.Mailbox = &mailbox.Book{
		DB: db, Org: b.Org, Queue: q, Sender: sender, Outbox: b.Outbox, Now: now, Base: Base, Brakes: mailbox.DefaultBrakes,
	}
	b.Cert = &cert.Book{DB: db, Mailbox: b.Mailbox, Queue: q, Outbox: b.Outbox, Now: now, Base: Base}
	b.Keys = &compromise.Book{DB: db, Cert: b.Cert, Now: now}
	b.Cert.Watch = b.Keys
	return b, nil
}

// Campus is a portal of books that nobody has entered yet.
type Campus struct {
	Founder
	Books Books
	Clock *trial.Clock
	URL   string // of the database
}

// New is one with the connections that races need to really meet in Postgres; with
// more than eight they wait for each other too long on a busy machine.
func New(t testing.TB) *Campus { t.Helper(); return On(t, pgtest.URL(t), nil) }

// On is New in a database that is there, with a way for letters to leave.
func On(t testing.TB, database string, sender *mail.Sender) *Campus {
	t.Helper()
	db := pgtest.Open(t, database, func(c *pgxpool.Config) { c.MaxConns = 8 })
	clock := trial.NewClock()
	b := trial.Must(Open(db, clock.Now, sender))
	return &Campus{Books: b, Founder: Founder{T: t, DB: db, People: b.People, Org: b.Org}, Clock: clock, URL: database}
}

// Local founds the portal's own authority and lets certificates know it; change
// may give its root a key that is kept elsewhere.
func (c *Campus) Local(change ...func(*ca.Options)) *ca.Local {
	c.T.Helper()
	sealer, at := trial.Must(c.DB.Sealer(c.T.Context(), make([]byte, 32))), trial.Must(url.Parse("http://pki.example"))
	o := ca.Options{Organisation: "Uni Beispiel", Country: "DE", Now: c.Clock.Now(), PKIURL: at}
	for _, f := range change {
		f(&o)
	}
	trial.Must(0, ca.Init(c.T.Context(), c.DB, sealer, o))
	local := trial.Must(ca.Open(c.T.Context(), c.DB, sealer, c.Clock.Now, at))
	c.Books.Cert.Authority = local
	return local
}
