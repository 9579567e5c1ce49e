package mailbox_test

import (
	"sync"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

// TestTheSameDeedOfTwoProcessesMakesOneThing asks fifty times at once, on two
// pools, and compares what each is told.
func TestTheSameDeedOfTwoProcessesMakesOneThing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := mailbox.Book{
		DB: pgtest.Open(t, r.DB.Config().ConnString()), Org: r.Org, Queue: r.Queue, Sender: r.Sender, Outbox: r.Outbox,
		Now: r.Now, Base: r.Base, Brakes: r.Brakes,
	}
	books := []*mailbox.Book{r.Book, &other}
	row := r.AddRow(t, "bob")
	for what, c := range map[string]struct {
		do    func(b *mailbox.Book, by person.Actor) (int64, error)
		count string
	}{
		"row": {func(b *mailbox.Book, by person.Actor) (int64, error) {
			row, err := b.Add(t.Context(), by, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: "Ada", Primary: "ada@uni.example"})
			return int64(row.ID), err
		}, `select count(*) from address_row where name = 'Ada'`},
		"round": {func(b *mailbox.Book, by person.Actor) (int64, error) {
			n, err := b.Challenge(t.Context(), by, r.uni, row)
			return n.ID, err
		}, `select count(*) from challenge`},
	} {
		made := make([]int64, 50)
		var all sync.WaitGroup
		for i := range made {
			all.Go(func() {
				var err error
				if made[i], err = c.do(books[i%2], r.Doing(what)); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		all.Wait()
		for _, id := range made {
			if id != made[0] || id == 0 {
				t.Fatalf("%s: got %v, want one for all", what, made)
			}
		}
		if n := r.campus.Scalar(c.count); n != 1 {
			t.Errorf("%s: got %d, want 1", what, n)
		}
	}
}

func TestADeedTellsOfTheRoundThatItMade(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	first := trial.Must(r.Challenge(t.Context(), r.Doing("k"), r.uni, id))
	r.clock.Advance(2 * mailbox.DefaultBrakes.RowGap)
	later := trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	again := trial.Must(r.Challenge(t.Context(), r.Doing("k"), r.uni, id))
	if again.ID != first.ID || again.Outcome != "replaced" || len(again.Challenges) != 1 || later.ID == first.ID {
		t.Errorf("got %+v, want the first round as it is now", again)
	}
	r.SwitchOff(t, id) // what no other request may now
	if again, err := r.Challenge(t.Context(), r.Doing("k"), r.uni, id); again.ID != first.ID || err != nil {
		t.Errorf("got %+v and %v, want the first round", again, err)
	}
	r.ok(t, r.Org.RemoveMember(t.Context(), r.officer, r.group, r.contact.Account))
	campus.Wants(t, second(r.Challenge(t.Context(), r.Doing("k"), r.uni, id)), "fault.missing")
}
