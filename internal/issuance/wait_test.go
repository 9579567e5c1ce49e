package issuance_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestAReferenceIsCommittedBeforeTheNextCall, also where that follows at once.
func TestAReferenceIsCommittedBeforeTheNextCall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(r.later(0, "T-1"), r.later(-time.Hour, "T-2"), yes())
	r.look(t, n)
	r.expect(t, n, "issued")
	r.called(t, "ask [asked], collect T-1 [pending T-1], collect T-2 [pending T-2]")
}

// TestAnAuthorityThatAlwaysHasMoreToDoAtOnceIsLeftInBetween: one look is bounded, and
// the clock goes on.
func TestAnAuthorityThatAlwaysHasMoreToDoAtOnceIsLeftInBetween(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(r.later(0, "T-1"))
	r.look(t, n)
	if calls := strings.Count(r.oracle.log(), "T-1]"); calls == 0 || calls > 20 {
		t.Errorf("got %d calls in one look, want a few", calls)
	}
	r.expect(t, n, "pending +0s")
}

// TestWaitingCostsNoAttempt, ends nothing and is not begun anew by a look: the page
// says since when.
func TestWaitingCostsNoAttempt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(lost, lost, func(context.Context, pki.Request) (pki.Answer, error) {
		return pki.Answer{Later: r.Now().Add(time.Hour), Reference: "T-1", Person: true, Words: "Mrs Smith has to look"}, nil
	})
	for range 3 {
		r.look(t, n)
		r.advance(t, n)
	}
	since := r.Now().Add(-time.Hour)
	for r.Now().Before(since.Add(15 * 24 * time.Hour)) {
		r.look(t, n)
		r.advance(t, n)
	}
	r.expect(t, n, "pending +0s")
	r.told(t, 0, 0)
	var i struct {
		Since  time.Time
		Asked  time.Time
		Person bool
		Said   string
	}
	ok(t, r.DB.QueryRow(t.Context(), `select since, asked, person, said from intent`).Scan(&i.Since, &i.Asked, &i.Person, &i.Said))
	if !i.Since.Equal(since) || !i.Person || i.Said != "Mrs Smith has to look" || i.Asked.After(i.Since) {
		t.Errorf("got %+v, want it pending since %v for a person there", i, since)
	}
	if r.Now().Sub(i.Since) < issuance.LongWait {
		t.Error("that is not long")
	}
	r.oracle.says(yes())
	r.look(t, n)
	r.expect(t, n, "issued")
}

// TestHowLongItWaitsIsBounded whatever the authority says.
func TestHowLongItWaitsIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wait time.Duration
		want string
	}{
		"a minute": {time.Minute, "pending +1m0s"}, "a day": {24 * time.Hour, "pending +24h0m0s"}, "a year": {8760 * time.Hour, "pending +24h0m0s"},
		"the end of time": {1 << 62, "pending +24h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(r.later(c.wait, "T-1"))
			r.look(t, n)
			r.expect(t, n, c.want)
		})
	}
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(says(pki.Answer{Later: time.Date(-9000, 1, 1, 0, 0, 0, 0, time.UTC)}))
	r.look(t, n)
	r.expect(t, n, "pending +0s")
}

// TestAnAuthorityThatIsAskedTooMuchIsLeftAloneForSoLong: 429 costs no attempt, with
// Retry-After in seconds, as a date or without.
func TestAnAuthorityThatIsAskedTooMuchIsLeftAloneForSoLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode catest.Mode
		want string
	}{
		"seconds": {catest.TooMany, "pending +5m0s"}, "a date": {catest.TooManyDate, "pending +5m0s"}, "nothing": {catest.TooManyBare, "pending +10m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			away := catest.New(t)
			away.Clock(r.clock.Now)
			away.Later(5 * time.Minute)
			r.Registry["outside"] = issuance.Registered{Authority: away.Client(), Mail: true}
			n := r.write(t)
			away.Next(c.mode)
			r.look(t, n)
			r.expect(t, n, c.want)
			r.look(t, n)
			if asked := away.Calls(); asked != 1 {
				t.Errorf("asked %d times, want it left alone", asked)
			}
			r.advance(t, n)
			r.look(t, n)
			r.expect(t, n, "issued")
			if away.Signed(int64(n)) != 1 {
				t.Errorf("got %d certificates", away.Signed(int64(n)))
			}
		})
	}
}

// TestAnAuthorityThatIsNotSetUpIsWaitedFor, as the intent stands: it may come back, and
// nobody was asked meanwhile.
func TestAnAuthorityThatIsNotSetUpIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first        []word
		stands, want string
		calls        string
	}{
		"before the first call":         {nil, "written +1h0m0s", "issued", "ask [asked]"},
		"after a call that was lost":    {[]word{lost}, "asked 1 attempts +1h0m0s", "issued 1 attempts", "ask [asked], ask [asked]"},
		"while it takes its time there": {[]word{says(pki.Answer{Later: trial.Today(), Reference: "T-1", Words: "soon"})}, "pending +1h0m0s", "issued", "ask [asked], collect T-1 [pending T-1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			there := r.Registry
			if len(c.first) > 0 {
				gone := func(ctx context.Context, q pki.Request) (pki.Answer, error) {
					r.Registry = issuance.Own(r.oracle)
					return c.first[0](ctx, q)
				}
				r.oracle.says(gone, yes())
				r.look(t, n)
			} else {
				r.oracle.says(yes())
				r.Registry = nil
			}
			for range 100 {
				r.advance(t, n)
				r.look(t, n)
			}
			r.expect(t, n, c.stands)
			r.told(t, 0, 0)
			if got := r.text(t, `select trouble from intent`); got != "order.no_authority" {
				t.Errorf("got %q for officers, want that it is not set up", got)
			}
			r.Registry = there
			r.advance(t, n)
			r.look(t, n)
			r.expect(t, n, c.want)
			r.called(t, c.calls)
		})
	}
}

// TestARightThatEndsWhileNoAuthorityIsSetUpEndsItAtOnce: nobody was asked.
func TestARightThatEndsWhileNoAuthorityIsSetUpEndsItAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.Registry = nil
	r.look(t, n)
	r.purpose.ends(errGone)
	r.advance(t, n)
	r.look(t, n)
	r.expect(t, n, "refused issuance.test.gone withdrawn")
	r.told(t, 0, 1)
}

// TestARequestThatMayNotBeMadeAnyMore, by the rules of this version, is a no where
// nobody was asked; else there may be a certificate, which is collected.
func TestARequestThatMayNotBeMadeAnyMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked       bool
		words       []word
		looks       int
		want, calls string
		kept, ended int
	}{
		"before the first call":      {false, []word{yes()}, 1, "refused order.failed.authority", "", 0, 1},
		"and there is a certificate": {true, []word{lost, yes(func(q *pki.Request) { q.Emails = []string{"office@uni.example"} })}, 2, "refused order.failed.mismatch 1 attempts", "ask [asked], collect  [asked]", 1, 0},
		"and that is not known":      {true, []word{lost}, 2, "asked 2 attempts +5m0s", "ask [asked], collect  [asked]", 0, 0},
		"and there is none": {
			true, []word{lost, unasked}, 3, "refused order.failed.authority 2 attempts", "ask [asked], collect  [asked], collect  [asked]", 0, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(c.words...)
			spoil := func() { trial.Must(r.DB.Exec(t.Context(), `update intent set emails = '{no address}'`)) }
			if !c.asked {
				spoil()
			}
			for i := range c.looks {
				r.look(t, n)
				if i == 0 {
					spoil()
				}
				if i < c.looks-1 {
					r.advance(t, n)
				}
			}
			r.expect(t, n, c.want)
			r.called(t, c.calls)
			r.told(t, c.kept, c.ended)
		})
	}
}

// TestWhatAnAuthoritySaysCannotBreakTheRoom: words and references that no database
// holds, in every answer.
func TestWhatAnAuthoritySaysCannotBreakTheRoom(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{
		"NUL": "a\x00b", "no UTF-8": "a\xff\xfeb", "a megabyte": strings.Repeat("ü", 1<<19), "a half letter": "a\xc3",
		"a surrogate": "\xed\xa0\x80",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, c := range map[string]struct {
				say  word
				want string
			}{
				"later":       {func(context.Context, pki.Request) (pki.Answer, error) { return pki.Answer{}, errors.New(words) }, "asked 1 attempts +1m0s"},
				"no":          {says(pki.Answer{No: errors.New(words), Words: words}), "refused order.failed.authority"},
				"nothing":     {says(pki.Answer{Words: words, Reference: words}), "asked 1 attempts +1m0s"},
				"a reference": {nil, "pending +1h0m0s"},
				"a certificate": {func(ctx context.Context, q pki.Request) (pki.Answer, error) {
					a, err := yes()(ctx, q)
					a.Words, a.Reference = words, words
					return a, err
				}, "issued"},
			} {
				r := newRig(t)
				n := r.write(t)
				if c.say == nil {
					c.say = says(pki.Answer{Later: r.Now().Add(time.Hour), Words: words, Reference: words})
				}
				r.oracle.says(c.say)
				r.look(t, n)
				if got := r.stands(t, n); got != c.want {
					t.Errorf("%s: got %q, want %q", what, got, c.want)
				}
				if said := r.text(t, `select said || ticket from intent`); len(said) > 2048 || !utf8.ValidString(said) {
					t.Errorf("%s: %d bytes are kept", what, len(said))
				}
			}
		})
	}
}

// TestTroubleOfOursIsNotTheAuthoritys: who stops, and a database that is away, costs
// no attempt.
func TestTroubleOfOursIsNotTheAuthoritys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(fails(&pgconn.PgError{Code: "57P01"}), yes())
	if err := r.Look(t.Context(), issuance.Application, n); err == nil {
		t.Error("got no error, want the job to fail")
	}
	r.expect(t, n, "asked +1m0s")
	r.advance(t, n)
	r.look(t, n)
	r.expect(t, n, "issued")

	n = r.write(t)
	ctx, stop := context.WithCancel(t.Context())
	r.oracle.says(func(ctx context.Context, _ pki.Request) (pki.Answer, error) {
		stop()
		<-ctx.Done()
		return pki.Answer{}, ctx.Err()
	}, yes())
	if err := r.Look(ctx, issuance.Application, n); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was stopped", err)
	}
	r.expect(t, n, "asked +1m0s")
	r.advance(t, n)
	r.look(t, n)
	r.expect(t, n, "issued")
}

// TestACallHasItsPatience: what hangs is let go, and that is the authority's.
func TestACallHasItsPatience(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Patience = 10 * time.Millisecond
	n := r.write(t)
	r.oracle.says(func(ctx context.Context, _ pki.Request) (pki.Answer, error) {
		<-ctx.Done()
		return pki.Answer{}, ctx.Err()
	}, yes())
	r.look(t, n)
	r.expect(t, n, "asked 1 attempts +1m0s")
}
