package imports_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/campus"
	"petschaft/internal/imports"
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
	campus                     *campus.Campus
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
	return openRig(t, pgtest.URL(t))
}

func openRig(t testing.TB, database string) *rig {
	t.Helper()
	c := campus.On(t, database, nil)
	r := &rig{
		Book: c.Books.Mailbox, campus: c, db: c.DB, clock: c.Clock, uni: "uni.example", institute: "institut.example", labs: "labor.example",
	}
	r.Imports = &imports.Book{DB: c.DB, Mailbox: r.Book, Queue: c.Books.Queue, Now: c.Clock.Now}
	r.officer = c.SignInOfficer(campus.Named("Rita Amt"))
	for name, a := range map[string]*person.Actor{"Nora Netz": &r.contact, "Sven Fremd": &r.stranger, "Ada Adler": &r.ada, "Bob Bach": &r.bob} {
		*a = c.SignIn(campus.Named(name))
	}
	r.group = c.Group(org.GroupInput{Name: "Rechenzentrum", Notify: "netz@uni.example"}, r.contact)
	r.other = c.Group(org.GroupInput{Name: "Institut", Claims: []string{"institut-netz"}}, r.stranger)
	r.uniID = c.Domain(r.uni, r.group, org.ByDomain)
	r.labsID = c.Domain(r.labs, r.group, org.ByMailbox)
	r.instituteID = c.Domain(r.institute, r.other, org.ByDomain)
	return r
}

func second[T any](_ T, err error) error { return err }

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
