package order_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/issuance"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

const day = 24 * time.Hour

// rig is a small university with a domain, its contact, and people.
type rig struct {
	*order.Book
	campus                          *campus.Campus
	db                              *postgres.DB
	url                             string
	clock                           *trial.Clock
	people                          *person.Book
	local                           *ca.Local      // one of the two
	away                            *catest.Server // is the authority
	contact, officer, ada, bob, eve person.Actor
	domain                          org.ID
	group                           org.GroupID
}

// books are the rooms on db as a process of the portal has them.
func books(db *postgres.DB, now func() time.Time, sender *mail.Sender) (*order.Book, error) {
	b, err := campus.Open(db, now, sender)
	return onBooks(db, now, b), err
}

func onBooks(db *postgres.DB, now func() time.Time, b campus.Books) *order.Book {
	room := issuance.New(issuance.Book{DB: db, Queue: b.Queue, Cert: b.Cert, Now: now})
	b.Cert.Withdrawer = room.Withdrawer()
	return order.New(order.Book{DB: db, Mailbox: b.Mailbox, Cert: b.Cert, Queue: b.Queue, Issuance: room, Now: now, Terms: "terms-1"})
}

// Issue leads an application on as if the time for it had come.
func (r *rig) Issue(ctx context.Context, id order.ID) error {
	return errors.Join(r.due(ctx, int64(id)), r.Book.Issue(ctx, id))
}

// Fulfil is Issue for an order of a server certificate.
func (r *rig) Fulfil(ctx context.Context, id order.ServerID) error {
	return errors.Join(r.due(ctx, int64(id)), r.Book.Fulfil(ctx, id))
}

// due lets the time come at which an intent is looked at.
func (r *rig) due(ctx context.Context, n int64) error {
	_, err := r.db.Exec(ctx, `update intent set next_look = least(next_look, $2) where number = $1 and next_look is not null`, n, trial.Today())
	return err
}

// localRig issues by the portal's own authority.
func localRig(t testing.TB) *rig {
	t.Helper()
	r := openRig(t, nil)
	r.useLocal(t)
	return r
}

func (r *rig) useLocal(t testing.TB) {
	t.Helper()
	r.local = r.campus.Local()
	r.use(r.local)
}

// awayRig issues by a pretend authority over HTTP.
func awayRig(t testing.TB) *rig {
	t.Helper()
	r := openRig(t, nil)
	r.away = catest.New(t)
	r.use(r.away.Client())
	return r
}

// use lets an authority be the portal's own.
func (r *rig) use(a issuance.Authority) { r.Issuance.Registry = issuance.Own(a) }

func openRig(t testing.TB, sender *mail.Sender) *rig {
	t.Helper()
	return rigOn(t, pgtest.URL(t), sender)
}

func rigOn(t testing.TB, database string, sender *mail.Sender) *rig {
	t.Helper()
	c := campus.On(t, database, sender)
	r := &rig{Book: onBooks(c.DB, c.Clock.Now, c.Books), campus: c, db: c.DB, url: c.URL, clock: c.Clock, people: c.People}
	r.officer = c.SignInOfficer(named("Rita", "Amt"))
	r.contact = r.signIn(t, "Nora", "Netz")
	r.ada, r.bob, r.eve = r.signIn(t, "Ada", "Adler"), r.signIn(t, "Bob", "Bach"), r.signIn(t, "Eve", "Ernst")
	r.group = c.Group(org.GroupInput{Name: "Rechenzentrum", Notify: "netz@uni.example"}, r.contact)
	r.domain = c.Domain("uni.example", r.group, org.ByDomain)
	return r
}

func (r *rig) domainInput(v org.Validation) org.DomainInput {
	in := org.DomainInput{Name: "uni.example", Group: r.group, Validation: v}
	if v == org.ByDomain {
		in.Proof = org.Proof{Method: "DNS TXT", By: "RA", From: trial.Today(), Until: trial.Today().Add(300 * day)}
	}
	return in
}

func named(given, surname string) person.Claims {
	c := campus.WithEmail(given+" "+surname, surname+"@people.example")
	c.Subject = surname
	return c
}

func (r *rig) signIn(t testing.TB, given, surname string) person.Actor {
	t.Helper()
	return r.claims(t, named(given, surname))
}

func (r *rig) claims(t testing.TB, c person.Claims) person.Actor {
	t.Helper()
	return r.campus.SignIn(c)
}

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// linked makes a personal row that by confirmed whole.
func (r *rig) linked(t testing.TB, by person.Actor, addresses ...string) mailbox.ID {
	t.Helper()
	row, err := r.Mailbox.Add(t.Context(), r.contact, "uni.example", mailbox.Input{
		Kind: mailbox.Personal, Name: "Row", Primary: addresses[0], Aliases: addresses[1:],
	})
	r.ok(t, err)
	r.confirm(t, by, row.ID)
	return row.ID
}

// confirm starts a round and answers all of it, as if its mails had come.
func (r *rig) confirm(t testing.TB, by person.Actor, id mailbox.ID) {
	t.Helper()
	r.clock.Advance(2 * time.Minute)
	trial.Must(r.Mailbox.Challenge(t.Context(), r.contact, "uni.example", id))
	rows, err := r.db.Query(t.Context(), `select id from challenge where row_id = $1 and state = 'queued' order by id`, id)
	r.ok(t, err)
	asked, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	r.ok(t, err)
	for _, n := range asked {
		digest := mailbox.Digest(rand.Text())
		r.exec(t, `update challenge set state = 'sent', token = $2, expires = $3 where id = $1`, n, digest, r.Now().Add(day))
		r.exec(t, `insert into challenge_token (hash, challenge, made) values ($1, $2, $3)`, digest, n, r.Now())
		_, err := r.Mailbox.Confirm(t.Context(), by, digest)
		r.ok(t, err)
	}
}

func (r *rig) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := r.db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (r *rig) off(t testing.TB, id mailbox.ID) {
	t.Helper()
	r.ok(t, r.Mailbox.Deactivate(t.Context(), r.contact, "uni.example", id))
}

// edit gives the row other aliases.
func (r *rig) edit(t testing.TB, id mailbox.ID, aliases ...string) {
	t.Helper()
	row := trial.Must(r.Mailbox.Row(t.Context(), r.contact, "uni.example", id))
	r.ok(t, r.Mailbox.Edit(t.Context(), r.contact, "uni.example", id, row.Version, mailbox.Input{Kind: row.Kind, Name: row.Name, Aliases: aliases}))
}

// ecKey and rsaKey are a person's keys; the RSA one is made once.
func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return trial.Must(rsa.GenerateKey(rand.Reader, 3072)) })

func csr(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "Somebody Else"}, EmailAddresses: []string{"boss@uni.example"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// apply is an application with a fresh key.
func (r *rig) apply(t testing.TB, by person.Actor, row mailbox.ID) order.ID {
	t.Helper()
	made, err := r.Apply(t.Context(), by, row, order.Input{CSR: csr(t, ecKey(t)), Terms: r.Terms})
	r.ok(t, err)
	return made.ID
}

func (r *rig) application(t testing.TB, id order.ID) order.Application {
	t.Helper()
	a, err := r.One(t.Context(), r.officer, id)
	r.ok(t, err)
	return a
}

// ended fails unless the application stands so; state and reason.
func (r *rig) ended(t testing.TB, id order.ID, state order.State, reason string) {
	t.Helper()
	if a := r.application(t, id); a.State != state || a.Reason != reason {
		t.Errorf("got the application %s, %q; want it %s, %q", a.State, a.Reason, state, reason)
	}
}

// one fails unless the application has the only certificate there is, with the
// intent's serial if the authority kept to it.
func (r *rig) one(t testing.TB, id order.ID) cert.Certificate {
	t.Helper()
	if n := r.campus.Scalar(`select count(*) from certificate`); n != 1 {
		t.Fatalf("got %d certificates recorded, want 1", n)
	}
	a := r.application(t, id)
	if a.State != order.Issued || a.Certificate == nil || a.Ended == nil {
		t.Fatalf("got the application %s, %q, certificate %v; want it issued", a.State, a.Reason, a.Certificate)
	}
	return trial.Must(r.Cert.One(t.Context(), r.officer, *a.Certificate))
}

// intended is the serial number of the intent.
func (r *rig) intended(t testing.TB, id order.ID) string {
	t.Helper()
	var serial []byte
	r.ok(t, r.db.QueryRow(t.Context(), `select serial from application where id = $1`, id).Scan(&serial))
	return fmt.Sprintf("%x", serial)
}
