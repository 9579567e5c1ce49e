package order_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// formerHouse has the portal's own authority, which knows again what it was asked
// for.
func formerHouse(t testing.TB) former {
	t.Helper()
	h := localHouse(t)
	return former{h, h.local}
}

// newly leads o on as a process of this version does.
func (h *house) newly(ctx context.Context, o of) error {
	if o.server {
		return h.Fulfil(ctx, order.ServerID(o.number))
	}
	return h.Issue(ctx, order.ID(o.number))
}

// stands fails unless o stands so and has that many certificates, known ones and
// signed ones.
func (f former) stands(t testing.TB, o of, want order.State, certificates int) {
	t.Helper()
	table := map[bool]string{false: "application", true: "server_order"}[o.server]
	var state order.State
	var reason string
	var known, evidence, signed, open int
	f.ok(t, f.db.QueryRow(t.Context(), `select state, reason,
			(select count(*) from certificate c where c.key = sha256(x.spki)),
			(select count(*) from certificate c join evidence e on e.certificate = c.id where c.key = sha256(x.spki)),
			(select count(*) from ca_issued i join certificate c on c.der = i.der where i.intent = x.id),
			(select count(*) from intent i where i.number = x.id and i.next_look is not null)
		from `+table+` x where id = $1`, o.number).Scan(&state, &reason, &known, &evidence, &signed, &open))
	if state != want || known != certificates || evidence != known || f.local != nil && signed != known || open > 0 {
		t.Errorf("%s %d is %s (%s) with %d certificates, %d of them with evidence, %d signed and known, %d intents open; want it %s with %d",
			table, o.number, state, reason, known, evidence, signed, open, want, certificates)
	}
}

// made are an application and an order, by either version.
func (f former) made(t testing.TB, i int, before bool) []of {
	t.Helper()
	ctx, row := t.Context(), f.linked(t, f.ada, fmt.Sprintf("a%d@uni.example", i))
	name := fmt.Sprintf("h%d.uni.example", i)
	if before {
		o := f.submit(ctx, t, name)
		f.ok(t, f.approve(ctx, o))
		return []of{f.apply(ctx, t, int64(row)), o}
	}
	w := f.wish(name)
	w.CSR = csr(t, ecKey(t))
	reference := trial.Must(f.Submit(ctx, f.tina, order.Submission{Wish: w}))
	f.ok(t, f.Approve(ctx, f.otto, reference, 1))
	return []of{{number: int64(f.rig.apply(t, f.ada, row))}, {number: int64(f.see(t, reference).ID), server: true}}
}

// TestBothVersionsInTurnsLeadEachToOneCertificate: whatever a process of the version
// before does and leaves undone, this version alone leads to an end.
func TestBothVersionsInTurnsLeadEachToOneCertificate(t *testing.T) {
	t.Parallel()
	seed := uint64(17)
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	f, ctx := formerHouse(t), t.Context()
	var all []of
	for i := range 8 {
		all = append(all, f.made(t, i, i%2 == 0)...)
	}
	for range 250 {
		o := all[dice.IntN(len(all))]
		f.clock.Advance(time.Duration(dice.IntN(90)) * time.Second)
		switch dice.IntN(8) {
		case 0:
			_, err := f.intend(ctx, o)
			f.ok(t, err)
		case 1:
			f.ok(t, f.lead(ctx, t, o, true))
		case 2:
			if dice.IntN(3) == 0 {
				f.ok(t, f.lead(ctx, t, o, false))
			}
		case 3:
			f.ok(t, f.fail(ctx, o, "order.failed.away"))
		case 4:
			f.ok(t, f.again(ctx, o, false))
		case 5:
			var signed bool
			f.ok(t, f.db.QueryRow(ctx, `select exists (select from ca_issued where intent = $1)`, o.number).Scan(&signed))
			if !signed {
				f.ok(t, f.fail(ctx, o, "order.failed.rules_office"))
				f.ok(t, f.again(ctx, o, true))
			}
		case 6: // of this version, by an officer
			var err error
			if o.server {
				err = f.RetryOrder(ctx, f.otto, trial.Must(f.reference(ctx, o)))
			} else {
				err = f.Retry(ctx, f.officer, order.ID(o.number))
			}
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
		case 7:
			if dice.IntN(3) == 0 {
				f.ok(t, f.newly(ctx, o))
			}
		}
	}
	for _, o := range all {
		f.ok(t, f.again(ctx, o, false))
	}
	f.alone(t, all)
	for _, o := range all {
		f.stands(t, o, order.Issued, 1)
	}
}

func (f former) reference(ctx context.Context, o of) (s string, err error) {
	return s, f.db.QueryRow(ctx, `select reference from server_order where id = $1`, o.number).Scan(&s)
}

// alone is what this version makes of all by itself: an intent that is over
// elsewhere is closed first.
func (f former) alone(t testing.TB, all []of) {
	t.Helper()
	for range 3 {
		f.clock.Advance(10 * time.Minute)
		for _, o := range all {
			f.ok(t, f.newly(t.Context(), o))
		}
	}
}

func TestFiftyProcessesOfBothVersionsIssueOneCertificate(t *testing.T) {
	t.Parallel()
	f, ctx := formerHouse(t), t.Context()
	for i, before := range []bool{true, false} {
		for _, o := range f.made(t, i, before) {
			got := trial.Race(50, campus.Said, func(i int) error {
				if i%2 == 0 {
					return f.newly(ctx, o)
				}
				return f.lead(ctx, t, o, false)
			})
			trial.Expect(t, got, map[string]int{"": 50})
			f.alone(t, []of{o})
			f.stands(t, o, order.Issued, 1)
		}
	}
}

// TestWhatAKilledProcessAskedForTheVersionBeforeRecords, and the other way round.
func TestWhatAKilledProcessAskedForTheVersionBeforeRecords(t *testing.T) {
	t.Parallel()
	h := awayHouse(t)
	f, ctx := former{h, h.away.Client()}, t.Context()
	for _, o := range f.made(t, 0, false) {
		f.next(catest.Slow)
		var process *trial.Child
		if o.server {
			process = f.elsewhereOrder(t, order.ServerID(o.number))
		} else {
			process = f.elsewhere(t, order.ID(o.number))
		}
		f.came(t, o.number)
		process.Kill()
		f.ok(t, f.lead(ctx, t, o, false))
		f.came(t, o.number)
		f.alone(t, []of{o})
		f.stands(t, o, order.Issued, 1)
		if n := f.away.Signed(o.number); n != 1 {
			t.Errorf("got %d certificates signed, want 1", n)
		}
	}
	for _, o := range f.made(t, 1, true) {
		f.ok(t, f.lead(ctx, t, o, true))
		f.alone(t, []of{o})
		f.stands(t, o, order.Issued, 1)
	}
}

// TestWhatTheVersionBeforeBeginsAnewIsLedOn: an intent that is over is one of the
// attempt before.
func TestWhatTheVersionBeforeBeginsAnewIsLedOn(t *testing.T) {
	t.Parallel()
	for name, anew := range map[string]bool{"the same": false, "anew": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ctx := formerHouse(t), t.Context()
			all := f.made(t, 0, false)
			for _, o := range all {
				f.ok(t, f.fail(ctx, o, "order.failed.rules_office"))
				f.ok(t, f.newly(ctx, o)) // it closes the intent
				f.ok(t, f.again(ctx, o, anew))
			}
			f.alone(t, all)
			for _, o := range all {
				f.stands(t, o, order.Issued, 1)
			}
		})
	}
}

// TestTheVersionBeforeOffersNothingThatNobodyWants: it knows of no intents, and
// records whatever came.
func TestTheVersionBeforeOffersNothingThatNobodyWants(t *testing.T) {
	t.Parallel()
	f, ctx := formerHouse(t), t.Context()
	all := f.made(t, 0, false)
	came := make([]pki.Certificate, len(all))
	for n, o := range all {
		i := trial.Must(f.intend(ctx, o))
		came[n] = trial.Must(campus.Signed(ctx, f.authority, i.request(t, o.number)))
		f.exec(t, `update intent set state = 'asked', asked = $2 where number = $1`, o.number, f.Now())
	}
	f.ok(t, f.TakeBack(ctx, f.ada, order.ID(all[0].number)))
	f.ok(t, f.Withdraw(ctx, f.tina, trial.Must(f.reference(ctx, all[1]))))
	for n, o := range all {
		campus.Wants(t, f.record(ctx, o, came[n]), "schema.right_over")
	}
	f.alone(t, all)
	for _, o := range all {
		f.stands(t, o, order.Withdrawn, 1)
	}
	if n := f.campus.Scalar(`select count(*) from certificate where revoked is not null`); n != 2 {
		t.Errorf("got %d certificates revoked, want both", n)
	}
}

// TestTheVersionBeforeAsksNobodyForWhatAnAuthorityOutsideMayHaveIssued: there would
// be two certificates.
func TestTheVersionBeforeAsksNobodyForWhatAnAuthorityOutsideMayHaveIssued(t *testing.T) {
	t.Parallel()
	f, ctx := formerHouse(t), t.Context()
	for _, o := range f.made(t, 0, false) {
		f.ok(t, f.fail(ctx, o, "order.failed.away"))
		f.exec(t, `update intent set authority = 'outside' where number = $1`, o.number)
		campus.Wants(t, f.again(ctx, o, false), "schema.asked_outside")
		f.exec(t, `update intent set authority = $2 where number = $1`, o.number, map[bool]string{false: "mail", true: "tls"}[o.server])
		f.ok(t, f.again(ctx, o, false))
	}
}

// TestARequestIsNotKeptForAKeyOfTheVersionBefore: its correction changes the key.
func TestARequestIsNotKeptForAKeyOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	f, ctx := formerHouse(t), t.Context()
	reference := f.house.submit(t, "www.uni.example")
	o := of{number: int64(f.see(t, reference).ID), server: true}
	f.ok(t, f.Return(ctx, f.otto, reference, order.Decision{Version: 1, Reason: "another key, please"}))
	other := trial.Must(pki.ReadCSR([]byte(csr(t, ecKey(t)))))
	f.ok(t, f.change(ctx, o, order.Returned, formerCorrect, map[string]any{"spki": other.Key.SPKI, "kind": other.Key.Algorithm}))
	f.ok(t, f.Approve(ctx, f.otto, reference, f.see(t, reference).Version))
	if n := f.campus.Scalar(`select length(csr) from intent`); n != 0 {
		t.Errorf("the intent keeps a request of %d bytes, which is of the key before", n)
	}
	f.ok(t, f.newly(ctx, o))
	f.stands(t, o, order.Issued, 1)
}
