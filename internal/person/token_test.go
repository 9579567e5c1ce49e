package person_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// desk is a book whose clock can be moved, with somebody who makes tokens.
type desk struct {
	*person.Book
	officer, ada person.Actor
	at           atomic.Int64
}

var home = netip.MustParseAddr("192.0.2.7")

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{}
	d.Book, d.officer = newBook(t)
	d.at.Store(now.Unix())
	d.Readers = d.verified
	d.Now = func() time.Time { return time.Unix(d.at.Load(), 0).UTC() }
	a, err := signIn(t, d.Book, person.Claims{Issuer: "https://idp.example", Subject: "ada", Name: "Ada", Email: "ada@uni.example", EmailVerified: true, Groups: []string{"net"}})
	if err != nil {
		t.Fatal(err)
	}
	d.ada = person.Actor{Account: a.ID, Name: "Ada", Groups: a.Groups}
	return d
}

// verified are readers by the provider's word alone: who confirmed which address,
// this room does not know.
func (d *desk) verified(ctx context.Context, q postgres.Querier, accounts ...person.ID) (map[person.ID]mail.Reader, error) {
	all := map[person.ID]mail.Reader{}
	for _, id := range accounts {
		a, err := d.One(ctx, person.Actor{Officer: true}, id)
		if err != nil {
			return nil, err
		}
		all[id] = mail.Reader{To: a.VerifiedEmail, Lang: a.Language}
	}
	return all, nil
}

func (d *desk) later(by time.Duration) { d.at.Add(int64(by.Seconds())) }

func (d *desk) input() person.TokenInput {
	return person.TokenInput{Form: rand.Text(), Name: "Abgleich", Domains: []int64{1}, Verbs: []person.Verb{person.ReadAddresses}, Ends: d.Now().AddDate(0, 6, 0)}
}

func (d *desk) make(t *testing.T, in person.TokenInput) (secret string, id person.TokenID, err error) {
	t.Helper()
	err = d.DB.Tx(t.Context(), func(tx pgx.Tx) error {
		secret, id, err = d.MakeToken(t.Context(), tx, d.ada, in)
		return err
	})
	return secret, id, err
}

func (d *desk) must(t *testing.T, in person.TokenInput) (string, person.TokenID) {
	t.Helper()
	secret, id, err := d.make(t, in)
	if err != nil {
		t.Fatal(err)
	}
	return secret, id
}

func TestATokenIsKnownByItsLookAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	secret, _ := d.must(t, d.input())
	if !person.LooksLikeToken(secret) || len(secret) != 53 || !strings.HasPrefix(secret, "pts_") {
		t.Fatalf("got %d characters, want 53 that begin with pts_ and end with their checksum", len(secret))
	}
	for what, s := range map[string]string{
		"another digit": secret[:20] + string("01"[strings.Count(secret[20:21], "0")]) + secret[21:],
		"cut short":     secret[:52], "longer": secret + "0", "another prefix": "ptx_" + secret[4:], "empty": "",
		"no base 62": secret[:10] + "-" + secret[11:],
	} {
		if s != secret && person.LooksLikeToken(s) {
			t.Errorf("%s looks like a token", what)
		}
	}
	// A secret that was not made here, so that the form in docs/api.md stays.
	body := "pts_" + strings.Repeat("0", 42) + "1"
	if got := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))); got != "1a37f4d8" {
		t.Errorf("got the checksum %s, the example has another", got)
	}
	if !person.LooksLikeToken(body + "0TlfWS") {
		t.Error("the example of the documentation does not look like a token any more")
	}
	var stored int
	if err := d.DB.QueryRow(t.Context(), `select count(*) from token t where t::text like '%' || $1 || '%'`, secret[4:20]).Scan(&stored); err != nil || stored != 0 {
		t.Errorf("the secret lies in the database: %d rows, %v", stored, err)
	}
}

func TestATokenActsAsItsMakerWithinItsReach(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	secret, id := d.must(t, d.input())
	by, token, err := d.ByToken(t.Context(), secret, home)
	if err != nil {
		t.Fatal(err)
	}
	if by.Account != d.ada.Account || by.Token != int64(id) || by.Officer || by.From != home || by.Email != "ada@uni.example" || len(by.Groups) != 1 || token.Name != "Abgleich" {
		t.Errorf("got %+v", by)
	}
	if by.Reach == nil || len(by.Reach.Domains) != 1 || by.Reach.Organisations == nil {
		t.Errorf("got the reach %+v, want domain 1 and no organisation", by.Reach)
	}
	if err := by.Can(person.ReadAddresses); err != nil {
		t.Errorf("its own verb: got %v", err)
	}
	campus.Wants(t, by.Can(person.WriteAddresses), "token.scope")
	if err := d.ada.Can(person.WriteAddresses); err != nil {
		t.Errorf("in a session: got %v, want everything", err)
	}
	if _, _, err := d.MakeToken(t.Context(), nil, by, d.input()); err == nil {
		t.Error("a token made a token")
	}
	campus.Wants(t, d.WithdrawToken(t.Context(), by, id), "token.by_token")
}

func TestATokenThatCountsNoMoreIsRefusedWithTheSameWords(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for what, end := range map[string]func(d *desk, id person.TokenID) error{
		"withdrawn by its maker":  func(d *desk, id person.TokenID) error { return d.WithdrawToken(ctx, d.ada, id) },
		"withdrawn by an officer": func(d *desk, id person.TokenID) error { return d.WithdrawToken(ctx, d.officer, id) },
		"its maker is locked":     func(d *desk, _ person.TokenID) error { return d.Lock(ctx, d.officer, d.ada.Account, "x") },
		"its end":                 func(d *desk, _ person.TokenID) error { d.later(365 * 24 * time.Hour); return nil },
		"of another provider":     func(d *desk, _ person.TokenID) error { d.Issuer = "https://new.example"; return nil },
		"its maker was locked once": func(d *desk, _ person.TokenID) error {
			if err := d.Lock(ctx, d.officer, d.ada.Account, "x"); err != nil {
				return err
			}
			return d.Unlock(ctx, d.officer, d.ada.Account)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			secret, id := d.must(t, d.input())
			if _, _, err := d.ByToken(ctx, secret, home); err != nil {
				t.Fatal(err)
			}
			if err := end(d, id); err != nil {
				t.Fatal(err)
			}
			_, _, err := d.ByToken(ctx, secret, home)
			campus.Wants(t, err, "token.refused")
			acting, err := d.Acting(ctx, d.DB, d.Now(), person.Actor{Account: d.ada.Account, Token: int64(id)}.Behalf())
			if err == nil && d.Issuer == "" {
				t.Errorf("work that it began goes on as %+v", acting)
			}
		})
	}
}

func TestATokenIsRefusedElsewhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	in := d.input()
	in.Networks = []string{" 192.0.2.0/24 ", "2001:db8::1", "", "192.0.2.9/24"}
	secret, _ := d.must(t, in)
	for from, ok := range map[string]bool{"192.0.2.200": true, "::ffff:192.0.2.200": true, "2001:db8::1": true, "2001:db8::2": false, "198.51.100.1": false} {
		_, _, err := d.ByToken(t.Context(), secret, netip.MustParseAddr(from))
		if (err == nil) != ok {
			t.Errorf("from %s: got %v, want let in %v", from, err, ok)
		}
	}
	_, _, err := d.ByToken(t.Context(), secret, netip.Addr{})
	campus.Wants(t, err, "token.refused")
	in.Networks = []string{"192.0.2.0/33"}
	_, _, err = d.make(t, in)
	campus.Wants(t, err, "token.network")
}

func TestMistakesInATokenAreSaid(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for id, change := range map[string]func(in *person.TokenInput){
		"field.required":                func(in *person.TokenInput) { in.Name = " \x00" },
		"field.too_long":                func(in *person.TokenInput) { in.Name = strings.Repeat("ä", 101) },
		"token.verbs_needed":            func(in *person.TokenInput) { in.Verbs = nil },
		"token.verbs_unknown":           func(in *person.TokenInput) { in.Verbs = append(in.Verbs, "everything") },
		"token.domains_needed":          func(in *person.TokenInput) { in.Domains = nil },
		"token.organisations_needed":    func(in *person.TokenInput) { in.Verbs = append(in.Verbs, person.ReadOrders) },
		"token.verbs_for_domains":       func(in *person.TokenInput) { in.Verbs, in.Organisations = []person.Verb{person.ReadOrders}, []int64{1} },
		"token.verbs_for_organisations": func(in *person.TokenInput) { in.Organisations = []int64{1} },
		"token.ends_needed":             func(in *person.TokenInput) { in.Ends = time.Time{} },
		"token.ends_past":               func(in *person.TokenInput) { in.Ends = d.Now() },
		"token.ends_late":               func(in *person.TokenInput) { in.Ends = person.LatestEnd(d.Now()).Add(time.Second) },
		"token.networks_many": func(in *person.TokenInput) {
			for i := range 21 {
				in.Networks = append(in.Networks, fmt.Sprintf("192.0.2.%d", i))
			}
		},
	} {
		in := d.input()
		change(&in)
		_, _, err := d.make(t, in)
		campus.Wants(t, err, id)
	}
	in := d.input()
	in.Ends = person.LatestEnd(d.Now())
	d.must(t, in)
	_, _, err := d.make(t, in) // the same form once more
	campus.Wants(t, err, "schema.token_form")
}

func TestNobodySeesForeignTokens(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	_, id := d.must(t, d.input())
	bea := person.Actor{Account: d.officer.Account}
	_, err := d.Token(ctx, bea, id)
	campus.Wants(t, err, "fault.missing")
	campus.Wants(t, d.WithdrawToken(ctx, bea, id), "fault.missing")
	_, _, err = d.AllTokens(ctx, bea, "", 0)
	campus.Wants(t, err, "fault.officers_only")
	if all, err := d.Tokens(ctx, bea); err != nil || len(all) != 0 {
		t.Errorf("another's: got %d and %v", len(all), err)
	}
	for text, want := range map[string]int{"": 1, "ADA abgl": 1, "%": 0, "bea": 0} {
		if all, next, err := d.AllTokens(ctx, d.officer, text, 0); err != nil || len(all) != want || next != 0 {
			t.Errorf("search %q: got %d, %d, %v; want %d", text, len(all), next, err, want)
		}
	}
	for range 2 { // the second changes nothing
		if err := d.WithdrawToken(ctx, d.officer, id); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := audit.About(ctx, d.DB, id.Thing(), 0, 10)
	if err != nil || len(lines) != 2 || lines[0].Action != "token.withdrawn" || lines[1].Action != "token.made" {
		t.Errorf("got %d audit lines and %v, want made and withdrawn", len(lines), err)
	}
}

func TestManyAtOnceMakeNoMoreTokensThanAllowed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var made, full atomic.Int32
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			_, _, err := d.make(t, d.input())
			switch f := fault.Of(err); {
			case err == nil:
				made.Add(1)
			case f.ID == "token.many":
				full.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 50 || full.Load() != 10 {
		t.Errorf("got %d made and %d refused, want 50 and 10", made.Load(), full.Load())
	}
}

func TestDroppedReach(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	both := d.input()
	both.Organisations, both.Verbs = []int64{7, 8}, append(both.Verbs, person.ReadOrders)
	alone := d.input()
	alone.Domains, alone.Organisations, alone.Verbs = nil, []int64{7}, []person.Verb{person.ReadOrders}
	_, kept := d.must(t, both)
	secret, gone := d.must(t, alone)
	d.must(t, d.input())
	if n, err := d.TokensFor(ctx, d.DB, []person.ID{d.ada.Account}, []int64{7}); err != nil || n[7] != 2 {
		t.Errorf("got %d and %v, want 2 that reach it", n, err)
	}
	drop := func() (n int) {
		err := d.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = d.DropReach(ctx, tx, d.Now(), d.ada, d.ada.Account, 7)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := drop(); n != 2 {
		t.Errorf("got %d, want 2", n)
	}
	if n := drop(); n != 0 {
		t.Errorf("again: got %d, want none", n)
	}
	if x, err := d.Token(ctx, d.ada, kept); err != nil || !x.Live(d.Now()) || len(x.Organisations) != 1 || x.Organisations[0] != 8 {
		t.Errorf("with something left: got %+v and %v", x, err)
	}
	if x, err := d.Token(ctx, d.ada, gone); err != nil || x.Live(d.Now()) {
		t.Errorf("with nothing left: got %+v and %v, want it withdrawn", x, err)
	}
	_, _, err := d.ByToken(ctx, secret, home)
	campus.Wants(t, err, "token.refused")
}

func TestUseIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	secret, id := d.must(t, d.input())
	for _, after := range []time.Duration{0, 59 * time.Second, time.Second} {
		d.later(after)
		if _, _, err := d.ByToken(t.Context(), secret, home); err != nil {
			t.Fatal(err)
		}
		x, err := d.Token(t.Context(), d.ada, id)
		want := now.Add(time.Minute)
		if d.Now().Before(want) {
			want = now
		}
		if err != nil || x.LastUsed == nil || !x.LastUsed.Equal(want) || x.LastFrom == nil || *x.LastFrom != home {
			t.Errorf("at %v: got use at %v from %v, %v; want %v", d.Now(), x.LastUsed, x.LastFrom, err, want)
		}
	}
}
