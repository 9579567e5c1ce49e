package bulk_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/campus"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

const uni = "uni.example"

// rig is a domain with its contact, a stranger who looks after another, and a
// registration officer.
type rig struct {
	*bulk.Book
	t                          *testing.T
	campus                     *campus.Campus
	db                         *postgres.DB
	url                        string
	clock                      *trial.Clock
	group                      org.GroupID
	contact, stranger, officer person.Actor
}

func second[T any](_ T, err error) error { return err }

// book is the room with what it stands on, as a process of the portal has it.
func book(db *postgres.DB, now func() time.Time) *bulk.Book {
	return onBooks(db, now, trial.Must(campus.Open(db, now, nil)))
}

func onBooks(db *postgres.DB, now func() time.Time, b campus.Books) *bulk.Book {
	return &bulk.Book{DB: db, People: b.People, Org: b.Org, Mailbox: b.Mailbox, Queue: b.Queue, Now: now}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	c := campus.New(t)
	r := &rig{t: t, campus: c, db: c.DB, url: c.URL, clock: c.Clock, Book: onBooks(c.DB, c.Clock.Now, c.Books)}
	r.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	r.officer = c.SignInOfficer(campus.Named("Rita Amt"))
	r.contact, r.stranger = c.SignIn(campus.Named("Nora Netz")), c.SignIn(campus.Named("Sven Fremd"))
	r.group = c.Group(org.GroupInput{Name: uni}, r.contact)
	c.Domain(uni, r.group, org.ByDomain)
	c.Domain("institut.example", c.Group(org.GroupInput{Name: "institut.example"}, r.stranger), org.ByDomain)
	return r
}

func (r *rig) add(local string, aliases ...string) mailbox.ID {
	r.t.Helper()
	return r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: local, Primary: local + "@" + uni, Aliases: aliases})
}

func (r *rig) addRow(in mailbox.Input) mailbox.ID {
	r.t.Helper()
	row, err := r.Mailbox.Add(r.t.Context(), r.contact, uni, in)
	if err != nil {
		r.t.Fatalf("add %s: %v", in.Primary, err)
	}
	return row.ID
}

func (r *rig) many(n int) (ids []mailbox.ID) {
	r.t.Helper()
	for i := range n {
		ids = append(ids, r.add(fmt.Sprintf("person%03d", i)))
	}
	return ids
}

func (r *rig) row(id mailbox.ID) mailbox.Row {
	r.t.Helper()
	row, err := r.Mailbox.Row(r.t.Context(), r.officer, uni, id)
	if err != nil {
		r.t.Fatalf("read row %d: %v", id, err)
	}
	return row
}

// prepared is a draft for the rows, for all when there are none.
func (r *rig) prepared(v bulk.Verb, ids ...mailbox.ID) bulk.ID {
	r.t.Helper()
	id, err := r.Prepare(r.t.Context(), r.contact, uni, v, mailbox.View{IDs: ids})
	if err != nil {
		r.t.Fatalf("prepare %s: %v", v, err)
	}
	return id
}

func (r *rig) started(v bulk.Verb, ids ...mailbox.ID) bulk.ID {
	r.t.Helper()
	id := r.prepared(v, ids...)
	r.ok(r.Start(r.t.Context(), r.contact, uni, id, "bis 2027"))
	return id
}

func (r *rig) one(id bulk.ID) bulk.Bulk {
	r.t.Helper()
	x, err := r.One(r.t.Context(), r.contact, uni, id)
	r.ok(err)
	return x
}

// finish works until there is nothing left to do, moving the clock to where the
// pace allows more.
func (r *rig) finish(id bulk.ID) bulk.Bulk {
	r.t.Helper()
	for range 10_000 {
		wait, more, err := r.Batch(r.t.Context(), id)
		r.ok(err)
		if !more {
			return r.one(id)
		}
		r.clock.Advance(wait)
	}
	r.t.Fatal("the work does not end")
	return bulk.Bulk{}
}

func (r *rig) items(id bulk.ID, o bulk.Outcome) []bulk.Item {
	r.t.Helper()
	items, err := r.Items(r.t.Context(), r.one(id), o, "", 0, 1000)
	r.ok(err)
	return items
}

func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// audited counts the audit lines with the action.
func (r *rig) audited(action string) int {
	r.t.Helper()
	return r.campus.Scalar(`select count(*) from audit_line where action = $1`, action)
}
