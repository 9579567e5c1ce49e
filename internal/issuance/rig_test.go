package issuance_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/issuance"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// rig is the room with a made-up purpose, and an authority "outside" that says what
// it is told to.
type rig struct {
	*issuance.Book
	campus  *campus.Campus
	clock   *trial.Clock
	oracle  *oracle
	purpose *purpose
	next    issuance.Number
}

func newRig(t testing.TB) *rig {
	t.Helper()
	c := campus.New(t)
	r := &rig{campus: c, clock: c.Clock, oracle: &oracle{db: c.DB}, purpose: &purpose{}}
	r.Book = issuance.New(issuance.Book{
		DB: c.DB, Queue: c.Books.Queue, Cert: c.Books.Cert, Now: c.Clock.Now,
		Registry: issuance.Registry{"outside": {Authority: r.oracle, Mail: true, Servers: true}},
	})
	r.Register(issuance.Application, r.purpose)
	c.Books.Cert.Withdrawer = r.Withdrawer()
	return r
}

// purpose is a made-up one: right says whether there is a right.
type purpose struct {
	mu    sync.Mutex
	right error
	fails error // what Keep and Ended say
	kept  []issuance.Intent
	ended []issuance.Intent
	chain [][]byte
}

func (p *purpose) Hold(ctx context.Context, tx pgx.Tx, n issuance.Number) error {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, n); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.right
}

func (p *purpose) Keep(_ context.Context, _ pgx.Tx, i issuance.Intent, _ pki.Certificate, chain [][]byte) (cert.ID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		return 0, p.fails
	}
	p.kept, p.chain = append(p.kept, i), chain
	return 1, nil
}

func (p *purpose) Ended(_ context.Context, _ pgx.Tx, i issuance.Intent) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		return p.fails
	}
	p.ended = append(p.ended, i)
	return nil
}

// ends ends the right, or gives it back.
func (p *purpose) ends(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.right = why
}

// word is an answer that the oracle is to give.
type word func(ctx context.Context, r pki.Request) (pki.Answer, error)

// oracle is an authority that says one word after the other, the last one for ever.
// It notes each call with how the intent stands in the database at that moment.
type oracle struct {
	db    *postgres.DB
	mu    sync.Mutex
	words []word
	calls []string
	asked []pki.Request
}

func (o *oracle) says(words ...word) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.words = words
}

func (o *oracle) log() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.calls, ", ")
}

func (o *oracle) Ask(ctx context.Context, r pki.Request) (pki.Answer, error) {
	return o.call(ctx, r, "ask")
}

func (o *oracle) Collect(ctx context.Context, r pki.Request, ref string) (pki.Answer, error) {
	return o.call(ctx, r, "collect "+ref)
}

func (o *oracle) Revoke(ctx context.Context, _ pki.Certificate, why pki.Reason) (pki.Answer, error) {
	return o.call(ctx, pki.Request{}, fmt.Sprintf("revoke %d", why))
}

func (o *oracle) call(ctx context.Context, r pki.Request, what string) (pki.Answer, error) {
	if r.Intent != 0 {
		var stands string
		err := o.db.QueryRow(context.WithoutCancel(ctx), `select state || coalesce(nullif(' ' || ticket, ' '), '') from intent where number = $1`, r.Intent).Scan(&stands)
		if err != nil {
			return pki.Answer{}, err
		}
		what += " [" + stands + "]"
	}
	o.mu.Lock()
	o.calls, o.asked = append(o.calls, what), append(o.asked, r)
	say := o.words[0]
	if len(o.words) > 1 {
		o.words = o.words[1:]
	}
	o.mu.Unlock()
	return say(ctx, r)
}

// The words.
func says(a pki.Answer) word {
	return func(context.Context, pki.Request) (pki.Answer, error) { return a, nil }
}

func fails(why error) word {
	return func(context.Context, pki.Request) (pki.Answer, error) { return pki.Answer{}, why }
}

func (r *rig) later(d time.Duration, ref string) word {
	return func(context.Context, pki.Request) (pki.Answer, error) {
		return pki.Answer{Later: r.Now().Add(d), Reference: ref, Words: "being processed"}, nil
	}
}

var (
	errLost = errors.New("the line is dead")
	no      = says(pki.Answer{No: errors.New("no"), Words: "We do not like you"})
	lost    = fails(errLost)
	nothing = says(pki.Answer{Words: "Hello"})
)

// yes signs what was asked for, or what change makes of it.
func yes(change ...func(*pki.Request)) word {
	return func(_ context.Context, r pki.Request) (pki.Answer, error) {
		for _, f := range change {
			f(&r)
		}
		c, err := issuer().Sign(r, r.NotBefore)
		return pki.Answer{Certificate: &c, Chain: [][]byte{issuer().Certificate.Raw}, Reference: "R-yes"}, err
	}
}

func otherName(r *pki.Request) { r.Emails = []string{"eve@foreign.example"} }

// issuer is an authority for mail.
var issuer = sync.OnceValue(func() pki.Issuer {
	rootKey, key := ecKey(), ecKey()
	a := pki.Authority{Organisation: "Außen", Country: "DE", Role: "Root CA", Years: 40, NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	root := trial.Must(pki.NewRoot(a, rootKey))
	a.Role, a.Leaf, a.Purposes = "Mail CA", true, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	return pki.Issuer{Certificate: trial.Must(pki.Issuer{Certificate: root, Signer: rootKey}.SignAuthority(a, key.Public())), Signer: key}
})

func ecKey() *ecdsa.PrivateKey { return trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

var holderKey = sync.OnceValue(func() pki.Key { return trial.Must(pki.NewKey(ecKey().Public())) })

// write writes an intent for a mailbox.
func (r *rig) write(t testing.TB) issuance.Number {
	t.Helper()
	r.next++
	r.step(t, func(ctx context.Context, tx pgx.Tx, now time.Time) error {
		return r.Write(ctx, tx, now, r.intent(r.next))
	})
	return r.next
}

func (r *rig) intent(n issuance.Number) issuance.Intent {
	return issuance.Intent{
		Number: n, Kind: issuance.Application, Reference: fmt.Sprintf("OURS-%d", n), Authority: "outside", SPKI: holderKey().SPKI,
		Profile: string(pki.MailMailbox), Emails: []string{"office@uni.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.Now()),
	}
}

// step is a transaction of somebody else.
func (r *rig) step(t testing.TB, do func(ctx context.Context, tx pgx.Tx, now time.Time) error) {
	t.Helper()
	ok(t, r.DB.Tx(t.Context(), func(tx pgx.Tx) error { return do(t.Context(), tx, r.Now()) }))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// look is what a job does.
func (r *rig) look(t testing.TB, n issuance.Number) {
	t.Helper()
	ok(t, r.Look(t.Context(), issuance.Application, n))
}

// stands is how an intent stands: state, reason if any, and what it waits for.
func (r *rig) stands(t testing.TB, n issuance.Number) (s string) {
	t.Helper()
	var next *time.Time
	ok(t, r.DB.QueryRow(t.Context(), `select concat_ws(' ', state, nullif(reason, ''), case when withdrawn is not null then 'withdrawn' end,
			case when attempts > 0 then attempts || ' attempts' end), next_look from intent where number = $1`, n).Scan(&s, &next))
	if next != nil {
		s += " +" + next.Sub(r.Now()).String()
	}
	return s
}

// advance lets the time come at which n is looked at next, if somebody looks.
func (r *rig) advance(t testing.TB, n issuance.Number) {
	t.Helper()
	var next *time.Time
	ok(t, r.DB.QueryRow(t.Context(), `select next_look from intent where number = $1`, n).Scan(&next))
	if next != nil && next.After(r.Now()) {
		r.clock.Set(*next)
	}
}

func (r *rig) text(t testing.TB, sql string, args ...any) (s string) {
	t.Helper()
	ok(t, r.DB.QueryRow(t.Context(), sql, args...).Scan(&s))
	return s
}

// expect fails unless an intent stands so.
func (r *rig) expect(t testing.TB, n issuance.Number, want string) {
	t.Helper()
	if got := r.stands(t, n); got != want {
		t.Errorf("got the intent %q, want it %q", got, want)
	}
}

// told fails unless the purpose heard so often of a certificate and of an end.
func (r *rig) told(t testing.TB, kept, ended int) {
	t.Helper()
	r.purpose.mu.Lock()
	defer r.purpose.mu.Unlock()
	if len(r.purpose.kept) != kept || len(r.purpose.ended) != ended {
		t.Errorf("the purpose heard of %d certificates and %d ends, want %d and %d", len(r.purpose.kept), len(r.purpose.ended), kept, ended)
	}
}

// called fails unless those were the calls.
func (r *rig) called(t testing.TB, want string) {
	t.Helper()
	if got := r.oracle.log(); got != want {
		t.Errorf("got the calls %q, want %q", got, want)
	}
}
