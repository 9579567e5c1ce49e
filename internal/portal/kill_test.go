package portal_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"petschaft/internal/bulk"
	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/queue"
	"petschaft/internal/trial"
)

// goOn is another process, which takes as seconds what takes minutes otherwise;
// as many seconds as a job may take on a machine that is very busy.
func (r *killRig) goOn() {
	r.t.Helper()
	r.Jobs = queue.Work{JobTimeout: 8 * time.Second, RescueAfter: 9 * time.Second, DueEvery: time.Second}
	r.ok(r.Work(r.t.Context()))
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Queue.Stop(ctx); err != nil {
			r.t.Errorf("stop: %v", err)
		}
	})
}

// told tells whether the world hears from the list and by OCSP that the
// certificate is revoked.
func (r *killRig) told(authority string, serial []byte) (listed, answered bool) {
	r.t.Helper()
	l := trial.Must(r.Cert.Newest(r.t.Context(), authority))
	for _, e := range trial.Must(x509.ParseRevocationList(l.DER)).RevokedCertificateEntries {
		listed = listed || slices.Equal(e.SerialNumber.Bytes(), serial)
	}
	issuer := trial.Must(x509.ParseCertificate(r.CA.Chain(authority)[0]))
	// A book of its own: a process keeps answers in memory for half a minute.
	fresh := &cert.Book{DB: r.DB, Now: time.Now}
	a := trial.Must(fresh.Response(r.t.Context(), authority, pki.Question{Serial: serial}))
	return listed, trial.Must(ocsp.ParseResponse(a.DER, issuer)).Status == ocsp.Revoked
}

const telling = `select pg_advisory_xact_lock(4711)`

// muzzle lets whoever says that something is revoked wait for that lock, in an
// answer or on a list: a clock of the killed process may be at the answers when its
// job comes, which then leaves them to it and goes on to the list. What revokes only
// says that both are due.
func (r *killRig) muzzle() {
	r.t.Helper()
	trial.Must(r.DB.Exec(r.t.Context(), `create function muzzle() returns trigger language plpgsql as
		$$ begin perform pg_advisory_xact_lock(4711); return new; end $$`))
	trial.Must(r.DB.Exec(r.t.Context(), `create trigger muzzle before update on ocsp_answer for each row
		when (new.revoked and not old.revoked) execute function muzzle()`))
	trial.Must(r.DB.Exec(r.t.Context(), `create trigger muzzle before insert on revocation_list for each row
		when (new.entries > 0) execute function muzzle()`))
}

// TestARevocationAnsweredBeforeAKillIsOnTheListAndInOCSP is the worst that the
// drill found: both stayed silent for an hour.
func TestARevocationAnsweredBeforeAKillIsOnTheListAndInOCSP(t *testing.T) {
	t.Parallel()
	r := newKillRig(t)
	id := r.issued()
	serial := trial.Must(r.Cert.One(t.Context(), r.officer, id)).Serial
	r.ok(r.Cert.SignOldLists(t.Context()))
	r.muzzle()
	r.killed("revoke", "cert_list", telling, r.ada, int64(id))
	if listed, answered := r.told(ca.Mail, serial); listed || answered {
		t.Fatal("the killed process has told it already: nothing is tested")
	}
	r.goOn()
	trial.Until(r.t, "it is on the list and in OCSP", func() bool {
		listed, answered := r.told(ca.Mail, serial)
		return listed && answered
	})
}

func TestARevokedServerCertificateIsToldAfterAKill(t *testing.T) {
	t.Parallel()
	r := newKillRig(t)
	reference := r.ordered()
	r.ok(r.Order.Approve(t.Context(), r.officer, reference, 1))
	r.ok(r.Order.Fulfil(t.Context(), trial.Must(r.Order.Server(t.Context(), r.officer, reference)).ID))
	serial := trial.Must(r.Cert.Server(t.Context(), r.tina, reference)).Serial
	r.ok(r.Cert.SignOldLists(t.Context()))
	r.muzzle()
	r.killed("revoke server", "cert_list", telling, r.tina, reference)
	if listed, answered := r.told(ca.TLS, serial); listed || answered {
		t.Fatal("the killed process has told it already: nothing is tested")
	}
	r.goOn()
	trial.Until(r.t, "it is on the list and in OCSP", func() bool {
		listed, answered := r.told(ca.TLS, serial)
		return listed && answered
	})
}

// deed is something that was answered and is to become true.
type deed struct {
	kind, hold string // the job that makes it true, and the lock that stops it
	// prepare returns who asks for what, and whether it has become true.
	prepare func(r *killRig) (by person.Actor, to any, isTrue func() bool)
}

const issuing = `lock table ca_issued in access exclusive mode`

var deeds = map[string]deed{
	"apply": {"issuance_look", issuing, func(r *killRig) (person.Actor, any, func() bool) {
		return r.ada, int64(r.linked()), func() bool { return r.count(`select count(*) from application where state = 'issued'`) == 1 }
	}},
	"approve": {"issuance_look", issuing, func(r *killRig) (person.Actor, any, func() bool) {
		reference := r.ordered()
		return r.officer, reference, func() bool { return trial.Must(r.Order.Server(r.t.Context(), r.tina, reference)).State == order.Issued }
	}},
	"challenge": {"mailbox_deliver", "", func(r *killRig) (person.Actor, any, func() bool) {
		return r.nora, int64(r.row()), func() bool { return r.came("ada@" + domain) }
	}},
	"offer": {"mail_deliver", "", func(r *killRig) (person.Actor, any, func() bool) {
		return r.tina, int64(r.organisation), func() bool { return r.came(r.ada.Email) }
	}},
	"import": {"mailbox_import", `lock table address in share mode`, func(r *killRig) (person.Actor, any, func() bool) {
		return r.nora, int64(r.planned()), func() bool {
			return r.count(`select count(*) from address_row where primary_address = 'neu@uni.example'`) == 1
		}
	}},
	"bulk": {"bulk_work", `lock table challenge_round in share mode`, func(r *killRig) (person.Actor, any, func() bool) {
		id := trial.Must(r.Bulk.Prepare(r.t.Context(), r.nora, domain, bulk.Challenge, mailbox.View{IDs: []mailbox.ID{r.row()}}))
		return r.nora, int64(id), func() bool { return r.came("ada@" + domain) }
	}},
}

// TestWhatWasAnsweredBeforeAKillBecomesTrue kills a process right after each kind
// of answer, while the job that makes it true runs.
func TestWhatWasAnsweredBeforeAKillBecomesTrue(t *testing.T) {
	t.Parallel()
	for does, d := range deeds {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			r := newKillRig(t)
			by, to, isTrue := d.prepare(r)
			r.killed(does, d.kind, d.hold, by, to)
			if isTrue() {
				t.Fatal("it is true already: nothing is tested")
			}
			r.goOn()
			trial.Until(r.t, "it is true", isTrue)
		})
	}
}

// TestWhatWasAnsweredBecomesTrueWithoutItsJob: no effect lives in a job alone.
func TestWhatWasAnsweredBecomesTrueWithoutItsJob(t *testing.T) {
	t.Parallel()
	for does, d := range deeds {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			r := newKillRig(t)
			by, to, isTrue := d.prepare(r)
			r.ok(answers[does](t.Context(), r.Portal, by, fmt.Sprint(to)))
			trial.Must(r.DB.Exec(t.Context(), `delete from river_job`))
			r.goOn()
			trial.Until(r.t, "it is true", isTrue)
		})
	}
}
