package cert_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

func ids(all []cert.Certificate) []cert.ID {
	var n []cert.ID
	for _, c := range all {
		n = append(n, c.ID)
	}
	return n
}

// TestPreviousHoldersKeepSeeingAndNewOnesDoNot (R74): the link plays no part.
func TestPreviousHoldersKeepSeeingAndNewOnesDoNot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "office@uni.example")
	old := r.Issue(t, r.ada, row, "office@uni.example")
	fresh := r.Issue(t, r.bob, row, "office@uni.example")
	r.off(t, row)
	sees := map[string]struct {
		by   person.Actor
		want []cert.ID
		mine []cert.ID
	}{
		"the previous holder":           {r.ada, []cert.ID{old}, []cert.ID{old}},
		"the new holder":                {r.bob, []cert.ID{fresh}, []cert.ID{fresh}},
		"somebody else":                 {r.eve, nil, nil},
		"the contact":                   {r.contact, []cert.ID{old, fresh}, nil},
		"the contact of another domain": {r.stranger, nil, nil},
		"an officer":                    {r.officer, []cert.ID{old, fresh}, nil},
	}
	for who, s := range sees {
		for _, id := range []cert.ID{old, fresh} {
			c, err := r.One(t.Context(), s.by, id)
			if want := slices.Contains(s.want, id); want != (err == nil) || !want && campus.Said(err) != "fault.missing" {
				t.Errorf("%s, certificate %d: got %v, want to see it: %v", who, id, err, want)
			}
			if err == nil && c.Mine != slices.Contains(s.mine, id) {
				t.Errorf("%s, certificate %d: got mine %v", who, id, c.Mine)
			}
		}
		if got := ids(trial.Must(r.Mine(t.Context(), s.by, cert.All, 0, 10))); !slices.Equal(got, s.mine) {
			t.Errorf("%s: got own certificates %v, want %v", who, got, s.mine)
		}
		if _, _, err := r.Search(t.Context(), s.by, ""); (err == nil) != s.by.Officer {
			t.Errorf("%s searches: got %v, want it for officers only", who, err)
		}
	}
	if got := ids(trial.Must(r.OfRow(t.Context(), r.contact, row, 10))); !slices.Equal(got, []cert.ID{fresh, old}) {
		t.Errorf("got certificates of the row %v, want both, the newest first", got)
	}
	_, err := r.One(t.Context(), r.officer, fresh+1000)
	campus.Wants(t, err, "fault.missing")
}

func TestOnesOwnCertificatesAreListedByStateAndPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	ended := r.Issue(t, r.ada, row, "ada@uni.example")
	r.clock.Advance(731 * day)
	revoked, a, b := r.Issue(t, r.ada, row, "ada@uni.example"), r.Issue(t, r.ada, row, "ada@uni.example"), r.Issue(t, r.ada, row, "ada@uni.example")
	r.ok(t, r.Revoke(t.Context(), r.ada, revoked, pki.Superseded))
	for _, c := range []struct {
		which  cert.Which
		before cert.ID
		limit  int
		want   []cert.ID
	}{
		{cert.All, 0, 10, []cert.ID{b, a, revoked, ended}},
		{cert.Valid, 0, 10, []cert.ID{b, a}},
		{cert.Over, 0, 10, []cert.ID{revoked, ended}},
		{cert.All, 0, 2, []cert.ID{b, a}},
		{cert.All, a, 2, []cert.ID{revoked, ended}},
	} {
		if got := ids(trial.Must(r.Mine(t.Context(), r.ada, c.which, c.before, c.limit))); !slices.Equal(got, c.want) {
			t.Errorf("%s before %d, at most %d: got %v, want %v", c.which, c.before, c.limit, got, c.want)
		}
	}
}

func TestWhatEndsSoonIsShownUntilItHasASuccessor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row, other := r.AddRow(t, "ada@uni.example"), r.AddRow(t, "a@uni.example")
	first := r.Issue(t, r.ada, row, "ada@uni.example")
	r.clock.Advance(time.Hour)
	second := r.Issue(t, r.ada, other, "a@uni.example")
	soon := func() []cert.ID { return ids(trial.Must(r.Ending(t.Context(), r.ada, 28*day))) }
	if got := soon(); len(got) != 0 {
		t.Errorf("got %v, want nothing yet", got)
	}
	r.clock.Advance(710 * day)
	if got := soon(); !slices.Equal(got, []cert.ID{first, second}) {
		t.Errorf("got %v, want both, the one that ends first in front", got)
	}
	if got := ids(trial.Must(r.Ending(t.Context(), r.bob, 28*day))); len(got) != 0 {
		t.Errorf("somebody else: got %v, want nothing", got)
	}
	next := r.Issue(t, r.ada, row, "ada@uni.example")
	if got := soon(); !slices.Equal(got, []cert.ID{second}) {
		t.Errorf("with a successor: got %v, want only the other", got)
	}
	r.ok(t, r.Revoke(t.Context(), r.ada, next, pki.Superseded))
	if got := soon(); !slices.Equal(got, []cert.ID{first, second}) {
		t.Errorf("with the successor revoked: got %v, want both again", got)
	}
}

func TestOfficersFindCertificatesByAnythingThatNamesThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "Ada.Adler@uni.example")
	id := r.Issue(t, r.ada, row, "Ada.Adler@uni.example")
	r.Issue(t, r.bob, r.AddRow(t, "bob@uni.example"), "bob@uni.example")
	c := trial.Must(r.One(t.Context(), r.officer, id))
	serial := hex.EncodeToString(c.Serial)
	for _, text := range []string{
		"ada.adler@uni", "ADA.ADLER@UNI.EXAMPLE", "adler", "Adler@people.example", serial, strings.ToUpper(serial), pki.Colons(c.Serial),
		c.Reference, strings.ToLower(c.Reference), "adler " + serial[:8], serial[4:20],
		`"Adler" <ada.adler@uni.example>`, "mailto:ada.adler@uni.example", "<mailto:ADA.Adler@uni.example>,",
	} {
		got, more, err := r.Search(t.Context(), r.officer, text)
		if err != nil || more || !slices.Equal(ids(got), []cert.ID{id}) {
			t.Errorf("%q: got %v, %v, %v; want certificate %d only", text, ids(got), more, err, id)
		}
	}
	for _, text := range []string{"%", "_", `\`, "nobody", "adler bach", "\xff\x00%", strings.Repeat("nobody ", 70_000)} {
		if got, _, err := r.Search(t.Context(), r.officer, text); err != nil || len(got) > 0 {
			t.Errorf("%.20q: got %v, %v; want nothing found", text, ids(got), err)
		}
	}
	if got, _, err := r.Search(t.Context(), r.officer, ""); err != nil || len(got) != 2 {
		t.Errorf("without words: got %d, %v; want the newest", len(got), err)
	}
}

func TestOfficersFindAddressesAsPeopleSpellThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.campus.Domain("xn--prfung-4ya.example", r.campus.Group(org.GroupInput{Name: "Prüfung"}, r.contact), org.ByDomain)
	m := r.campus.Mint(r.local, r.contact, "xn--prfung-4ya.example")
	id := m.Issue(t, r.ada, m.AddRow(t, "ada@xn--prfung-4ya.example"), "ada@xn--prfung-4ya.example")
	for _, text := range []string{"Prüfung", "ada@prüfung.example", "ada@xn--prfung", "prüf"} {
		if got, _, err := r.Search(t.Context(), r.officer, text); err != nil || !slices.Equal(ids(got), []cert.ID{id}) {
			t.Errorf("%q: got %v, %v; want certificate %d", text, ids(got), err, id)
		}
	}
}

func TestASearchSaysThatThereIsMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	for range 51 {
		r.Issue(t, r.ada, row, "ada@uni.example")
	}
	got, more, err := r.Search(t.Context(), r.officer, "ada@uni")
	if err != nil || !more || len(got) != 50 {
		t.Errorf("got %d, more %v, %v; want 50 and more", len(got), more, err)
	}
}

// TestCertificatesCanNeitherBeDeletedNorAltered: by the schema, whoever asks.
func TestCertificatesCanNeitherBeDeletedNorAltered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	id := r.Issue(t, r.ada, row, "ada@uni.example")
	r.Issue(t, r.bob, row, "ada@uni.example")
	change := []string{
		`reference = 'X'`, `authority = 'tls'`, `issuer = '\x01'`, `serial = '\x01'`, `der = '\x01'`, `fingerprint = '\x01'`, `key = '\x01'`,
		fmt.Sprintf(`account = %d`, r.bob.Account), `subject = 'CN=Eve'`, `emails = '{eve@uni.example}'`, `not_before = now()`, `not_after = now()`,
		`issued = now() - interval '1 day'`, fmt.Sprintf(`row_id = %d`, r.AddRow(t, "x@uni.example")),
	}
	refused := func(what, sql string) {
		t.Helper()
		_, err := r.db.Exec(t.Context(), sql, id)
		if got := campus.Said(schema(err)); got != "schema.certificate_fixed" {
			t.Errorf("%s: got %q, want schema.certificate_fixed", what, got)
		}
	}
	for _, set := range change {
		refused(set, `update certificate set `+set+` where id = $1`)
	}
	refused("delete", `delete from certificate where id = $1`)
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	for _, set := range []string{`revoked = null, reason = null, revoked_by = null`, `revoked = revoked - interval '1 day'`, `reason = 0`, `revoked_by = null`} {
		refused("after the revocation, "+set, `update certificate set `+set+` where id = $1`)
	}
	refused("delete it revoked", `delete from certificate where id = $1`)
}

func TestTheSameCertificateIsRecordedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.Strike(t, r.ada, r.AddRow(t, "ada@uni.example"), "ada@uni.example")
	first, second := r.Keep(t, i), r.Keep(t, i)
	if first != second {
		t.Errorf("got numbers %d and %d, want the same", first, second)
	}
	for what, sql := range map[string]string{
		"letters": `select count(*) from letter`, "audit lines": `select count(*) from audit_line where action = 'cert.issued'`,
		"notes": `select count(*) from address_certificate`,
	} {
		if n := r.campus.Scalar(sql); n != 1 {
			t.Errorf("got %d %s, want 1", n, what)
		}
	}
}
