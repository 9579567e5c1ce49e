package compromise_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m, trial.NewPart("fall", fallElsewhere)) }

// falling is a key that falls in another process of the portal.
type falling struct {
	Database string
	Now      time.Time
	Officer  person.Actor
	Key      string
	Inside   int // says "here" and waits before it asks this authority outside, counted from 1; 0: not at all
	After    bool
}

// halts asks nobody, and stops before the one that is meant.
type halts struct{ at, n int }

func (h *halts) Withdraw(context.Context, pgx.Tx, time.Time, cert.Withdrawal) error {
	if h.n++; h.n == h.at {
		here()
	}
	return nil
}

// here says so, and waits until it is told to go on.
func here() {
	fmt.Println("here")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func fallElsewhere(ctx context.Context, in falling) error {
	db, err := postgres.Open(ctx, in.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	b, err := campus.Open(db, func() time.Time { return in.Now }, nil)
	if err != nil {
		return err
	}
	b.Cert.Withdrawer, b.Cert.Officers = &halts{at: in.Inside}, "ra"
	key, err := compromise.ParseDigest(in.Key)
	if err != nil {
		return err
	}
	if _, err := b.Keys.Fall(ctx, in.Officer, key, "lag offen"); err != nil {
		return err
	}
	if in.After {
		here()
	}
	return nil
}

// TestAProcessThatIsKilledWhileAKeyFallsLeavesAllOfItOrNothing: and whoever has a
// certificate of it is told once, whoever goes on.
func TestAProcessThatIsKilledWhileAKeyFallsLeavesAllOfItOrNothing(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]falling{
		"between its own certificates and those outside": {Inside: 1},
		"between two certificates outside":               {Inside: 2},
		"after it was written down":                      {After: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			key := newKey()
			r.record(t, r.mailbox(t, key, r.ada, "ada@uni.example"))
			r.record(t, r.mailbox(t, key, r.bob, "bob@uni.example"))
			r.record(t, r.server(t, key, r.institute, "www.uni.example"))
			r.record(t, outside(r.server(t, key, r.faculty, "fern.uni.example")))
			r.record(t, outside(r.server(t, key, r.institute, "ferner.uni.example")))
			in.Database, in.Now, in.Officer, in.Key = r.URL, r.Clock.Now(), r.officer, digest(key).String()
			child := trial.NewChild(t, "fall", in)
			child.Expect("here")
			child.Kill()
			want := 0
			if in.After {
				want = 5
			}
			r.fell(t, want)
			f, err := r.keys.Fall(t.Context(), r.officer, digest(key), "noch einmal")
			if in.After && !fault.Is(err, fault.Conflict) || !in.After && (err != nil || f != compromise.Fallen{Revoked: 3, Revoking: 2}) {
				t.Errorf("who goes on gets %+v, %v", f, err)
			}
			r.fell(t, 5)
			ok(t, r.Book.AnnounceAll(t.Context()))
			if n := r.Scalar(`select sum(compromised)::int from (select distinct on (authority) compromised from revocation_list order by authority, number desc) l`); n != 3 {
				t.Errorf("the lists say of %d that their key fell, want 3", n)
			}
		})
	}
}

// fell fails unless n certificates fell, each with its audit line, letter and job.
func (r *rig) fell(t *testing.T, n int) {
	t.Helper()
	trial.Until(t, "the killed process is gone from Postgres", func() bool {
		return r.Scalar(`select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`) == 0
	})
	for what, sql := range map[string]string{
		"certificates": `select count(*) from certificate where reason = 1 or revoking_reason = 1`,
		"audit lines":  `select count(*) from audit_line where action in ('compromise.revoked', 'compromise.revoking')`,
		"letters":      `select count(*) from letter where kind = 'key_fell'`,
		"jobs":         `select count(*) from river_job j join letter l on l.id = (j.args->>'letter')::bigint where j.kind = 'mail_deliver' and l.kind = 'key_fell'`,
		"blocked keys": `select 5 * count(*) from blocked_key`,
	} {
		if got := r.Scalar(sql); got != n {
			t.Errorf("%d %s, want %d", got, what, n)
		}
	}
}
