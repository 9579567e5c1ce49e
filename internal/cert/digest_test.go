package cert_test

import (
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// monday moves the clock to just after the next digest.
func (r *rig) monday() {
	next := r.Now()
	for next.Weekday() != time.Monday || next.Hour() != 5 {
		next = next.Truncate(time.Hour).Add(time.Hour)
	}
	r.clock.Advance(next.Sub(r.Now()) + time.Minute)
}

// digests are the digest letters so far, and what the last one says of what.
func (r *rig) digests(t testing.TB, what string) (n int, said string) {
	t.Helper()
	n = r.campus.Scalar(`select count(*) from letter where kind = 'digest'`)
	if n > 0 {
		r.ok(t, r.db.QueryRow(t.Context(), `select coalesce(words->>$1, '') from letter where kind = 'digest' order by id desc limit 1`, what).Scan(&said))
	}
	return n, said
}

// TestTheDigestNamesWhatEndsInTheReadersDomains, in their language: what was
// renewed or revoked is left out, and so are domains of others.
func TestTheDigestNamesWhatEndsInTheReadersDomains(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ends := func(address string, left time.Duration) {
		i := r.Strike(t, r.ada, r.AddRow(t, address), address)
		i.Certificate.NotAfter = r.Now().Add(left)
		r.Keep(t, i)
	}
	ends("bald@uni.example", 20*day)
	ends("spaeter@uni.example", 100*day)
	renewed := r.AddRow(t, "neu@uni.example")
	old := r.Strike(t, r.ada, renewed, "neu@uni.example")
	old.Certificate.NotAfter = r.Now().Add(20 * day)
	r.Keep(t, old)
	r.Issue(t, r.bob, renewed, "neu@uni.example")
	gone := r.Strike(t, r.ada, r.AddRow(t, "weg@uni.example"), "weg@uni.example")
	gone.Certificate.NotAfter = r.Now().Add(20 * day)
	r.ok(t, r.Revoke(t.Context(), r.ada, r.Keep(t, gone), pki.Superseded))
	campus.Wants(t, r.SetDigest(t.Context(), r.ada, true), "mailbox.section_closed")
	r.ok(t, r.SetDigest(t.Context(), r.contact, true))
	r.ok(t, r.SetDigest(t.Context(), r.contact, true)) // changes nothing
	r.ok(t, r.SetDigest(t.Context(), r.stranger, true))
	_, err := r.db.Exec(t.Context(), `update account set language = 'en' where id = $1`, r.contact.Account)
	r.ok(t, err)
	r.ok(t, r.SendDigests(t.Context()))
	if n, _ := r.digests(t, "To"); n != 0 {
		t.Errorf("before Monday: got %d, want none", n)
	}
	r.monday()
	for said, n := range trial.Race(4, campus.Said, func(int) error { return r.SendDigests(t.Context()) }) {
		if said != "" {
			t.Errorf("%d runs said %q", n, said)
		}
	}
	if n, to := r.digests(t, "To"); n != 1 || to != "Netz@people.example" {
		t.Errorf("got %d, the last to %s; want one, to whose domain it is", n, to)
	}
	if _, lang := r.digests(t, "Lang"); lang != "en" {
		t.Errorf("got the language %q, want the reader's", lang)
	}
	if n := r.campus.Scalar(`select jsonb_array_length(words->'Certificates') from letter where kind = 'digest'`); n != 1 {
		t.Errorf("it names %d, want the one that ends soon and has no successor", n)
	}
	r.ok(t, r.SetDigest(t.Context(), r.contact, false))
	r.monday()
	r.ok(t, r.SendDigests(t.Context()))
	if n, _ := r.digests(t, "To"); n != 1 {
		t.Errorf("after it was cancelled: got %d, want no more", n)
	}
}

// TestADigestOfManyNamesTheFirst and says how many there are; missed weeks make
// one letter, and who is locked or has left the group gets none.
func TestADigestOfManyNamesTheFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "viele@uni.example")
	_, err := r.db.Exec(t.Context(), `insert into address_row (domain, created, changed, name, primary_address, kind)
		select domain, created, changed, 'x', 'x' || i || '@uni.example', 'personal' from address_row, generate_series(1, 40) i where id = $1`, row)
	r.ok(t, err)
	_, err = r.db.Exec(t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, account, row_id, subject, emails, search, not_before, not_after, issued)
		select 'R' || id, 'mail', 'i', id::text::bytea, '', '', $1, id, '', array[primary_address], '', $2, $2::timestamptz + interval '30 days', $2 from address_row where name = 'x'`,
		r.ada.Account, r.Now())
	r.ok(t, err)
	r.ok(t, r.SetDigest(t.Context(), r.contact, true))
	r.clock.Advance(15 * day) // two Mondays
	r.ok(t, r.SendDigests(t.Context()))
	r.ok(t, r.SendDigests(t.Context()))
	if n, more := r.digests(t, "More"); n != 1 || more != "15" {
		t.Errorf("got %d digests, the last with %s more; want one with 25 named and 15 more", n, more)
	}
	_, err = r.db.Exec(t.Context(), `update account set locked = $2, locked_why = 'x' where id = $1`, r.contact.Account, r.Now())
	r.ok(t, err)
	r.monday()
	r.ok(t, r.SendDigests(t.Context()))
	_, err = r.db.Exec(t.Context(), `update account set locked = null, locked_why = '' where id = $1`, r.contact.Account)
	r.ok(t, err)
	_, err = r.db.Exec(t.Context(), `delete from contact_group_member where account = $1`, r.contact.Account)
	r.ok(t, err)
	r.clock.Advance(7 * day)
	r.ok(t, r.SendDigests(t.Context()))
	if n, _ := r.digests(t, "To"); n != 1 {
		t.Errorf("locked, and out of the group: got %d, want no more", n)
	}
}

// TestHoldersAreToldInTheirLanguage, one letter for all that end: who has no
// verified address hears nothing, and a revoked successor is none.
func TestHoldersAreToldInTheirLanguage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.db.Exec(t.Context(), `update account set language = 'en' where id = $1`, r.ada.Account)
	r.ok(t, err)
	first, second := r.AddRow(t, "a@uni.example"), r.AddRow(t, "b@uni.example")
	one := r.Strike(t, r.ada, first, "a@uni.example")
	two := r.Strike(t, r.ada, second, "b@uni.example")
	hers := r.Strike(t, r.eve, second, "b@uni.example")
	one.Certificate.NotAfter, two.Certificate.NotAfter = r.Now().Add(90*day), r.Now().Add(90*day)
	hers.Certificate.NotAfter = two.Certificate.NotAfter.Add(-time.Hour)
	r.Keep(t, one)
	r.Keep(t, hers)
	r.Keep(t, two)
	r.clock.Advance(63 * day)
	r.ok(t, r.Remind(t.Context()))
	var lang, link string
	n := r.campus.Scalar(`select count(*) from letter where kind = 'mail_ending'`)
	r.ok(t, r.db.QueryRow(t.Context(), `select words->>'Lang', words->>'Link' from letter where kind = 'mail_ending'`).Scan(&lang, &link))
	if n != 1 || lang != "en" || link != "https://portal.example/client-certificates" {
		t.Errorf("got %d letters, the first in %q with the link %s; want one in hers for both", n, lang, link)
	}
	next := r.Issue(t, r.ada, first, "a@uni.example")
	r.ok(t, r.Revoke(t.Context(), r.ada, next, pki.Superseded))
	r.Issue(t, r.bob, second, "b@uni.example")
	r.clock.Advance(14 * day)
	r.ok(t, r.Remind(t.Context()))
	if n := r.campus.Scalar(`select count(*) from reminder where threshold = '14d'`); n != 1 {
		t.Errorf("14 days before: got %d reminders, want the one without a successor that counts", n)
	}
}

// TestAChangedSettingDoesNotRemindAgain of what was said since, and takes in
// what was over with the old one.
func TestAChangedSettingDoesNotRemindAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reference := r.served(t, r.campus.Organisation("Garten", r.ada), 90, "www.garten.example")
	r.until(t, reference, 20*day)
	r.ok(t, r.Remind(t.Context()))
	r.Reminders = []int{45, 30}
	r.ok(t, r.Remind(t.Context()))
	r.until(t, reference, 10*day) // the 14th passes under the new setting
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, reference); len(got) != 1 {
		t.Errorf("got %v, want the 28th alone", got)
	}
	r.Reminders = []int{45, 30, 7}
	r.ok(t, r.Remind(t.Context()))
	r.until(t, reference, 6*day)
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, reference); len(got) != 2 || got[1] != "7d Adler@people.example" {
		t.Errorf("got %v, want the 7th too", got)
	}
}

// TestTheDigestCountsDoubtfulLinks in the reader's domains, also when no
// certificate ends.
func TestTheDigestCountsDoubtfulLinks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.AddRow(t, "a@uni.example"), r.AddRow(t, "b@uni.example")
	r.AddRow(t, "c@uni.example")
	r.ok(t, r.SetDigest(t.Context(), r.contact, true))
	r.ok(t, r.SetDigest(t.Context(), r.stranger, true))
	r.monday()
	r.ok(t, r.SendDigests(t.Context()))
	if n, _ := r.digests(t, "To"); n != 0 {
		t.Errorf("nothing to say: got %d, want none", n)
	}
	_, err := r.db.Exec(t.Context(), `update address_row set doubtful = true where id = any($1)`, []int64{int64(one), int64(two)})
	r.ok(t, err)
	r.clock.Advance(7 * day)
	r.ok(t, r.SendDigests(t.Context()))
	if n, doubtful := r.digests(t, "Doubtful"); n != 1 || doubtful != "2" {
		t.Errorf("got %d digests, the last with %s doubtful links; want one of the two", n, doubtful)
	}
}
