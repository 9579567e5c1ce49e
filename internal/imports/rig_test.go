package imports_test

import (
	"context"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"petschaft/internal/campus"
	"petschaft/internal/imports"
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
	*campus.Keeper
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
		campus: c, db: c.DB, clock: c.Clock, uni: "uni.example", institute: "institut.example", labs: "labor.example",
	}
	r.Imports = &imports.Book{DB: c.DB, Mailbox: c.Books.Mailbox, Queue: c.Books.Queue, Now: c.Clock.Now}
	r.officer = c.SignInOfficer(campus.Named("Rita Amt"))
	for name, a := range map[string]*person.Actor{"Nora Netz": &r.contact, "Sven Fremd": &r.stranger, "Ada Adler": &r.ada, "Bob Bach": &r.bob} {
		*a = c.SignIn(campus.Named(name))
	}
	r.group = c.Group(org.GroupInput{Name: "Rechenzentrum", Notify: "netz@uni.example"}, r.contact)
	r.other = c.Group(org.GroupInput{Name: "Institut", Claims: []string{"institut-netz"}}, r.stranger)
	r.uniID = c.Domain(r.uni, r.group, org.ByDomain)
	r.labsID = c.Domain(r.labs, r.group, org.ByMailbox)
	r.instituteID = c.Domain(r.institute, r.other, org.ByDomain)
	r.Keeper = c.Keeper(r.contact, r.uni)
	return r
}

func second[T any](_ T, err error) error { return err }

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
