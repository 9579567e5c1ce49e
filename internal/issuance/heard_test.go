package issuance_test

import (
	"context"
	"testing"
	"time"

	"petschaft/internal/pki"
)

// TestWhatAnAuthoritySaidIsNotWhatHappenedOnTheWay: its words stay, whatever becomes of
// later calls, and what becomes of them is named by an id and never by an error's text.
func TestWhatAnAuthoritySaidIsNotWhatHappenedOnTheWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		say  word
		want string
	}{
		"it is away":      {lost, "issuance.trouble.away"},
		"it hangs":        {fails(context.DeadlineExceeded), "issuance.trouble.slow"},
		"it says nothing": {says(pki.Answer{}), "issuance.trouble.nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n := r.write(t)
			waits := says(pki.Answer{Later: r.Now().Add(time.Hour), Words: "We are at it"})
			r.oracle.says(waits, c.say, waits)
			for i, want := range []string{"We are at it|", "We are at it|" + c.want, "We are at it|"} {
				if i > 0 {
					r.advance(t, n)
				}
				r.look(t, n)
				if got := r.text(t, `select said || '|' || trouble from intent`); got != want {
					t.Errorf("after call %d: got %q kept, want %q", i+1, got, want)
				}
			}
		})
	}
}

// TestWhatTheVersionBeforeKeptIsNotTheAuthoritys: where calls went in vain it kept the
// text of an error.
func TestWhatTheVersionBeforeKeptIsNotTheAuthoritys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.write(t)
	r.oracle.says(lost)
	r.look(t, n)
	_, err := r.DB.Exec(t.Context(), `update intent set said = 'unavailable: ca.unavailable', trouble = ''`)
	ok(t, err)
	r.advance(t, n)
	r.look(t, n)
	if got := r.text(t, `select said || '|' || trouble from intent`); got != "|issuance.trouble.away" {
		t.Errorf("got %q kept, want no words of the authority", got)
	}
}

// TestARevocationKeepsWordsAndTroubleApart likewise.
func TestARevocationKeepsWordsAndTroubleApart(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	r.oracle.says(says(pki.Answer{Later: r.Now().Add(time.Hour), Words: "We are at it"}), lost, no)
	r.wish(t)
	there := r.Registry
	for i, want := range []string{"We are at it|", "We are at it|issuance.trouble.away", "We are at it|order.no_authority"} {
		if i > 0 {
			r.advanceRevocation(t)
		}
		if i == 2 {
			r.Registry = nil
		}
		r.revoke(t)
		if got := r.text(t, `select said || '|' || trouble from withdrawal`); got != want {
			t.Errorf("after call %d: got %q kept, want %q", i+1, got, want)
		}
	}
	r.Registry = there
	r.advanceRevocation(t)
	r.revoke(t)
	if got := r.text(t, `select state || trouble from withdrawal`); got != "refused" {
		t.Errorf("got %q, want it refused and no trouble", got)
	}
}
