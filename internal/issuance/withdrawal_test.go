package issuance_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

var done = says(pki.Answer{})

// revoker is a rig with a certificate of the authority outside.
type revoker struct {
	*rig
	ada, officer person.Actor
	id           cert.ID
}

func newRevoker(t testing.TB) *revoker {
	t.Helper()
	r := &revoker{rig: newRig(t)}
	c := r.campus
	office := campus.WithEmail("Rita Amt", "rita@people.example")
	office.Groups = []string{"ra"}
	r.officer = c.SignInOfficer(office)
	contact := c.SignIn(campus.WithEmail("Nora Netz", "nora@people.example"))
	r.ada = c.SignIn(campus.WithEmail("Ada Adler", "ada@people.example"))
	c.Domain("uni.example", c.Group(org.GroupInput{Name: "RZ"}, contact), org.ByDomain)
	m := c.Mint(c.Local(), contact, "uni.example")
	m.Officers = "ra"
	i := m.Strike(t, r.ada, m.AddRow(t, "ada@uni.example"), "ada@uni.example")
	i.Authority = "outside"
	r.id = m.Keep(t, i)
	return r
}

// wish wants it revoked.
func (r *revoker) wish(t testing.TB) {
	t.Helper()
	ok(t, r.Cert.Revoke(t.Context(), r.ada, r.id, pki.Superseded))
}

func (r *revoker) revoke(t testing.TB) {
	t.Helper()
	ok(t, r.Revoke(t.Context(), int64(r.id)))
}

// expect fails unless withdrawal and certificate stand so.
func (r *revoker) expect(t testing.TB, want string) {
	t.Helper()
	var s string
	var next *time.Time
	ok(t, r.DB.QueryRow(t.Context(), `select concat_ws(' ', w.state, case when w.attempts > 0 then w.attempts || ' attempts' end,
			case when c.revoked is not null then 'revoked' when c.revoking is not null then 'revoking' else 'valid' end), w.next_look
		from withdrawal w join certificate c on c.id = w.certificate`).Scan(&s, &next))
	if next != nil {
		s += " +" + next.Sub(r.Now()).String()
	}
	if s != want {
		t.Errorf("got the revocation %q, want it %q", s, want)
	}
}

// lines are how often each action stands in the audit log, of those about the end of
// certificates.
func (r *revoker) lines(t testing.TB) string {
	return r.text(t, `select coalesce(string_agg(action || ' ' || n, ', ' order by action), '') from (select action, count(*) as n from audit_line
		where action like 'cert.revo%' group by action) l`)
}

func TestEveryAnswerToARevocation(t *testing.T) {
	t.Parallel()
	const revoked, refused = "cert.revoked 1, cert.revoking 1", "cert.revocation_refused 1, cert.revoking 1"
	cases := map[string]struct {
		words       func(r *rig) []word
		looks       int
		want, lines string
	}{
		"done":                    {func(*rig) []word { return []word{done} }, 1, "done revoked", revoked},
		"no":                      {func(*rig) []word { return []word{no} }, 1, "refused valid", refused},
		"later":                   {func(r *rig) []word { return []word{r.later(time.Hour, "")} }, 1, "asked revoking +1h0m0s", "cert.revoking 1"},
		"later, for a year":       {func(r *rig) []word { return []word{r.later(8760*time.Hour, "")} }, 1, "asked revoking +24h0m0s", "cert.revoking 1"},
		"later, then done":        {func(r *rig) []word { return []word{r.later(time.Hour, ""), done} }, 2, "done revoked", revoked},
		"unknown":                 {func(*rig) []word { return []word{lost} }, 1, "asked 1 attempts revoking +1m0s", "cert.revoking 1"},
		"unknown, then done":      {func(*rig) []word { return []word{lost, done} }, 2, "done 1 attempts revoked", revoked},
		"broken for weeks":        {func(*rig) []word { return []word{lost} }, 200, "asked 200 attempts revoking +2h0m0s", "cert.revoking 1"},
		"it hangs":                {func(*rig) []word { return []word{fails(context.DeadlineExceeded)} }, 1, "asked 1 attempts revoking +1m0s", "cert.revoking 1"},
		"words no database holds": {func(*rig) []word { return []word{says(pki.Answer{No: errLost, Words: "a\x00\xff"})} }, 1, "refused valid", refused},
		"errors no database holds": {
			func(*rig) []word { return []word{fails(errors.New(strings.Repeat("a\x00\xff", 1<<20)))} }, 1,
			"asked 1 attempts revoking +1m0s", "cert.revoking 1",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRevoker(t)
			r.oracle.says(c.words(r.rig)...)
			r.wish(t)
			r.expect(t, "written revoking +0s")
			for i := range c.looks {
				if i > 0 {
					r.advanceRevocation(t)
				}
				r.revoke(t)
				r.revoke(t) // not due, or over
			}
			r.expect(t, c.want)
			if got := r.lines(t); got != c.lines {
				t.Errorf("got the audit lines %q, want %q", got, c.lines)
			}
			if calls := len(r.oracle.calls); calls != c.looks {
				t.Errorf("got %d calls, want %d", calls, c.looks)
			}
		})
	}
}

func (r *revoker) advanceRevocation(t testing.TB) {
	t.Helper()
	var next *time.Time
	ok(t, r.DB.QueryRow(t.Context(), `select next_look from withdrawal`).Scan(&next))
	if next != nil {
		r.clock.Set(*next)
	}
}

func TestWhatWasRefusedMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	r.oracle.says(no, lost, done)
	for range 2 {
		r.wish(t)
		r.expect(t, "written revoking +0s")
		r.revoke(t)
	}
	r.expect(t, "asked 1 attempts revoking +1m0s")
	campus.Wants(t, r.Cert.Revoke(t.Context(), r.officer, r.id, pki.CessationOfOperation), "cert.revoke.under_way")
	r.advanceRevocation(t)
	r.revoke(t)
	r.expect(t, "done 1 attempts revoked")
	if got, want := r.lines(t), "cert.revocation_refused 1, cert.revoked 1, cert.revoking 2"; got != want {
		t.Errorf("got the audit lines %q, want %q", got, want)
	}
	campus.Wants(t, r.Cert.Revoke(t.Context(), r.ada, r.id, pki.Superseded), "cert.revoked_already")
	if got, want := r.oracle.log(), fmt.Sprintf("revoke %[1]d, revoke %[1]d, revoke %[1]d", pki.Superseded); got != want {
		t.Errorf("got the calls %q, want %q", got, want)
	}
}

func TestARevocationWaitsForAnAuthorityThatIsNotInTheRegistry(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	r.oracle.says(done)
	there := r.Registry
	r.Registry = nil
	r.wish(t)
	for range 100 {
		r.revoke(t)
		r.advanceRevocation(t)
	}
	r.expect(t, "asked revoking +0s")
	r.Registry = there
	r.revoke(t)
	r.expect(t, "done revoked")
}

func TestOfManyWhoRevokeOneCalls(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	r.oracle.says(done)
	r.wish(t)
	got := trial.Race(many, campus.Said, func(int) error { return r.Revoke(t.Context(), int64(r.id)) })
	trial.Expect(t, got, map[string]int{"": many})
	if n := len(r.oracle.calls); n != 1 {
		t.Errorf("got %d calls, want 1", n)
	}
	r.expect(t, "done revoked")
	if n := r.campus.Scalar(`select count(*) from letter where kind = 'revoked'`); n != 1 {
		t.Errorf("got %d letters, want 1", n)
	}
}

// TestARevocationThatWasCutOffIsFollowed after the lease, and costs no attempt.
func TestARevocationThatWasCutOffIsFollowed(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	ctx, die := context.WithCancel(t.Context())
	r.oracle.says(func(context.Context, pki.Request) (pki.Answer, error) {
		die()
		return pki.Answer{}, context.Canceled
	}, fails(&pgconn.PgError{Code: "57P01"}), done)
	r.wish(t)
	if r.Revoke(ctx, int64(r.id)) == nil {
		t.Error("got no error, want that it was stopped")
	}
	r.expect(t, "asked revoking +1m0s")
	r.advanceRevocation(t)
	if r.Revoke(t.Context(), int64(r.id)) == nil {
		t.Error("got no error, want that the database is away")
	}
	r.expect(t, "asked revoking +1m0s")
	r.advanceRevocation(t)
	r.revoke(t)
	r.expect(t, "done revoked")
}

// TestWhoIsLateWithARevocationChangesNothing: done is done.
func TestWhoIsLateWithARevocationChangesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late, meanwhile word
		want            string
	}{
		"no, done meanwhile":   {no, done, "done revoked"},
		"lost, done meanwhile": {lost, done, "done revoked"},
		"done, no meanwhile":   {done, no, "refused valid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRevoker(t)
			r.wish(t)
			r.oracle.says(func(ctx context.Context, q pki.Request) (pki.Answer, error) {
				r.clock.Advance(2 * time.Minute)
				r.revoke(t)
				return c.late(ctx, q)
			}, c.meanwhile)
			r.revoke(t)
			r.expect(t, c.want)
		})
	}
}

// TestTheClockHasRevocationsLookedAt though their jobs are lost.
func TestTheClockHasRevocationsLookedAt(t *testing.T) {
	t.Parallel()
	r := newRevoker(t)
	r.oracle.says(done)
	r.wish(t)
	_, err := r.DB.Exec(t.Context(), `delete from river_job`)
	ok(t, err)
	r.work(t)
	trial.Until(t, "it is revoked", func() bool { return r.campus.Scalar(`select count(*) from certificate where revoked is not null`) == 1 })
}
