package cert_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestAServersCertificateBelongsToItsOrganisation: whoever is its technical
// contact sees all of it, also what was issued before.
func TestAServersCertificateBelongsToItsOrganisation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	garden, other := r.campus.Organisation("Garten", r.ada), r.campus.Organisation("Anderswo", r.bob)
	mine, theirs := r.served(t, garden, 90, "www.garten.example", "garten.example"), r.served(t, other, 90, "www.anderswo.example")
	sees := func(by person.Actor) (all []string) {
		for _, reference := range []string{mine, theirs} {
			c, err := r.Server(t.Context(), by, reference)
			if err == nil {
				all = append(all, c.Reference)
			} else {
				campus.Wants(t, err, "fault.missing")
			}
		}
		return all
	}
	check := func(when string, want map[*person.Actor][]string) {
		t.Helper()
		for by, refs := range want {
			if got := sees(*by); !slices.Equal(got, refs) {
				t.Errorf("%s, %s: got %v, want %v", when, by.Name, got, refs)
			}
			var listed []string
			for _, c := range trial.Must(r.Servers(t.Context(), *by, cert.ServerView{Sort: cert.ByIssued, Office: by.Officer})).Certificates {
				listed = append(listed, c.Reference)
			}
			if !slices.Equal(listed, refs) {
				t.Errorf("%s, %s lists %v, want %v", when, by.Name, listed, refs)
			}
		}
	}
	check("at first", map[*person.Actor][]string{&r.ada: {mine}, &r.bob: {theirs}, &r.eve: nil, &r.contact: nil, &r.officer: {mine, theirs}})
	r.appoint(t, garden, r.eve.Account)
	check("with a successor", map[*person.Actor][]string{&r.ada: nil, &r.bob: {theirs}, &r.eve: {mine}, &r.officer: {mine, theirs}})
	c := trial.Must(r.Server(t.Context(), r.eve, mine))
	if !c.Contact || c.Officer || c.OrganisationName != "Garten" || c.CommonName != "www.garten.example" || len(c.Names) != 2 || c.Key() != "EC P-256" {
		t.Errorf("got %+v, want it whole", c)
	}
	if _, err := r.Servers(t.Context(), r.eve, cert.ServerView{Office: true}); campus.Said(err) == "" {
		t.Error("somebody lists all certificates without being an officer")
	}
}

func TestTheSameServerCertificateIsRecordedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	old := r.served(t, o, 90, "www.garten.example")
	i := r.serve(t, o, 90, "www.garten.example")
	before := trial.Must(r.Server(t.Context(), r.ada, old))
	i.Replaces = &before.ID
	if first, second := r.recordServer(t, i), r.recordServer(t, i); first != second {
		t.Errorf("got numbers %d and %d, want the same", first, second)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'cert.server_issued'`); n != 2 {
		t.Errorf("got %d audit lines, want one for each certificate", n)
	}
}

func TestARenewedCertificateIsReplacedAndCountsOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old := r.served(t, r.campus.Organisation("Garten", r.ada), 90, "www.garten.example")
	r.clock.Advance(70 * day)
	r.noteRenewal(t, old, "ORDR-AAAAB")
	if c := trial.Must(r.Server(t.Context(), r.ada, old)); c.Renewal == nil || *c.Renewal != "ORDR-AAAAB" || c.ReplacedBy != nil {
		t.Errorf("under renewal: got %v, %v", c.Renewal, c.ReplacedBy)
	}
	next := r.renewed(t, old, 90)
	c := trial.Must(r.Server(t.Context(), r.ada, old))
	if c.Renewal != nil || c.ReplacedBy == nil || *c.ReplacedBy != next || !c.ReplacedAt.Equal(r.Now()) || !c.Valid(r.Now()) {
		t.Errorf("renewed: got renewal %v, replaced by %v at %v, valid %v", c.Renewal, c.ReplacedBy, c.ReplacedAt, c.Valid(r.Now()))
	}
	if n := trial.Must(r.Server(t.Context(), r.ada, next)); n.Replaces == nil || *n.Replaces != old {
		t.Errorf("the new one replaces %v, want %s", n.Replaces, old)
	}
	third := r.renewed(t, old, 90)
	if c := trial.Must(r.Server(t.Context(), r.ada, old)); *c.ReplacedBy != next {
		t.Errorf("a further successor %s counts: got %s, want the first, %s", third, *c.ReplacedBy, next)
	}
	r.noteRenewal(t, next, "ORDR-AAAAC")
	r.noteRenewal(t, next, "")
	if n := trial.Must(r.Server(t.Context(), r.ada, next)); n.Renewal != nil {
		t.Errorf("a renewal that was withdrawn is still noted: %s", *n.Renewal)
	}
}

// TestTheTimeToRenew is a table from the mission (R90): the last third of the
// life, at most the last 30 days, and 30 days after the end.
func TestTheTimeToRenew(t *testing.T) {
	t.Parallel()
	begins := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for life, before := range map[int]time.Duration{
		6: 2 * day, 47: 15*day + 16*time.Hour, 90: 30 * day, 100: 30 * day, 200: 30 * day, 398: 30 * day,
	} {
		c := cert.ServerCertificate{NotBefore: begins, NotAfter: begins.Add(time.Duration(life)*day - time.Second)}
		c.Contact = true
		end := begins.Add(time.Duration(life) * day)
		for _, at := range []struct {
			now  time.Time
			want string
		}{
			{begins, "cert.renew.early"},
			{end.Add(-before - time.Nanosecond), "cert.renew.early"},
			{end.Add(-before), ""},
			{end, ""},
			{c.NotAfter.Add(30 * day), ""},
			{c.NotAfter.Add(30*day + time.Nanosecond), "cert.renew.late"},
		} {
			if got := campus.Said(cert.MayRenew(c, at.now)); got != at.want {
				t.Errorf("%d days, %v before the end: got %q, want %q", life, end.Sub(at.now), got, at.want)
			}
		}
	}
}

func TestWhatIsOverOrUnderWayIsNotRenewed(t *testing.T) {
	t.Parallel()
	now := trial.Today()
	text := "ABCD-EFGHJ"
	for _, x := range []struct {
		want   string
		change func(*cert.ServerCertificate)
	}{
		{"", func(*cert.ServerCertificate) {}},
		{"", func(c *cert.ServerCertificate) { c.Contact, c.Officer = false, true }},
		{"fault.missing", func(c *cert.ServerCertificate) { c.Contact = false }},
		{"cert.renew.revoked", func(c *cert.ServerCertificate) { c.Revoked = &now }},
		{"cert.renew.replaced", func(c *cert.ServerCertificate) { c.ReplacedBy = &text }},
		{"cert.renew.under_way", func(c *cert.ServerCertificate) { c.Renewal = &text }},
		{"cert.renew.under_way", func(c *cert.ServerCertificate) { c.Renewal, c.Contact, c.Officer = &text, false, true }},
		{"cert.renew.early", func(c *cert.ServerCertificate) { c.NotAfter = now.Add(31 * day) }},
		{"cert.renew.late", func(c *cert.ServerCertificate) { c.NotAfter = now.Add(-31 * day) }},
	} {
		c := cert.ServerCertificate{NotBefore: now.Add(-100 * day), NotAfter: now.Add(10 * day)}
		c.Contact = true
		x.change(&c)
		if got := campus.Said(cert.MayRenew(c, now)); got != x.want {
			t.Errorf("%+v: got %q, want %q", c, got, x.want)
		}
	}
}

func TestServerCertificatesAreRevokedByContactAndOfficerOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	one, two := r.served(t, o, 90, "www.garten.example"), r.served(t, o, 90, "b.garten.example")
	campus.Wants(t, r.RevokeServer(t.Context(), r.eve, one, pki.Superseded), "fault.missing")
	campus.Wants(t, r.RevokeServer(t.Context(), r.contact, one, pki.Superseded), "fault.missing")
	campus.Wants(t, r.RevokeServer(t.Context(), r.ada, one, pki.PrivilegeWithdrawn), "field.required")
	campus.Wants(t, r.RevokeServer(t.Context(), r.ada, one, pki.Reason(6)), "field.required")
	for i, n := range trial.Race(20, campus.Said, func(int) error { return r.RevokeServer(t.Context(), r.ada, one, pki.KeyCompromise) }) {
		if i != "" && i != "cert.revoked_already" || i == "" && n != 1 {
			t.Errorf("revoked at once by many: %d times %q, want one success and conflicts", n, i)
		}
	}
	r.ok(t, r.RevokeServer(t.Context(), r.officer, two, pki.PrivilegeWithdrawn))
	if n := r.campus.Scalar(`select count(*) from letter where kind = 'server_revoked' and recipient = 'Adler@people.example'`); n != 2 {
		t.Errorf("got %d letters to the technical contact, want one for each", n)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'cert.server_revoked'`); n != 2 {
		t.Errorf("got %d audit lines, want 2", n)
	}
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'cert_list'`); n == 0 {
		t.Error("no list is to be signed")
	}
	r.ok(t, r.SignList(t.Context(), ca.TLS))
	if l, _ := r.List(t, ca.TLS); len(l.RevokedCertificateEntries) != 2 {
		t.Errorf("the list names %d certificates, want 2", len(l.RevokedCertificateEntries))
	}
	c := trial.Must(r.Server(t.Context(), r.ada, one))
	key := trial.Must(pki.ParseCertificate(c.DER)).Key
	if !r.compromised(t, key) {
		t.Error("its key is not compromised")
	}
}

// TestServerCertificatesCanNeitherBeDeletedNorAltered: by the schema, whoever
// asks.
func TestServerCertificatesCanNeitherBeDeletedNorAltered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	old := r.served(t, o, 90, "www.garten.example")
	next := trial.Must(r.Server(t.Context(), r.ada, r.renewed(t, old, 90)))
	c := trial.Must(r.Server(t.Context(), r.ada, old))
	for _, set := range []string{
		`reference = 'X'`, `names = '{evil.example}'`, `common_name = 'evil.example'`, `product = 'x'`, `server_order = 0`, `renewable = now()`,
		fmt.Sprintf(`organisation = %d`, r.campus.Organisation("Anderswo", r.bob)), `organisation = null`, `der = '\x01'`,
		fmt.Sprintf(`replaced_by = %d`, c.ID), `replaced_by = null, replaced_at = null`, `replaced_at = now()`,
	} {
		_, err := r.db.Exec(t.Context(), `update certificate set `+set+` where id = $1`, c.ID)
		if got := campus.Said(schema(err)); got != "schema.certificate_fixed" {
			t.Errorf("%s: got %q, want schema.certificate_fixed", set, got)
		}
	}
	if _, err := r.db.Exec(t.Context(), `delete from certificate where id = $1`, c.ID); err == nil {
		t.Error("a certificate was deleted")
	}
	for _, set := range []string{`phase = 'valid'`, `turns = now()`} {
		if _, err := r.db.Exec(t.Context(), `update certificate set `+set+` where id = $1`, c.ID); err == nil {
			t.Errorf("%s: a replaced certificate is over, and the schema lets it be another", set)
		}
	}
	if _, err := r.db.Exec(t.Context(), `update certificate set replaced_by = id, replaced_at = now(), phase = 'over', turns = null where id = $1`, next.ID); err == nil {
		t.Error("a certificate replaces itself")
	}
}

// TestACertificateIsOfOneKind: of a mailbox or of servers.
func TestACertificateIsOfOneKind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	mail := r.Issue(t, r.ada, row, "ada@uni.example")
	o := r.campus.Organisation("Garten", r.ada)
	reference := r.served(t, o, 90, "www.garten.example")
	for name, sql := range map[string]string{
		"both":    fmt.Sprintf(`%d, %d, %d, 'a.example', '{a.example}', 'p', 1, now(), 'valid'`, r.ada.Account, row, o),
		"neither": `null, null, null, null, null, null, null, null, null`,
		"half":    fmt.Sprintf(`null, null, %d, 'a.example', null, 'p', 1, now(), 'valid'`, o),
		"no name": fmt.Sprintf(`null, null, %d, 'a.example', '{}', 'p', 1, now(), 'valid'`, o),
	} {
		_, err := r.db.Exec(t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, subject, emails, search,
			not_before, not_after, issued, account, row_id, organisation, common_name, names, product, server_order, renewable, phase, turns)
			values ('X', 'tls', '\x01', '\x02', '', '', '', '{}', '', now(), now(), now(), `+sql+`, now())`)
		if got := campus.Said(schema(err)); got != "schema.certificate_kind" {
			t.Errorf("%s: got %q, want schema.certificate_kind", name, got)
		}
	}
	if _, err := r.Server(t.Context(), r.officer, trial.Must(r.One(t.Context(), r.ada, mail)).Reference); campus.Said(err) != "fault.missing" {
		t.Errorf("a mail certificate is found among servers': %v", err)
	}
	c := trial.Must(r.Server(t.Context(), r.ada, reference))
	for name, err := range map[string]error{
		"read": second(r.One(t.Context(), r.officer, c.ID)), "revoke": r.Revoke(t.Context(), r.officer, c.ID, pki.Superseded),
	} {
		if campus.Said(err) != "fault.missing" {
			t.Errorf("%s a server's certificate as one of mail: got %v, want it missing", name, err)
		}
	}
	if found, _, err := r.Search(t.Context(), r.officer, "garten"); err != nil || len(found) != 0 {
		t.Errorf("the search for mail certificates finds %d, %v", len(found), err)
	}
	err := r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		_, err := r.LockServer(t.Context(), tx, r.bob, reference)
		return err
	})
	if campus.Said(err) != "fault.missing" {
		t.Errorf("somebody else locks it: %v", err)
	}
}

func second[T any](_ T, err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}
