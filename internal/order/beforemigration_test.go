package order_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
	"petschaft/migrations"
)

// Columns that the rooms of this version, which found the house, cannot do without;
// they are gone before the migration.
const (
	lent = `alter table email_domain add authority text not null default ''; alter table product add authority text not null default '';
		create table audit_waiting (line bigint primary key); alter table sealed_probe add number integer not null default 0, add was bytea`
	given = `alter table email_domain drop authority; alter table product drop authority;
		insert into audit_unsealed select line from audit_waiting; drop table audit_waiting; alter table sealed_probe drop number, drop was`
	sealed = `update sealed_probe set number = 1` // by this version
)

// before is a house whose database is one of the version before.
func before(t testing.TB) former {
	t.Helper()
	url := pgtest.URL(t)
	db := pgtest.Open(t, url)
	trial.Must(db.Exec(t.Context(), `drop schema public cascade; create schema public`))
	db.Reset()
	std := stdlib.OpenDBFromPool(db.Pool)
	defer std.Close()
	steps := trial.Must(goose.NewProvider(goose.DialectPostgres, std, migrations.Files, goose.WithLogger(goose.NopLogger())))
	trial.Must(steps.UpTo(t.Context(), 35))
	queue := trial.Must(rivermigrate.New(riverpgxv5.New(db.Pool), nil))
	trial.Must(queue.Migrate(t.Context(), rivermigrate.DirectionUp, nil))
	trial.Must(db.Exec(t.Context(), lent))
	r := rigOn(t, url, nil)
	r.useLocal(t)
	h := newHouse(t, r)
	return former{h, h.local}
}

// TestWhatTheVersionBeforeWasAtIsLedOn: what it was asking for has an intent from
// then on, with the serial that it had; the rest stays as it was.
func TestWhatTheVersionBeforeWasAtIsLedOn(t *testing.T) {
	t.Parallel()
	f, ctx := before(t), t.Context()
	made := func(name string) []of {
		o := f.submit(ctx, t, name+".uni.example")
		f.ok(t, f.approve(ctx, o))
		return []of{f.apply(ctx, t, int64(f.linked(t, f.ada, name+"@uni.example"))), o}
	}
	all := map[string][]of{}
	for _, name := range []string{"queued", "intended", "signed", "issued", "away", "lost", "wrong", "refused", "unsigned"} {
		all[name] = made(name)
	}
	each := func(name string, do func(o of) error) {
		t.Helper()
		for _, o := range all[name] {
			f.ok(t, do(o))
		}
	}
	intend := func(o of) error { _, err := f.intend(ctx, o); return err }
	sign := func(o of) error { return f.lead(ctx, t, o, true) }
	fail := func(reason string) func(o of) error { return func(o of) error { return f.fail(ctx, o, reason) } }
	for _, name := range []string{"intended", "away", "refused", "unsigned"} {
		each(name, intend)
	}
	each("signed", sign)
	each("lost", sign)
	each("wrong", sign)
	each("issued", func(o of) error { return f.lead(ctx, t, o, false) })
	for _, name := range []string{"away", "lost"} {
		each(name, fail("order.failed.away"))
	}
	each("wrong", fail("order.failed.mismatch"))
	each("refused", fail("order.failed.authority"))
	each("unsigned", fail("order.failed.rules_office"))
	closed := map[string]of{}
	for _, state := range []order.State{order.Received, order.Review, order.Waiting, order.Returned, order.Rejected, order.Withdrawn} {
		closed[string(state)] = f.submit(ctx, t, string(state)+".uni.example")
		f.exec(t, `update server_order set state = $2, ended = case when $2 in ('rejected', 'withdrawn') then now() end where id = $1`, closed[string(state)].number, state)
	}
	gone := f.apply(ctx, t, int64(f.linked(t, f.ada, "gone@uni.example")))
	f.exec(t, `update application set state = 'refused', reason = 'mailbox.apply.inactive', ended = now() where id = $1`, gone.number)

	f.exec(t, given)
	untouched := f.rows(t)
	if did := trial.Must(postgres.Migrate(ctx, f.db)); did.From != 35 || did.To < 38 {
		t.Fatalf("it says that it did %+v", did)
	}
	f.db.Reset()
	f.exec(t, sealed)
	if rows := f.rows(t); rows != untouched {
		t.Errorf("the migration changed what was there:\n%s\nit was\n%s", rows, untouched)
	}
	if n := f.campus.Scalar(`select count(*) from intent`); n != 4 {
		t.Errorf("got %d intents, want one for each that was asked for", n)
	}
	same := f.campus.Scalar(`select count(*) from intent i left join application a on a.id = i.number left join server_order o on o.id = i.number
		where i.state = 'asked' and i.serial = coalesce(a.serial, o.serial) and i.not_before = coalesce(a.not_before, o.not_before) and i.reference = coalesce(a.reference, o.reference)`)
	if same != 4 {
		t.Errorf("got %d intents that are what was asked for, want 4", same)
	}
	for name, state := range map[string]order.State{
		"queued": order.Issued, "intended": order.Issued, "signed": order.Issued, "issued": order.Issued,
		"away": order.Failed, "lost": order.Failed, "wrong": order.Failed, "refused": order.Failed, "unsigned": order.Failed,
	} {
		f.alone(t, all[name])
		for _, o := range all[name] {
			f.stands(t, o, state, map[bool]int{true: 1}[state == order.Issued])
		}
	}
	for _, name := range []string{"away", "lost", "wrong", "refused", "unsigned"} {
		f.ok(t, f.Retry(ctx, f.officer, order.ID(all[name][0].number)))
		f.ok(t, f.RetryOrder(ctx, f.otto, trial.Must(f.reference(ctx, all[name][1]))))
		f.alone(t, all[name])
		for _, o := range all[name] {
			f.stands(t, o, order.Issued, 1)
		}
	}
	for state, o := range closed {
		f.stands(t, o, order.State(state), 0)
	}
	f.stands(t, gone, order.Refused, 0)
	f.revokes(t)
}

// rows are what the version before wrote, as text.
func (f former) rows(t testing.TB) (s string) {
	t.Helper()
	f.ok(t, f.db.QueryRow(t.Context(), `select (select string_agg(concat_ws(' ', id, state, reason, serial, not_before, ended, attempts), e'\n' order by id) from application)
		|| (select string_agg(concat_ws(' ', id, state, reason, serial, not_before, ended, attempts), e'\n' order by id) from server_order)
		|| (select string_agg(concat_ws(' ', id, reference, serial), e'\n' order by id) from certificate)`).Scan(&s))
	return s
}

// revokes fails unless the version before revokes what the own authority signed, at
// once, and nothing that another one did.
func (f former) revokes(t testing.TB) {
	t.Helper()
	var own, outside int64
	f.ok(t, f.db.QueryRow(t.Context(), `select min(id), max(id) from certificate where row_id is not null`).Scan(&own, &outside))
	revoke := func(id int64) error {
		return f.db.Tx(t.Context(), func(tx pgx.Tx) error {
			return f.do(t.Context(), tx, formerRevoke, pgx.NamedArgs{"id": id, "by": f.ada.Account, "reason": 4})
		})
	}
	f.ok(t, revoke(own))
	f.exec(t, `alter table certificate disable trigger certificate_fixed`)
	f.exec(t, `update certificate set external = true where id = $1`, outside)
	f.exec(t, `alter table certificate enable trigger certificate_fixed`)
	campus.Wants(t, revoke(outside), "schema.certificate_revoking")
}
