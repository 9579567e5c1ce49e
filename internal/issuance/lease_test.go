package issuance_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"petschaft/internal/campus"
	"petschaft/internal/issuance"
	"petschaft/internal/pki"
	"petschaft/internal/queue"
	"petschaft/internal/trial"
)

const many = 50

// TestOfManyWhoLookOneCalls at a time, whatever the answer is, and one hands over.
func TestOfManyWhoLookOneCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		words       func(r *rig) []word
		want        string
		kept, ended int
	}{
		"a certificate":             {func(*rig) []word { return []word{yes()} }, "issued", 1, 0},
		"later at once, some times": {func(r *rig) []word { return []word{r.later(0, "T-1"), r.later(0, "T-2"), yes()} }, "issued", 1, 0},
		"a no":                      {func(*rig) []word { return []word{no} }, "refused order.failed.authority", 0, 1},
		"unknown":                   {func(*rig) []word { return []word{lost} }, "asked 1 attempts +1m0s", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			var now, most atomic.Int32
			words := c.words(r)
			for i, w := range words {
				words[i] = func(ctx context.Context, q pki.Request) (pki.Answer, error) {
					defer now.Add(-1)
					if at := now.Add(1); at > 1 {
						most.Store(at)
					}
					return w(ctx, q)
				}
			}
			r.oracle.says(words...)
			got := trial.Race(many, campus.Said, func(int) error { return r.Look(t.Context(), issuance.Application, n) })
			trial.Expect(t, got, map[string]int{"": many})
			if calls := len(r.oracle.calls); most.Load() > 1 || calls != len(words) {
				t.Errorf("got %d calls, %d at once, want %d one after the other", calls, most.Load(), len(words))
			}
			r.expect(t, n, c.want)
			r.told(t, c.kept, c.ended)
		})
	}
}

// TestWhoDiedDuringACallIsFollowedAfterTheLease and not before, by a call with the
// same number, request and reference.
func TestWhoDiedDuringACallIsFollowedAfterTheLease(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	ctx, die := context.WithCancel(t.Context())
	r.oracle.says(func(context.Context, pki.Request) (pki.Answer, error) {
		die()
		return pki.Answer{}, context.Canceled
	}, yes())
	if r.Look(ctx, issuance.Application, n) == nil {
		t.Fatal("it did not die")
	}
	r.clock.Advance(59 * time.Second)
	r.look(t, n)
	r.called(t, "ask [asked]")
	r.clock.Advance(time.Second)
	r.look(t, n)
	r.called(t, "ask [asked], ask [asked]")
	r.expect(t, n, "issued")
	if first, second := r.oracle.asked[0], r.oracle.asked[1]; first.Digest() != second.Digest() || first.Reference != second.Reference {
		t.Error("it is asked for another certificate")
	}
}

// TestWhoIsLateIsHeardAllTheSame: a process that comes back from a call when another
// has asked again hands over what it brings, and nothing is undone.
func TestWhoIsLateIsHeardAllTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late, meanwhile word
		want            string
		kept, ended     int
	}{
		"both bring a certificate":      {yes(), yes(), "issued", 2, 0},
		"a certificate, a no meanwhile": {yes(), no, "issued", 1, 1},
		"a no, a certificate meanwhile": {no, yes(), "issued", 1, 1},
		"lost, a certificate meanwhile": {lost, yes(), "issued", 1, 0},
		"lost, a no meanwhile":          {lost, no, "refused order.failed.authority", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
				r.clock.Advance(2 * time.Minute)
				r.look(t, n)
				return c.late(ctx, q)
			}, c.meanwhile)
			r.look(t, n)
			r.expect(t, n, c.want)
			r.told(t, c.kept, c.ended)
			r.clock.Advance(24 * time.Hour)
			r.look(t, n)
			r.told(t, c.kept, c.ended)
		})
	}
}

// TestTheClockHasWhatIsDueLookedAtOnce and nothing else, though its jobs are lost.
func TestTheClockHasWhatIsDueLookedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const waiting, due = 20, 30
	r.oracle.says(r.later(time.Hour, "T-1"))
	for range waiting {
		r.look(t, r.write(t))
	}
	r.oracle.says(no)
	r.look(t, r.write(t)) // over
	for range due {
		r.write(t)
	}
	_, err := r.DB.Exec(t.Context(), `delete from river_job`)
	ok(t, err)
	r.oracle.says(yes())
	r.work(t)
	issued := func(n int) func() bool {
		return func() bool { return r.campus.Scalar(`select count(*) from intent where state = 'issued'`) == n }
	}
	trial.Until(t, "all that is due is issued", issued(due))
	if n := strings.Count(r.oracle.log(), "collect"); n != 0 {
		t.Errorf("%d that wait were looked at", n)
	}
	r.clock.Advance(time.Hour)
	trial.Until(t, "all that waited is issued", issued(due+waiting))
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'issuance_look'`); n != due+waiting {
		t.Errorf("got %d jobs, want one for each of the %d that were due", n, due+waiting)
	}
}

// work starts the jobs and the clock of a process.
func (r *rig) work(t testing.TB) {
	t.Helper()
	w := queue.Work{Workers: river.NewWorkers(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)), DueEvery: 50 * time.Millisecond}
	w.Periodic = r.Jobs(w.Workers)
	ok(t, r.Queue.Start(t.Context(), w))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Queue.Stop(ctx); err != nil {
			t.Errorf("stop the queue: %v", err)
		}
	})
}

// TestAnIntentHasItsJobFromTheBeginning, which finds it by its arguments.
func TestAnIntentHasItsJobFromTheBeginning(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	var args struct {
		Intent  issuance.Number
		Purpose issuance.Kind
	}
	ok(t, json.Unmarshal([]byte(r.text(t, `select args::text from river_job`)), &args))
	if args.Intent != n || args.Purpose != issuance.Application {
		t.Errorf("got the job %+v, want that of intent %d", args, n)
	}
}
