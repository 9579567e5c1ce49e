package handover_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/trial"
)

const day = 24 * time.Hour

// rig is a house with two organisations of tina: garden and library. rita and
// otto are registration officers; ada, bob and eve are registered.
type rig struct {
	*handover.Book
	campus                          *campus.Campus
	db                              *postgres.DB
	url                             string
	clock                           *trial.Clock
	queue                           *queue.Queue
	tina, ada, bob, eve, rita, otto person.Actor
	garden, library                 org.OrganisationID
}

// book is the room on db as a process of the portal has it.
func book(db *postgres.DB, now func() time.Time, sender *mail.Sender) (*handover.Book, *queue.Queue, error) {
	b, err := campus.Open(db, now, sender)
	return onBooks(db, now, b), b.Queue, err
}

func onBooks(db *postgres.DB, now func() time.Time, b campus.Books) *handover.Book {
	return &handover.Book{
		DB: db, Org: b.Org, Person: b.People, Outbox: b.Outbox, Now: now, Base: campus.Base, SecondOfficer: true, LookUps: 1 << 20, Waiting: 1 << 20, WaitingOwn: 1 << 20,
	}
}

func newRig(t testing.TB) *rig { t.Helper(); return rigWith(t, nil) }

func rigWith(t testing.TB, sender *mail.Sender) *rig {
	t.Helper()
	c := campus.On(t, pgtest.URL(t), sender)
	r := &rig{Book: onBooks(c.DB, c.Clock.Now, c.Books), campus: c, db: c.DB, url: c.URL, clock: c.Clock, queue: c.Books.Queue}
	r.rita = c.SignInOfficer(campus.WithEmail("Rita Amt", address("Rita Amt")))
	r.tina, r.ada, r.bob = r.signIn(t, "Tina Technik"), r.signIn(t, "Ada Adler"), r.signIn(t, "Bob Bach")
	r.eve, r.otto = r.signIn(t, "Eve Ernst"), r.signIn(t, "Otto Ober")
	r.otto.Officer = true
	r.garden, r.library = c.Organisation("Garten", r.tina), c.Organisation("Bibliothek", r.tina)
	return r
}

// address is where somebody of that name is reached.
func address(name string) string { return strings.ToLower(strings.Fields(name)[0]) + "@uni.example" }

func (r *rig) signIn(t testing.TB, name string) person.Actor {
	t.Helper()
	return r.claims(t, person.Claims{Subject: name, Name: name, Email: address(name), EmailVerified: true})
}

func (r *rig) claims(t testing.TB, c person.Claims) person.Actor {
	t.Helper()
	return r.campus.SignIn(c)
}

// offer offers the garden to ada.
func (r *rig) offer(t testing.TB) handover.WithPassword {
	t.Helper()
	return r.offerTo(t, r.ada, r.garden)[0]
}

func (r *rig) offerTo(t testing.TB, to person.Actor, organisations ...org.OrganisationID) []handover.WithPassword {
	t.Helper()
	made, err := r.Offer(t.Context(), r.tina, handover.Wish{Organisations: organisations, Email: to.Email})
	r.ok(t, err)
	return made
}

// accepted is an offer of the garden that ada accepted.
func (r *rig) accepted(t testing.TB) handover.WithPassword {
	t.Helper()
	o := r.offer(t)
	r.ok(t, r.Accept(t.Context(), r.ada, o.ID))
	return o
}

// is fails unless the offer stands so.
func (r *rig) is(t testing.TB, id handover.ID, want handover.State) {
	t.Helper()
	var got handover.State
	r.ok(t, r.db.QueryRow(t.Context(), `select state from handover where id = $1`, id).Scan(&got))
	if got != want {
		t.Errorf("got the offer %s, want %s", got, want)
	}
}

// keeps fails unless by is the contact.
func (r *rig) keeps(t testing.TB, by person.Actor, id org.OrganisationID) {
	t.Helper()
	o, err := r.Org.Organisation(t.Context(), r.rita, id)
	if err != nil || o.ContactID != by.Account {
		t.Errorf("got %s as the contact of %s and %v, want %s", o.ContactName, o.Name, err, by.Name)
	}
}

// letters are those queued so far, as "kind to", in order.
func (r *rig) letters(t testing.TB) []string {
	t.Helper()
	rows, err := r.db.Query(t.Context(), `select kind || ' ' || split_part(recipient, '@', 1) from letter order by id`)
	r.ok(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	r.ok(t, err)
	return all
}

func (r *rig) wantLetters(t testing.TB, want ...string) {
	t.Helper()
	if got := r.letters(t); strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("got the letters\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (r *rig) count(t testing.TB, sql string, args ...any) (n int) {
	t.Helper()
	r.ok(t, r.db.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

func (r *rig) lock(t testing.TB, who person.Actor) {
	t.Helper()
	r.ok(t, r.Person.Lock(t.Context(), r.rita, who.Account, "Konto übernommen"))
}

func (r *rig) ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
