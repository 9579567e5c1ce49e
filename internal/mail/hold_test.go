package mail

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAShutDoorHoldsTheQueue: one letter every five minutes tries, the others
// wait as they are, nobody's address is blamed, officers hear of it once, and it
// goes on by itself.
func TestAShutDoorHoldsTheQueue(t *testing.T) {
	t.Parallel()
	for command, no := range map[string]string{
		"": "554 5.7.1 no client like you", "EHLO": "550-5.5.2 who\r\n550 5.5.2 are you", "AUTH": "535 5.7.8 wrong", "MAIL": "553 5.7.1 not your address",
	} {
		t.Run("at "+command, func(t *testing.T) {
			t.Parallel()
			g := newGruff(t, command, no)
			first, second := g.letter(t, "a@one.example"), g.letter(t, "b@two.example")
			g.tries(t, first, "deferred")
			g.tries(t, second, "waited")
			g.tries(t, first, "waited")
			if got := g.row(t, second); got.State != "queued" || got.Attempts != 0 {
				t.Errorf("the letter that waits: got %+v, want it as it was", got)
			}
			g.later(probeEvery)
			g.tries(t, second, "deferred")
			g.tries(t, first, "waited")
			h, err := g.Holding(t.Context())
			if err != nil || h == nil || !h.Door || !h.Since.Equal(at) || !h.Next.Equal(at.Add(2*probeEvery)) || h.Answer == "" {
				t.Fatalf("got the hold %+v (%v), want the one since %v with the server's words", h, err, at)
			}
			g.say("nothing", "")
			g.tries(t, first, "waited")
			g.later(probeEvery)
			g.tries(t, first, "sent")
			g.tries(t, second, "sent")
			if n := g.count(t, `select count(*) from letter where kind = 'held' and recipient = 'rita@uni.example'`); n != 1 {
				t.Errorf("got %d letters to the officer, want one", n)
			}
			if n := g.count(t, `select count(*) from mail_hold where ended is null`); n != 0 {
				t.Error("the hold lasts, want it over")
			}
		})
	}
}

// TestNotEveryNoHoldsTheQueue: a server that is busy, or away, or has something
// against this letter.
func TestNotEveryNoHoldsTheQueue(t *testing.T) {
	t.Parallel()
	for what, said := range map[string][2]string{
		"too many connections":  {"", "421 4.7.0 too many connections"},
		"a sign-in service out": {"AUTH", "454 4.7.0 try again"},
		"a full disk":           {"MAIL", "452 4.3.1 full"},
		"greylisting":           {"RCPT", "450 4.2.0 greylisted"},
		"hanging up":            {"EHLO", ""},
		"a policy":              {"RCPT", "554 5.7.1 no"},
		"the size":              {".", "552 5.3.4 too big"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := newGruff(t, said[0], said[1])
			for _, to := range []string{"a@one.example", "b@ONE.example", "c@two.example", "d@two.example"} {
				g.tries(t, g.letter(t, to), "deferred")
			}
			if n := g.count(t, `select count(*) from mail_hold`); n != 0 {
				t.Errorf("got %d holds, want none", n)
			}
		})
	}
}

// TestAPolicyIsTriedUntilTheLetterIsTwoDaysOld and then not sent, which is no
// word about the address.
func TestAPolicyIsTriedUntilTheLetterIsTwoDaysOld(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "RCPT", "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname")
	var logged bytes.Buffer
	g.Log = slog.New(slog.NewTextHandler(&logged, nil))
	var counted []string
	g.Count = func(why string) { counted = append(counted, why) }
	id := g.letter(t, "kim@uni.example")
	for n := 1; ; n++ {
		state := g.try(t, id)
		if state == "unsent" {
			break
		}
		if state != "deferred" || n > Attempts {
			t.Fatalf("attempt %d: got %s, want deferred until the letter is two days old", n, state)
		}
		g.later(Backoff(n))
	}
	if age := g.Now().Sub(at); age > Patience || age < Patience-2*time.Hour {
		t.Errorf("it was tried for %v, want about %v", age, Patience)
	}
	failed, err := g.Failed(t.Context(), 10)
	if err != nil || len(failed) != 1 || !failed[0].Unsent || !strings.Contains(failed[0].Answer, "Helo command rejected") {
		t.Errorf("got %+v (%v), want the letter as not sent, with the server's words", failed, err)
	}
	if fmt.Sprint(counted) != "[unsent]" || !strings.Contains(logged.String(), "why=unsent code=5.5.2") || strings.Contains(logged.String(), "kim") {
		t.Errorf("counted %v and logged %q, want one as unsent with the code and without the address", counted, logged.String())
	}
}

func TestADeadAddressIsLoggedWithoutIt(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "RCPT", "550 5.1.1 kim@uni.example unknown")
	var logged bytes.Buffer
	g.Log = slog.New(slog.NewTextHandler(&logged, nil))
	g.tries(t, g.letter(t, "kim@uni.example"), "failed")
	if !strings.Contains(logged.String(), "why=address code=5.1.1") || strings.Contains(logged.String(), "kim") {
		t.Errorf("logged %q, want the code and no address", logged.String())
	}
}

// TestThreeDomainsWithOneCodeHoldTheQueue, and what was held against their
// addresses is taken back.
func TestThreeDomainsWithOneCodeHoldTheQueue(t *testing.T) {
	t.Parallel()
	for code, first := range map[string]string{"550 no relaying": "failed", "550 5.1.1 who": "failed", "554 5.7.1 denied": "deferred"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			g := newGruff(t, "RCPT", code)
			var ids []ID
			for _, to := range []string{"a@one.example", "b@one.example", "c@TWO.example"} {
				id := g.letter(t, to)
				g.tries(t, id, first)
				ids = append(ids, id)
			}
			last, waits := g.letter(t, "d@three.example"), g.letter(t, "e@four.example")
			g.later(holdWindow - time.Second)
			g.tries(t, last, "deferred")
			g.tries(t, waits, "waited")
			for _, id := range ids {
				if got := g.row(t, id); got.State != "deferred" || got.Done != nil || got.Answer == "" {
					t.Errorf("letter %d: got %+v, want it deferred again with what the server said", id, got)
				}
			}
			if n := g.count(t, `select count(*) from river_job where kind = 'mail_deliver' and (args->>'letter')::int = any($1)`, ids); first == "failed" && n != 2*len(ids) {
				t.Errorf("got %d jobs for the letters taken back, want a new one each", n)
			}
			g.later(probeEvery)
			g.tries(t, ids[0], "deferred") // the same code confirms it
			g.tries(t, waits, "waited")
			g.say("nothing", "")
			g.later(probeEvery)
			for _, id := range append(ids, last, waits) {
				g.tries(t, id, "sent")
			}
		})
	}
}

// TestAVerdictUnderWayIsTakenBackToo: the queue is held after a letter heard its
// no and before that was kept.
func TestAVerdictUnderWayIsTakenBackToo(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "RCPT", "550 5.1.1 who")
	slow := g.letter(t, "a@one.example")
	no := &Refusal{Stage: AtRecipient, Code: 550, Status: "5.1.1", Answer: "5.1.1 who"}
	f, err := g.Heard(t.Context(), Attempt{To: "a@one.example", Until: at.Add(Patience), Letter: slow}, "", no)
	if err != nil || f.State != "failed" {
		t.Fatalf("got %+v (%v), want a verdict", f, err)
	}
	g.tries(t, g.letter(t, "b@two.example"), "failed")
	g.tries(t, g.letter(t, "c@three.example"), "deferred")
	if err := g.record(t.Context(), slow, &f); err != nil {
		t.Fatal(err)
	}
	if got := g.row(t, slow); got.State != "deferred" || f.State != "deferred" || got.Done != nil {
		t.Errorf("got %s and %+v, want it deferred: the code is the relay's", f.State, got)
	}
}

func TestWhatIsNotAlikeHoldsNothing(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "RCPT", "550 5.1.1 who")
	g.tries(t, g.letter(t, "a@one.example"), "failed")
	g.tries(t, g.letter(t, "b@two.example"), "failed")
	g.say("RCPT", "550 5.2.1 closed")
	g.tries(t, g.letter(t, "c@three.example"), "failed") // another code
	g.later(holdWindow)
	g.say("RCPT", "550 5.1.1 who")
	g.tries(t, g.letter(t, "d@four.example"), "failed") // too late
	if n := g.count(t, `select count(*) from mail_hold`); n != 0 {
		t.Errorf("got %d holds, want none", n)
	}
}

// TestACodeThatWasNotTheRelaysHoldsNoMoreForAnHour: dead addresses in three
// domains look the same, so the verdicts stand at the second look.
func TestACodeThatWasNotTheRelaysHoldsNoMoreForAnHour(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "RCPT", "550 5.1.1 who")
	var ids []ID
	for _, domain := range []string{"one", "two", "three"} {
		ids = append(ids, g.letter(t, "a@"+domain+".example"))
		g.try(t, ids[len(ids)-1])
	}
	g.later(probeEvery)
	g.say("nothing", "")
	g.tries(t, g.letter(t, "alive@four.example"), "sent")
	g.say("RCPT", "550 5.1.1 who")
	for _, id := range ids {
		g.tries(t, id, "failed")
	}
	g.later(holdRest)
	for i, domain := range []string{"five", "six", "seven"} {
		g.tries(t, g.letter(t, "a@"+domain+".example"), []string{"failed", "failed", "deferred"}[i])
	}
}

// TestAnotherAnswerEndsAHold: the server looks at recipients again, or has
// something else to say.
func TestAnotherAnswerEndsAHold(t *testing.T) {
	t.Parallel()
	for what, said := range map[string][2]string{
		"an unknown user": {"RCPT", "550 5.1.1 who"}, "greylisting": {"RCPT", "450 4.2.0 later"}, "the size": {".", "552 5.3.4 too big"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := newGruff(t, "MAIL", "550 5.7.1 no")
			g.tries(t, g.letter(t, "a@one.example"), "deferred")
			g.later(probeEvery)
			g.say(said[0], said[1])
			g.try(t, g.letter(t, "b@two.example"))
			if n := g.count(t, `select count(*) from mail_hold where ended is null`); n != 0 {
				t.Error("the hold lasts, want it over")
			}
		})
	}
}

// TestAServerThatIsAwayLeavesAHoldAsItIs, and so does one that is busy.
func TestAServerThatIsAwayLeavesAHoldAsItIs(t *testing.T) {
	t.Parallel()
	for what, said := range map[string][2]string{"away": {"", ""}, "busy": {"", "421 4.7.0 later"}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := newGruff(t, "MAIL", "550 5.7.1 no")
			g.tries(t, g.letter(t, "a@one.example"), "deferred")
			g.later(probeEvery)
			g.Sender.hangUp()
			g.say(said[0], said[1])
			g.tries(t, g.letter(t, "b@two.example"), "deferred")
			g.tries(t, g.letter(t, "c@two.example"), "waited")
		})
	}
}

func TestOfManyLettersOneTries(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "MAIL", "550 5.7.1 no")
	g.tries(t, g.letter(t, "a@one.example"), "deferred")
	g.later(probeEvery)
	var wait sync.WaitGroup
	var tried atomic.Int64
	for range 20 {
		wait.Go(func() {
			switch p, err := g.Enter(t.Context()); {
			case err == nil && p.probes != 0:
				tried.Add(1)
			case err == nil:
				t.Error("a letter may go though the queue is held")
			}
		})
	}
	wait.Wait()
	if got := tried.Load(); got != 1 {
		t.Errorf("%d letters try, want one", got)
	}
}

func TestATurnWithoutALetterIsGivenBack(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "MAIL", "550 5.7.1 no")
	id := g.letter(t, "a@one.example")
	g.tries(t, id, "deferred")
	g.later(probeEvery)
	if err := g.deliver(t.Context(), 4711); err != nil {
		t.Fatalf("a letter that is not there: %v", err)
	}
	asked := g.asked.Load()
	g.tries(t, id, "deferred")
	if g.asked.Load() != asked+1 {
		t.Error("the next letter did not ask the server, want it to use the turn")
	}
}

func TestAHeldLetterIsNotSentAfterTwoDays(t *testing.T) {
	t.Parallel()
	g := newGruff(t, "AUTH", "535 5.7.8 wrong")
	first, second := g.letter(t, "a@one.example"), g.letter(t, "b@one.example")
	g.tries(t, first, "deferred")
	g.later(Patience - time.Second)
	g.tries(t, first, "unsent")
	g.tries(t, second, "waited")
	g.later(time.Second)
	g.tries(t, second, "unsent")
	if g.retry(t, second); g.unsent(t, second) || g.row(t, second).State != "queued" {
		t.Error("tried again by hand: want it queued")
	}
}

// TestAMailThatAStopCutOffIsTriedAgain, though its time is over: it was not the
// server that did not take it.
func TestAMailThatAStopCutOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	late, end := context.WithTimeout(t.Context(), 0)
	end()
	for what, c := range map[string]struct {
		ctx  context.Context
		err  error
		want Fate
	}{
		"by the stop":            {stopped, context.Canceled, Fate{State: "deferred"}},
		"by the end of its job":  {late, context.DeadlineExceeded, Fate{State: "failed", Unsent: true}},
		"not, but refused":       {stopped, &Refusal{Stage: AtRecipient, Code: 550, Status: "5.1.1", Answer: "no"}, Fate{State: "failed", Answer: "no"}},
		"not, but put off again": {stopped, &Refusal{Stage: AtRecipient, Code: 450, Answer: "later"}, Fate{State: "failed", Unsent: true, Answer: "later"}},
	} {
		b := newBox(t)
		f, err := b.Heard(c.ctx, Attempt{To: "kim@uni.example", Until: at, Challenge: 1}, "", c.err)
		if err != nil || f != c.want {
			t.Errorf("cut off %s: got %+v, %v; want %+v", what, f, err, c.want)
		}
	}
}
