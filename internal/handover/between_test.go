package handover_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/queue"
	"petschaft/internal/sink"
	"petschaft/internal/trial"
)

func TestASuccessorWhoLosesTheirAccountGoesNoFurther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	o := r.offer(t)
	r.lock(t, r.ada)
	campus.Wants(t, r.Accept(ctx, r.ada, o.ID), "person.locked")
	r.is(t, o.ID, handover.Offered)
	if seen := trial.Must(r.One(ctx, r.tina, o.ID)); !seen.SuccessorLocked {
		t.Error("the giver does not see that the successor's account is locked")
	}
	r.ok(t, r.Person.Unlock(ctx, r.rita, r.ada.Account))
	r.ok(t, r.Accept(ctx, r.ada, o.ID))
	r.lock(t, r.ada)
	campus.Wants(t, r.Finish(ctx, r.ada, o.ID, o.Password), "person.locked")
	campus.Wants(t, r.Finish(ctx, r.ada, o.ID, "falsch"), "person.locked")
	r.is(t, o.ID, handover.Accepted)
	r.keeps(t, r.tina, r.garden)
	bob := r.offerTo(t, r.bob, r.garden)[0] // the giver turns to somebody else
	r.ok(t, r.Accept(ctx, r.bob, bob.ID))
	r.ok(t, r.Finish(ctx, r.bob, bob.ID, bob.Password))
	r.keeps(t, r.bob, r.garden)
}

// TestAnOfferOfAnAccountThatWasLockedSinceIsNotFinished: it may have been made
// by whoever took the account over.
func TestAnOfferOfAnAccountThatWasLockedSinceIsNotFinished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	accepted, offered := r.accepted(t), r.offerTo(t, r.ada, r.library)[0]
	r.lock(t, r.tina)
	campus.Wants(t, r.Finish(t.Context(), r.ada, accepted.ID, accepted.Password), "handover.giver_locked")
	campus.Wants(t, r.Accept(t.Context(), r.ada, offered.ID), "handover.giver_locked")
	r.ok(t, r.Decline(t.Context(), r.ada, offered.ID))
	r.keeps(t, r.tina, r.garden)
}

// TestTheSuccessorIsLockedWhileTheyFinish: either the handover came first, or it
// is refused.
func TestTheSuccessorIsLockedWhileTheyFinish(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerDay = 100
	for range 10 {
		o := r.accepted(t)
		got := trial.Race(2, campus.Said, func(i int) error {
			if i == 0 {
				return r.Finish(t.Context(), r.ada, o.ID, o.Password)
			}
			return r.Person.Lock(t.Context(), r.rita, r.ada.Account, "weg")
		})
		r.ok(t, r.Person.Unlock(t.Context(), r.rita, r.ada.Account))
		if got[""] == 2 {
			r.keeps(t, r.ada, r.garden)
			r.back(t)
			continue
		}
		if got["person.locked"] != 1 {
			t.Errorf("got %v, want it refused because of the lock", got)
		}
		r.is(t, o.ID, handover.Accepted)
		r.keeps(t, r.tina, r.garden)
	}
}

// TestAMailServerThatIsAwayHoldsUpNothing: the offer stands and can be accepted,
// the letter follows.
func TestAMailServerThatIsAwayHoldsUpNothing(t *testing.T) {
	t.Parallel()
	l := trial.Must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	addr := l.Addr().String()
	r0 := trial.Must(mail.NewSender(mail.Config{URL: "smtp://" + addr + "?tls=none", From: "portal@uni.example", Bounce: "bounce@uni.example"}))
	t.Cleanup(r0.Close)
	r := rigWith(t, r0)
	trial.Must(0, l.Close())
	r.Outbox.Now = func() time.Time { return time.Now().UTC() } // the queue's clock, by which the next attempt waits
	r.work(t)
	o := r.offer(t)
	r.await(t, "a first attempt was made", `select exists (select from letter where state = 'deferred')`)
	r.is(t, o.ID, handover.Offered)
	r.ok(t, r.Accept(t.Context(), r.ada, o.ID))

	s := trial.Must(sink.New(sink.Config{}))
	r.ok(t, s.Start(addr))
	t.Cleanup(func() { s.Close() })
	r.again(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := s.WaitFor(ctx, func(m sink.Mail) bool { return m.For(r.ada.Email) })
	r.ok(t, err)
	if !strings.Contains(m.Text, "https://portal.example/handovers/") || strings.Contains(string(m.Raw), o.Password[:9]) {
		t.Errorf("got the mail %s, want the link and no session password", m.Text)
	}
}

// work runs the jobs.
func (r *rig) work(t testing.TB) {
	t.Helper()
	w := river.NewWorkers()
	r.Outbox.Jobs(w)
	r.ok(t, r.queue.Start(t.Context(), queue.Work{Workers: w, Periodic: r.Jobs(w), Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := r.queue.Stop(ctx); err != nil {
			t.Errorf("stop the queue: %v", err)
		}
	})
}

// again lets every letter that waits for another attempt go at once.
func (r *rig) again(t testing.TB) {
	t.Helper()
	r.await(t, "the job waits for another attempt", `select exists (select from river_job where kind = 'mail_deliver' and state = 'retryable')`)
	for _, job := range trial.Must(r.queue.Failures(t.Context(), 10)) {
		r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error {
			_, err := r.queue.Retry(t.Context(), tx, job.ID)
			return err
		}))
	}
}

// TestATokenOfTheSuccessorSeesNoOffer: what is one's own by an offer is for
// sessions only.
func TestATokenOfTheSuccessorSeesNoOffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.offer(t)
	ada := r.ada
	ada.Reach = &person.Reach{Organisations: []int64{int64(r.garden)}}
	campus.Wants(t, r.Accept(t.Context(), ada, o.ID), "fault.missing")
	tina := r.tina
	tina.Reach = &person.Reach{Organisations: []int64{int64(r.library)}}
	campus.Wants(t, r.Cancel(t.Context(), tina, o.ID), "fault.missing")
}
