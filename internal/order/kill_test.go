package order_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

func TestMain(m *testing.M) {
	trial.Main(m, trial.NewPart("issue", issueElsewhere))
}

// issuing is what another process of the portal issues: an application, or an
// order of a server certificate.
type issuing struct {
	Database, Authority string // addresses
	Outside             string // address of an authority that is not the portal's own, if there is one
	Application         order.ID
	Order               order.ServerID
}

func issueElsewhere(ctx context.Context, i issuing) error {
	db, err := postgres.Open(ctx, i.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	b, err := books(db, trial.Today, nil)
	if err != nil {
		return err
	}
	b.Issuance.Registry = issuance.Own(&catest.Client{URL: i.Authority})
	if i.Outside != "" {
		b.Issuance.Registry = b.Issuance.Registry.With(issuance.Registry{"outside": {Authority: &catest.Client{URL: i.Outside}, Mail: true, Servers: true}})
	}
	if i.Order != 0 {
		return b.Fulfil(ctx, i.Order)
	}
	return b.Issue(ctx, i.Application)
}

// elsewhere starts a process that issues the application.
func (r *rig) elsewhere(t *testing.T, id order.ID) *trial.Child {
	t.Helper()
	r.ok(t, r.due(t.Context(), int64(id)))
	return trial.NewChild(t, "issue", issuing{Database: r.url, Authority: r.away.URL, Application: id})
}

// elsewhereOrder is elsewhere for an order of a server certificate.
func (r *rig) elsewhereOrder(t *testing.T, id order.ServerID) *trial.Child {
	t.Helper()
	r.ok(t, r.due(t.Context(), int64(id)))
	return trial.NewChild(t, "issue", issuing{Database: r.url, Authority: r.away.URL, Order: id})
}

// came waits until the authority has signed and not answered.
func (r *rig) came(t *testing.T, id int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	intent, err := r.away.Came(ctx)
	r.ok(t, err)
	if intent != id {
		t.Fatalf("got a call for intent %d, want %d", intent, id)
	}
}

// killed leaves an application whose certificate was signed while the process
// that asked for it was killed (SIGKILL) before it could note it.
func (r *rig) killed(t *testing.T) order.ID {
	t.Helper()
	id := r.apply(t, r.ada, r.linked(t, r.ada, "ada@uni.example", "a@uni.example"))
	r.away.Next(catest.Slow)
	process := r.elsewhere(t, id)
	r.came(t, int64(id))
	process.Kill()
	r.ended(t, id, order.Issuing, "")
	if n := r.campus.Scalar(`select count(*) from certificate`); n != 0 || r.away.Signed(int64(id)) != 1 {
		t.Fatalf("got %d certificates recorded and %d signed, want none and one: the process died between", n, r.away.Signed(int64(id)))
	}
	return id
}

func TestAProcessKilledBetweenCallAndRecordIssuesNothingTwiceAndLosesNothing(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.killed(t)
	serial := r.intended(t, id)
	r.ok(t, r.Issue(t.Context(), id))
	c := r.one(t, id)
	if got := fmt.Sprintf("%x", c.Serial); got != serial || got != r.intended(t, id) {
		t.Errorf("got serial %s, want the first intent's, %s", got, serial)
	}
	if n := r.away.Signed(int64(id)); n != 1 {
		t.Errorf("got %d certificates signed for the intent, want 1", n)
	}
	if n := r.campus.Scalar(`select count(*) from letter where kind = 'issued'`); n != 1 {
		t.Errorf("got %d letters to the holder, want 1", n)
	}
}

// TestWhatWasSignedBeforeTheKillIsRecordedAndRevokedWhenTheRowIsInactiveNow: it
// exists, so it must be known; the right to it ended, so it is not offered.
func TestWhatWasSignedBeforeTheKillIsRecordedAndRevokedWhenTheRowIsInactiveNow(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	r.Cert.Officers = "ra"
	r.exec(t, `update account set groups = '{ra}' where id = $1`, r.officer.Account)
	id := r.killed(t)
	r.off(t, r.application(t, id).RowID)
	r.ok(t, r.Issue(t.Context(), id))
	r.ended(t, id, order.Refused, "mailbox.apply.inactive")
	r.unwanted(t, id)
}

// unwanted fails unless the only certificate came when nobody wanted it any more.
func (r *rig) unwanted(t testing.TB, id order.ID) {
	t.Helper()
	if n := r.campus.Scalar(`select count(*) from certificate where revoked is not null and row_id = (select row_id from application where id = $1)`, id); n != 1 {
		t.Errorf("got %d certificates revoked, want the one that came", n)
	}
	if n := r.campus.Scalar(`select count(*) from certificate`); n != 1 {
		t.Errorf("got %d certificates, want 1", n)
	}
	if n := r.campus.Scalar(`select count(*) from letter where kind = 'issued'`); n != 0 {
		t.Errorf("got %d letters that offer it, want none", n)
	}
	if n := r.campus.Scalar(`select count(distinct recipient) from letter where kind = 'unwanted'`); n < 2 {
		t.Errorf("got %d told of it, want the applicant and the registration office", n)
	}
}

func TestAfterAKillManyProcessesRecordOneCertificate(t *testing.T) {
	t.Parallel()
	r := awayRig(t)
	id := r.killed(t)
	first, second := r.elsewhere(t, id), r.elsewhere(t, id)
	got := trial.Race(10, campus.Said, func(int) error { return r.Issue(t.Context(), id) })
	if got[""] != 10 {
		t.Errorf("got %v, want all well", got)
	}
	for _, c := range []*trial.Child{first, second} {
		if err := c.Wait(); err != nil {
			t.Errorf("another process: %v, want it to end well", err)
		}
	}
	r.one(t, id)
	if n := r.away.Signed(int64(id)); n != 1 {
		t.Errorf("got %d certificates signed for the intent, want 1", n)
	}
}
