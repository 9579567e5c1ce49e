package issuance_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/lint"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestEveryArrowOfTheDrawing goes each way from written to an end; between two looks
// the time comes at which the next one is due.
func TestEveryArrowOfTheDrawing(t *testing.T) {
	t.Parallel()
	rules := &lint.Refusal{Findings: []lint.Finding{{Rule: "e_key", Whom: lint.ByKey}}}
	cases := map[string]struct {
		words       func(r *rig) []word
		looks       int
		want, calls string
		kept, ended int
	}{
		"a certificate at once": {func(*rig) []word { return []word{yes()} }, 1, "issued", "ask [asked]", 1, 0},
		"a no":                  {func(*rig) []word { return []word{no} }, 1, "refused order.failed.authority", "ask [asked]", 0, 1},
		"a no of rules": {
			func(*rig) []word { return []word{says(pki.Answer{No: rules})} }, 1,
			"refused order.failed.rules_key", "ask [asked]", 0, 1,
		},
		"something else comes": {func(*rig) []word { return []word{yes(otherName)} }, 1, "refused order.failed.mismatch", "ask [asked]", 1, 0},
		"later, then a certificate": {
			func(r *rig) []word { return []word{r.later(time.Hour, "T-1"), yes()} }, 2,
			"issued", "ask [asked], collect T-1 [pending T-1]", 1, 0,
		},
		"later, then a no": {
			func(r *rig) []word { return []word{r.later(time.Hour, "T-1"), no} }, 2,
			"refused order.failed.authority", "ask [asked], collect T-1 [pending T-1]", 0, 1,
		},
		"later without a reference is asked again": {
			func(r *rig) []word { return []word{r.later(time.Hour, ""), yes()} }, 2,
			"issued", "ask [asked], ask [pending]", 1, 0,
		},
		"another reference is kept from then on": {
			func(r *rig) []word { return []word{r.later(time.Hour, "T-1"), r.later(time.Hour, "T-2"), yes()} }, 3,
			"issued", "ask [asked], collect T-1 [pending T-1], collect T-2 [pending T-2]", 1, 0,
		},
		"no other reference leaves the first": {
			func(r *rig) []word { return []word{r.later(time.Hour, "T-1"), r.later(time.Hour, ""), yes()} }, 3,
			"issued", "ask [asked], collect T-1 [pending T-1], collect T-1 [pending T-1]", 1, 0,
		},
		"the answer is lost": {
			func(*rig) []word { return []word{lost, yes()} }, 2, "issued 1 attempts", "ask [asked], ask [asked]", 1, 0,
		},
		"an answer of nothing is no answer": {
			func(*rig) []word { return []word{nothing, yes()} }, 2, "issued 1 attempts", "ask [asked], ask [asked]", 1, 0,
		},
		"a certificate counts more than a no beside it": {
			func(*rig) []word {
				return []word{func(ctx context.Context, q pki.Request) (pki.Answer, error) {
					a, err := yes()(ctx, q)
					a.No, a.Later = errors.New("no"), q.NotBefore
					return a, err
				}}
			}, 1, "issued", "ask [asked]", 1, 0,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.expect(t, n, "written +0s")
			r.oracle.says(c.words(r)...)
			for range c.looks {
				r.look(t, n)
				r.look(t, n) // not due, or over
				r.clock.Advance(time.Hour)
			}
			r.expect(t, n, c.want)
			r.called(t, c.calls)
			r.told(t, c.kept, c.ended)
		})
	}
}

// TestWhatCameIsHandedOver with all that an authority said.
func TestWhatCameIsHandedOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(yes())
	r.look(t, n)
	r.told(t, 1, 0)
	i := r.purpose.kept[0]
	if i.Number != n || i.Ticket != "R-yes" || len(i.Differences) != 0 || i.Checks == nil || i.Reason != "" {
		t.Errorf("got %+v, want the intent with the authority's reference and what was checked", i)
	}
	if len(r.purpose.chain) != 1 || r.text(t, `select array_length(chain, 1)::text from intent`) != "1" {
		t.Error("the chain is not handed over and kept")
	}
	q := r.oracle.asked[0]
	if q.Intent != int64(n) || q.Reference != "OURS-1" || len(q.Serial) == 0 {
		t.Errorf("got the request %+v, want our number, reference and serial", q)
	}
}

// TestWhatIsNotWhatWasAskedForIsHandedOverWithTheDifferences, and kept.
func TestWhatIsNotWhatWasAskedForIsHandedOverWithTheDifferences(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(yes(otherName))
	r.look(t, n)
	r.told(t, 1, 0)
	if d := r.purpose.kept[0].Differences; len(d) == 0 || d[0].Code != "pki.answer.names" {
		t.Errorf("got the differences %v, want that of the names", d)
	}
	if r.text(t, `select (length(answer) > 0)::text from intent`) != "true" {
		t.Error("the answer is gone, want it kept")
	}
}

// TestAChainThatDoesNotLeadToTheSignerIsNone: the certificate may be anybody's.
func TestAChainThatDoesNotLeadToTheSignerIsNone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	foreign := trial.Must(pki.NewRoot(pki.Authority{Organisation: "Fremd", Country: "DE", Role: "Root CA", Years: 40, NotBefore: r.Now()}, ecKey()))
	r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
		a, err := yes()(ctx, q)
		a.Chain = [][]byte{foreign.Raw}
		return a, err
	})
	r.look(t, n)
	r.told(t, 1, 0)
	if d := r.purpose.kept[0].Differences; len(d) != 1 || d[0].Code != "pki.answer.chain" || len(r.purpose.chain) != 0 {
		t.Errorf("got the differences %v and a chain of %d, want that the chain is none", d, len(r.purpose.chain))
	}
}

// TestAnAuthorityMayNotChooseWhatIsCheckedByGarbage: what it says of its checks may
// be no JSON, and the certificate is there all the same.
func TestAnAuthorityMayNotChooseWhatIsCheckedByGarbage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
		a, err := yes()(ctx, q)
		a.Checks = []byte("<html>")
		return a, err
	})
	r.look(t, n)
	r.expect(t, n, "issued")
	r.told(t, 1, 0)
}

// TestCallsWhoseOutcomeIsNotKnownEndAfterTwoDays, and not before; then somebody may
// have the same asked once more.
func TestCallsWhoseOutcomeIsNotKnownEndAfterTwoDays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(lost)
	begun := r.Now()
	for range 100 {
		r.look(t, n)
		r.advance(t, n)
	}
	if took := r.Now().Sub(begun); took < 48*time.Hour || took > 50*time.Hour {
		t.Errorf("nobody asks any more after %v, want two days", took)
	}
	r.told(t, 0, 1)
	if i := r.purpose.ended[0]; i.State != issuance.Unknown || i.Reason != issuance.NotKnown {
		t.Errorf("the purpose hears %s, %s", i.State, i.Reason)
	}
	if got := r.stands(t, n); !strings.HasPrefix(got, "unknown order.failed.away") {
		t.Errorf("got %q, want it unknown", got)
	}
	calls := strings.Count(r.oracle.log(), "ask")
	r.clock.Advance(30 * 24 * time.Hour)
	r.look(t, n)
	if strings.Count(r.oracle.log(), "ask") != calls {
		t.Error("it is asked again by itself")
	}
	r.retry(t, issuance.NotKnown, r.intent(n))
	r.expect(t, n, "asked +0s")
	r.oracle.says(yes())
	r.look(t, n)
	r.expect(t, n, "issued")
	first, last := r.oracle.asked[0], r.oracle.asked[len(r.oracle.asked)-1]
	if string(first.Serial) != string(last.Serial) || first.Reference != last.Reference {
		t.Error("resumed, another certificate is asked for")
	}
}

// TestResumedWhatHadAReferenceIsCollected: the authority called it so.
func TestResumedWhatHadAReferenceIsCollected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(r.later(0, "T-1"), lost)
	r.look(t, n)
	for range 100 {
		r.clock.Advance(2 * time.Hour)
		r.look(t, n)
	}
	r.told(t, 0, 1)
	r.retry(t, issuance.NotKnown, r.intent(n))
	r.expect(t, n, "pending +0s")
	r.oracle.says(yes())
	r.look(t, n)
	r.expect(t, n, "issued")
	if !strings.HasSuffix(r.oracle.log(), "collect T-1 [pending T-1]") {
		t.Errorf("got the last call of %q, want it collected", r.oracle.log())
	}
}

// TestNothingOfAnEndIsWrittenWhereThePurposeFails: both or none.
func TestNothingOfAnEndIsWrittenWhereThePurposeFails(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]word{"a certificate": yes(), "a no": no, "something else": yes(otherName)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			r.oracle.says(says)
			r.purpose.fails = fault.New(fault.Internal, "")
			if err := r.Look(t.Context(), issuance.Application, n); err == nil {
				t.Error("got no error, want the purpose's")
			}
			r.expect(t, n, "asked +1m0s")
			r.told(t, 0, 0)
			r.purpose.fails = nil
			r.clock.Advance(time.Minute)
			r.look(t, n)
			if got := r.stands(t, n); strings.Contains(got, "+") {
				t.Errorf("got %q, want it over", got)
			}
		})
	}
}
