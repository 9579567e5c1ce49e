package cert_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// outside is a certificate of ada's that an authority outside signed.
func (r *rig) outside(t *testing.T) cert.ID {
	t.Helper()
	i := r.Strike(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	i.Authority, i.Chain = "elsewhere", r.local.Chain(ca.Mail)
	return r.Keep(t, i)
}

func (r *rig) lettersOf(t *testing.T, kind string) int64 {
	t.Helper()
	var n int64
	r.ok(t, r.db.QueryRow(t.Context(), `select count(*) from letter where kind = $1`, kind).Scan(&n))
	return n
}

func TestOneOfAnAuthorityOutsideIsBeingRevokedUntilThatAuthorityHasDoneSo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.outside(t)
	c := trial.Must(r.One(t.Context(), r.ada, id))
	if !c.External || c.Earlier || len(c.Chain) != len(r.local.Chain(ca.Mail)) {
		t.Fatalf("got external %v, earlier %v, %d above it", c.External, c.Earlier, len(c.Chain))
	}
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.KeyCompromise))
	c = trial.Must(r.One(t.Context(), r.ada, id))
	if c.Revoking == nil || c.Revoked != nil || !c.Valid(r.Now()) {
		t.Fatalf("got revoking %v, revoked %v; want it being revoked", c.Revoking, c.Revoked)
	}
	if w := r.withdrawals.all; len(w) != 1 || w[0].Certificate != id || w[0].Authority != "elsewhere" || w[0].Reason != pki.KeyCompromise || len(w[0].DER) == 0 {
		t.Errorf("its authority is to be asked %+v", w)
	}
	if err := r.Revoke(t.Context(), r.ada, id, pki.Superseded); !fault.Is(err, fault.Conflict) {
		t.Errorf("again: got %v, want a conflict", err)
	}
	if n := trial.Must(r.ValidAt(t.Context(), r.db, r.Now(), c.RowID, r.Now())); n != 0 {
		t.Errorf("%d can still be revoked, want none", n)
	}
	if n := r.lettersOf(t, "revoked"); n != 0 {
		t.Errorf("got %d letters before the authority answered", n)
	}
	r.clock.Advance(day)
	r.revoked(t, id)
	r.revoked(t, id) // the job ran twice
	c = trial.Must(r.One(t.Context(), r.ada, id))
	if c.Revoked == nil || !c.Revoked.Equal(r.Now()) || c.Revoking != nil || *c.Reason != int16(pki.KeyCompromise) {
		t.Errorf("got revoked %v for %v, revoking %v", c.Revoked, c.Reason, c.Revoking)
	}
	if n := r.lettersOf(t, "revoked"); n != 1 {
		t.Errorf("got %d letters to the holder, want one", n)
	}
}

func TestAnAuthorityThatWillNotRevokeIsATaskOfOfficers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.outside(t)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	for range 2 {
		r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error { return r.RevocationRefused(t.Context(), tx, r.Now(), id, "not ours") }))
	}
	if c := trial.Must(r.One(t.Context(), r.ada, id)); c.Revoking != nil || c.Refused == nil || cert.MayRevoke(c) != nil {
		t.Errorf("got revoking %v, refused %v; want it as before, to be revoked anew", c.Revoking, c.Refused)
	}
	if n := r.lettersOf(t, "unrevoked"); n != 2 {
		t.Errorf("got %d letters, want one to the holder and one to the officer", n)
	}
	if all := trial.Must(r.AllUnrevoked(t.Context(), r.officer, 10)); len(all) != 1 || all[0].Said != "not ours" || all[0].For != "Adler" {
		t.Errorf("officers see %+v", all)
	}
	if _, err := r.AllUnrevoked(t.Context(), r.ada, 10); !fault.Is(err, fault.Denied) {
		t.Errorf("the holder: got %v, want denied", err)
	}
	r.ok(t, r.Revoke(t.Context(), r.officer, id, pki.Superseded))
	r.revoked(t, id)
	if all := trial.Must(r.AllUnrevoked(t.Context(), r.officer, 10)); len(all) != 0 {
		t.Errorf("officers still see %+v", all)
	}
}

// TestAProcessOfTheVersionBeforeCannotRevokeWhatIsOutside: it revokes at once, and the
// world would not hear of it.
func TestAProcessOfTheVersionBeforeCannotRevokeWhatIsOutside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.outside(t)
	old := func() error {
		_, err := r.db.Exec(t.Context(), `update certificate set revoked = $2, revoked_by = $3, reason = 4 where id = $1`, id, r.Now(), r.ada.Account)
		return postgres.Fault(err)
	}
	want := fault.New(fault.Conflict, "schema.certificate_revoking")
	if err := old(); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	if err := old(); !errors.Is(err, want) {
		t.Errorf("while it is being revoked: got %v, want %v", err, want)
	}
	r.revoked(t, id)
}

func TestWhatIsWrittenOnceStays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bare := r.Issue(t, r.bob, r.AddRow(t, "bob@uni.example"), "bob@uni.example")
	id := r.outside(t)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	r.ok(t, r.Revoke(t.Context(), r.bob, bare, pki.Superseded))
	for _, c := range []struct {
		sql   string
		id    cert.ID
		stays bool
	}{
		{`chain = '{\x01}'`, bare, false},
		{`chain = '{\x02}'`, bare, true},
		{`external = true`, bare, true},
		{`unexpected = '[]'`, bare, true},
		{`reason = 1`, bare, false},
		{`reason = 4`, bare, true},
		{`revoked = revoked + interval '1 s'`, bare, true},
		{`revoking = revoking - interval '1 s'`, id, true},
		{`revoking_reason = 1`, id, true},
		{`revoking = null`, id, true},
		{`revoking = null, revoking_by = null, revoking_reason = null`, id, false},
	} {
		_, err := r.db.Exec(t.Context(), `update certificate set `+c.sql+` where id = $1`, c.id)
		if stays := err != nil; stays != c.stays {
			t.Errorf("%s: got %v, want it refused: %v", c.sql, err, c.stays)
		}
	}
}

func TestWhatNobodyAskedForIsSeenByOfficersOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	i := r.Strike(t, r.ada, row, "ada@uni.example")
	i.Unexpected = []pki.Difference{{Code: "pki.answer.names", Wanted: "a@uni.example", Came: "ada@uni.example"}}
	id := r.Keep(t, i)
	o := r.campus.Organisation("Garten", r.bob)
	s := r.serve(t, o, 90, "www.garten.example")
	s.Unexpected = i.Unexpected
	r.recordServer(t, s)
	for name, by := range map[string]person.Actor{"the holder": r.ada, "the network contact": r.contact, "the technical contact": r.bob, "an officer": r.officer} {
		seen := len(trial.Must(r.Mine(t.Context(), by, cert.All, 0, 10))) + len(trial.Must(r.OfRow(t.Context(), by, row, 10))) +
			len(trial.Must(r.OfAddress(t.Context(), by, org.Address("ada@uni.example"), 0, 10))) + len(trial.Must(r.Ending(t.Context(), by, 10000*day)))
		seen += len(trial.Must(r.Servers(t.Context(), by, cert.ServerView{Which: cert.All, Office: by.Officer})).Certificates)
		if seen != 0 {
			t.Errorf("%s finds %d in lists, want none", name, seen)
		}
		if _, err := r.One(t.Context(), by, id); !fault.Is(err, fault.Missing) {
			t.Errorf("%s: got %v, want it missing", name, err)
		}
		if _, err := r.Server(t.Context(), by, s.Reference); !fault.Is(err, fault.Missing) {
			t.Errorf("%s: got %v, want the server's missing", name, err)
		}
		all, err := r.AllUnexpected(t.Context(), by, 10)
		if denied := fault.Is(err, fault.Denied); denied == by.Officer || by.Officer && len(all) != 2 {
			t.Errorf("%s: got %v, %v", name, all, err)
		}
		if err := r.RevokeUnexpected(t.Context(), by, id, pki.Superseded); fault.Is(err, fault.Denied) == by.Officer {
			t.Errorf("%s revokes it: got %v", name, err)
		}
	}
	if n := r.lettersOf(t, "issued"); n != 0 {
		t.Errorf("got %d letters, want none", n)
	}
	r.ok(t, r.SignList(t.Context(), ca.Mail))
	if _, l := r.List(t, ca.Mail); l.Entries != 1 {
		t.Errorf("the list names %d, want the one that an officer revoked", l.Entries)
	}
	r.clock.Advance(80 * day)
	r.ok(t, r.Remind(t.Context()))
	if n := r.campus.Scalar(`select count(*) from reminder`); n != 0 {
		t.Errorf("got %d reminders, want none", n)
	}
	if n := r.campus.Scalar(`select count(*) from audit_about where kind in ('address_row', 'account', 'organisation') and line in (select id from audit_line where action = 'cert.unexpected')`); n != 0 {
		t.Errorf("%d lines about it stand where its people look", n)
	}
}

func TestWhatNobodyWantsAnyMoreIsRevokedAtOnceAndBothSidesAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	i := r.Strike(t, r.ada, row, "ada@uni.example")
	i.Unwanted = mail.EndedRow
	own := trial.Must(r.One(t.Context(), r.ada, r.Keep(t, i)))
	if own.Revoked == nil || own.Revoking != nil {
		t.Errorf("ours: got revoked %v", own.Revoked)
	}
	r.ok(t, r.Announce(t.Context(), ca.Mail))
	if _, l := r.List(t, ca.Mail); l.Entries != 1 {
		t.Errorf("the list names %d, want it", l.Entries)
	}
	s := r.serve(t, r.campus.Organisation("Garten", r.bob), 90, "www.garten.example")
	s.Unwanted, s.Authority = mail.EndedName, "elsewhere"
	id := r.recordServer(t, s)
	c := trial.Must(r.Server(t.Context(), r.bob, s.Reference))
	if c.Revoking == nil || c.Revoked != nil || len(r.withdrawals.all) != 1 || r.withdrawals.all[0].Certificate != id {
		t.Errorf("outside: got revoking %v, asked %+v", c.Revoking, r.withdrawals.all)
	}
	if n := r.lettersOf(t, "unwanted"); n != 4 {
		t.Errorf("got %d letters, want one to each side of both", n)
	}
	if n := r.lettersOf(t, "issued"); n != 0 {
		t.Errorf("got %d letters that say it is there", n)
	}
	r.revoked(t, id)
	if c := trial.Must(r.Server(t.Context(), r.bob, s.Reference)); c.Revoked == nil {
		t.Error("its authority revoked it; it says that it is not")
	}
}

// TestACertificateThatComesLateIsNotTheNewest, whatever its number is.
func TestACertificateThatComesLateIsNotTheNewest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	late := r.Strike(t, r.ada, row, "ada@uni.example")
	r.clock.Advance(3 * day)
	now := r.Strike(t, r.ada, row, "ada@uni.example")
	first := r.Keep(t, now)
	second := r.Keep(t, late)
	is := func(want cert.Issuance) {
		t.Helper()
		var ok bool
		r.ok(t, r.db.QueryRow(t.Context(), `select certificate_end = $2 from address_row where id = $1`, row, want.Certificate.NotAfter).Scan(&ok))
		if !ok {
			t.Errorf("the row does not end with %s", want.Reference)
		}
	}
	is(now)
	r.ok(t, r.Revoke(t.Context(), r.ada, second, pki.Superseded))
	is(now)
	r.ok(t, r.Revoke(t.Context(), r.ada, first, pki.Superseded))
	if n := r.campus.Scalar(`select count(*) from address_row where certificate_end = 'infinity'`); n == 0 {
		t.Error("all are revoked; the row still has an end")
	}
	if again := r.Keep(t, late); again != second {
		t.Errorf("recorded again: got %d, want %d", again, second)
	}
}

// compromised tells whether a key is to be certified no more.
func (r *rig) compromised(t testing.TB, key pki.Key) (is bool) {
	t.Helper()
	r.ok(t, r.db.QueryRow(t.Context(), `select `+compromise.Of(`$1`), key.Fingerprint[:]).Scan(&is))
	return is
}

// refuse lets the authority of id say no to its revocation.
func (r *rig) refuse(t *testing.T, id cert.ID, words string) {
	t.Helper()
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error { return r.RevocationRefused(t.Context(), tx, r.Now(), id, words) }))
}

func TestAKeyThatWasReportedIsCompromisedWhateverItsAuthoritySays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.outside(t)
	key := trial.Must(pki.ParseCertificate(trial.Must(r.One(t.Context(), r.ada, id)).DER)).Key
	is := func(when string, want bool) {
		t.Helper()
		if got := r.compromised(t, key); got != want {
			t.Errorf("%s: got compromised %v, want %v", when, got, want)
		}
	}
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	r.refuse(t, id, "not ours")
	is("superseded", false)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.KeyCompromise))
	is("being revoked", true)
	r.refuse(t, id, "not ours")
	is("refused", true)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	is("for another reason", true)
	r.revoked(t, id)
	is("revoked for another reason", true)
	if _, err := r.db.Exec(t.Context(), `update certificate set compromised = false where id = $1`, id); err == nil {
		t.Error("a compromised key was taken back")
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where detail::text like '%not ours%'`); n != 0 {
		t.Errorf("%d lines that the holder sees say what the authority said", n)
	}
}

// TestWhatNobodyWantedIsNobodysTaskButTheOfficers, also where its authority will not
// revoke it.
func TestWhatNobodyWantedIsNobodysTaskButTheOfficers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	good := r.Strike(t, r.ada, row, "ada@uni.example")
	r.Keep(t, good)
	r.clock.Advance(day)
	late := r.Strike(t, r.ada, row, "ada@uni.example")
	late.Authority, late.Unwanted = "elsewhere", mail.EndedRow
	id := r.Keep(t, late)
	is := func(when string) {
		t.Helper()
		var ok bool
		r.ok(t, r.db.QueryRow(t.Context(), `select certificate_end = $2 from address_row where id = $1`, row, good.Certificate.NotAfter).Scan(&ok))
		if !ok {
			t.Errorf("%s: the row does not end with the one that was wanted", when)
		}
		r.ok(t, r.db.QueryRow(t.Context(), `select remind is null from certificate where id = $1`, id).Scan(&ok))
		if !ok {
			t.Errorf("%s: somebody will be reminded of it", when)
		}
	}
	is("being revoked")
	r.refuse(t, id, "no")
	is("refused")
	_, err := r.db.Exec(t.Context(), `update reminder_days set days = '{3}'`)
	r.ok(t, err)
	r.ok(t, r.Remind(t.Context()))
	is("the setting changed")
	if all := trial.Must(r.AllUnrevoked(t.Context(), r.officer, 10)); len(all) != 1 {
		t.Errorf("officers see %+v, want it", all)
	}
	if _, err := r.db.Exec(t.Context(), `update certificate set unwanted = false where id = $1`, id); err == nil {
		t.Error("it became wanted")
	}
}

func TestWhatIsOpenOfTheUnexpectedStandsFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	var ids []cert.ID
	for range 2 {
		i := r.Strike(t, r.ada, row, "ada@uni.example")
		i.Unexpected = []pki.Difference{{Code: "pki.answer.names", Wanted: "a@uni.example", Came: "ada@uni.example"}}
		ids = append(ids, r.Keep(t, i))
	}
	r.ok(t, r.RevokeUnexpected(t.Context(), r.officer, ids[1], pki.Superseded))
	if all := trial.Must(r.AllUnexpected(t.Context(), r.officer, 1)); len(all) != 1 || all[0].ID != ids[0] {
		t.Errorf("got %+v, want the open one", all)
	}
}
