package imports_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/imports"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/internal/trial"
)

// rig is a small university: two contact groups with a domain each, a second
// domain of the first group, and people.
type rig struct {
	*mailbox.Book
	Imports                    *imports.Book
	db                         *postgres.DB
	clock                      *trial.Clock
	contact, stranger, officer person.Actor
	ada, bob                   person.Actor
	uni, institute, labs       string // domains; uni and labs share a group
	uniID, instituteID, labsID org.ID
	group, other               org.GroupID
}

func newRig(t testing.TB) *rig {
	t.Helper()
	db := pgtest.New(t)
	return openRig(t, db)
}

func openRig(t testing.TB, db *postgres.DB) *rig {
	t.Helper()
	c := trial.NewClock()
	q, err := queue.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	orgs := &org.Book{DB: db, People: &person.Book{DB: db, Now: c.Now}, Now: c.Now}
	outbox := mail.NewOutbox(db, nil, q)
	outbox.Now = c.Now
	r := &rig{
		db: db, clock: c, uni: "uni.example", institute: "institut.example", labs: "labor.example",
		Book: &mailbox.Book{DB: db, Org: orgs, Queue: q, Outbox: outbox, Now: c.Now, Base: "https://portal.example", Brakes: mailbox.DefaultBrakes},
	}
	r.Imports = &imports.Book{DB: db, Mailbox: r.Book, Queue: q, Now: c.Now}
	people := &person.Book{DB: db, Now: c.Now}
	for name, a := range map[string]*person.Actor{
		"Nora Netz": &r.contact, "Sven Fremd": &r.stranger, "Rita Amt": &r.officer,
		"Ada Adler": &r.ada, "Bob Bach": &r.bob,
	} {
		*a = signIn(t, db, people, name)
	}
	r.officer.Officer = true
	r.group = must(orgs.AddGroup(t.Context(), r.officer, org.GroupInput{Name: "Rechenzentrum", Notify: "netz@uni.example"}))
	r.other = must(orgs.AddGroup(t.Context(), r.officer, org.GroupInput{Name: "Institut", Claims: []string{"institut-netz"}}))
	must(0, orgs.AddMember(t.Context(), r.officer, r.group, r.contact.Account))
	must(0, orgs.AddMember(t.Context(), r.officer, r.other, r.stranger.Account))
	r.uniID = addDomain(t, r, r.uni, r.group, org.ByDomain)
	r.labsID = addDomain(t, r, r.labs, r.group, org.ByMailbox)
	r.instituteID = addDomain(t, r, r.institute, r.other, org.ByDomain)
	return r
}

func signIn(t testing.TB, db *postgres.DB, people *person.Book, name string) person.Actor {
	t.Helper()
	var a person.Account
	err := db.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		a, err = people.SignedIn(t.Context(), tx, person.Claims{Issuer: "https://idp.example", Subject: name, Name: name}, audit.Who{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return person.Actor{Account: a.ID, Name: a.Name}
}

func addDomain(t testing.TB, r *rig, name string, g org.GroupID, v org.Validation) org.ID {
	t.Helper()
	in := org.DomainInput{Name: name, Group: g, Validation: v}
	if v == org.ByDomain {
		in.Proof = org.Proof{Method: "DNS TXT", By: "RA", From: r.Now(), Until: r.Now().Add(300 * 24 * time.Hour)}
	}
	must(r.Org.AddDomain(t.Context(), r.officer, in))
	return must(r.Org.Domain(t.Context(), r.officer, name)).ID
}

func second[T any](_ T, err error) error { return err }

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("setting up: %v", err))
	}
	return v
}

// add makes a personal row for name@uni.example.
func (r *rig) add(t testing.TB, local string, aliases ...string) mailbox.ID {
	t.Helper()
	row, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: local, Primary: local + "@uni.example", Aliases: aliases})
	if err != nil {
		t.Fatalf("add %s: %v", local, err)
	}
	return row.ID
}

func (r *rig) row(t testing.TB, id mailbox.ID) mailbox.Row {
	t.Helper()
	row, err := r.Row(t.Context(), r.officer, r.uni, id)
	if err != nil {
		t.Fatalf("read row %d: %v", id, err)
	}
	return row
}

// arm gives every queued challenge of the row a token, as its delivery would,
// and returns the digests by recipient.
func (r *rig) arm(t testing.TB, id mailbox.ID) map[string][]byte {
	t.Helper()
	rows, err := r.db.Query(t.Context(), `update challenge set state = 'sent', sent = $2, token = sha256(('token ' || id)::bytea), expires = $3
		where row_id = $1 and state in ('queued', 'deferred') returning id, recipient, token`, id, r.Now(), r.Now().Add(14*24*time.Hour))
	r.ok(t, err)
	type armed struct {
		ID        int64
		Recipient string
		Token     []byte
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[armed])
	r.ok(t, err)
	digests := map[string][]byte{}
	for _, c := range all {
		_, err := r.db.Exec(t.Context(), `insert into challenge_token (hash, challenge, made) values ($1, $2, $3)`, c.Token, c.ID, r.Now())
		r.ok(t, err)
		digests[c.Recipient] = c.Token
	}
	return digests
}

func (r *rig) challenge(t testing.TB, id mailbox.ID) map[string][]byte {
	t.Helper()
	r.clock.Advance(2 * time.Minute)
	if _, err := r.Challenge(t.Context(), r.contact, r.uni, id); err != nil {
		t.Fatalf("challenge row %d: %v", id, err)
	}
	return r.arm(t, id)
}

// work runs the room's jobs until the test ends.
func (r *rig) work(t testing.TB) {
	t.Helper()
	w := river.NewWorkers()
	r.Imports.Jobs(w)
	r.Outbox.Jobs(w)
	if err := r.Queue.Start(t.Context(), queue.Work{Workers: w, Log: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Queue.Stop(ctx); err != nil {
			t.Errorf("stop queue: %v", err)
		}
	})
}
