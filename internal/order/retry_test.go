package order_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// failed is an application that the authority refused once.
func (r *rig) failed(t testing.TB, by person.Actor, row mailbox.ID) order.ID {
	t.Helper()
	id := r.apply(t, by, row)
	r.away.Next(catest.Refusing)
	r.ok(t, r.Issue(t.Context(), id))
	r.ended(t, id, order.Failed, "order.failed.authority")
	return id
}

func TestAnOfficerRetriesWhatFailed(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.failed(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	serial := r.intended(t, id)
	for _, by := range []person.Actor{r.ada, r.contact, r.bob} {
		campus.Wants(t, r.Retry(t.Context(), by, id), "fault.officers_only")
	}
	campus.Wants(t, r.Retry(t.Context(), r.officer, id+1000), "fault.missing")
	r.ok(t, r.Retry(t.Context(), r.officer, id))
	if a := r.application(t, id); a.State != order.Issuing || a.Attempts != 1 || a.Ended != nil {
		t.Errorf("got %s after %d retries, ended %v; want it issuing after 1", a.State, a.Attempts, a.Ended)
	}
	campus.Wants(t, r.Retry(t.Context(), r.officer, id), "order.retry.over")
	r.ok(t, r.Issue(t.Context(), id))
	r.one(t, id)
	if got := r.intended(t, id); got == serial {
		t.Errorf("got the first intent's serial %s, want another intent: the authority said that there is nothing for that one", got)
	}
	campus.Wants(t, r.Retry(t.Context(), r.officer, id), "order.retry.over")
}

func TestManyRetriesAtOnceAreOne(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.failed(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	got := trial.Race(20, campus.Said, func(int) error { return r.Retry(t.Context(), r.officer, id) })
	if got[""] != 1 || got["order.retry.over"] != 19 {
		t.Errorf("got %v, want one and 19 that come too late", got)
	}
}

func TestWhatWasFollowedIsNotRetried(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	row := r.linked(t, r.ada, "ada@uni.example")
	id := r.failed(t, r.ada, row)
	second := r.apply(t, r.ada, row)
	campus.Wants(t, r.Retry(t.Context(), r.officer, id), "order.retry.over")
	r.ok(t, r.Issue(t.Context(), second))
	campus.Wants(t, r.Retry(t.Context(), r.officer, id), "order.retry.over")
	r.one(t, second)
}

// TestARetryObeysTheRuleWhoMayApply: the failure may lie long ago.
func TestARetryObeysTheRuleWhoMayApply(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		meanwhile func(t *testing.T, r *rig, row mailbox.ID)
		want      string
	}{
		"the row was deactivated":  {func(t *testing.T, r *rig, row mailbox.ID) { r.off(t, row) }, "mailbox.apply.inactive"},
		"somebody else confirmed":  {func(t *testing.T, r *rig, row mailbox.ID) { r.confirm(t, r.bob, row) }, "mailbox.apply.unlinked"},
		"an alias was edited":      {func(t *testing.T, r *rig, row mailbox.ID) { r.edit(t, row, "b@uni.example") }, "mailbox.apply.suspended"},
		"the domain's proof ended": {func(_ *testing.T, r *rig, _ mailbox.ID) { r.clock.Advance(300 * day) }, "mailbox.apply.lapsed"},
		"other aliases were confirmed": {func(t *testing.T, r *rig, row mailbox.ID) {
			r.edit(t, row, "b@uni.example")
			r.confirm(t, r.ada, row)
		}, "order.retry.over"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := awayRig(t)
			row := r.linked(t, r.ada, "ada@uni.example", "a@uni.example")
			id := r.failed(t, r.ada, row)
			c.meanwhile(t, r, row)
			campus.Wants(t, r.Retry(t.Context(), r.officer, id), c.want)
			r.ended(t, id, order.Failed, "order.failed.authority")
			if n := r.away.All(); n != 0 {
				t.Errorf("got %d certificates signed, want none", n)
			}
		})
	}
}

func TestAnApplicationIsSeenByItsApplicantAndOfficersOnly(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	row := r.linked(t, r.ada, "ada@uni.example")
	id := r.failed(t, r.ada, row)
	for who, by := range map[string]person.Actor{"another person": r.bob, "the contact": r.contact} {
		_, err := r.One(t.Context(), by, id)
		if campus.Said(err) != "fault.missing" {
			t.Errorf("%s: got %v, want it missing", who, err)
		}
		if mine := trial.Must(r.Mine(t.Context(), by, 10)); len(mine) != 0 {
			t.Errorf("%s: got %d applications, want none", who, len(mine))
		}
		_, err = r.Failures(t.Context(), by, 10)
		campus.Wants(t, err, "fault.officers_only")
	}
	if mine := trial.Must(r.Mine(t.Context(), r.ada, 10)); len(mine) != 1 || mine[0].ID != id {
		t.Errorf("got %v, want the one that failed", mine)
	}
	_ = trial.Must(r.One(t.Context(), r.ada, id))
	second := r.apply(t, r.ada, row)
	if mine := trial.Must(r.Mine(t.Context(), r.ada, 10)); len(mine) != 1 || mine[0].ID != second {
		t.Errorf("got %v, want only the one that followed", mine)
	}
}

func TestWhoIsNotLinkedFindsNoRowToApplyFor(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	row := r.linked(t, r.ada, "ada@uni.example")
	in := order.Input{CSR: csr(t, ecKey(t)), Terms: r.Terms}
	for who, by := range map[string]person.Actor{"another person": r.bob, "the contact": r.contact, "an officer": r.officer} {
		if _, err := r.Apply(t.Context(), by, row, in); campus.Said(err) != "fault.missing" {
			t.Errorf("%s: got %v, want the row missing", who, err)
		}
	}
	_, err := r.Apply(t.Context(), r.ada, row+1000, in)
	campus.Wants(t, err, "fault.missing")
	_, err = r.Apply(t.Context(), r.ada, row, order.Input{CSR: in.CSR, Terms: "terms-0"})
	campus.Wants(t, err, "order.terms.required")
	_, err = r.Apply(t.Context(), r.ada, row, order.Input{CSR: "no request", Terms: r.Terms})
	if id := campus.Said(err); id == "" || id == "order.terms.required" {
		t.Errorf("got %v, want what is wrong with the request", err)
	}
	_, err = r.Apply(t.Context(), r.ada, row, order.Input{CSR: primeModulus(t), Terms: r.Terms})
	campus.Wants(t, err, "pki.key.prime")
	r.Issuance.Registry = nil
	_, err = r.Apply(t.Context(), r.ada, row, in)
	campus.Wants(t, err, "order.no_authority")
	if n := r.campus.Scalar(`select count(*) from application`); n != 0 {
		t.Errorf("got %d applications, want none", n)
	}
}

func TestAnAuthorityThatStaysAwayFailsTheApplicationAndNothingIsLost(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	r.away.Next(catest.Cut) // it signed, and nobody knows
	r.lastAttempt(t, int64(id))
	r.ok(t, r.Issue(t.Context(), id))
	r.ended(t, id, order.Failed, "order.failed.away")
	r.ok(t, r.Retry(t.Context(), r.officer, id))
	r.ok(t, r.Issue(t.Context(), id))
	r.one(t, id)
	if n := r.away.Signed(int64(id)); n != 1 {
		t.Errorf("got %d certificates signed for the intent, want 1", n)
	}
}

// TestARetryThatCannotHaveTheRowIsToldToWait: the transaction is over with the
// lock it did not get.
func TestARetryThatCannotHaveTheRowIsToldToWait(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	row := r.linked(t, r.ada, "ada@uni.example")
	id := r.failed(t, r.ada, row)
	tx := trial.Must(r.db.Begin(t.Context()))
	defer tx.Rollback(t.Context())
	trial.Must(tx.Exec(t.Context(), `select from address_row where id = $1 for update`, row))
	quick := trial.Must(postgres.Open(t.Context(), r.url, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["lock_timeout"] = "200ms" }))
	t.Cleanup(quick.Close)
	impatient := *r.Book
	impatient.DB = quick
	campus.Wants(t, impatient.Retry(t.Context(), r.officer, id), "fault.busy")
	r.ok(t, tx.Rollback(t.Context()))
	r.ok(t, r.Retry(t.Context(), r.officer, id))
}

// TestADatabaseThatIsAwayIsNotTheAuthoritysFault: the last attempt of two days
// meets an outage of the portal's own database.
func TestADatabaseThatIsAwayIsNotTheAuthoritysFault(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example"))
	trial.Must(r.db.Exec(t.Context(), `create sequence trouble;
		create function trouble() returns trigger language plpgsql as $$ begin
			if nextval('trouble') <= 1 then raise exception 'full' using errcode = '53100'; end if;
			return new;
		end $$;
		create trigger trouble before insert on certificate for each row execute function trouble()`))
	r.lastAttempt(t, int64(id))
	if err := r.Issue(t.Context(), id); !postgres.Away(err) {
		t.Errorf("got %v, want the trouble of the database, so that the job comes again", err)
	}
	if a := r.application(t, id); a.State != order.Issuing || a.Tries != mail.Attempts-1 {
		t.Errorf("got state %s after %d calls in vain, want it still issuing and nothing counted", a.State, a.Tries)
	}
	r.ok(t, r.Issue(t.Context(), id))
	r.one(t, id)
}

// lastAttempt leaves an intent one call short of nobody asking any more.
func (r *rig) lastAttempt(t *testing.T, n int64) {
	t.Helper()
	r.exec(t, `update intent set attempts = $2 where number = $1`, n, mail.Attempts-1)
}
