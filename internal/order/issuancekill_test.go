package order_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/trial"
)

// killing is an application or an order that other processes are killed over.
type killing struct {
	*house
	s       *catest.Server // that it is asked of
	outside string
	server  bool
	number  issuance.Number
}

func newKilling(t *testing.T, server, outside bool) *killing {
	t.Helper()
	k := &killing{house: awayHouse(t), server: server}
	k.s = k.away
	if outside {
		k.s = catest.New(t, "Außen AG")
		k.outside = k.s.URL
		k.Issuance.Registry = k.Issuance.Registry.With(issuance.Registry{"outside": {Authority: k.s.Client(), Mail: true, Servers: true}})
		k.exec(t, `update product set authority = 'outside'`)
		k.exec(t, `update email_domain set authority = 'outside'`)
	}
	k.begin(t)
	return k
}

// begin writes what it is about.
func (k *killing) begin(t *testing.T) {
	t.Helper()
	if !k.server {
		k.number = issuance.Number(k.apply(t, k.ada, k.linked(t, k.ada, "ada@uni.example")))
		return
	}
	reference := k.submit(t, "www.uni.example")
	k.ok(t, k.Approve(t.Context(), k.otto, reference, 1))
	k.number = issuance.Number(k.see(t, reference).ID)
}

func (k *killing) kind() issuance.Kind {
	if k.server {
		return issuance.ServerOrder
	}
	return issuance.Application
}

// process starts one that looks.
func (k *killing) process(t *testing.T) *trial.Child {
	t.Helper()
	k.ok(t, k.due(t.Context(), int64(k.number)))
	in := issuing{Database: k.url, Authority: k.away.URL, Outside: k.outside, Application: order.ID(k.number)}
	if k.server {
		in.Application, in.Order = 0, order.ServerID(k.number)
	}
	return trial.NewChild(t, "issue", in)
}

// look looks here.
func (k *killing) look(t *testing.T) {
	t.Helper()
	k.ok(t, k.due(t.Context(), int64(k.number)))
	k.ok(t, k.Issuance.Look(t.Context(), k.kind(), k.number))
}

// killedAt kills a process where a row is about to be written.
func (k *killing) killedAt(t *testing.T, table, event, when string) {
	t.Helper()
	const lock = 4711
	k.exec(t, `create function wait_here() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(4711); return new; end $$`)
	k.exec(t, `create trigger wait_here before `+event+` on `+table+` for each row when (`+when+`) execute function wait_here()`)
	gate := trial.Must(pgx.Connect(t.Context(), k.url))
	defer gate.Close(context.Background())
	trial.Must(gate.Exec(t.Context(), `select pg_advisory_lock($1)`, lock))
	process := k.process(t)
	trial.Until(t, "the process is about to write "+table, func() bool {
		return k.campus.Scalar(`select count(*) from pg_locks where locktype = 'advisory' and objid = $1 and not granted
			and database = (select oid from pg_database where datname = current_database())`, lock) == 1
	})
	process.Kill()
	trial.Must(gate.Exec(t.Context(), `select pg_advisory_unlock($1)`, lock))
	k.exec(t, `drop trigger wait_here on `+table) // waits for what is left of the process
}

// killedAway kills a process whose call the authority has taken.
func (k *killing) killedAway(t *testing.T, came func(context.Context) (int64, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	k.s.Next(catest.Slow)
	process := k.process(t)
	if n := trial.Must(came(ctx)); n != int64(k.number) {
		t.Errorf("got a call for %d, want %d", n, k.number)
	}
	process.Kill()
}

// pending leaves it waiting for the authority, which is done meanwhile.
func (k *killing) pending(t *testing.T) {
	t.Helper()
	k.s.Next(catest.Pending)
	k.ok(t, k.process(t).Wait())
	k.stands(t, issuance.Pending)
	k.s.Approve(int64(k.number))
}

func (k *killing) stands(t *testing.T, want issuance.State) {
	t.Helper()
	var s issuance.State
	k.ok(t, k.db.QueryRow(t.Context(), `select state from intent where number = $1`, k.number).Scan(&s))
	if s != want {
		t.Errorf("got the intent %s, want it %s", s, want)
	}
}

// stations are the places between two steps at which a process is killed.
var stations = map[string]func(t *testing.T, k *killing){
	"between written and asked": func(t *testing.T, k *killing) {
		k.killedAt(t, "intent", "update", "new.state = 'asked'")
		if n := k.s.Calls(); n != 0 {
			t.Errorf("asked %d times, want it killed before", n)
		}
	},
	"between asked and the answer": func(t *testing.T, k *killing) {
		k.killedAway(t, k.s.Came)
		k.stands(t, issuance.Asked)
	},
	"between the answer that it is pending and noting it": func(t *testing.T, k *killing) {
		k.s.Next(catest.Pending)
		k.killedAt(t, "intent", "update", "new.state = 'pending'")
		k.s.Approve(int64(k.number))
	},
	"between pending and collected": func(t *testing.T, k *killing) {
		k.pending(t)
		k.killedAway(t, k.s.CameCollect)
		k.stands(t, issuance.Pending)
	},
	"between collected and recorded": func(t *testing.T, k *killing) {
		k.pending(t)
		k.killedAt(t, "certificate", "insert", "true")
	},
	"between answered at once and recorded": func(t *testing.T, k *killing) {
		k.killedAt(t, "certificate", "insert", "true")
	},
	"between recorded and settled": func(t *testing.T, k *killing) {
		k.killedAt(t, "intent", "update", "new.state = 'issued'")
	},
	"after all of them": func(t *testing.T, k *killing) { k.ok(t, k.process(t).Wait()) },
}

// TestKilledBetweenAnyTwoStepsThereIsOneCertificate and nothing is lost, told twice
// or noted twice.
func TestKilledBetweenAnyTwoStepsThereIsOneCertificate(t *testing.T) {
	t.Parallel()
	for name, kill := range stations {
		for _, server := range []bool{false, true} {
			for _, outside := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, a server's %t, outside %t", name, server, outside), func(t *testing.T) {
					t.Parallel()
					k := newKilling(t, server, outside)
					kill(t, k)
					k.look(t)
					k.look(t)
					k.one(t)
				})
			}
		}
	}
}

// one fails unless it has one certificate, as if nobody had been killed.
func (k *killing) one(t *testing.T) {
	t.Helper()
	k.stands(t, issuance.Issued)
	if n := k.s.Signed(int64(k.number)); n != 1 || k.s.All() != 1 {
		t.Errorf("got %d certificates signed for it, %d in all; want one", n, k.s.All())
	}
	counts := map[string]string{
		"certificates": `select count(*) from certificate`,
		"offered certificates with a chain, evidence and the right authority": `select count(*) from certificate c join evidence e on e.certificate = c.id
			join intent i on i.authority = c.authority where c.unexpected is null and c.revoked is null and c.revoking is null and c.chain <> '{}'`,
		"letters": `select count(*) from letter where kind in ('issued', 'server_issued')`,
		"lines":   `select count(*) from audit_line where action in ('cert.issued', 'cert.server_issued')`,
		"ends":    `select (select count(*) from application where state = 'issued') + (select count(*) from server_order where state = 'issued')`,
	}
	if k.server {
		counts["lines of the order"] = `select count(*) from audit_line where action = 'order.fulfilled'`
	}
	for what, sql := range counts {
		if n := k.campus.Scalar(sql); n != 1 {
			t.Errorf("got %d %s, want 1", n, what)
		}
	}
	if n := k.campus.Scalar(`select count(*) from audit_line where action in ('cert.unexpected', 'cert.unwanted', 'order.surplus', 'order.failed', 'order.refused')`); n != 0 {
		t.Errorf("got %d lines of something odd, want none", n)
	}
}
