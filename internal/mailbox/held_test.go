package mailbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"petschaft/internal/campus"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

// applied makes functional rows whose applicants have the addresses, with a
// challenge each, and returns rows and challenges.
func (r *rig) applied(t *testing.T, applicants ...string) (rows []mailbox.ID, challenges []int64) {
	t.Helper()
	for i, a := range applicants {
		name := string(rune('a' + i))
		made, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Functional, Name: name, Primary: name + "-amt@uni.example", Applicant: a})
		r.ok(t, err)
		id := made.ID
		trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
		rows, challenges = append(rows, id), append(challenges, r.newest(t, id).ID)
	}
	return rows, challenges
}

var unknown = &mail.Refusal{Stage: mail.AtRecipient, Code: 550, Status: "5.1.1", Answer: "5.1.1 who"}

// TestVerdictsOfABrokenRelayAreTakenBack: what three domains' addresses were
// blamed for is the relay's; the links mailed before stay dead, and what an edit
// came after stays as it ended.
func TestVerdictsOfABrokenRelayAreTakenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rows, cs := r.applied(t, "x@one.example", "y@one.example", "z@two.example", "w@three.example")
	token, refused, err := mailbox.Attempt(t.Context(), r.Book, cs[0])
	r.ok(t, err)
	r.ok(t, refused("", unknown))
	mailbox.Refuse(t, r.Book, cs[1], unknown)
	mailbox.Refuse(t, r.Book, cs[2], unknown)
	for _, id := range rows[:3] {
		if got := r.ReadRow(t, id).Status; got != mailbox.Undeliverable {
			t.Fatalf("before: got %s, want undeliverable", got)
		}
	}
	r.SwitchOff(t, rows[1])
	_, last, err := mailbox.Attempt(t.Context(), r.Book, cs[3])
	r.ok(t, err)
	if err := last("", unknown); err == nil {
		t.Error("the third domain: the job ends well, want another attempt")
	}
	for i, want := range []mailbox.State{mailbox.Deferred, mailbox.Failed, mailbox.Deferred, mailbox.Deferred} {
		if got := r.newest(t, rows[i]); got.State != want || got.Answer != "5.1.1 who" {
			t.Errorf("challenge %d: got %s with %q, want %s with the server's words", i, got.State, got.Answer, want)
		}
	}
	if got := r.ReadRow(t, rows[0]); got.Status != mailbox.Open {
		t.Errorf("got status %s, want open", got.Status)
	}
	_, err = r.Confirm(t.Context(), r.ada, mailbox.Digest(token))
	campus.Wants(t, err, "mailbox.link.replaced")
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'mailbox.taken_back'`); n != 2 {
		t.Errorf("got %d audit lines of it, want 2", n)
	}
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'mailbox_deliver'`); n != 6 {
		t.Errorf("got %d jobs, want one for each challenge and one for each that was taken back", n)
	}
}

// TestATickTakesBackWhatADeadProcessLeft in the middle of it.
func TestATickTakesBackWhatADeadProcessLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rows, cs := r.applied(t, "x@one.example", "y@two.example")
	for _, c := range cs {
		mailbox.Refuse(t, r.Book, c, unknown)
	}
	_, err := r.db.Exec(t.Context(), `insert into mail_hold (since, next, door, code, answer) values ($1, $2, false, '5.1.1', 'who')`,
		r.Now(), r.Now().Add(5*time.Minute))
	r.ok(t, err)
	r.ok(t, r.Tick(t.Context()))
	r.ok(t, r.Tick(t.Context()))
	for _, id := range rows {
		if got := r.newest(t, id).State; got != mailbox.Deferred {
			t.Errorf("got %s, want deferred again", got)
		}
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'mailbox.taken_back'`); n != 2 {
		t.Errorf("got %d audit lines of it, want one each", n)
	}
}

// TestAHeldChallengeWaitsAsItIs, however often its job runs; after two days it
// was not sent.
func TestAHeldChallengeWaitsAsItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rows, cs := r.applied(t, "x@one.example")
	_, err := r.db.Exec(t.Context(), `insert into mail_hold (since, next, door, code, answer) values ($1, $2, true, '5.7.1', 'no')`,
		r.Now(), r.Now().Add(50*time.Hour))
	r.ok(t, err)
	for range 3 {
		if _, ok := errors.AsType[*rivertype.JobSnoozeError](mailbox.Deliver(t.Context(), r.Book, cs[0])); !ok {
			t.Error("the job does not wait")
		}
	}
	if got := r.newest(t, rows[0]); got.State != mailbox.Queued || got.Attempts != 0 || got.Expires != nil {
		t.Errorf("got %+v, want it as it was, without a link", got)
	}
	r.clock.Advance(48 * time.Hour)
	r.ok(t, r.Tick(t.Context()))
	if got := r.newest(t, rows[0]); got.State != mailbox.Failed || !got.Unsent || r.ReadRow(t, rows[0]).Status != mailbox.None {
		t.Errorf("got %s, unsent %v, row %s; want it not sent and nothing held against the address", got.State, got.Unsent, r.ReadRow(t, rows[0]).Status)
	}
}
