package cert_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// listed is a certificate as the brute-force reference keeps it.
type listed struct {
	id                     cert.ID
	reference, name, words string
	organisation           org.OrganisationID
	renewable, end, issued time.Time
	revoked, replaced      bool
	serial, fingerprint    string
	contact                person.ID
}

// fill puts n certificates of every age and state into organisations, straight
// into the tables, and returns them.
func (r *rig) fill(t testing.TB, dice *rand.Rand, n int, of map[org.OrganisationID]person.Actor) []listed {
	t.Helper()
	organisations := make([]org.OrganisationID, 0, len(of))
	for o := range of {
		organisations = append(organisations, o)
	}
	slices.Sort(organisations)
	all := make([]listed, n)
	for i := range all {
		c := listed{organisation: organisations[dice.IntN(len(organisations))], name: fmt.Sprintf("www%d.garten.example", dice.IntN(n/3))}
		c.contact = of[c.organisation].Account
		life := time.Duration([]int{6, 47, 90, 200, 398}[dice.IntN(5)]) * day
		// Many ends are the same, and some are exactly now.
		c.end = r.Now().Add(time.Duration(dice.IntN(90)-30) * day)
		from := c.end.Add(time.Second - life)
		c.renewable = c.end.Add(time.Second - min(life/3, 30*day))
		c.issued = from.Add(time.Duration(dice.IntN(3)) * time.Hour).Truncate(time.Hour)
		c.reference = fmt.Sprintf("%s-%06d", []string{"ABCD", "abcd", "Zzzz"}[dice.IntN(3)], i)
		serial, fingerprint := make([]byte, 16), make([]byte, 32)
		for j := range serial {
			serial[j] = byte(dice.UintN(256))
		}
		for j := range fingerprint {
			fingerprint[j] = byte(dice.UintN(256))
		}
		c.serial, c.fingerprint = hex.EncodeToString(serial), hex.EncodeToString(fingerprint)
		c.revoked, c.replaced = dice.IntN(8) == 0, i > 0 && dice.IntN(8) == 0
		c.words = strings.ToLower(strings.Join([]string{c.reference, c.serial, c.name}, " "))
		var revoked *time.Time
		var reason, by *int64
		var replacedBy *cert.ID
		turns, phase := &c.renewable, "valid"
		if c.revoked {
			revoked, reason, by = &c.end, new(int64), new(int64)
			*reason, *by = 4, int64(r.ada.Account)
		}
		if c.replaced {
			replacedBy = &all[dice.IntN(i)].id
		}
		if c.revoked || c.replaced {
			turns, phase = nil, "over"
		}
		err := r.db.QueryRow(t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, subject, emails, search,
			not_before, not_after, issued, revoked, reason, revoked_by, organisation, common_name, names, product, server_order, renewable, phase, turns,
			replaced_by, replaced_at)
			values (@reference, 'tls', '\x01', @serial, 'der', @fingerprint, 'CN', '{}', @words, @from, @end, @issued, @revoked, @reason, @by,
				@organisation, @name, array[@name], 'single', @order, @renewable, @phase, @turns, @replaced, case when @replaced::bigint is not null then now() end)
			returning id`, pgx.NamedArgs{
			"reference": c.reference, "serial": serial, "fingerprint": fingerprint, "words": c.words, "from": from, "end": c.end, "issued": c.issued,
			"revoked": revoked, "reason": reason, "by": by, "organisation": c.organisation, "name": c.name, "order": i, "renewable": c.renewable,
			"phase": phase, "turns": turns, "replaced": replacedBy,
		}).Scan(&c.id)
		r.ok(t, err)
		all[i] = c
	}
	return all
}

// want is what a view shows, by looking at each certificate.
func want(all []listed, by person.Actor, v cert.ServerView, now time.Time) (ids []cert.ID) {
	var found []listed
	for _, c := range all {
		over := c.revoked || c.replaced || c.end.Before(now)
		gone := c.revoked || c.replaced || c.end.Before(now.Add(-30*day)) // may be renewed no more
		shown := map[cert.Which]bool{
			cert.Valid: !over, cert.Ending: !over && !c.renewable.After(now), cert.Over: over, cert.All: true,
			cert.Current: !gone, cert.Due: !gone && !c.renewable.After(now),
		}[v.Which]
		mine := c.contact == by.Account || by.Officer && (v.Office || v.Organisation != 0)
		if !shown || !mine || v.Organisation != 0 && c.organisation != v.Organisation {
			continue
		}
		matches := true
		for _, w := range strings.Fields(strings.ToLower(strings.ReplaceAll(v.Text, ":", ""))) {
			matches = matches && (strings.Contains(c.words, w) || c.fingerprint == w)
		}
		if matches {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(x, y listed) int {
		order := cmp.Or(map[cert.ServerSort]int{
			cert.ByEnd: x.end.Compare(y.end), cert.ByName: cmp.Compare(x.name, y.name), cert.ByIssued: x.issued.Compare(y.issued),
			cert.ByReference: cmp.Compare(x.reference, y.reference),
		}[v.Sort], cmp.Compare(x.id, y.id))
		if v.Desc {
			return -order
		}
		return order
	})
	for _, c := range found {
		ids = append(ids, c.id)
	}
	return ids
}

// walk reads a view to its end and back to its beginning.
func (r *rig) walk(t testing.TB, by person.Actor, v cert.ServerView) (there, back []cert.ID) {
	t.Helper()
	for {
		p := trial.Must(r.Servers(t.Context(), by, v))
		if len(p.Certificates) > v.Size {
			t.Fatalf("a page of %d holds %d", v.Size, len(p.Certificates))
		}
		for _, c := range p.Certificates {
			there = append(there, c.ID)
		}
		if p.Next == "" {
			back = append(back, there[len(there)-len(p.Certificates):]...)
			v.Cursor = p.Prev
			break
		}
		v.Cursor = p.Next
	}
	for v.Cursor != "" {
		p := trial.Must(r.Servers(t.Context(), by, v))
		var page []cert.ID
		for _, c := range p.Certificates {
			page = append(page, c.ID)
		}
		back = append(page, back...)
		v.Cursor = p.Prev
	}
	return there, back
}

// TestTheListIsWhatLookingAtEachCertificateGives: every filter, sort, page size
// and reader, while phases are late and after they were turned.
func TestTheListIsWhatLookingAtEachCertificateGives(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	seed := uint64(20261122)
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 5))
	a, b, c := r.campus.Organisation("Garten", r.ada), r.campus.Organisation("Anderswo", r.ada), r.campus.Organisation("Fremde", r.bob)
	all := r.fill(t, dice, 180, map[org.OrganisationID]person.Actor{a: r.ada, b: r.ada, c: r.bob})
	views := 0
	check := func(by person.Actor, v cert.ServerView) {
		t.Helper()
		views++
		expected := want(all, by, v, r.Now())
		there, back := r.walk(t, by, v)
		if !slices.Equal(there, expected) {
			t.Errorf("%s, %+v: got %v, want %v", by.Name, v, there, expected)
		}
		if !slices.Equal(back, expected) {
			t.Errorf("%s, %+v, backwards: got %v, want %v", by.Name, v, back, expected)
		}
	}
	some := all[dice.IntN(len(all))]
	for round := range 3 {
		switch round { // 0: nothing was ever turned; 1: all is; 2: much is late again
		case 1:
			r.ok(t, r.TurnPhases(t.Context()))
		case 2:
			r.clock.Advance(12*day + time.Second)
		}
		for _, which := range []cert.Which{cert.Valid, cert.Ending, cert.Current, cert.Due, cert.Over, cert.All} {
			for _, sort := range []cert.ServerSort{cert.ByEnd, cert.ByName, cert.ByIssued, cert.ByReference} {
				v := cert.ServerView{Which: which, Sort: sort, Desc: dice.IntN(2) == 0, Size: []int{1, 7, 50, 200}[dice.IntN(4)]}
				check(r.ada, v)
				check(r.bob, v)
				check(r.eve, v)
				v.Desc, v.Size = !v.Desc, 50
				v.Organisation = []org.OrganisationID{a, b, c}[dice.IntN(3)]
				check(r.ada, v)
				check(r.officer, v)
				v.Organisation, v.Office, v.Size = 0, true, 23
				check(r.officer, v)
				v.Text = []string{"www1", "garten abcd", some.serial, strings.ToUpper(some.reference), some.fingerprint, "%", "nothing"}[dice.IntN(7)]
				check(r.officer, v)
				v.Office, v.Size = false, 7
				check(r.ada, v)
			}
		}
	}
	t.Logf("%d views", views)
	if n := r.campus.Scalar(`select count(*) from certificate where turns <= $1`, r.Now()); n == 0 {
		t.Error("nothing was late in the last round: the test shows less than it says")
	}
}

func TestServerCertificatesAreFoundByAnythingThatNamesThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	reference := r.served(t, o, 90, "www.garten.example", "*.shop.garten.example", "xn--mhlheim-n2a.example")
	r.served(t, o, 90, "mail.garten.example")
	c := trial.Must(r.Server(t.Context(), r.ada, reference))
	for _, text := range []string{
		"www.garten", "WWW.Garten.Example", "*.shop", "shop.garten", "xn--mhlheim", "mühlheim", "MÜHLHEIM.example", reference, strings.ToLower(reference),
		hex.EncodeToString(c.Serial), pki.Colons(c.Serial), hex.EncodeToString(c.Serial)[3:17], hex.EncodeToString(c.Fingerprint), pki.Colons(c.Fingerprint),
		"www " + reference,
	} {
		p, err := r.Servers(t.Context(), r.ada, cert.ServerView{Text: text})
		if err != nil || len(p.Certificates) != 1 || p.Certificates[0].Reference != reference || p.Hits != 1 {
			t.Errorf("%q: got %d, %v; want the one certificate", text, len(p.Certificates), err)
		}
	}
	for _, text := range []string{"%", "_", `\`, "nobody", "\xff\x00%", strings.Repeat("nobody ", 70_000)} {
		if p, err := r.Servers(t.Context(), r.ada, cert.ServerView{Text: text}); err != nil || len(p.Certificates) > 0 {
			t.Errorf("%.20q: got %d, %v; want nothing", text, len(p.Certificates), err)
		}
	}
	for _, made := range []string{"x", "!", base64.RawURLEncoding.EncodeToString([]byte(`{"k":"no time","i":1}`)), base64.RawURLEncoding.EncodeToString([]byte(`{"k":"\u0000"}`))} {
		if _, err := r.Servers(t.Context(), r.ada, cert.ServerView{Cursor: made}); campus.Said(err) != "fault.missing" {
			t.Errorf("a cursor that somebody made up: got %v, want it missing", err)
		}
	}
}

func TestASearchWithTooManyHitsAsksForMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.campus.Organisation("Garten", r.ada)
	r.fill(t, rand.New(rand.NewPCG(1, 2)), cert.MaxHits+1, map[org.OrganisationID]person.Actor{o: r.ada})
	p, err := r.Servers(t.Context(), r.ada, cert.ServerView{Which: cert.All, Text: "garten"})
	if err != nil || !p.Many || len(p.Certificates) != 0 {
		t.Errorf("got %d certificates, many %v, %v; want it to ask for more", len(p.Certificates), p.Many, err)
	}
}

// plan is a node of what `explain (analyze, format json)` says.
type plan struct {
	Node    string  `json:"Node Type"`
	Rows    float64 `json:"Actual Rows"`
	Loops   float64 `json:"Actual Loops"`
	Removed float64 `json:"Rows Removed by Filter"`
	Plans   []plan
}

// read is the most that one node below p read.
func (p plan) read() (most float64, node string) {
	most, node = (p.Rows+p.Removed)*p.Loops, p.Node
	for _, q := range p.Plans {
		if n, of := q.read(); n > most {
			most, node = n, of
		}
	}
	return most, node
}

// TestAPageReadsAPageHoweverManyThereAre looks at what each step of the plan
// really reads, with 20,000 certificates: no filter and no sort goes through
// them, near the beginning or deep inside.
func TestAPageReadsAPageHoweverManyThereAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o, small := r.campus.Organisation("Garten", r.ada), r.campus.Organisation("Klein", r.bob)
	r.many(t, o, 20_000)
	r.many(t, small, 30)
	for _, which := range []cert.Which{cert.Valid, cert.Ending, cert.Current, cert.Due, cert.Over, cert.All} {
		for _, sort := range []cert.ServerSort{cert.ByEnd, cert.ByName, cert.ByIssued, cert.ByReference} {
			for _, by := range []person.Actor{r.ada, r.bob, r.officer} {
				v := cert.ServerView{Which: which, Sort: sort, Desc: which == cert.Over, Office: by.Officer}
				for range 3 {
					if most, node := r.explain(t, by, v); most > 400 {
						t.Errorf("%s, %+v: a %s reads %.0f rows for a page of 50", by.Name, v, node, most)
					}
					if v.Cursor = trial.Must(r.Servers(t.Context(), by, v)).Next; v.Cursor == "" {
						break
					}
				}
			}
		}
	}
}

// many fills an organisation, phases true.
func (r *rig) many(t testing.TB, o org.OrganisationID, n int) {
	t.Helper()
	_, err := r.db.Exec(t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, subject, emails, search,
			not_before, not_after, issued, organisation, common_name, names, product, server_order, renewable, phase, turns, revoked, reason)
		select 'R' || @o::bigint || '-' || i, 'tls', '\x01', int8send(@o::bigint * 1000000 + i), 'der', int8send(i), 'CN', '{}', 'www' || i || '.garten.example', e - interval '90 days',
			e, e - interval '90 days', @o::bigint, 'www' || i % 7919 || '.garten.example', array['x'], 'single', i, e - interval '30 days',
			case when e < @now::timestamptz or i % 10 = 0 then 'over' when e < @now + interval '30 days' then 'ending' else 'valid' end,
			case when e < @now::timestamptz or i % 10 = 0 then null when e < @now + interval '30 days' then e else e - interval '30 days' end,
			case when i % 10 = 0 then e - interval '89 days' end, case when i % 10 = 0 then 4 end
		from generate_series(1, @n::int) i, lateral (select @now::timestamptz + (i % 5400 - 1800) * interval '24 minutes' + interval '1 second') x (e)`,
		pgx.NamedArgs{"o": int64(o), "n": n, "now": r.Now()})
	r.ok(t, err)
	_, err = r.db.Exec(t.Context(), `vacuum analyze certificate`)
	r.ok(t, err)
}

func (r *rig) explain(t testing.TB, by person.Actor, v cert.ServerView) (float64, string) {
	t.Helper()
	sql, args := cert.ServerSQL(v)
	args["now"], args["since"] = r.Now(), r.Now().Add(-30*day)
	var said []byte
	err := r.db.QueryRow(context.Background(), `explain (analyze, format json) `+sql, org.Scope(by, args)).Scan(&said)
	r.ok(t, err)
	var plans []struct{ Plan plan }
	r.ok(t, json.Unmarshal(said, &plans))
	return plans[0].Plan.read()
}
