package portal_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/lane"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

// formerCommit is the last one before the room of issuance: the version before.
const formerCommit = "504489b0e6151dc19d0b5321484fd46a4f687963"

// Of how many rows each version applies, ordering as often, and how many processes
// are killed meanwhile.
const (
	formerRows  = 40
	formerKills = 12
)

// versions are the programs of both versions and what the one before does.
type versions struct {
	*killRig
	former, now, drive string
	running            map[string]*exec.Cmd
}

// newVersions builds them, the version before from the history.
func newVersions(t *testing.T) *versions {
	t.Helper()
	dir, root := t.TempDir(), trial.Must(filepath.Abs("../.."))
	v := &versions{
		killRig: &killRig{t: t, database: pgtest.URL(t)}, former: dir + "/former", now: dir + "/now", drive: dir + "/drive", running: map[string]*exec.Cmd{},
	}
	tree := dir + "/tree"
	v.ok(os.Mkdir(tree, 0o755))
	v.run(root, "sh", "-c", "git archive "+formerCommit+" | tar -x -C "+tree)
	v.ok(os.WriteFile(tree+"/internal/portal/former_test.go", trial.Must(os.ReadFile("testdata/former_test.go.txt")), 0o644))
	v.run(tree, "go", "build", "-o", v.former, "./cmd/petschaft")
	v.run(tree, "go", "test", "-c", "-o", v.drive, "./internal/portal")
	v.run(root, "go", "build", "-o", v.now, "./cmd/petschaft")
	return v
}

// run runs a program to its end, which must be a good one.
func (v *versions) run(dir, program string, args ...string) {
	v.t.Helper()
	v.ok(v.start(dir, program, args...).Wait())
}

// start starts one in the environment of the portal; what it says is logged.
func (v *versions) start(dir, program string, args ...string) *exec.Cmd {
	v.t.Helper()
	c := killConfig(v.database, "127.0.0.1:1")
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "DATABASE_URL="+c.DatabaseURL, "PETSCHAFT_BASE_URL="+c.BaseURL, "PETSCHAFT_OIDC_ISSUER="+c.OIDCIssuer,
		"PETSCHAFT_OIDC_CLIENT_ID="+c.OIDCClientID, "PETSCHAFT_OIDC_CLIENT_SECRET="+c.OIDCClientSecret, "PETSCHAFT_SMTP_URL="+c.SMTPURL,
		"PETSCHAFT_MAIL_FROM="+c.MailFrom, "PETSCHAFT_MAIL_BOUNCE="+c.MailBounce, "PETSCHAFT_SECRET="+c.Secret, "PETSCHAFT_PKI_URL="+c.PKIURL,
		"PETSCHAFT_RA_GROUP="+c.RAGroup, "PETSCHAFT_LISTEN=127.0.0.1:0", fmt.Sprintf("FORMER_N=%d", formerRows))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	v.ok(cmd.Start())
	v.t.Cleanup(func() {
		cmd.Process.Kill() // it may be over
		cmd.Wait()
		if v.t.Failed() {
			v.t.Logf("%s %v said: …%s", filepath.Base(program), args, said.Bytes()[max(0, said.Len()-4000):])
		}
	})
	return cmd
}

// serve starts a process of a version that answers and works.
func (v *versions) serve(program string) { v.running[program] = v.start("", program, "serve") }

// kill kills it (SIGKILL) and starts another.
func (v *versions) kill(program string) {
	v.t.Helper()
	v.ok(v.running[program].Process.Kill())
	if err := v.running[program].Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		v.t.Fatalf("%s ended by itself: %v", filepath.Base(program), err)
	}
	v.serve(program)
}

// TestVersionsBesideEachOtherIssueOneCertificateEach: programs of the version before
// and of this one on one database, with applications and orders in every state,
// through the migration, while either is killed at random.
func TestVersionsBesideEachOtherIssueOneCertificateEach(t *testing.T) {
	lane.History(t, formerCommit)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	v := newVersions(t)
	db := pgtest.Open(t, v.database)
	trial.Must(db.Exec(t.Context(), `drop schema public cascade; create schema public`))
	v.run("", v.former, "migrate")
	v.run("", v.drive, "-test.run=TestFormerFill$", "-test.v")

	block := trial.Must(db.Begin(t.Context())) // nobody signs, so the migration finds some of it being asked for
	trial.Must(block.Exec(t.Context(), issuing))
	defer block.Rollback(context.WithoutCancel(t.Context()))
	v.serve(v.former)
	db.Reset()
	trial.Until(t, "the version before asks for all", func() (all bool) {
		v.ok(db.QueryRow(t.Context(), `select not exists (select from application where state = 'queued')`).Scan(&all))
		return all
	})
	v.run("", v.now, "migrate")
	v.ok(block.Rollback(t.Context()))
	db.Reset()
	v.serve(v.now)
	v.open(0)
	v.load(dice)
	for program, cmd := range v.running {
		v.ok(cmd.Process.Kill())
		cmd.Wait()
		delete(v.running, program)
	}
	v.alone()
	v.counts()
}

// open makes books of this version whose clock is ahead.
func (v *versions) open(ahead time.Duration) {
	v.t.Helper()
	c := killConfig(v.database, "127.0.0.1:1")
	v.Portal = trial.Must(portal.Open(v.t.Context(), c, slog.New(slog.DiscardHandler), func() time.Time { return time.Now().Add(ahead) }))
	v.t.Cleanup(v.Close)
	for name, a := range map[string]*person.Actor{"rita": &v.officer, "nora": &v.nora, "ada": &v.ada, "tina": &v.tina} {
		v.ok(v.DB.QueryRow(v.t.Context(), `select id, name from account where subject = $1`, name).Scan(&a.Account, &a.Name))
		a.Email = name + "@people.example"
	}
	v.officer.Officer = true
	v.ok(v.DB.QueryRow(v.t.Context(), `select id from organisation`).Scan(&v.organisation))
}

// load has both versions apply and order, and kills either whenever some more is done.
func (v *versions) load(dice *rand.Rand) {
	v.t.Helper()
	ctx := v.t.Context()
	before := v.start("", v.drive, "-test.run=TestFormerLoad$", "-test.v")
	var busy sync.WaitGroup
	busy.Go(func() {
		for i, row := range v.rows("new-%") {
			_, err := v.Order.Apply(ctx, v.ada, row, order.Input{CSR: request(), Terms: v.Order.Terms})
			v.may(err)
			s, err := v.Order.Submit(ctx, v.tina, order.Submission{
				Wish: order.Wish{Organisation: v.organisation, Product: "tls-single", CSR: request(), Names: []string{fmt.Sprintf("new-%d.%s", i, domain)}},
			})
			if v.may(err); err == nil && i%5 == 0 {
				v.may(v.Order.Withdraw(ctx, v.tina, s))
			} else if err == nil {
				v.may(v.Order.Approve(ctx, v.officer, s, 1))
			}
			if i%4 == 0 {
				v.retry()
			}
		}
	})
	const asked = `select count(*) from ca_issued`
	for range formerKills {
		done := v.count(asked) + 1 + dice.IntN(2*formerRows/formerKills)
		trial.Until(v.t, "something more is signed, or all", func() bool { return v.count(asked) >= done || v.count(openAtAll) == 0 })
		v.kill([]string{v.former, v.now}[dice.IntN(2)])
	}
	busy.Wait()
	v.ok(before.Wait())
}

func (v *versions) rows(like string) (all []mailbox.ID) {
	v.t.Helper()
	v.ok(v.DB.QueryRow(v.t.Context(), `select coalesce(array_agg(id order by id), '{}') from address_row where primary_address like $1`, like).Scan(&all))
	return all
}

// may takes a conflict: somebody was faster.
func (v *versions) may(err error) {
	if err != nil && !fault.Is(err, fault.Conflict) {
		v.t.Error(err)
	}
}

// retry is what an officer makes of all that failed.
func (v *versions) retry() {
	ctx := v.t.Context()
	var applications []order.ID
	var orders []string
	v.ok(v.DB.QueryRow(ctx, `select (select coalesce(array_agg(id), '{}') from application where state = 'failed'),
		(select coalesce(array_agg(reference), '{}') from server_order where state = 'failed')`).Scan(&applications, &orders))
	for _, id := range applications {
		v.may(v.Order.Retry(ctx, v.officer, id))
	}
	for _, s := range orders {
		v.may(v.Order.RetryOrder(ctx, v.officer, s))
	}
}

// openAtAll counts what has not ended.
const openAtAll = `select (select count(*) from application where state in ('queued', 'issuing', 'pending'))
	+ (select count(*) from server_order where state in ('approved', 'issuing', 'pending')) + (select count(*) from intent where next_look is not null)`

// alone is what this version makes of the rest, once the other is gone for ten minutes.
func (v *versions) alone() {
	v.t.Helper()
	v.Close()
	v.open(10 * time.Minute)
	v.retry()
	v.goOn()
	trial.Until(v.t, "everything has ended", func() bool { return v.count(openAtAll) == 0 })
}

// counts fails unless each has what it is to have, and once.
func (v *versions) counts() {
	v.t.Helper()
	for what, sql := range map[string]string{
		"applications with two certificates": `select count(*) from (select from application a join certificate c on c.key = sha256(a.spki) group by a.id having count(*) > 1) x`,
		"orders with two certificates":       `select count(*) from (select from server_order o join certificate c on c.server_order = o.id group by o.id having count(*) > 1) x`,
		"intents with two certificates":      `select count(*) from (select from intent i join certificate c on c.key = sha256(i.spki) group by i.number having count(*) > 1) x`,
		"signed and not known":               `select count(*) from ca_issued i left join certificate c on c.der = i.der where c.id is null`,
		"known and not signed":               `select count(*) from certificate c left join ca_issued i on i.der = c.der where i.intent is null`,
		"issued without their certificate": `select (select count(*) from application a left join certificate c on c.id = a.certificate and c.key = sha256(a.spki) where a.state = 'issued' and c.id is null)
			+ (select count(*) from server_order o left join certificate c on c.id = o.certificate and c.key = sha256(o.spki) where o.state = 'issued' and c.id is null)`,
		"certificates that count for what was not issued": `select (select count(*) from certificate c join application a on sha256(a.spki) = c.key where a.state <> 'issued' and c.revoked is null)
			+ (select count(*) from certificate c join server_order o on o.id = c.server_order where o.state <> 'issued' and c.revoked is null)`,
		"certificates without evidence":                     `select count(*) from certificate c left join evidence e on e.certificate = c.id where e.certificate is null`,
		"what failed and an officer's attempt did not mend": `select (select count(*) from application where state = 'failed') + (select count(*) from server_order where state = 'failed')`,
	} {
		if n := v.count(sql); n != 0 {
			v.t.Errorf("got %d %s, want none", n, what)
		}
	}
	if r, err := audit.Verify(v.t.Context(), v.DB, audit.Expected{}); err != nil {
		v.t.Errorf("of %d audit lines: %v", r.Lines, err)
	}
	v.t.Logf("%d certificates", v.count(`select count(*) from certificate`))
	if n := v.count(`select count(*) from certificate`); n < 3*formerRows {
		v.t.Errorf("got %d certificates: too few to show anything", n)
	}
}
