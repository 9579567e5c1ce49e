package signin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/idp"
	"petschaft/internal/person"
)

// read takes claims apart that stand as name=JSON, separated by semicolons.
func read(text string) statement {
	s := statement{}
	for _, pair := range strings.Split(text, ";") {
		name, value, _ := strings.Cut(pair, "=")
		s[name] = []byte(value)
	}
	return s
}

func TestGroupsAreReadAsProvidersSendThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, said string
		want       []string
		lost       person.Lost
	}{
		{"groups", `groups=["b","a","b"]`, []string{"a", "b"}, ""},
		{"groups", `groups="ra"`, []string{"ra"}, ""},
		{"groups", `groups=""`, nil, ""},
		{"groups", `groups=[]`, nil, ""},
		{"groups", `groups=null`, nil, person.GroupsUnsaid},
		{"groups", `groups=7`, nil, ""},
		{"groups", `groups={"ra":true}`, nil, ""},
		{"groups", `groups=["ra",7,null,["x"]]`, []string{"ra"}, ""},
		{"groups", `groups=["a\u0000b","ok",""]`, []string{"ok"}, ""},
		{"groups", `other=["ra"]`, nil, person.GroupsUnsaid},
		{"groups", `groups=["` + strings.Repeat("x", 3000) + `"]`, []string{strings.Repeat("x", 3000)}, ""},
		{"realm_access.roles", `realm_access={"roles":["ra"]}`, []string{"ra"}, ""},
		{"realm_access.roles", `realm_access={"roles":["path"]};realm_access.roles=["name"]`, []string{"name"}, ""},
		{"realm_access.roles", `realm_access=["roles"]`, nil, person.GroupsUnsaid},
		{"realm_access.roles", `realm_access={}`, nil, person.GroupsUnsaid},
		{"resource_access.portal.uni.example.roles", `resource_access={"portal.uni.example":{"roles":["ra"]}}`, []string{"ra"}, ""},
		{"https://x.example/groups", `https://x.example/groups=["ra"]`, []string{"ra"}, ""},
		{"groups", `_claim_names={"groups":"src1"};_claim_sources={"src1":{"endpoint":"https://graph.example"}}`, nil, person.GroupsElsewhere},
		{"groups", `_claim_names={"groups":"src1"};groups=["ra"]`, []string{"ra"}, ""},
		{"roles", `_claim_names={"groups":"src1"}`, nil, person.GroupsUnsaid},
		{"realm_access.roles", `_claim_names={"realm_access":"src1"}`, nil, person.GroupsElsewhere},
		{"groups", `hasgroups=true`, nil, person.GroupsElsewhere},
		{"groups", `hasgroups="true"`, nil, person.GroupsElsewhere},
		{"roles", `hasgroups=true`, nil, person.GroupsUnsaid},
	} {
		got, lost := read(c.said).groups(c.path)
		if diff := cmp.Diff(c.want, got); diff != "" || lost != c.lost {
			t.Errorf("%s in %.80s: got lost %q, want %q, and groups, -want +got:\n%s", c.path, c.said, lost, c.lost, diff)
		}
	}
}

func TestAnAddressIsVerifiedByWhoSaysSo(t *testing.T) {
	t.Parallel()
	ours := func(address string) bool { return strings.HasSuffix(address, "@uni.example") }
	for _, c := range []struct {
		said       string
		ok, unsaid bool
	}{
		{`email="ada@uni.example";email_verified=true`, true, false},
		{`email="ada@uni.example";email_verified="true"`, true, false},
		{`email="ada@else.example";email_verified=[true]`, true, false},
		{`email="ada@uni.example";email_verified=false`, false, false},
		{`email="ada@uni.example";email_verified="false"`, false, false},
		{`email="ada@uni.example";email_verified=1`, false, false},
		{`email="ada@uni.example";email_verified="yes"`, false, false},
		{`email="ada@uni.example";email_verified=false;xms_edov=true`, false, false},
		{`email="ada@uni.example"`, true, true},
		{`email="ada@uni.example";email_verified=null`, true, true},
		{`email=["ada@uni.example","ada@else.example"]`, true, true},
		{`email=["ada@else.example","ada@uni.example"]`, false, true},
		{`email="ada@else.example"`, false, true},
		{`email="ada@uni.example";xms_edov=false`, false, false},
		{`email="ada@uni.example";xms_edov=0`, false, false},
		{`email="ada@uni.example";xms_edov="0"`, false, false},
		{`email="ada@uni.example";xms_edov="false"`, false, false},
		{`email="ada@else.example";xms_edov=true`, true, false},
		{`email="ada@else.example";xms_edov=1`, true, false},
		{`email="ada@else.example";xms_edov="1"`, true, false},
		{`email="ada@else.example";xms_edov="true"`, true, false},
		{`email_verified=true`, false, false},
	} {
		if ok, unsaid := read(c.said).verified(ours); ok != c.ok || unsaid != c.unsaid {
			t.Errorf("%s: got verified %t, unsaid %t; want %t, %t", c.said, ok, unsaid, c.ok, c.unsaid)
		}
	}
	if ok, _ := read(`email="ada@uni.example"`).verified(nil); ok {
		t.Error("without an operator who vouches: got verified")
	}
}

func TestOfSeveralNamesTheFirstCounts(t *testing.T) {
	t.Parallel()
	d := &Desk{cfg: Config{GroupsClaim: "groups"}}
	c, err := d.person(t.Context(), read(`sub="1";given_name=["Ada","Augusta"];family_name=[];email=["ada@uni.example"];name="`+strings.Repeat("ä", 400)+`"`))
	if err != nil || c.GivenName != "Ada" || c.FamilyName != "" || c.Email != "ada@uni.example" {
		t.Errorf("got %+v (%v), want the first of each list", c, err)
	}
	if want := strings.Repeat("ä", 250); c.Name != want {
		t.Errorf("long name: got %d bytes, want %d", len(c.Name), len(want))
	}
}

// TestAnOfficerOfManyGroupsStaysOne: none is cut, and only what means something
// here is kept.
func TestAnOfficerOfManyGroupsStaysOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.RAGroup = "zz officers" })
	many := ada()
	many.Groups = []string{"staff", "zz officers"}
	for i := range 5000 {
		many.Groups = append(many.Groups, fmt.Sprintf("course %04d", i))
	}
	w.provider.SetPerson(many)
	b := w.browser()
	b.signIn(many.Sub)
	if a, _ := b.me(); !a.Officer || !slices.Equal(a.Groups, []string{"staff", "zz officers"}) {
		t.Errorf("got %d groups %.80q, officer %t; want the two that mean something, and an officer", len(a.Groups), a.Groups, a.Officer)
	}
}

// saying puts an answer of the provider's at path in place of its own.
func saying(path string, status int, body string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				next.ServeHTTP(out, r)
				return
			}
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(status)
			fmt.Fprint(out, body)
		})
	}
}

func (w *world) account(sub string) person.Account {
	w.t.Helper()
	id := w.number("select id from account where subject = $1", sub)
	a, err := w.people.One(context.Background(), person.Actor{Officer: true}, person.ID(id))
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// TestASignInNeedsNoUserinfo: what the ID token tells is enough, and rights only
// shrink.
func TestASignInNeedsNoUserinfo(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable, http.StatusOK} {
		w := newWorld(t)
		w.browser().signIn(ada().Sub)
		quiet := ada()
		quiet.Without = []string{"groups"}
		w.provider.SetPerson(quiet)
		w.before(saying("/userinfo", status, "no JSON"))
		b := w.browser()
		b.signIn(quiet.Sub)
		if a, ok := b.me(); !ok || a.Name != "Ada Äcker" || a.Email != "ada@uni.example" || a.Officer || len(a.Groups) != 0 {
			t.Errorf("userinfo says %d: got %+v, signed in %t; want Ada without groups", status, a, ok)
		}
		if a := w.account(quiet.Sub); a.Lost != person.GroupsUnsaid || !a.LostSince.Equal(w.clock.Now()) {
			t.Errorf("userinfo says %d: got lost %q since %v, want that it is noted from now on", status, a.Lost, a.LostSince)
		}
		w.before(nil)
		w.provider.SetPerson(ada())
		w.browser().signIn(quiet.Sub)
		if a := w.account(quiet.Sub); a.Lost != "" || a.LostSince != nil || len(a.Groups) != 2 {
			t.Errorf("named again: got lost %q and %q, want the groups", a.Lost, a.Groups)
		}
	}
}

// TestARefreshWaitsForUserinfo: one that refuses will go on to, one that is away
// comes back.
func TestARefreshWaitsForUserinfo(t *testing.T) {
	t.Parallel()
	for status, officer := range map[int]bool{http.StatusForbidden: false, http.StatusBadGateway: true} {
		w := newWorld(t)
		b := w.browser()
		b.signIn(ada().Sub)
		quiet := ada()
		quiet.Without = []string{"groups"}
		w.provider.SetPerson(quiet)
		w.before(saying("/userinfo", status, "{}"))
		w.clock.Advance(w.desk.cfg.RefreshEvery)
		if a, ok := b.me(); !ok || a.Officer != officer {
			t.Errorf("userinfo says %d: got signed in %t, officer %t; want officer %t", status, ok, a.Officer, officer)
		}
	}
}

func TestWhoNeverHadGroupsHasLostNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	quiet := bo()
	quiet.Without = []string{"groups"}
	w.provider.SetPerson(quiet)
	for range 2 {
		w.browser().signIn(quiet.Sub)
		if a := w.account(quiet.Sub); a.Lost != "" {
			t.Errorf("got lost %q, want nothing: there was nothing to lose", a.Lost)
		}
	}
}

func TestTooManyGroupsAreNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := ada()
	many.Without, many.Also = []string{"groups"}, map[string]any{
		"_claim_names": map[string]string{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://graph.example/v1.0/users/1/getMemberObjects"}},
	}
	w.provider.SetPerson(many)
	b := w.browser()
	b.signIn(many.Sub)
	if a, _ := b.me(); a.Officer {
		t.Error("got an officer by groups that nobody named")
	}
	if a := w.account(many.Sub); a.Lost != person.GroupsElsewhere {
		t.Errorf("got lost %q, want that the groups are elsewhere", a.Lost)
	}
}

// TestUserinfoOfAnotherAddressVerifiesNone: the two belong together.
func TestUserinfoOfAnotherAddressVerifiesNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x := ada()
	x.Without = []string{"email_verified"}
	w.provider.SetPerson(x)
	sub := `{"sub":"` + x.Sub + `",`
	for body, want := range map[string]string{
		sub + `"email":"ada@uni.example","email_verified":true}`:   "ada@uni.example",
		sub + `"email":"other@uni.example","email_verified":true}`: "",
		sub + `"email_verified":false}`:                            "",
	} {
		w.before(saying("/userinfo", http.StatusOK, body))
		b := w.browser()
		b.signIn(x.Sub)
		if a, _ := b.me(); a.Email != want {
			t.Errorf("%s: got the verified address %q, want %q", body, a.Email, want)
		}
	}
}

func TestTheOperatorVouchesForAddressesNobodySpeaksOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Vouches = func(a string) bool { return a == "ada@uni.example" } })
	x := ada()
	x.Without = []string{"email_verified"}
	w.provider.SetPerson(x)
	b := w.browser()
	b.signIn(x.Sub)
	if a, _ := b.me(); a.Email != "ada@uni.example" {
		t.Errorf("got the address %q, want it verified", a.Email)
	}
	b.signIn(bo().Sub) // whose address the provider says is not
	if a, _ := b.me(); a.Email != "" {
		t.Errorf("got the address %q, want the provider's no to count", a.Email)
	}
}

func TestTryTellsWhetherPeopleCouldSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	try := func(why Why) {
		t.Helper()
		err := w.desk.Try(t.Context())
		if (err == nil) != (why == "") || err != nil && WhyNot(err) != why {
			t.Errorf("got %v, want it to be about %q", err, why)
		}
	}
	try("")
	if n := w.number("select count(*) from login") + w.number("select count(*) from sessions"); n != 0 {
		t.Errorf("asking left %d rows", n)
	}
	w.before(saying("/token", http.StatusUnauthorized, "no"))
	try(ClientRefused)
	w.before(saying("/token", http.StatusBadRequest, `{"error":"unauthorized_client"}`))
	try(ClientRefused)
	w.before(saying("/token", http.StatusBadRequest, `{"error":"invalid_request"}`))
	try("")
	w.before(saying("/token", http.StatusBadGateway, "away"))
	try(ProviderAway)
	w.before(saying("/.well-known/openid-configuration", http.StatusOK, `{"issuer":"`+w.idp.URL+`/"}`))
	try(ProviderAway)
	w.before(nil)
	w.provider.SetClient(idp.Client{ID: "portal", Secret: "another"})
	try(ClientRefused)
}

func TestFailedSignInsAreCountedByWhatIsWrong(t *testing.T) {
	t.Parallel()
	var heard []Why
	w := newWorld(t, func(c *Config) { c.Count = func(why Why) { heard = append(heard, why) } })
	b := w.browser()
	b.get("/signin/callback?state=old")
	w.provider.SetDown(true)
	b.get("/signin")
	w.provider.SetDown(false)
	w.provider.Misbehave(idp.WrongNonce)
	b.signIn(ada().Sub)
	w.provider.Misbehave(idp.Honest)
	b.get("/signin/callback?error=access_denied&iss=" + w.idp.URL + "&state=" + b.begin("/").Query().Get("state"))
	callback := b.pick(b.begin("/"), ada().Sub).String()
	w.before(saying("/token", http.StatusUnauthorized, `{"error":"invalid_client"}`))
	b.get(callback)
	w.before(nil)
	b.signIn(ada().Sub)
	if want := []Why{Stale, ProviderAway, Untrusted, Declined, ClientRefused}; !slices.Equal(heard, want) {
		t.Errorf("got %q, want %q", heard, want)
	}
}
