package cert_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"petschaft/internal/ca"
	"petschaft/internal/cert"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
	"petschaft/migrations"
)

// the version before knew certificates of mailboxes only; this is how it wrote.
const (
	oldPeople = `insert into account (id, issuer, subject, username, name, given_name, family_name, email, email_verified, created, signed_in, refreshed)
		overriding system value values (1001, 'https://old.example', 'ada', 'ada', 'Ada Adler', 'Ada', 'Adler', 'ada@people.example', true, $1, $1, $1)`
	oldGroup  = `insert into contact_group (id, name, created) overriding system value values (1001, 'Netz alt', $1)`
	oldDomain = `insert into email_domain (id, name, contact_group, validation, created)
		overriding system value values (1001, 'alt.example', 1001, 'mailbox', $1)`
	oldRow = `insert into address_row (id, domain, created, changed, name, primary_address, kind)
		overriding system value values (1001, 1001, $1, $1, 'Ada', 'ada@alt.example', 'personal')`
	oldComment = `insert into address_row (domain, created, changed, name, primary_address, aliases, kind, comment)
		values (1001, $1, $1, $2, $2 || '@alt.example', array[$2 || '.alias@alt.example'], 'personal', $3)`
	oldCertificate = `insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, account, row_id, subject, emails, search,
			not_before, not_after, issued)
		values ($2, 'mail', '\x01', $3, 'der', 'print', 'key', 1001, 1001, 'CN=Ada', '{ada@alt.example}', 'ref-old ada@alt.example', $1,
			$1::timestamptz + interval '1 year', $1)`
	oldNote = `insert into address_certificate (certificate, row_id, account, issued, ends, addresses)
		select id, 1001, 1001, issued, not_after, emails from certificate where issued = $1 and reference = 'REF-OLD'`
	oldRevocation = `update certificate set revoked = $1, revoked_by = 1001, reason = 4 where reference = 'REF-GONE'`
)

// TestADatabaseOfTheVersionBeforeGoesOn: certificates of before are read,
// listed, searched for, reminded of and revoked, comments sort by the dates in
// them, and the old program goes on writing.
func TestADatabaseOfTheVersionBeforeGoesOn(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db := pgtest.Open(t, url)
	_, err := db.Exec(t.Context(), `drop schema public cascade; create schema public`)
	if err != nil {
		t.Fatal(err)
	}
	db.Reset() // types have other numbers now
	std := stdlib.OpenDBFromPool(db.Pool)
	defer std.Close()
	steps := trial.Must(goose.NewProvider(goose.DialectPostgres, std, migrations.Files, goose.WithLogger(goose.NopLogger())))
	if _, err := steps.UpTo(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	write := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql, append([]any{trial.Today()}, args...)...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{oldPeople, oldGroup, oldDomain, oldRow} {
		write(sql)
	}
	write(oldComment, "dezember", "bis 31.12.2027")
	write(oldComment, "februar", "1.2.2027")
	write(oldComment, "worte", "zuletzt gesehen")
	write(oldCertificate, "REF-OLD", []byte{1})
	write(oldCertificate, "REF-GONE", []byte{2})
	write(oldNote)
	write(oldRevocation)
	if did := trial.Must(postgres.Migrate(t.Context(), db)); did.From != 8 || did.To < 30 || did.QueueFrom != 0 || did.QueueTo == 0 {
		t.Errorf("it says that it did %+v, want from 8 to the newest, and the queue anew", did)
	}
	if did := trial.Must(postgres.Migrate(t.Context(), db)); did.From != did.To || did.QueueFrom != did.QueueTo {
		t.Errorf("again: it says that it did %+v, want nothing", did)
	}
	write(oldCertificate, "REF-LATE", []byte{3}) // by a process of the version before
	write(oldComment, "maerz", "15. März 2027")
	var order []string
	err = db.QueryRow(t.Context(), `select array_agg(name order by comment_key, id) from address_row r
		where (select count(*) from address where row_id = r.id and active) = 1 + cardinality(aliases)`).Scan(&order)
	if want := []string{"februar", "maerz", "dezember", "worte", "Ada"}; err != nil || !slices.Equal(order, want) {
		t.Errorf("rows with all their addresses, by comment: got %v, %v; want %v", order, err, want)
	}
	write(`insert into address_certificate (certificate, row_id, account, issued, ends, addresses)
		select id, 1001, 1001, $1::timestamptz + interval '1 hour', not_after, emails from certificate where reference = 'REF-LATE'`)
	var begins int
	err = db.QueryRow(t.Context(), `select count(*) from address_certificate a join certificate c on c.id = a.certificate where a.begins = c.not_before`).Scan(&begins)
	if err != nil || begins != 2 {
		t.Errorf("%d of two notes say when the certificate begins, %v: the one of before, and one that the version before writes", begins, err)
	}
	r := rigOn(t, url)
	r.ada.Account = 1001
	mine := trial.Must(r.Mine(t.Context(), r.ada, cert.All, 0, 10))
	var references []string
	for _, c := range mine {
		references = append(references, c.Reference)
	}
	if want := []string{"REF-LATE", "REF-GONE", "REF-OLD"}; !slices.Equal(references, want) {
		t.Fatalf("got %v, want %v", references, want)
	}
	if found, _, err := r.Search(t.Context(), r.officer, "ref-old"); err != nil || len(found) != 3 {
		t.Errorf("the search finds %d, %v; want all three", len(found), err)
	}
	r.ok(t, r.Revoke(t.Context(), r.ada, mine[2].ID, pki.Superseded))
	r.ok(t, r.SignList(t.Context(), ca.Mail))
	if l, _ := r.List(t, ca.Mail); len(l.RevokedCertificateEntries) != 2 {
		t.Errorf("the list names %d, want the old revocation and the new one", len(l.RevokedCertificateEntries))
	}
	if p, err := r.Servers(t.Context(), r.officer, cert.ServerView{Office: true, Which: cert.All}); err != nil || len(p.Certificates) != 0 {
		t.Errorf("the list of servers' holds %d, %v; want none", len(p.Certificates), err)
	}
	reference := r.served(t, r.campus.Organisation("Garten", r.bob), 90, "www.garten.example")
	r.ok(t, r.RevokeServer(t.Context(), r.bob, reference, pki.Superseded))
	r.clock.Advance(340 * day)
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, "REF-LATE"); !slices.Equal(got, []string{"28d ada@people.example"}) {
		t.Errorf("of what the version before issued: got %v, want a reminder", got)
	}
	if got := slices.Concat(r.RemindersOf(t, "REF-OLD"), r.RemindersOf(t, "REF-GONE")); len(got) != 0 {
		t.Errorf("of what it revoked: got %v, want none", got)
	}
}
