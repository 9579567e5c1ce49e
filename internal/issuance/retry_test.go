package issuance_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/issuance"
	"petschaft/internal/trial"
)

// retry has n asked for once more; asked has the serial of what there is, if any.
func (r *rig) retry(t testing.TB, reason string, asked issuance.Intent) (got issuance.Intent) {
	t.Helper()
	var serial []byte
	ok(t, r.DB.QueryRow(t.Context(), `select coalesce((select serial from intent where number = @number), @serial)`,
		pgx.NamedArgs{"number": asked.Number, "serial": asked.Serial}).Scan(&serial))
	asked.Serial = serial
	r.step(t, func(ctx context.Context, tx pgx.Tx, now time.Time) (err error) {
		got, err = r.Retry(ctx, tx, now, reason, asked, func(issuance.Intent) (issuance.Intent, error) {
			i := r.intent(asked.Number)
			i.Reference += "-2"
			return i, nil
		})
		return err
	})
	return got
}

// TestWhatIsAskedForOnceMoreIsTheSameWhereACertificateOfItMayExist: else it would never
// be known, and where there is none, or another came, the same would end the same.
func TestWhatIsAskedForOnceMoreIsTheSameWhereACertificateOfItMayExist(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		sets   string // how the intent ended
		own    bool
		want   string
		same   bool
	}{
		"it is not known":                          {issuance.NotKnown, `state = 'unknown', asked = now()`, false, "asked +0s", true},
		"it is not known, by a reference":          {issuance.NotKnown, `state = 'unknown', asked = now(), ticket = 'T-1'`, false, "pending +0s", true},
		"it was closed before anybody was asked":   {issuance.NotKnown, `state = 'refused', reason = 'issuance.over'`, false, "written +0s", true},
		"the authority says no":                    {issuance.NoAuthority, `state = 'refused', asked = now()`, true, "written +0s", false},
		"rules forbid it":                          {issuance.RulesOffice, `state = 'refused', asked = now()`, true, "written +0s", false},
		"something else came from outside":         {issuance.NotAsAsked, `state = 'refused', asked = now(), answer = 'x'`, false, "written +0s", false},
		"something else came from the own one":     {issuance.NotAsAsked, `state = 'refused', asked = now(), answer = 'x'`, true, "asked +0s", true},
		"the right ended, and there is none":       {"right.ended", `state = 'refused', asked = now(), withdrawn = now()`, false, "written +0s", false},
		"the right ended, and it was never closed": {"right.ended", `state = 'unknown', asked = now(), withdrawn = now()`, false, "asked +0s", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			authority := map[bool]string{false: "outside", true: "mail"}[c.own]
			r.Registry[authority] = issuance.Registered{Authority: r.oracle, Mail: true}
			n := r.write(t)
			trial.Must(r.DB.Exec(t.Context(), `update intent set next_look = null, attempts = 28, authority = '`+authority+`', `+c.sets))
			before := []byte(r.text(t, `select encode(serial, 'hex') from intent`))
			i := r.retry(t, c.reason, r.intent(n))
			r.expect(t, n, c.want)
			if same := bytes.Equal(before, []byte(r.text(t, `select encode(serial, 'hex') from intent`))); same != c.same || (i.Reference == "OURS-1") != c.same {
				t.Errorf("got the serial of before: %v, and the reference %s; want the same: %v", same, i.Reference, c.same)
			}
		})
	}
}

// TestWhatIsStillCollectedIsNotAskedForOnceMore: what came of it would be lost.
func TestWhatIsStillCollectedIsNotAskedForOnceMore(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{issuance.NoAuthority, issuance.NotKnown} {
		r := newRig(t)
		n := r.write(t)
		trial.Must(r.DB.Exec(t.Context(), `update intent set state = 'pending', ticket = 'T-1', asked = now(), withdrawn = now()`))
		r.step(t, func(ctx context.Context, tx pgx.Tx, now time.Time) error {
			_, err := r.Retry(ctx, tx, now, reason, r.intent(n), nil)
			campus.Wants(t, err, "serverorder.retry.asking")
			return nil
		})
		r.expect(t, n, "pending withdrawn +0s")
	}
}

// TestWhatTheVersionBeforeAskedForIsTakenOver: there is no intent of it, or one of an
// attempt before.
func TestWhatTheVersionBeforeAskedForIsTakenOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.next++
	i := r.retry(t, issuance.NotKnown, r.intent(r.next))
	r.expect(t, r.next, "asked +0s")
	if got := r.text(t, `select reference from intent where serial = $1`, i.Serial); got != "OURS-1" {
		t.Errorf("got %q taken over, want what was asked for", got)
	}
	r.Registry = nil
	r.step(t, func(ctx context.Context, tx pgx.Tx, now time.Time) error {
		_, err := r.Retry(ctx, tx, now, issuance.NotKnown, r.intent(r.next), nil)
		campus.Wants(t, err, "order.no_authority")
		return nil
	})
}
