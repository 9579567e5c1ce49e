// Package issuance leads what was written down to a certificate: it asks an
// authority, waits as long as that takes, and hands over what came. It decides
// when an authority is asked, that nothing is asked for twice and nothing that
// came is lost, and whether what came is what was asked for. It never decides who
// may have a certificate, knows no mailbox and no organisation, and never signs:
// a Purpose says what is allowed and keeps the result, an Authority issues.
//
//	written ── about to be asked ──▶ asked ──┬── a certificate ──▶ issued
//	   │                             ▲   │   ├── no for good ────▶ refused
//	   │                             │   │   └── not known for two days ──▶ unknown
//	   │ the right ended             │   ▼ later
//	   └──────▶ refused              └─ pending
//
// The right is asked for again before each call, for a call may do what cannot be
// undone. Where it ended before the first call nothing is asked; where it ended
// later the intent is withdrawn, also one that is unknown: the authority is asked only
// what became of it, and a certificate that comes is recorded, not offered, and revoked
// at once.
//
// Before a call the intent is asked and committed. A process that dies during a
// call is followed, after the lease, by one that asks again with the same number,
// request and reference, by which an authority finds what it made. Waiting costs
// no attempt, and no job waits: next_look says when somebody looks, and a clock
// queues what is due. For an authority that is not set up an intent stays as it is.
package issuance

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// Number names an intent: it is the number of what the certificate is for.
type Number int64

// Kind is what an intent is for; each has its Purpose.
type Kind string

// The kinds there are.
const (
	Application Kind = "application"
	ServerOrder Kind = "server_order"
)

// State is where an intent stands; the package comment draws it.
type State string

// The states of an intent.
const (
	Written State = "written"
	Asked   State = "asked"
	Pending State = "pending"
	Issued  State = "issued"
	Refused State = "refused"
	Unknown State = "unknown"
)

// Open tells whether a certificate may still come of it by itself.
func (s State) Open() bool { return s == Written || s == Asked || s == Pending }

// Why an intent ended without its certificate, as message ids, besides the id of
// the fault by which a right ended.
const (
	NoAuthority = "order.failed.authority" // it says no: there is no certificate
	NotAsAsked  = "order.failed.mismatch"  // it answered with something else
	NotKnown    = "order.failed.away"      // whether there is a certificate is not known
)

// Intent is what an authority is asked for, and how far that has come.
type Intent struct {
	Number     Number
	Kind       Kind
	Reference  string // ours
	Authority  string // by name
	CSR        []byte // the request as it came, DER; empty where it was not kept
	SPKI       []byte
	Profile    string
	CommonName string
	GivenName  string
	Surname    string
	pki.Sponsor
	Emails    []string
	Names     []string // of servers
	Days      int
	Serial    []byte
	NotBefore time.Time

	State     State
	Since     time.Time
	Asked     *time.Time // for the first time
	NextLook  *time.Time // nil when it is over
	Attempts  int        // calls in a row whose outcome is not known
	Ticket    string     // the authority's own reference
	Person    bool       // somebody there has to look
	Said      string     // by the authority; for officers
	Trouble   string     // why it was not heard since, as a message id; empty: it was
	Reason    string     // why there is no certificate, as a message id
	Findings  []lint.Finding
	Answer    []byte     // the certificate that came instead
	Withdrawn *time.Time // when the right to it ended

	// Of what came, for Keep.
	Chain       [][]byte         `db:"-"`
	Checks      *lint.Report     `db:"-"`
	Differences []pki.Difference `db:"-"` // from what was asked for; none: it is what was asked for
}

// Request is what the authority is asked for. A fault says why it may not be
// asked.
func (i Intent) Request() (pki.Request, error) {
	key, err := pki.ReadKey(i.SPKI)
	if err != nil {
		return pki.Request{}, err
	}
	r := pki.Request{
		Intent: int64(i.Number), Reference: i.Reference, Profile: pki.ProfileID(i.Profile), Key: key, CSR: i.CSR,
		CommonName: i.CommonName, GivenName: i.GivenName, Surname: i.Surname, Sponsor: i.Sponsor, Emails: i.Emails,
		DNS: i.Names, Days: i.Days, Serial: i.Serial, NotBefore: i.NotBefore,
	}
	return r, r.Check()
}

// Purpose is what certificates of one kind are for. Its steps run in a transaction
// of this room, and take their locks before the intent's.
type Purpose interface {
	// Hold locks what the intent n is for and tells whether there is a right to its
	// certificate now. A fault of kind Conflict, Denied, Invalid or Missing says why
	// there is none; ErrOver that it ended elsewhere; anything else that nobody knows.
	Hold(ctx context.Context, tx pgx.Tx, n Number) error
	// Keep records what came, whatever became of the right meanwhile, and returns
	// its number. The same certificate may come twice.
	Keep(ctx context.Context, tx pgx.Tx, i Intent, c pki.Certificate, chain [][]byte) (cert.ID, error)
	// Ended hears that no certificate comes of i, or that it is withdrawn and what
	// comes will not be offered; i tells why. It may hear so twice.
	Ended(ctx context.Context, tx pgx.Tx, i Intent) error
}

// ErrOver is that what an intent is for has ended without this room.
var ErrOver = fault.New(fault.Conflict, "issuance.over")

// Authority issues certificates and revokes them. An error means that the outcome
// is not known: the same call is made again. Each call does at most one step that
// cannot be undone.
type Authority interface {
	// Ask asks for the certificate of r. Asked again for the same number and
	// reference it finds what it made.
	Ask(ctx context.Context, r pki.Request) (pki.Answer, error)
	// Collect asks what became of r, which it called ref; empty where it called it
	// nothing. It never begins anew: what it does not know is a no.
	Collect(ctx context.Context, r pki.Request, ref string) (pki.Answer, error)
	// Revoke ends a certificate; one that is revoked already is done.
	Revoke(ctx context.Context, c pki.Certificate, reason pki.Reason) (pki.Answer, error)
}

// Book keeps intents and withdrawals.
type Book struct {
	DB       *postgres.DB
	Queue    *queue.Queue
	Cert     *cert.Book
	Now      func() time.Time
	Registry Registry
	Log      *slog.Logger // of what happened on the way to authorities; nil: nowhere
	// Patience bounds one call of an authority; 0 means 30 seconds.
	Patience time.Duration

	purposes map[Kind]Purpose
}

// New makes the room. What its intents are for is registered before it is used.
func New(b Book) *Book {
	b.purposes = map[Kind]Purpose{}
	return &b
}

// Register says what intents of a kind are for.
func (b *Book) Register(k Kind, p Purpose) { b.purposes[k] = p }

// attempts bounds the calls in a row whose outcome is not known: with the pauses of
// mail.Backoff the last one is made two days after the first.
const attempts = 28

// LongWait is after how long of waiting for an authority a registration officer
// is to see to it.
const LongWait = 14 * 24 * time.Hour

func (b *Book) patience() time.Duration {
	if b.Patience > 0 {
		return b.Patience
	}
	return 30 * time.Second
}

// lease is how long a call has the intent to itself: long enough that a process
// which is still at it is not followed by another.
func (b *Book) lease() time.Duration { return b.patience() + 30*time.Second }
