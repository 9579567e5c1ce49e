package digest_test

import (
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestTheDigestNamesWhatEndsInTheReadersDomains, in their language: what was
// renewed or revoked is left out, and so are domains of others.
func TestTheDigestNamesWhatEndsInTheReadersDomains(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ends := func(address string, left time.Duration) {
		i := r.mint.Strike(t, r.ada, r.mint.AddRow(t, address), address)
		i.Certificate.NotAfter = r.Now().Add(left)
		r.mint.Keep(t, i)
	}
	ends("bald@uni.example", 20*day)
	ends("spaeter@uni.example", 100*day)
	renewed := r.mint.AddRow(t, "neu@uni.example")
	old := r.mint.Strike(t, r.ada, renewed, "neu@uni.example")
	old.Certificate.NotAfter = r.Now().Add(20 * day)
	r.mint.Keep(t, old)
	r.mint.Issue(t, r.bob, renewed, "neu@uni.example")
	gone := r.mint.Strike(t, r.ada, r.mint.AddRow(t, "weg@uni.example"), "weg@uni.example")
	gone.Certificate.NotAfter = r.Now().Add(20 * day)
	r.ok(t, r.mint.Revoke(t.Context(), r.ada, r.mint.Keep(t, gone), pki.Superseded))
	campus.Wants(t, r.Set(t.Context(), r.ada, true), "mailbox.section_closed")
	r.ok(t, r.Set(t.Context(), r.contact, true))
	r.ok(t, r.Set(t.Context(), r.contact, true)) // changes nothing
	r.ok(t, r.Set(t.Context(), r.stranger, true))
	_, err := r.db.Exec(t.Context(), `update account set language = 'en' where id = $1`, r.contact.Account)
	r.ok(t, err)
	r.ok(t, r.Send(t.Context()))
	if n, _ := r.digests(t, "To"); n != 0 {
		t.Errorf("before Monday: got %d, want none", n)
	}
	r.monday()
	for said, n := range trial.Race(4, campus.Said, func(int) error { return r.Send(t.Context()) }) {
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
	r.ok(t, r.Set(t.Context(), r.contact, false))
	r.monday()
	r.ok(t, r.Send(t.Context()))
	if n, _ := r.digests(t, "To"); n != 1 {
		t.Errorf("after it was cancelled: got %d, want no more", n)
	}
}

// TestADigestOfManyNamesTheFirst and says how many there are; missed weeks make
// one letter, and who is locked or has left the group gets none.
func TestADigestOfManyNamesTheFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.mint.AddRow(t, "viele@uni.example")
	_, err := r.db.Exec(t.Context(), `insert into address_row (domain, created, changed, name, primary_address, kind)
		select domain, created, changed, 'x', 'x' || i || '@uni.example', 'personal' from address_row, generate_series(1, 40) i where id = $1`, row)
	r.ok(t, err)
	_, err = r.db.Exec(t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, account, row_id, subject, emails, search, not_before, not_after, issued)
		select 'R' || id, 'mail', 'i', id::text::bytea, '', '', $1, id, '', array[primary_address], '', $2, $2::timestamptz + interval '30 days', $2 from address_row where name = 'x'`,
		r.ada.Account, r.Now())
	r.ok(t, err)
	r.ok(t, r.Set(t.Context(), r.contact, true))
	r.clock.Advance(15 * day) // two Mondays
	r.ok(t, r.Send(t.Context()))
	r.ok(t, r.Send(t.Context()))
	if n, more := r.digests(t, "More"); n != 1 || more != "15" {
		t.Errorf("got %d digests, the last with %s more; want one with 25 named and 15 more", n, more)
	}
	_, err = r.db.Exec(t.Context(), `update account set locked = $2, locked_why = 'x' where id = $1`, r.contact.Account, r.Now())
	r.ok(t, err)
	r.monday()
	r.ok(t, r.Send(t.Context()))
	_, err = r.db.Exec(t.Context(), `update account set locked = null, locked_why = '' where id = $1`, r.contact.Account)
	r.ok(t, err)
	_, err = r.db.Exec(t.Context(), `delete from contact_group_member where account = $1`, r.contact.Account)
	r.ok(t, err)
	r.clock.Advance(7 * day)
	r.ok(t, r.Send(t.Context()))
	if n, _ := r.digests(t, "To"); n != 1 {
		t.Errorf("locked, and out of the group: got %d, want no more", n)
	}
}

// TestTheDigestCountsDoubtfulLinks in the reader's domains, also when no
// certificate ends.
func TestTheDigestCountsDoubtfulLinks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.mint.AddRow(t, "a@uni.example"), r.mint.AddRow(t, "b@uni.example")
	r.mint.AddRow(t, "c@uni.example")
	r.ok(t, r.Set(t.Context(), r.contact, true))
	r.ok(t, r.Set(t.Context(), r.stranger, true))
	r.monday()
	r.ok(t, r.Send(t.Context()))
	if n, _ := r.digests(t, "To"); n != 0 {
		t.Errorf("nothing to say: got %d, want none", n)
	}
	_, err := r.db.Exec(t.Context(), `update address_row set doubtful = true where id = any($1)`, []int64{int64(one), int64(two)})
	r.ok(t, err)
	r.clock.Advance(7 * day)
	r.ok(t, r.Send(t.Context()))
	if n, doubtful := r.digests(t, "Doubtful"); n != 1 || doubtful != "2" {
		t.Errorf("got %d digests, the last with %s doubtful links; want one of the two", n, doubtful)
	}
}
