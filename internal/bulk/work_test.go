package bulk_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/campus"
	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

func TestEachVerbDoesWhatItsOperationByHandDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := r.many(120) // more than two batches
	type look struct {
		verb   bulk.Verb
		action string
		done   func(mailbox.Row) bool
	}
	for _, l := range []look{
		{bulk.Comment, "mailbox.edited", func(r mailbox.Row) bool { return r.Comment == "bis 2027" && r.Version == 2 }},
		{bulk.Deactivate, "mailbox.deactivated", func(r mailbox.Row) bool { return !r.Active && r.Status == mailbox.Inactive }},
		{bulk.Activate, "mailbox.activated", func(r mailbox.Row) bool { return r.Active && r.Status == mailbox.None }},
	} {
		x := r.finish(r.started(l.verb))
		if x.State != bulk.Done || x.Done != len(ids) || x.LeftOut+x.Failed != 0 || x.Worked() != len(ids) || x.Ended == nil {
			t.Fatalf("%s: got %+v, want %d rows done", l.verb, x, len(ids))
		}
		for _, id := range ids {
			if row := r.row(id); !l.done(row) {
				t.Fatalf("%s: got %+v", l.verb, row)
			}
		}
		if n := r.audited(l.action); n != len(ids) {
			t.Errorf("%s: got %d audit lines, want one for each of %d rows", l.verb, n, len(ids))
		}
		n := r.campus.Scalar(`select count(*) from audit_about a join audit_line l on l.id = a.line
			where a.kind = 'bulk' and a.id = $1 and l.action = $2 and l.account = $3`, x.ID, l.action, r.contact.Account)
		if n != len(ids) {
			t.Errorf("%s: got %d of them naming the bulk and who asked for it, want %d", l.verb, n, len(ids))
		}
	}
	r.finish(r.started(bulk.Delete))
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 0 {
		t.Errorf("got %d rows left, want all deleted", n)
	}
	if a, b := r.audited("bulk.started"), r.audited("bulk.ended"); a != 4 || b != 4 {
		t.Errorf("got %d lines about beginnings and %d about ends, want 4 each", a, b)
	}
}

func TestTheRuleIsAskedAgainWithTheRowLocked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stays, gone, deleted := r.add("bleibt"), r.add("weg"), r.add("entfernt")
	id := r.started(bulk.Challenge)
	r.ok(r.Mailbox.Deactivate(t.Context(), r.contact, uni, gone))
	r.ok(r.Mailbox.Delete(t.Context(), r.contact, uni, deleted))
	x := r.finish(id)
	if x.Done != 1 || x.LeftOut != 2 || x.Failed != 0 || x.Mails != 0 {
		t.Errorf("got %+v, want one row done and two left out", x)
	}
	want := map[mailbox.ID]string{stays: "", gone: "mailbox.challenge.inactive", deleted: "bulk.gone"}
	for _, i := range r.items(id, "") {
		if i.Reason != want[i.Row] || i.There != (i.Row != deleted) {
			t.Errorf("%s: got %s because of %q, there: %v; want %q", i.Name, i.Outcome, i.Reason, i.There, want[i.Row])
		}
	}
}

func TestAnAddressThatAnotherRowTookLeavesARowOutAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const shared = "geteilt@" + uni
	one := r.add("eins", shared)
	r.ok(r.Mailbox.Deactivate(t.Context(), r.contact, uni, one))
	two := r.add("zwei", shared)
	r.ok(r.Mailbox.Deactivate(t.Context(), r.contact, uni, two))
	three := r.add("drei")
	r.ok(r.Mailbox.Deactivate(t.Context(), r.contact, uni, three))
	id := r.started(bulk.Activate)
	x := r.finish(id)
	left := r.items(id, bulk.LeftOut)
	if x.Done != 2 || len(left) != 1 || left[0].Row != two || left[0].Reason != "schema.address_active_once" {
		t.Errorf("got %+v with %v left out, want the second of the two rows that share an address", x, left)
	}
	if !r.row(one).Active || r.row(two).Active || !r.row(three).Active {
		t.Error("want the first and the third row active")
	}
}

func TestFiftyStartsOfOneDraftRunItOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(10)
	id := r.prepared(bulk.Deactivate)
	errs := make([]error, 50)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = r.Start(t.Context(), r.contact, uni, id, "") })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Errorf("got %v, want the others to change nothing", err)
		}
	}
	if a, j := r.audited("bulk.started"), r.campus.Scalar(`select count(*) from river_job where kind = 'bulk_work'`); a != 1 || j != 1 {
		t.Errorf("got %d beginnings and %d jobs, want one each", a, j)
	}
	r.finish(id)
	r.ok(r.Start(t.Context(), r.contact, uni, id, ""))
	if n := r.audited("mailbox.deactivated"); n != 10 {
		t.Errorf("got %d deactivations, want 10", n)
	}
}

func TestWorkersAtOnceDoEachRowOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(230)
	id := r.started(bulk.Comment)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 1000 {
				if _, _, err := r.Batch(t.Context(), id); err != nil {
					t.Errorf("got %v", err)
					return
				}
				if r.one(id).State == bulk.Done {
					return
				}
			}
		})
	}
	all.Wait()
	if x := r.one(id); x.State != bulk.Done || x.Done != 230 {
		t.Errorf("got %+v, want 230 rows done", x)
	}
	if n := r.campus.Scalar(`select count(*) from address_row where version = 2`); n != 230 {
		t.Errorf("got %d rows changed once, want 230", n)
	}
	if n := r.audited("bulk.ended"); n != 1 {
		t.Errorf("got %d ends, want one", n)
	}
}

func TestCancellingInTheMiddleStopsThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(120)
	id := r.started(bulk.Deactivate)
	if _, more, err := r.Batch(t.Context(), id); err != nil || !more {
		t.Fatalf("got more: %v and %v, want more to do", more, err)
	}
	r.ok(r.Cancel(t.Context(), r.contact, uni, id))
	r.ok(r.Cancel(t.Context(), r.contact, uni, id))
	x := r.finish(id)
	if x.State != bulk.Cancelled || x.Done != 50 || x.Count(bulk.Due) != 70 || x.Reason != "" {
		t.Errorf("got %+v, want it cancelled after 50 of 120", x)
	}
	if n := r.audited("mailbox.deactivated"); n != 50 {
		t.Errorf("got %d rows deactivated, want 50", n)
	}
	if n := r.audited("bulk.cancelled"); n != 1 {
		t.Errorf("got %d audit lines of it, want 1", n)
	}
	if n := len(r.items(id, bulk.Due)); n != 70 {
		t.Errorf("got %d rows listed as not done, want 70", n)
	}
}

func TestWhoLosesTheRightInTheMiddleLosesTheWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose func(r *rig) error
		want string
	}{
		"taken out of the contact group": {func(r *rig) error {
			return r.Org.RemoveMember(r.t.Context(), r.officer, r.group, r.contact.Account)
		}, "bulk.rights_lost"},
		"locked out": {func(r *rig) error { return r.People.Lock(r.t.Context(), r.officer, r.contact.Account, "Test") }, "bulk.locked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.many(60)
			id := r.started(bulk.Deactivate)
			_, _, err := r.Batch(t.Context(), id)
			r.ok(err)
			r.ok(c.lose(r))
			_, more, err := r.Batch(t.Context(), id)
			r.ok(err)
			x, err := r.One(t.Context(), r.officer, uni, id)
			r.ok(err)
			if more || x.State != bulk.Cancelled || x.Reason != c.want || x.Done != 50 || x.EndedBy != nil {
				t.Errorf("got %+v, want it cancelled after 50 rows because of %s", x, c.want)
			}
		})
	}
}

func TestMailsLeaveAtAPaceAndNeverFaster(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerMinute = 30
	for i := range 20 {
		r.add(fmt.Sprintf("p%d", i), fmt.Sprintf("q%d@%s", i, uni)) // two mails each
	}
	id := r.started(bulk.Challenge)
	begun, idle := r.Now(), 0
	for step := range 200 {
		_, more, err := r.Batch(t.Context(), id)
		r.ok(err)
		sent, since := r.campus.Scalar(`select count(*) from challenge`), r.Now().Sub(begun)
		if most := int(since.Minutes()*30) + 2; sent > most {
			t.Fatalf("after %s: got %d mails, want at most %d", since, sent, most)
		}
		if !more {
			break
		}
		before := sent
		if step == 10 { // a worker that was away does not make up for all of it
			r.clock.Advance(30 * time.Second)
			_, _, err := r.Batch(t.Context(), id)
			r.ok(err)
			if got := r.campus.Scalar(`select count(*) from challenge`) - before; got > 6 {
				t.Errorf("after a pause of half a minute: got %d mails at once, want a few seconds' worth", got)
			}
			idle = 30
		}
		r.clock.Advance(700 * time.Millisecond)
	}
	x := r.one(id)
	took := r.Now().Sub(begun)
	if x.State != bulk.Done || x.Done != 20 || took < 70*time.Second || took > time.Duration(85+idle)*time.Second {
		t.Errorf("got %s after %s, want 40 mails in about 76 seconds and the pause", x.State, took)
	}
}

func TestTwoBulksShareThePace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := r.many(40)
	begun := r.Now()
	both := []bulk.ID{r.started(bulk.Challenge, ids[:20]...), r.started(bulk.Challenge, ids[20:]...)}
	x := r.one(both[0])
	if got, want := r.Ready(x, r.Now()), begun.Add(38*time.Second); !got.Equal(want) {
		t.Errorf("got ready at %s, want %s: 20 mails at half the pace", got, want)
	}
	for r.one(both[0]).State == bulk.Running || r.one(both[1]).State == bulk.Running {
		for _, id := range both {
			_, _, err := r.Batch(t.Context(), id)
			r.ok(err)
		}
		sent, since := r.campus.Scalar(`select count(*) from challenge`), r.Now().Sub(begun)
		if most := int(since.Minutes()*60) + 2; sent > most {
			t.Fatalf("after %s: got %d mails, want at most %d together", since, sent, most)
		}
		r.clock.Advance(time.Second)
	}
}

func TestBrakesOfRowAndAddressHoldAndThatOfTheActorIsNotUsedUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Mailbox.Brakes.ActorHour, r.Mailbox.Brakes.AddressHour, r.PerMinute = 3, 4, 6000
	just := r.add("eben")
	trial.Must(r.Mailbox.Challenge(t.Context(), r.contact, uni, just))
	for i := range 6 {
		r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "Amt", Primary: fmt.Sprintf("amt%d@%s", i, uni), Applicant: "ada@elsewhere.example"})
	}
	r.many(10)
	id := r.started(bulk.Challenge)
	x := r.finish(id)
	why := map[string]int{}
	for _, i := range r.items(id, bulk.LeftOut) {
		why[i.Reason]++
		if i.Until == nil || !i.Until.After(trial.Today()) {
			t.Errorf("%s: got nothing about when to try again", i.Name)
		}
	}
	if x.Done != 14 || why["mailbox.brake.gap"] != 1 || why["mailbox.brake.address"] != 2 || len(why) != 2 {
		t.Errorf("got %d done and %v left out, want 14 done, one held by its row's brake and two by the address's", x.Done, why)
	}
	if n := r.campus.Scalar(`select count(*) from challenge where paced`); n != 14 {
		t.Errorf("got %d paced mails, want 14", n)
	}
	// By hand there are two more to go, however many the bulk sent.
	byHand := []mailbox.ID{r.add("hand1"), r.add("hand2"), r.add("hand3")}
	trial.Must(r.Mailbox.Challenge(t.Context(), r.contact, uni, byHand[0]))
	trial.Must(r.Mailbox.Challenge(t.Context(), r.contact, uni, byHand[1]))
	campus.Wants(t, second(r.Mailbox.Challenge(t.Context(), r.contact, uni, byHand[2])), "mailbox.brake.actor")
}
