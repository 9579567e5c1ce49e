package mailbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/campus"
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
	*campus.Keeper
	campus                     *campus.Campus
	db                         *postgres.DB
	clock                      *trial.Clock
	certificates               atomic.Int64 // the newest's number
	contact, stranger, officer person.Actor
	ada, bob                   person.Actor
	uni, institute, labs       string // domains; uni and labs share a group
	uniID, instituteID, labsID org.ID
	group, other               org.GroupID
}

func newRig(t testing.TB, change ...func(*mailbox.Book)) *rig {
	t.Helper()
	return openRig(t, pgtest.URL(t), nil, change...)
}

func openRig(t testing.TB, database string, sender *mail.Sender, change ...func(*mailbox.Book)) *rig {
	t.Helper()
	c := campus.On(t, database, sender)
	r := &rig{
		campus: c, db: c.DB, clock: c.Clock, uni: "uni.example", institute: "institut.example", labs: "labor.example",
	}
	for _, f := range change {
		f(c.Books.Mailbox)
	}
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
	r.Arm = r.arm
	return r
}

func second[T any](_ T, err error) error { return err }

// arm gives every queued challenge of the row a token, as its delivery would,
// and returns the digests by recipient.
func (r *rig) arm(t testing.TB, id mailbox.ID) map[string][]byte {
	t.Helper()
	rows, err := r.db.Query(t.Context(), `select id, recipient from challenge where row_id = $1 and state in ('queued', 'deferred') order by id`, id)
	if err != nil {
		t.Fatal(err)
	}
	type open struct {
		ID        int64
		Recipient string
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[open])
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string][]byte{}
	for _, c := range all {
		digests[c.Recipient] = mailbox.Digest(mailbox.Arm(t, r.Book, c.ID))
	}
	return digests
}

// work runs the room's jobs until the test ends.
func (r *rig) work(t testing.TB) {
	t.Helper()
	w := river.NewWorkers()
	r.Jobs(w)
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
