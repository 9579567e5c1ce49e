package compromise_test

import (
	"crypto/ecdsa"
	"fmt"
	"sync"
	"testing"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestManyHoldersWhoRevokeAtOnceWaitForEachOtherAndNeverInACircle: of several keys that
// each have certificates of many rows and of servers, all holders, a contact and
// officers say so at once.
func TestManyHoldersWhoRevokeAtOnceWaitForEachOtherAndNeverInACircle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	keys := []compromiseKey{{signer: newKey()}, {signer: newKey()}, {signer: newKey()}}
	for n := range 6 {
		for k := range keys { // each row has a certificate of each key
			i := r.mailbox(t, keys[k].signer, r.ada, fmt.Sprintf("ada%d-%d@uni.example", n, k))
			if n%2 == k%2 {
				i.Account, i.Holder = r.bob.Account, r.bob.Name
			}
			if k > 0 {
				i.Row = keys[0].mail[n].Row
			}
			keys[k].mail = append(keys[k].mail, i)
			keys[k].ids = append(keys[k].ids, r.record(t, i))
		}
	}
	for k := range keys {
		for n := range 3 {
			i := r.server(t, keys[k].signer, r.institute, fmt.Sprintf("s%d-%d.uni.example", n, k))
			r.record(t, i)
			keys[k].servers = append(keys[k].servers, i)
		}
	}
	before := r.deadlocks(t)
	failed := make(chan error, 100)
	start := make(chan struct{})
	var all sync.WaitGroup
	run := func(do func() error) { all.Go(func() { <-start; failed <- do() }) }
	for k := range keys {
		for n := range 6 {
			by := r.ada
			if (5-n)%2 == k%2 {
				by = r.bob
			}
			run(func() error { return r.Book.Revoke(t.Context(), by, keys[k].ids[5-n], pki.KeyCompromise) })
			run(func() error {
				_, err := r.Book.RevokeAll(t.Context(), r.officer, "uni.example", keys[0].mail[n].Row, pki.KeyCompromise)
				return err
			})
		}
		for n := range 3 {
			run(func() error {
				return r.Book.RevokeServer(t.Context(), r.tina, keys[k].servers[n].Reference, pki.KeyCompromise)
			})
		}
		run(func() error { _, err := r.keys.Fall(t.Context(), r.officer, digest(keys[k].signer), ""); return err })
		run(func() error { _, err := r.keys.Fall(t.Context(), r.officer, digest(keys[k].signer), ""); return err })
	}
	close(start)
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("got %v", err)
		}
	}
	if n := r.deadlocks(t) - before; n != 0 {
		t.Errorf("%d deadlocks, want none", n)
	}
	if n := r.Scalar(`select count(*) from certificate where revoked is null or reason <> 1`); n != 0 {
		t.Errorf("%d certificates of the keys still count", n)
	}
}

type compromiseKey struct {
	signer  *ecdsa.PrivateKey
	mail    []cert.Issuance
	servers []cert.Issuance
	ids     []cert.ID
}

// deadlocks is how many Postgres has counted in this database.
func (r *rig) deadlocks(t testing.TB) int {
	t.Helper()
	for _, c := range r.Campus.DB.AcquireAllIdle(t.Context()) { // each tells what it counted at the end of its next command
		trial.Must(c.Exec(t.Context(), `select pg_stat_force_next_flush()`))
		c.Release()
	}
	return r.Scalar(`select deadlocks from pg_stat_database where datname = current_database()`)
}
