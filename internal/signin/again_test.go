package signin

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"petschaft/internal/idp"
	"petschaft/internal/trial"
)

// again clicks on "sign in again" and returns the provider's address.
func (b *agent) again(why Demand) *url.URL {
	b.w.t.Helper()
	return b.get("/again?next=/form&why=" + string(why)).to(b.w.t)
}

// answered goes to the provider, picks sub there and returns the portal's answer.
func (b *agent) answered(at *url.URL, sub string) got {
	b.w.t.Helper()
	return b.get(b.pick(at, sub).String())
}

// fresh fails unless the browser's sign-in counts as fresh, or not.
func (b *agent) fresh(want bool, why string) {
	b.w.t.Helper()
	got := !want
	b.within(func(ctx context.Context) { got = b.w.desk.IsFresh(ctx) })
	if got != want {
		b.w.t.Errorf("%s: got fresh %t, want %t", why, got, want)
	}
}

// officer fails unless the browser acts as one, or only would.
func (b *agent) officer(officer, weak bool, why string) {
	b.w.t.Helper()
	a, _ := b.me()
	var got bool
	b.within(func(ctx context.Context) { got = b.w.desk.IsWeak(ctx) })
	if a.Officer != officer || got != weak {
		b.w.t.Errorf("%s: got officer %t, weak %t, want %t, %t", why, a.Officer, got, officer, weak)
	}
}

func wantAsked(t *testing.T, at *url.URL, want map[string]string) {
	t.Helper()
	for _, name := range []string{"max_age", "acr_values", "prompt"} {
		if got := at.Query().Get(name); got != want[name] {
			t.Errorf("%s: got %q asked, want %q", name, got, want[name])
		}
	}
}

func TestASignInIsFreshForFifteenMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.fresh(false, "nobody is signed in")
	at := b.begin("/")
	wantAsked(t, at, nil)
	b.answered(at, ada().Sub)
	b.fresh(true, "just signed in")
	w.clock.Advance(FreshFor - time.Second)
	b.fresh(true, "a second before")
	w.clock.Advance(time.Second)
	b.fresh(false, "after fifteen minutes")

	old := b.cookie()
	at = b.again(Fresh)
	wantAsked(t, at, map[string]string{"max_age": "0"})
	if to := b.answered(at, ada().Sub).to(t).Path; to != "/form" {
		t.Errorf("got led to %s, want to what was asked for", to)
	}
	b.fresh(true, "signed in again")
	b.mustBe("Ada Äcker", "the same person")
	w.thief(old).mustBe("", "the session's old id")
	if n := w.number(`select count(*) from login where ended is null`); n != 1 {
		t.Errorf("got %d logins that count, want one in the place of the other", n)
	}
}

// A session of the provider may be old when somebody signs in here.
func TestASignInIsAsOldAsItsProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for lie, why := range map[idp.Misbehaviour]string{
		idp.OldAuthTime: "the person proved it an hour ago", idp.NoAuthTime: "the provider does not say", idp.FutureAuthTime: "that cannot be",
	} {
		w.provider.Misbehave(lie)
		b := w.browser()
		b.signIn(ada().Sub)
		b.mustBe("Ada Äcker", why)
		b.fresh(false, why)
	}
}

// What does not make a sign-in fresh is asked for once more, so that the provider
// cannot answer without asking the person, and then refused.
func TestAProviderThatDoesNotSayWhenIsAskedTwice(t *testing.T) {
	t.Parallel()
	for _, lie := range []idp.Misbehaviour{idp.NoAuthTime, idp.OldAuthTime, idp.FutureAuthTime} {
		whys := map[string]int{}
		w := newWorld(t, func(c *Config) { c.Count = func(why Why) { whys[string(why)]++ } })
		w.provider.Misbehave(lie)
		b := w.browser()
		b.signIn(ada().Sub)
		cookie, login := b.cookie(), w.number(`select max(id) from login`)
		more := b.answered(b.again(Fresh), ada().Sub).to(t)
		wantAsked(t, more, map[string]string{"max_age": "0", "prompt": "login"})
		wantFault(t, b.answered(more, ada().Sub), "denied signin.not_fresh")
		b.fresh(false, "refused")
		b.mustBe("Ada Äcker", "signed in as before")
		if now := w.number(`select max(id) from login where ended is null`); now != login || b.cookie() != cookie {
			t.Errorf("got login %d, want %d still", now, login)
		}
		trial.Expect(t, whys, map[string]int{"fresh": 1})

		w.provider.Misbehave(idp.Honest)
		more = b.answered(b.again(Fresh), ada().Sub).to(t)
		if more.Path != "/form" {
			t.Errorf("an honest provider: got led to %s", more)
		}
		b.fresh(true, "the provider has learnt it")
	}
}

// A provider that lets in whoever is signed in there, however long ago, is asked for
// the person.
func TestAProviderThatIgnoresTheAgeIsPressed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	w.clock.Advance(20 * time.Minute)
	w.provider.Misbehave(idp.IgnoresMaxAge)
	at := b.again(Fresh)
	more := b.get(b.get(at.String()).to(t).String()).to(t) // without a click
	wantAsked(t, more, map[string]string{"max_age": "0", "prompt": "login"})
	b.fresh(false, "an old proof is none")
	if to := b.answered(more, ada().Sub).to(t).Path; to != "/form" {
		t.Errorf("got led to %s", to)
	}
	b.fresh(true, "after prompt=login")
}

func TestWhoSignsInAgainIsTheSamePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	w.clock.Advance(20 * time.Minute)
	cookie := b.cookie()
	wantFault(t, b.answered(b.again(Fresh), bo().Sub), "denied signin.other_account")
	b.mustBe("Ada Äcker", "nobody else came in")
	b.fresh(false, "somebody else's proof")
	if b.cookie() != cookie {
		t.Error("the session got another id")
	}
	if n := w.number(`select count(*) from login l join account a on a.id = l.account where a.subject = $1`, bo().Sub); n != 0 {
		t.Errorf("got %d logins of somebody else", n)
	}
	b.answered(b.again(Fresh), ada().Sub)
	b.fresh(true, "once the right one did")

	nobody := w.browser()
	at := nobody.again(Fresh)
	wantAsked(t, at, nil) // it is a sign-in as any other
	nobody.answered(at, bo().Sub)
	nobody.mustBe("Bo", "who was not signed in")
}

// strict asks officers for more than a sign-in; ada reaches it or not.
func strict(c *Config) { c.ACR = []string{"gold", "platinum"} }

func (w *world) reaches(acr ...string) {
	x := ada()
	x.Reaches = acr
	w.provider.SetPerson(x)
}

func TestAnOfficerWhoReachedTooLittleActsAsAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strict)
	w.reaches("platinum", "silver")
	b := w.browser()
	at := b.begin("/")
	wantAsked(t, at, nil) // of whom nobody knows who it is nothing is asked
	b.answered(at, ada().Sub)
	b.officer(false, true, "signed in without it")
	other := w.browser()
	other.signIn(bo().Sub)
	other.officer(false, false, "who is no officer")

	at = b.again(Strong)
	wantAsked(t, at, map[string]string{"acr_values": "gold platinum"})
	b.answered(at, ada().Sub)
	b.officer(true, false, "reached one of them")
	w.clock.Advance(20 * time.Minute)
	b.officer(true, false, "and keeps it")
	at = b.again(Fresh)
	wantAsked(t, at, map[string]string{"max_age": "0", "acr_values": "gold platinum"})
	b.answered(at, ada().Sub)
	b.officer(true, false, "a fresh one is asked for it, too")
	b.fresh(true, "a fresh one")
}

func TestWhatAnOfficersSignInDoesNotReachIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strict)
	b := w.browser()
	b.signIn(ada().Sub)
	more := b.answered(b.again(Strong), ada().Sub).to(t)
	wantAsked(t, more, map[string]string{"acr_values": "gold platinum", "prompt": "login"})
	wantFault(t, b.answered(more, ada().Sub), "denied signin.not_strong")
	b.officer(false, true, "as before")

	w.reaches("gold")
	b.answered(b.again(Strong), ada().Sub)
	b.officer(true, false, "reached it")
	w.reaches("silver") // a fresh sign-in must not bring less
	w.clock.Advance(20 * time.Minute)
	more = b.answered(b.again(Fresh), ada().Sub).to(t)
	wantFault(t, b.answered(more, ada().Sub), "denied signin.not_strong")
	b.officer(true, false, "a fresh sign-in that reaches less changes nothing")

	at := b.again(Strong)
	q := url.Values{"error": {"unmet_authentication_requirements"}, "state": {at.Query().Get("state")}, "iss": {w.idp.URL}}
	wantFault(t, b.get("/signin/callback?"+q.Encode()), "denied signin.not_strong")
}

// Claims are refreshed in between; who somebody is stays proven as it was.
func TestARefreshProvesNothingAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strict)
	w.reaches("gold")
	b := w.browser()
	b.signIn(ada().Sub)
	b.answered(b.again(Strong), ada().Sub)
	w.reaches()
	for range 4 {
		w.clock.Advance(11 * time.Minute)
		b.officer(true, false, "refreshed")
	}
	b.fresh(false, "refreshed")
}

func TestWhereNothingIsAskedNothingIsMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.AnyAge = true })
	w.provider.Misbehave(idp.NoAuthTime)
	b := w.browser()
	b.signIn(ada().Sub)
	w.clock.Advance(20 * time.Minute)
	b.fresh(true, "PETSCHAFT_FRESH is off")
	b.officer(true, false, "PETSCHAFT_OIDC_ACR is empty")
}

// The login of a version that did not write any of it.
func TestALoginOfTheVersionBeforeIsNeitherFreshNorStrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strict)
	w.reaches("gold")
	b := w.browser()
	b.signIn(ada().Sub)
	b.answered(b.again(Strong), ada().Sub)
	trial.Must(w.db.Exec(t.Context(), `update login set auth_time = null, acr = null`))
	b.fresh(false, "nobody knows when")
	b.officer(false, true, "nobody knows how")
	if g := b.get("/me"); g.StatusCode != http.StatusOK {
		t.Errorf("got status %d, want the login to hold", g.StatusCode)
	}
}
