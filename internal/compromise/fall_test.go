package compromise_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

func TestAKeyFallsInEveryRoomWhoeverHoldsIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	mine := r.record(t, r.mailbox(t, key, r.ada, "ada@uni.example"))
	his := r.record(t, r.mailbox(t, key, r.bob, "bob@uni.example"))
	www := r.record(t, r.server(t, key, r.institute, "www.uni.example"))
	far := r.record(t, outside(r.server(t, key, r.faculty, "fern.uni.example")))
	strange := r.server(t, key, r.faculty, "anders.uni.example")
	strange.Unexpected = []pki.Difference{{Code: "pki.differs.names", Wanted: "a", Came: "b"}}
	odd := r.record(t, strange)
	other := r.record(t, r.mailbox(t, newKey(), r.ada, "zwei@uni.example"))

	k := trial.Must(r.keys.One(t.Context(), r.officer, digest(key)))
	if n := k.Falling(); n != 5 || len(k.Certificates) != 5 || k.Blocked != nil {
		t.Fatalf("the page says that %d of %d fall, want 5", n, len(k.Certificates))
	}
	f := trial.Must(r.keys.Fall(t.Context(), r.officer, digest(key), "lag im Netz"))
	if f != (compromise.Fallen{Revoked: 4, Revoking: 1}) {
		t.Errorf("got %+v", f)
	}
	for id, want := range map[cert.ID]string{mine: "1", his: "1", www: "1", odd: "1", far: "revoking", other: "valid"} {
		if got := r.stands(t, id); got != want {
			t.Errorf("certificate %d is %s, want %s", id, got, want)
		}
	}
	if len(r.asked) != 1 || r.asked[0].Certificate != far || r.asked[0].Reason != pki.KeyCompromise {
		t.Errorf("authorities outside were asked %+v", r.asked)
	}
	for _, to := range []string{"Ada@people.example", "Bob@people.example", "Tina@people.example", "Theo@people.example"} {
		if n := r.Scalar(`select count(*) from letter where kind = 'key_fell' and recipient = $1`, to); n != 1 {
			t.Errorf("%s got %d letters, want one", to, n)
		}
	}
	if n := r.Scalar(`select count(*) from audit_line where action in ('compromise.revoked', 'compromise.revoking')`); n != 5 {
		t.Errorf("got %d audit lines of what fell, want one each", n)
	}
	ok(t, r.Campus.DB.Tx(t.Context(), func(tx pgx.Tx) error { return r.Book.Revoked(t.Context(), tx, r.Clock.Now(), far, r.Clock.Now()) }))
	if got := r.stands(t, far); got != "1" {
		t.Errorf("what its authority revoked says %s", got)
	}
	if _, err := r.keys.Fall(t.Context(), r.officer, digest(key), ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("once more: got %v, want a conflict", err)
	}
	if all := trial.Must(r.keys.AllBlocked(t.Context(), r.officer, 10)); len(all) != 1 || all[0].Key != digest(key) || all[0].ByName != "Amt" || all[0].Note != "lag im Netz" {
		t.Errorf("blocked: %+v", all)
	}
}

func TestOnlyOfficersLookAtKeysAndBlockThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := digest(newKey())
	_, fall := r.keys.Fall(t.Context(), r.tina, key, "")
	_, one := r.keys.One(t.Context(), r.tina, key)
	_, all := r.keys.AllBlocked(t.Context(), r.tina, 1)
	_, reports := r.keys.OpenReports(t.Context(), r.tina)
	for what, err := range map[string]error{"fall": fall, "one": one, "all": all, "reports": reports, "answer": r.keys.Answer(t.Context(), r.tina, 1, "x")} {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s: got %v, want denied", what, err)
		}
	}
	if n := r.Scalar(`select count(*) from blocked_key`); n != 0 {
		t.Errorf("%d keys are blocked", n)
	}
}

func TestAReasonIsRaisedAndAnnounced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	i := r.mailbox(t, key, r.ada, "ada@uni.example")
	id := r.record(t, i)
	ok(t, r.Book.Revoke(t.Context(), r.ada, id, pki.Superseded))
	ok(t, r.Book.AnnounceAll(t.Context()))
	r.says(t, i, pki.Superseded)
	if f := trial.Must(r.keys.Fall(t.Context(), r.officer, digest(key), "")); f.Raised != 1 {
		t.Errorf("got %+v", f)
	}
	ok(t, r.Book.AnnounceAll(t.Context()))
	r.says(t, i, pki.KeyCompromise)
	_, before := r.List(t, ca.Mail)
	ok(t, r.Book.AnnounceAll(t.Context()))
	if _, after := r.List(t, ca.Mail); after.Number != before.Number {
		t.Errorf("list %d follows %d though nothing changed", after.Number, before.Number)
	}
}

// says fails unless the newest list and the response about i name that reason.
func (r *rig) says(t testing.TB, i cert.Issuance, why pki.Reason) {
	t.Helper()
	list, _ := r.List(t, ca.Mail)
	for _, e := range list.RevokedCertificateEntries {
		if string(e.SerialNumber.Bytes()) == string(i.Certificate.Serial) && e.ReasonCode != int(why) {
			t.Errorf("the list says %d, want %d", e.ReasonCode, why)
		}
	}
	if len(list.RevokedCertificateEntries) != 1 {
		t.Errorf("the list has %d entries, want one", len(list.RevokedCertificateEntries))
	}
	if n := r.Scalar(`select count(*) from ocsp_answer a join certificate c on c.id = a.certificate where a.revoked and a.due > $1`, r.Clock.Now()); n != 1 {
		t.Errorf("%d responses say that it is revoked, want one", n)
	}
}

func TestAHolderRaisesTheReasonOfTheirOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	id := r.record(t, r.mailbox(t, key, r.ada, "ada@uni.example"))
	www := r.server(t, key, r.institute, "www.uni.example")
	server := r.record(t, www)
	ok(t, r.Book.Revoke(t.Context(), r.ada, id, pki.Superseded))
	campus.Wants(t, r.Book.Revoke(t.Context(), r.ada, id, pki.CessationOfOperation), "cert.revoked_already")
	ok(t, r.Book.Revoke(t.Context(), r.ada, id, pki.KeyCompromise))
	campus.Wants(t, r.Book.Revoke(t.Context(), r.ada, id, pki.KeyCompromise), "cert.revoked_already")
	if got := r.stands(t, id) + r.stands(t, server); got != "1valid" {
		t.Errorf("got %s", got)
	}
	ok(t, r.Book.RevokeServer(t.Context(), r.tina, www.Reference, pki.Superseded))
	ok(t, r.Book.RevokeServer(t.Context(), r.tina, www.Reference, pki.KeyCompromise))
	if got := r.stands(t, server); got != "1" {
		t.Errorf("the server's is %s, want 1", got)
	}
}

func TestOneFromBeforeThePortalIsToldAndNotRevoked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	i := r.server(t, key, r.institute, "alt.uni.example")
	var id []cert.ID
	ok(t, r.Campus.DB.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		var n int64
		ok(t, tx.QueryRow(t.Context(), `insert into certificate_import (created_by, created) values ($1, $2) returning id`, r.officer.Account, r.Clock.Now()).Scan(&n))
		id, err = r.Book.RecordEarlier(t.Context(), tx, r.Clock.Now(), []cert.Earlier{{Reference: "ALT", Import: n, Organisation: r.institute, Certificate: i.Certificate}})
		return err
	}))
	for range 2 {
		f, err := r.keys.Fall(t.Context(), r.officer, digest(key), "")
		if err != nil && !fault.Is(err, fault.Conflict) || err == nil && f.Told != 1 {
			t.Errorf("got %+v, %v", f, err)
		}
	}
	if got := r.stands(t, id[0]); got != "valid" {
		t.Errorf("it is %s, want valid: the portal cannot revoke it", got)
	}
	if n := r.letters("key_fell"); n != 1 {
		t.Errorf("%d letters, want one", n)
	}
}

func TestABlockedKeyStaysAndNoCertificateOfItComesIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	late := r.mailbox(t, key, r.ada, "ada@uni.example")
	trial.Must(r.keys.Fall(t.Context(), r.officer, digest(key), ""))
	for _, sql := range []string{`delete from blocked_key`, `update blocked_key set note = 'x'`} {
		if _, err := r.Campus.DB.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was carried out", sql)
		}
	}
	err := r.Campus.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		_, err := r.Book.Record(t.Context(), tx, r.Clock.Now(), late)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "40001") {
		t.Errorf("a valid one: got %v, want that the transaction begins anew", err)
	}
	late.Unwanted = mail.EndedKey
	if got := r.stands(t, r.record(t, late)); got != "1" {
		t.Errorf("what came for it is %s, want 1", got)
	}
}

// TestManyReportsAtOnceAndIssuancesInFlightLeaveNothingValid: what is issued while the
// key falls falls, too, or does not come in.
func TestManyReportsAtOnceAndIssuancesInFlightLeaveNothingValid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	var flying []cert.Issuance
	for n := range 20 {
		flying = append(flying, r.mailbox(t, key, r.ada, fmt.Sprintf("ada%d@uni.example", n)), r.server(t, key, r.faculty, fmt.Sprintf("s%d.uni.example", n)))
	}
	r.record(t, flying[0])
	r.record(t, flying[1])
	fell := make(chan error, 12)
	var all sync.WaitGroup
	for range 2 {
		c := trial.Must(r.keys.Challenge(t.Context(), nobody, home, compromise.Sought{Certificate: spki(key)}))
		all.Go(func() {
			_, _, err := r.keys.Prove(t.Context(), r.bob, home, proof(key, compromise.ProofSubject+c.Value))
			fell <- err
		})
	}
	for n, i := range flying[2:] {
		if n%4 == 3 && n/4 < 2 {
			all.Go(func() {
				_, err := r.keys.Fall(t.Context(), r.officer, digest(key), "")
				fell <- err
			})
		}
		all.Go(func() {
			_ = r.Campus.DB.Tx(t.Context(), func(tx pgx.Tx) error {
				_, err := r.Book.Record(t.Context(), tx, r.Clock.Now(), i)
				return err
			})
		})
	}
	all.Wait()
	close(fell)
	for err := range fell {
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("got %v", err)
		}
	}
	if n := r.Scalar(`select count(*) from certificate where revoked is null or reason <> 1`); n != 0 {
		t.Errorf("%d certificates of the key still count", n)
	}
	if n := r.Scalar(`select count(*) from blocked_key`); n != 1 {
		t.Errorf("the key is blocked %d times", n)
	}
	if fell, told := r.Scalar(`select count(*) from certificate`), r.letters("key_fell"); fell != told {
		t.Errorf("%d letters tell of %d certificates", told, fell)
	}
}

// TestAKeyWithManyCertificatesIsShownInPartAndFallsAsAWhole: the page counts what it
// does not show, by the rule by which it falls.
func TestAKeyWithManyCertificatesIsShownInPartAndFallsAsAWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	id := r.record(t, r.server(t, key, r.institute, "www.uni.example"))
	r.copies(t, id, 600, `not_after`)
	r.copies(t, id, 20, `not_before + interval '1 second'`) // they are over
	r.Clock.Advance(time.Hour)
	far := r.record(t, outside(r.server(t, key, r.faculty, "fern.uni.example")))
	superseded := r.server(t, key, r.institute, "alt.uni.example")
	old := r.record(t, superseded)
	ok(t, r.Book.RevokeServer(t.Context(), r.tina, superseded.Reference, pki.Superseded))
	k := trial.Must(r.keys.One(t.Context(), r.officer, digest(key)))
	if k.All() != 623 || k.Falling() != 602 || k.Left() != 603 || len(k.Certificates) != 100 {
		t.Errorf("got %d, %d fall, %d change, %d are shown; want 623, 602, 603, 100", k.All(), k.Falling(), k.Left(), len(k.Certificates))
	}
	for _, c := range k.Certificates {
		if !c.Fate(r.Clock.Now()).Falls() {
			t.Errorf("%s is shown before one that falls", c.Reference)
		}
	}
	f := trial.Must(r.keys.Fall(t.Context(), r.officer, digest(key), ""))
	if f != (compromise.Fallen{Revoked: 601, Revoking: 1, Raised: 1}) || r.stands(t, far) != "revoking" || r.stands(t, old) != "1" {
		t.Errorf("got %+v", f)
	}
}

// copies makes n certificates like the one, that end when SQL says.
func (r *rig) copies(t testing.TB, id cert.ID, n int, ends string) {
	t.Helper()
	var columns string
	ok(t, r.Campus.DB.QueryRow(t.Context(), `select string_agg(quote_ident(attname), ', ') from pg_attribute
		where attrelid = 'certificate'::regclass and attnum > 0 and not attisdropped and attname not in ('id', 'not_after', 'reference', 'serial', 'fingerprint', 'search', 'server_order')`).Scan(&columns))
	at := r.Scalar(`select count(*) from certificate`)
	trial.Must(r.Campus.DB.Exec(t.Context(), `insert into certificate (not_after, reference, serial, fingerprint, search, server_order, `+columns+`)
		select `+ends+`, 'N' || n, decode(lpad(to_hex(n), 8, '0'), 'hex'), sha256(n::text::bytea), ' n' || n, 1000000 + n, `+columns+`
		from certificate, generate_series($2::int, $3::int) n where certificate.id = $1`, id, at+1, at+n))
}
