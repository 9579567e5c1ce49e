package org_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/org"
)

func TestServerNamesAreReadOrRefusedInWords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60)
	cases := []struct{ name, in, want, wrong string }{
		{"a plain one", "www.uni.example", "www.uni.example", ""},
		{"blanks and capitals", " WWW.Uni.Example\n", "www.uni.example", ""},
		{"a wildcard", "*.uni.example", "*.uni.example", ""},
		{"U-labels", "*.Münster.example", "*.xn--mnster-3ya.example", ""},
		{"A-labels", "XN--MNSTER-3YA.example", "xn--mnster-3ya.example", ""},
		{"ß is a letter of its own", "straße.example", "xn--strae-oqa.example", ""},
		{"253 in all", strings.Repeat(long+".", 4) + "example12", strings.Repeat(long+".", 4) + "example12", ""},

		{"a wildcard of 254", "*." + strings.Repeat(long+".", 4) + "example", "*." + strings.Repeat(long+".", 4) + "example", ""},
		{"a wildcard of 255", "*." + strings.Repeat(long+".", 4) + "example12", "", "org.name.long"},
		{"a public suffix", "co.uk", "", "org.name.suffix"},
		{"a wildcard over one", "*.co.uk", "", "org.name.suffix"},
		{"a wildcard over one in U-labels", "*.公司.cn", "", "org.name.suffix"},
		{"a wildcard over one in A-labels", "*.xn--55qx5d.cn", "", "org.name.suffix"},
		{"a top level", "*.de", "", "org.name.single"},
		{"one label", "localhost", "", "org.name.single"},
		{"an IPv4 address", "192.0.2.1", "", "org.name.address"},
		{"an IPv6 address", "2001:db8::1", "", "org.name.address"},
		{"one in brackets", "[2001:db8::1]", "", "org.name.address"},
		{"a star alone", "*", "", "org.name.star"},
		{"a star in a label", "w*.uni.example", "", "org.name.star"},
		{"two stars", "*.*.uni.example", "", "org.name.star"},
		{"a star in the middle", "www.*.example", "", "org.name.star"},
		{"a reverse zone", "1.2.0.192.in-addr.arpa", "", "org.name.reverse"},
		{"one of IPv6", "8.b.d.0.1.0.0.2.ip6.arpa", "", "org.name.reverse"},
		{"nothing", "", "", "org.name.form"},
		{"a wildcard over nothing", "*.", "", "org.name.form"},
		{"an absolute one", "www.Uni.example.", "www.uni.example", ""},
		{"an absolute wildcard", "*.uni.example.", "*.uni.example", ""},
		{"as OpenSSL shows it", "DNS:www.uni.example", "www.uni.example", ""},
		{"two dots at the end", "uni.example..", "", "org.name.dots"},
		{"a dot at the beginning", ".uni.example", "", "org.name.dots"},
		{"a dot alone", ".", "", "org.name.form"},
		{"an underscore", "_acme.uni.example", "", "org.name.underscore"},
		{"an underscore and a port", "my_server.uni.example:443", "", "org.name.port"},
		{"an address with a path", "https://uni.example/", "", "org.name.url"},
		{"one without a path", "https://uni.example", "", "org.name.url"},
		{"a path alone", "uni.example/wiki", "", "org.name.url"},
		{"a port", "uni.example:443", "", "org.name.port"},
		{"an address of a network with a port", "192.0.2.1:443", "", "org.name.port"},
		{"a mail address", "ada@uni.example", "", "org.name.mail"},
		{"two names", "a.example b.example", "", "org.name.blank"},
		{"a part of 64", strings.Repeat("a", 64) + ".uni.example", "", "org.name.label"},
		{"a part that is 64 as an A-label", strings.Repeat("ü", 62) + ".uni.example", "", "org.name.label"},
		{"254 in all", strings.Repeat(long+".", 4) + "example123", "", "org.name.long"},
		{"broken punycode", "xn--ü.uni.example", "", "org.name.punycode"},
		{"punycode of nothing", "xn--a.uni.example", "", "org.name.punycode"},
		{"a hyphen in front", "-www.uni.example", "", "org.name.hyphen"},
		{"a hyphen behind", "www-.uni.example", "", "org.name.hyphen"},
		{"a number for a top level", "uni.123", "", "org.name.number"},
		{"NUL", "uni.example\x00.evil.example", "", "org.name.characters"},
		{"bytes that are no letters", "\x95.example", "", "org.name.characters"},
		{"a zero-width joiner", "u\u200dni.example", "", "org.name.characters"},
	}
	for _, c := range cases {
		if got, wrong := org.ParseServerName(c.in); got != c.want || wrong != c.wrong {
			t.Errorf("%s: %q: got %q and %q, want %q and %q", c.name, c.in, got, wrong, c.want, c.wrong)
		}
	}
}

func TestNamesAreFoldedForComparing(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{"WWW.Uni.Example", "www.uni.example"},
		{"müller.uni.example", "XN--MLLER-KVA.uni.example"},
		{"www.uni.example.", "www.uni.example"},
		{"Ada@Uni.example", "ada@uni.example"},
		{" Ada  Lovelace", "Ada Lovelace"},
	} {
		if a, b := org.FoldName(same[0]), org.FoldName(same[1]); a != b {
			t.Errorf("%q and %q: got %q and %q, want the same", same[0], same[1], a, b)
		}
	}
	for _, other := range [][2]string{{"www.uni.example", "wwww.uni.example"}, {"ada@uni.example", "uni.example"}, {"\u212Aiel@uni.example", "kiel@uni.example"}} {
		if a, b := org.FoldName(other[0]), org.FoldName(other[1]); a == b {
			t.Errorf("%q and %q: both fold to %q, want them to differ", other[0], other[1], a)
		}
	}
}

// FuzzParseServerName holds that whatever passes is its own reading, short, in
// ASCII and lower case, and belongs to nobody who has not its domain.
func FuzzParseServerName(f *testing.F) {
	for _, s := range []string{"www.uni.example", "*.Münster.example", "*.co.uk", "*.\u212Aiel.example", "a.b", "*.1.2.3.4", "xn--.example", "in-addr.arpa"} {
		f.Add(s)
	}
	names := []org.ServerName{named("uni.example", true, now)}
	f.Fuzz(func(t *testing.T, s string) {
		name, wrong := org.ParseServerName(s)
		if (name == "") != (wrong != "") {
			t.Fatalf("%q: got %q and %q, want a name or a reason", s, name, wrong)
		}
		if wrong != "" {
			return
		}
		if again, wrong := org.ParseServerName(name); again != name || wrong != "" {
			t.Errorf("%q: got %q, which reads as %q, %q", s, name, again, wrong)
		}
		if len(name) > 253 || name != strings.ToLower(name) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.*") != "" {
			t.Errorf("%q: got %q, want at most 253 letters, digits, hyphens and dots", s, name)
		}
		if v, _ := org.Judge(names, name, now); v == org.Own && name != "uni.example" && !strings.HasSuffix(name, ".uni.example") {
			t.Errorf("%q is judged %s by uni.example", name, v)
		}
	})
}

// named is an accepted name, validated 50 days before at, for 100 days.
func named(name string, wildcard bool, at time.Time) org.ServerName {
	from, until := at.Add(-50*24*time.Hour), at.Add(50*24*time.Hour)
	return org.ServerName{Name: org.Domain(name), Wildcard: wildcard, Accepted: &from, From: &from, Until: &until, Method: "DNS TXT"}
}

func TestNamesAreJudgedOnLabelBoundaries(t *testing.T) {
	t.Parallel()
	lapsed := named("alt.uni.example", true, now)
	lapsed.Until = &now
	ended := named("ende.example", true, now)
	ended.Ended = &now
	asked := org.ServerName{Name: "gefragt.example", Wildcard: true, Asked: &now}
	askedBelow := org.ServerName{Name: "www.uni.example", Asked: &now}
	names := []org.ServerName{
		asked, askedBelow, named("uni.example", true, now), named("fern.uni.example", false, now), lapsed, ended,
		named("xn--mnster-3ya.example", false, now), named("github.io", true, now),
	}
	cases := []struct {
		dns     string
		want    org.Verdict
		decides org.Domain
	}{
		{"uni.example", org.Own, "uni.example"},
		{"www.uni.example", org.Own, "uni.example"}, // what is only asked for decides nothing there
		{"a.b.c.uni.example", org.Own, "uni.example"},
		{"*.uni.example", org.Own, "uni.example"},
		{"*.b.uni.example", org.Own, "uni.example"},
		{"evil-uni.example", org.Foreign, ""},
		{"evilfern.uni.example", org.Own, "uni.example"}, // not fern's, but the university's
		{"uni.example.evil.example", org.Foreign, ""},
		{"example", org.Foreign, ""},
		{"*.example", org.Foreign, ""},
		{"xuni.example", org.Foreign, ""},
		{"fern.uni.example", org.Own, "fern.uni.example"},
		{"*.fern.uni.example", org.NoWildcard, "fern.uni.example"}, // the longest decides
		{"www.alt.uni.example", org.Unvalidated, "alt.uni.example"},
		{"*.alt.uni.example", org.Unvalidated, "alt.uni.example"},
		{"ende.example", org.Foreign, ""},
		{"gefragt.example", org.Unvalidated, "gefragt.example"},
		{"*.gefragt.example", org.NoWildcard, "gefragt.example"}, // a wish is no permission
		{"xn--mnster-3ya.example", org.Own, "xn--mnster-3ya.example"},
		{"www.xn--mnster-3ya.example", org.Own, "xn--mnster-3ya.example"},
		{"www.münster.example", org.Foreign, ""}, // not as certificates hold it
		{"WWW.uni.example", org.Foreign, ""},
		{"mnster-3ya.example", org.Foreign, ""},
		{"*.github.io", org.Own, "github.io"}, // no suffix of ICANN's part
		{"*.co.uk", org.Foreign, ""},
		{"192.0.2.1", org.Foreign, ""},
		{"", org.Foreign, ""},
	}
	for _, c := range cases {
		got, by := org.Judge(names, c.dns, now)
		if got != c.want || by.Name != c.decides {
			t.Errorf("%q: got %s by %q, want %s by %q", c.dns, got, by.Name, c.want, c.decides)
		}
	}
	if got, _ := org.Judge([]org.ServerName{{Name: "co.uk", Wildcard: true, Accepted: &now}}, "*.co.uk", now); got != org.Foreign {
		t.Errorf("a wildcard over a public suffix that got in somehow: got %s, want foreign", got)
	}
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestAValidationCountsByTheDatesOfTheTable(t *testing.T) {
	t.Parallel()
	for at, want := range map[time.Time]int{
		day(2025, 1, 1): 398, day(2026, 3, 14): 398, day(2026, 3, 15).Add(-1): 398, day(2026, 3, 15): 200,
		day(2027, 3, 14): 200, day(2027, 3, 15): 100, day(2029, 3, 14): 100, day(2029, 3, 15): 10, day(2040, 1, 1): 10,
	} {
		if got := org.ReuseDays(at); got != want {
			t.Errorf("on %v: got %d days, want %d", at, got, want)
		}
	}
	cases := []struct {
		name        string
		from, until time.Time
	}{
		{"an old one ends by its 398 days", day(2025, 1, 1), day(2025, 1, 1).AddDate(0, 0, 398)},
		{"398 days reach over the first limit, 200 do not", day(2025, 7, 1), day(2026, 3, 15)},
		{"200 days reach over the first limit", day(2026, 1, 1), day(2026, 1, 1).AddDate(0, 0, 200)},
		{"one of today", day(2026, 6, 1), day(2026, 6, 1).AddDate(0, 0, 200)},
		{"200 days reach over the second limit, 100 do not", day(2026, 11, 22), day(2027, 3, 15)},
		{"100 days reach over the second limit", day(2027, 1, 1), day(2027, 1, 1).AddDate(0, 0, 100)},
		{"100 days", day(2027, 6, 1), day(2027, 6, 1).AddDate(0, 0, 100)},
		{"the third limit cuts", day(2029, 1, 1), day(2029, 3, 15)},
		{"10 days reach over it", day(2029, 3, 10), day(2029, 3, 20)},
		{"10 days", day(2029, 4, 1), day(2029, 4, 11)},
	}
	for _, c := range cases {
		got := org.ReuseUntil(c.from)
		if got != c.until {
			t.Errorf("%s: got %v, want %v", c.name, got, c.until)
		}
		far := c.from.AddDate(0, 0, 398)
		n := org.ServerName{Accepted: &c.from, From: &c.from, Until: &far}
		for at, want := range map[time.Time]bool{c.from.Add(-1): false, c.from: true, c.until.Add(-1): true, c.until: false} {
			if n.Proven(at) != want {
				t.Errorf("%s: at %v: got proven %v, want %v", c.name, at, n.Proven(at), want)
			}
			// and so says the plain rule
			if plain := !at.Before(c.from) && at.Before(far) && at.Before(c.from.AddDate(0, 0, org.ReuseDays(at))); plain != want {
				t.Errorf("%s: at %v: the rule says %v, want %v", c.name, at, plain, want)
			}
		}
	}
}

func TestNamesAreKeptAndValidated(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ctx := t.Context()
	other := e.campus.Organisation("Andere", e.user)
	for _, c := range []struct {
		in   string
		want string
	}{
		{"Uni.Example", ""},
		{"uni.example", "schema.server_name_once"},
		{"*.uni.example", "name org.name.without_star"},
		{"co.uk", "name org.name.suffix"},
		{"Münster.example", ""},
		{"xn--mnster-3ya.example", "schema.server_name_once"},
		{"fern.uni.example", ""},
	} {
		if _, err := e.AddName(ctx, e.officer, e.org, org.NameInput{Name: c.in}); ids(err) != c.want {
			t.Errorf("%q: got %v, want %q", c.in, err, c.want)
		}
	}
	if _, err := e.AddName(ctx, e.officer, other, org.NameInput{Name: "uni.example"}); ids(err) != "schema.server_name_taken" {
		t.Errorf("another organisation's: got %v, want schema.server_name_taken", err)
	}
	names, err := e.ServerNames(ctx, e.DB, e.org)
	if err != nil || len(names) != 3 || names[1].Name != "uni.example" || names[1].Until != nil {
		t.Fatalf("got %+v and %v, want three names, none validated", names, err)
	}
	id, longest := names[1].ID, org.ReuseUntil(now)
	for _, c := range []struct {
		name string
		in   org.Check
		want string
	}{
		{"as long as the table lets it", org.Check{Wildcard: true, Proof: org.Proof{Method: "DNS TXT", By: "RA", From: now, Until: longest}}, ""},
		{"longer", org.Check{Proof: org.Proof{Method: "DNS TXT", From: now, Until: longest.AddDate(0, 0, 1)}}, "proof_until org.name.reuse"},
		{"much longer", org.Check{Proof: proof(now, 399)}, "proof_until org.name.reuse"},
		{"the wrong way round", org.Check{Proof: proof(now, -1)}, "proof_until org.proof.order"},
		{"without a method", org.Check{Proof: org.Proof{From: now, Until: now.AddDate(0, 0, 9)}}, "proof_method field.required"},
		{"validated tomorrow", org.Check{Proof: org.Proof{Method: "DNS TXT", By: "RA", From: now.AddDate(0, 0, 1)}}, "proof_from org.proof.future"},
		{"without days", org.Check{Proof: org.Proof{Method: "x"}}, "proof_from field.date"},
	} {
		if err := e.ValidateName(ctx, e.officer, id, c.in); ids(err) != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	verdict := func(dns string) org.Verdict {
		t.Helper()
		names, err := e.ServerNames(ctx, e.DB, e.org)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := org.Judge(names, dns, now)
		return v
	}
	if v := verdict("*.uni.example"); v != org.Own {
		t.Errorf("got %s, want own", v)
	}
	if err := e.ValidateName(ctx, e.officer, id, org.Check{}); err != nil || verdict("uni.example") != org.Unvalidated {
		t.Errorf("the proof taken back: got %v and %s, want unvalidated", err, verdict("uni.example"))
	}
	if err := e.EndName(ctx, e.officer, id, " "); ids(err) != "why field.required" {
		t.Errorf("without a reason: got %v, want why field.required", err)
	}
	if err := e.EndName(ctx, e.officer, id, "abgegeben"); err != nil || verdict("uni.example") != org.Foreign {
		t.Errorf("ended: got %v and %s, want foreign", err, verdict("uni.example"))
	}
	if err := e.EndName(ctx, e.officer, id, "noch einmal"); ids(err) != "fault.missing" {
		t.Errorf("ended twice: got %v, want fault.missing", err)
	}
	if _, err := e.AddName(ctx, e.officer, other, org.NameInput{Name: "uni.example"}); err != nil {
		t.Errorf("a name that was given up: got %v, want it free for others", err)
	}
	ended, err := e.EndedNames(ctx, e.DB, e.org)
	if err != nil || len(ended) != 1 || ended[0].EndedWhy != "abgegeben" {
		t.Errorf("got %+v and %v, want the ended name with its reason", ended, err)
	}
}

func TestAContactAsksAndAnOfficerAnswers(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ctx := t.Context()
	e.name(t, "uni.example", false)
	other := e.campus.Organisation("Andere", e.user)
	first, err := e.AskName(ctx, e.tamara, e.org, org.NameInput{Name: "Projekt.Example", Wildcard: true})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := e.AskName(ctx, e.tamara, e.org, org.NameInput{Name: "projekt.example"}); again != first || err != nil {
		t.Errorf("asked again: got %d and %v, want %d", again, err, first)
	}
	if _, err := e.AskName(ctx, e.tamara, e.org, org.NameInput{Name: "www.uni.example"}); ids(err) != "org.name.covered" {
		t.Errorf("a covered one: got %v, want org.name.covered", err)
	}
	if _, err := e.AskName(ctx, e.user, other, org.NameInput{Name: "projekt.example"}); err != nil {
		t.Errorf("asked for by two organisations: got %v, want both to wait", err)
	}
	asked, err := e.AskedNames(ctx, e.officer)
	if err != nil || len(asked) != 2 || asked[0].Name != "projekt.example" || asked[0].AskedByName != "Tamara Technik" || asked[0].OrganisationName != "Institut für Proben" || !asked[0].Wildcard {
		t.Fatalf("got %+v and %v, want Tamara's wish and Ada's", asked, err)
	}
	if err := e.ValidateName(ctx, e.ruth, first, org.Check{Proof: proof(now, 100)}); err != nil {
		t.Fatal(err)
	}
	if err := e.ValidateName(ctx, e.ruth, asked[1].ID, org.Check{}); ids(err) != "schema.server_name_taken" {
		t.Errorf("the same for another organisation: got %v, want schema.server_name_taken", err)
	}
	if err := e.EndName(ctx, e.tamara, first, ""); ids(err) != "fault.officers_only" {
		t.Errorf("the contact ends an accepted one: got %v, want fault.officers_only", err)
	}
	if err := e.EndName(ctx, e.user, asked[1].ID, ""); err != nil {
		t.Errorf("a wish taken back: got %v", err)
	}
	if left, err := e.AskedNames(ctx, e.officer); err != nil || len(left) != 0 {
		t.Errorf("got %+v and %v, want nothing waiting", left, err)
	}
	accepted, err := e.AskName(ctx, e.tamara, e.org, org.NameInput{Name: "zwei.example"})
	if err != nil {
		t.Fatal(err)
	}
	if same, err := e.AddName(ctx, e.officer, e.org, org.NameInput{Name: "zwei.example"}); same != accepted || err != nil {
		t.Errorf("entered by the officer meanwhile: got %d and %v, want %d accepted", same, err, accepted)
	}
	lapsing, err := e.LapsingNames(ctx, e.officer, now.AddDate(0, 0, 30))
	if err != nil || len(lapsing) != 2 {
		t.Errorf("got %+v and %v, want uni.example and zwei.example, which nobody validated", lapsing, err)
	}
	if lapsing, err = e.LapsingNames(ctx, e.officer, now.AddDate(0, 0, 112)); err != nil || len(lapsing) != 3 {
		t.Errorf("got %+v and %v, want projekt.example too, whose proof ends after a hundred days", lapsing, err)
	}
}

func TestFewNamesMayWait(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	var wait sync.WaitGroup
	refused := make(chan string, 30)
	for i := range 30 {
		wait.Go(func() {
			if _, err := e.AskName(t.Context(), e.tamara, e.org, org.NameInput{Name: fmt.Sprintf("n%d.example", i)}); err != nil {
				refused <- ids(err)
			}
		})
	}
	wait.Wait()
	if len(refused) != 10 || <-refused != "org.name.asked_many" {
		t.Errorf("got %d refusals of 30 at once, want 10 with org.name.asked_many", len(refused))
	}
}
