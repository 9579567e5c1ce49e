package cert_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// question is what a program asks about a certificate of mail.
func (r *rig) question(t testing.TB, serial []byte) pki.Question {
	t.Helper()
	c := trial.Must(x509.ParseCertificate(r.local.Chain(ca.Mail)[0]))
	q := trial.Must(pki.ParseQuestion(trial.Must((&ocsp.Request{
		HashAlgorithm: crypto.SHA1, IssuerNameHash: []byte{1}, IssuerKeyHash: []byte{2}, SerialNumber: c.SerialNumber,
	}).Marshal())))
	q.Serial = serial
	return q
}

// ask reads what is answered about a certificate of mail and checks who signed
// it, for both ways to name the authority.
func (r *rig) ask(t testing.TB, id cert.ID) *ocsp.Response {
	t.Helper()
	c, authority := trial.Must(r.One(t.Context(), r.officer, id)), trial.Must(x509.ParseCertificate(r.local.Chain(ca.Mail)[0]))
	q := r.question(t, c.Serial)
	var found *ocsp.Response
	for _, long := range []bool{true, false} {
		q.SHA256 = long
		a, err := r.Response(t.Context(), ca.Mail, q)
		r.ok(t, err)
		found, err = ocsp.ParseResponse(a.DER, authority)
		r.ok(t, err)
		if got := found.IssuerHash == crypto.SHA256; got != long || !found.ThisUpdate.Equal(a.ThisUpdate) || !found.NextUpdate.Equal(a.NextUpdate) ||
			!bytes.Equal(found.SerialNumber.Bytes(), c.Serial) {
			t.Errorf("got %+v, want serial %x from %v until %v", found, c.Serial, a.ThisUpdate, a.NextUpdate)
		}
	}
	return found
}

// unanswered is the kind of fault when nothing is answered.
func (r *rig) unanswered(t testing.TB, authority string, serial []byte) fault.Kind {
	t.Helper()
	_, err := r.Response(t.Context(), authority, r.question(t, serial))
	if err == nil {
		t.Fatalf("%s: there is a response about %x", authority, serial)
	}
	return fault.Of(err).Kind
}

func TestAnAnswerIsThereFromIssuanceOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(t, r.RefreshResponses(t.Context())) // somebody is at hand to answer
	id := r.Issue(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	a := r.ask(t, id)
	if a.Status != ocsp.Good || !a.ThisUpdate.Equal(r.Now()) || !a.NextUpdate.Equal(r.Now().Add(day)) {
		t.Errorf("got status %d from %v until %v, want good from now for a day", a.Status, a.ThisUpdate, a.NextUpdate)
	}
	for _, serial := range [][]byte{pki.NewSerial(), {1}, nil} {
		if got := r.unanswered(t, ca.Mail, serial); got != fault.Missing {
			t.Errorf("serial %x was never issued: got %v, want missing", serial, got)
		}
	}
	if got := r.unanswered(t, ca.TLS, trial.Must(r.One(t.Context(), r.ada, id)).Serial); got != fault.Missing {
		t.Errorf("the same serial of another authority: got %v, want missing", got)
	}
}

func TestARevocationIsAnsweredAtOnceAndForGood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(t, r.RefreshResponses(t.Context()))
	row := r.AddRow(t, "ada@uni.example")
	for _, f := range pki.Reasons(true) {
		id := r.Issue(t, r.ada, row, "ada@uni.example")
		r.ask(t, id) // so that the response is at hand
		at := r.Now()
		r.ok(t, r.Revoke(t.Context(), r.officer, id, f.Reason))
		r.clock.Advance(30 * time.Second)
		r.ok(t, r.Announce(t.Context(), ca.Mail))
		for range 3 {
			a := r.ask(t, id)
			if a.Status != ocsp.Revoked || a.RevocationReason != int(f.Reason) || !a.RevokedAt.Equal(at) {
				t.Errorf("reason %d: got status %d for %d at %v, want it revoked at %v", f.Reason, a.Status, a.RevocationReason, a.RevokedAt, at)
			}
			r.clock.Advance(13 * time.Hour)
			r.ok(t, r.RefreshResponses(t.Context()))
		}
	}
}

func TestAnswersAreSignedAnewWhenHalfOfTheirLifeIsOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(t, r.RefreshResponses(t.Context()))
	id := r.Issue(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	began, first := r.Now(), r.ask(t, id)
	for _, c := range []struct {
		after time.Duration
		want  time.Duration // since the beginning, of the response
	}{{12*time.Hour - time.Minute, 0}, {12 * time.Hour, 12 * time.Hour}, {13 * time.Hour, 12 * time.Hour}, {40 * time.Hour, 40 * time.Hour}} {
		r.clock.Advance(began.Add(c.after).Sub(r.Now()))
		r.ok(t, r.RefreshResponses(t.Context()))
		r.clock.Advance(30 * time.Second)
		if a := r.ask(t, id); !a.ThisUpdate.Equal(began.Add(c.want)) {
			t.Errorf("after %v: got the response of %v, want that of %v", c.after, a.ThisUpdate, began.Add(c.want))
		}
	}
	r.clock.Advance(25 * time.Hour) // the job was away
	if got := r.unanswered(t, ca.Mail, first.SerialNumber.Bytes()); got != fault.Unavailable {
		t.Errorf("a response whose time is over: got %v, want that there is none for now", got)
	}
	r.ok(t, r.RefreshResponses(t.Context()))
	r.ask(t, id)
}

// TestCertificatesFromBeforeThereWereAnswersGetTheirs, also those that an older
// version issues beside this one, and those it revokes.
func TestCertificatesFromBeforeThereWereAnswersGetTheirs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	old, gone := r.Issue(t, r.ada, row, "ada@uni.example"), r.Issue(t, r.ada, row, "ada@uni.example") // nobody is at hand yet
	if got := r.unanswered(t, ca.Mail, trial.Must(r.One(t.Context(), r.ada, old)).Serial); got != fault.Unavailable {
		t.Errorf("with nobody at hand: got %v, want that there is no response for now", got)
	}
	trial.Must(r.db.Exec(t.Context(), `delete from ocsp_answer`))
	r.ok(t, r.Revoke(t.Context(), r.ada, gone, pki.Superseded))
	for range 2 {
		r.ok(t, r.NoteMissingResponses(t.Context()))
	}
	r.ok(t, r.RefreshResponses(t.Context()))
	if a := r.ask(t, old); a.Status != ocsp.Good {
		t.Errorf("got status %d, want good", a.Status)
	}
	if a := r.ask(t, gone); a.Status != ocsp.Revoked {
		t.Errorf("got status %d, want revoked", a.Status)
	}
	if n := r.campus.Scalar(`select count(*) from ocsp_answer`); n != 2 {
		t.Errorf("got %d responses, want 2", n)
	}
	r.Authority = nil
	r.ok(t, errors.Join(r.NoteMissingResponses(t.Context()), r.RefreshResponses(t.Context())))
}

func TestAnAnswerIsGivenUntilAWeekAfterTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(t, r.RefreshResponses(t.Context()))
	id := r.Issue(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	c := trial.Must(r.One(t.Context(), r.ada, id))
	r.clock.Advance(c.NotAfter.Add(7 * day).Sub(r.Now()))
	r.ok(t, r.RefreshResponses(t.Context()))
	r.ask(t, id)
	r.clock.Advance(day)
	r.ok(t, r.RefreshResponses(t.Context()))
	r.ok(t, r.NoteMissingResponses(t.Context()))
	if got := r.unanswered(t, ca.Mail, c.Serial); got != fault.Missing {
		t.Errorf("a week after its end: got %v, want nothing known of it", got)
	}
}

// TestARevocationIsNeverOvertakenByAnAnswerThatWasUnderWay lets many refresh
// while others revoke.
func TestARevocationIsNeverOvertakenByAnAnswerThatWasUnderWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(t, r.RefreshResponses(t.Context()))
	row := r.AddRow(t, "ada@uni.example")
	var all []cert.ID
	for range 12 {
		all = append(all, r.Issue(t, r.ada, row, "ada@uni.example"))
	}
	for round := range 3 {
		r.clock.Advance(13 * time.Hour) // all are due
		end := all[round*4 : round*4+4]
		got := trial.Race(12, campus.Said, func(i int) error {
			if i%3 != 0 {
				return r.RefreshResponses(t.Context())
			}
			if err := r.Revoke(t.Context(), r.ada, end[i/3], pki.KeyCompromise); err != nil {
				return err
			}
			return r.Announce(t.Context(), ca.Mail)
		})
		if got[""] != 12 {
			t.Fatalf("got %v, want all well", got)
		}
		for i, id := range all {
			want := ocsp.Good
			if i < round*4+4 {
				want = ocsp.Revoked
			}
			if a := r.ask(t, id); a.Status != want || !a.ThisUpdate.Equal(r.Now()) {
				t.Errorf("round %d, certificate %d: got status %d of %v, want %d of now", round, i, a.Status, a.ThisUpdate, want)
			}
		}
	}
}

// TestARevocationNeedsNoJob: its transaction makes the response due, and the list
// shows that it does not name it; whatever became of the job, the next minute
// signs both. That the responses cannot be signed keeps no list waiting.
func TestARevocationNeedsNoJob(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(t, r.AnnounceAll(t.Context()))
	id := r.Issue(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	reference := r.served(t, r.campus.Organisation("Uni", r.bob), 90, "www.uni.example")
	r.clock.Advance(time.Minute)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	r.ok(t, r.RevokeServer(t.Context(), r.bob, reference, pki.Superseded))
	if n := r.campus.Scalar(`select count(*) from ocsp_answer where due <= $1`, r.Now()); n != 2 {
		t.Errorf("got %d responses due after two revocations, want both", n)
	}
	trial.Must(r.db.Exec(t.Context(), `delete from river_job`))
	r.ok(t, r.AnnounceAll(t.Context()))
	for _, name := range []string{ca.Mail, ca.TLS} {
		if _, l := r.List(t, name); l.Entries != 1 || l.Number != 2 {
			t.Errorf("%s: got list %d with %d entries, want the second one with the revoked certificate", name, l.Number, l.Entries)
		}
	}
	if a := r.ask(t, id); a.Status != ocsp.Revoked {
		t.Errorf("got status %d, want it revoked", a.Status)
	}
	if n := r.campus.Scalar(`select count(*) from ocsp_answer where revoked`); n != 2 {
		t.Errorf("got %d responses that say revoked, want both", n)
	}
	r.ok(t, r.AnnounceAll(t.Context()))
	if _, l := r.List(t, ca.Mail); l.Number != 2 {
		t.Errorf("got list %d, want none where nothing is new", l.Number)
	}

	other := r.Issue(t, r.bob, r.AddRow(t, "bob@uni.example"), "bob@uni.example")
	r.ok(t, r.Revoke(t.Context(), r.bob, other, pki.Superseded))
	trial.Must(r.db.Exec(t.Context(), `alter table ocsp_answer rename column sha1 to gone`))
	if err := r.AnnounceAll(t.Context()); err == nil {
		t.Error("the responses cannot be signed, and nobody says so")
	}
	if _, l := r.List(t, ca.Mail); l.Entries != 2 {
		t.Errorf("got %d entries, want the list signed though the responses cannot be", l.Entries)
	}
}

func TestOneListNamesAllThatWasRevokedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	for range 5 {
		r.Issue(t, r.ada, row, "ada@uni.example")
	}
	r.ok(t, r.SignOldLists(t.Context()))
	r.off(t, row)
	trial.Must(r.RevokeAll(t.Context(), r.contact, "uni.example", row, pki.CessationOfOperation))
	queued := r.campus.Scalar(`select count(*) from river_job where kind = 'cert_list'`)
	for range queued {
		r.ok(t, r.Announce(t.Context(), ca.Mail))
	}
	if _, l := r.List(t, ca.Mail); queued != 5 || l.Entries != 5 || l.Number != 2 {
		t.Errorf("got %d jobs and list %d with %d entries, want 5 jobs and the second list with 5", queued, l.Number, l.Entries)
	}
	r.clock.Advance(1000 * day) // all are off the list
	r.ok(t, r.SignList(t.Context(), ca.Mail))
	r.ok(t, r.Announce(t.Context(), ca.Mail))
	if _, l := r.List(t, ca.Mail); l.Number != 3 {
		t.Errorf("got list %d, want none where nothing is new", l.Number)
	}
}

// TestAForeignCertificateIsNeitherListedNorAnswered: it is not ours to speak of.
func TestAForeignCertificateIsNeitherListedNorAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.Strike(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	i.Authority = "elsewhere"
	id := r.Keep(t, i)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded)) // its authority is asked
	r.revoked(t, id)
	for _, name := range append(r.local.Names(), "elsewhere") {
		if name != "elsewhere" {
			r.ok(t, r.SignList(t.Context(), name))
		}
		if got := r.unanswered(t, name, i.Certificate.Serial); got != fault.Missing {
			t.Errorf("%s: got %v, want missing", name, got)
		}
	}
	r.ok(t, r.NoteMissingResponses(t.Context()))
	if n := r.campus.Scalar(`select count(*) from ocsp_answer`); n != 0 {
		t.Errorf("got %d responses, want none", n)
	}
	if _, l := r.List(t, ca.Mail); l.Entries != 0 {
		t.Errorf("got %d entries, want none", l.Entries)
	}
}

func TestAnIssuanceNeedsNobodyAtHandToAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Authority = nil
	id := r.Issue(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	r.Authority = r.local
	if got := r.unanswered(t, ca.Mail, trial.Must(r.One(t.Context(), r.ada, id)).Serial); got != fault.Missing {
		t.Errorf("got %v, want missing", got)
	}
	if names := r.local.Responders(); slices.Contains(names, ca.Root) || len(names) != 2 {
		t.Errorf("got responders for %v, want mail and tls", names)
	}
}

// TestAnswersOfAnOlderVersionAreSignedAnew: theirs are true from a second on,
// which NSS takes for a revocation.
func TestAnswersOfAnOlderVersionAreSignedAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(t, r.RefreshResponses(t.Context()))
	row := r.AddRow(t, "ada@uni.example")
	old, fine := r.Issue(t, r.ada, row, "ada@uni.example"), r.Issue(t, r.ada, row, "ada@uni.example")
	trial.Must(r.db.Exec(t.Context(), `update ocsp_answer set this_update = this_update + interval '17 seconds', sha1 = '\x00', sha256 = '\x00' where certificate = $1`, old))
	r.clock.Advance(10*time.Minute + 43*time.Second)
	r.ok(t, r.NoteMissingResponses(t.Context()))
	r.ok(t, r.RefreshResponses(t.Context()))
	if got, want := r.ask(t, old).ThisUpdate, r.Now().Truncate(time.Minute); !got.Equal(want) {
		t.Errorf("the response of an older version: got one of %v, want one of %v", got, want)
	}
	if got, want := r.ask(t, fine).ThisUpdate, trial.Today(); !got.Equal(want) {
		t.Errorf("a response of this version: got one of %v, want that of %v to stay", got, want)
	}
}
