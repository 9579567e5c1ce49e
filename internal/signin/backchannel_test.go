package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/idp"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// told says at the desk what the provider says: of a session, or of all of sub's.
func (w *world) told(token string) error {
	w.t.Helper()
	return w.desk.EndByProvider(w.t.Context(), audit.Who{From: netip.MustParseAddr("192.0.2.44")}, token)
}

func (w *world) logout(sub, session string, change func(map[string]any)) string {
	w.t.Helper()
	return trial.Must(w.provider.LogoutToken("portal", sub, session, change))
}

// sessionAt is what the provider calls the session of the newest login.
func (w *world) sessionAt() string {
	w.t.Helper()
	var sid string
	if err := w.db.QueryRow(w.t.Context(), "select coalesce(sid, '') from login order by id desc limit 1").Scan(&sid); err != nil {
		w.t.Fatal(err)
	}
	return sid
}

func TestTheProviderEndsOneSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here, there, other := w.browser(), w.browser(), w.browser()
	here.signIn(ada().Sub)
	session := w.sessionAt()
	there.signIn(ada().Sub)
	other.signIn(bo().Sub)
	if err := w.told(w.logout(ada().Sub, session, nil)); err != nil {
		t.Fatal(err)
	}
	here.mustBe("", "its session at the provider has ended")
	there.mustBe("Ada Äcker", "another session of hers")
	other.mustBe("Bo", "somebody else")
	if got := w.lines("signin.ended_by_provider"); got != 1 {
		t.Errorf("got %d audit lines, want 1", got)
	}
	if got := w.number("select count(*) from login where ended is not null and (id_token is not null or refresh is not null)"); got != 0 {
		t.Errorf("got %d ended logins that hold tokens, want none", got)
	}
}

func TestTheProviderEndsAllSessionsOfSomebody(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(map[string]any){
		"by subject":          nil,
		"the audience a list": func(c map[string]any) { c["aud"] = []string{"another", "portal"} },
		"without an end":      func(c map[string]any) { delete(c, "exp") },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			here, there, other := w.browser(), w.browser(), w.browser()
			here.signIn(ada().Sub)
			there.signIn(ada().Sub)
			other.signIn(bo().Sub)
			if err := w.told(w.logout(ada().Sub, "", change)); err != nil {
				t.Fatal(err)
			}
			here.mustBe("", "one")
			there.mustBe("", "the other")
			other.mustBe("Bo", "somebody else")
		})
	}
}

// A provider may name the session alone, and a login of the version before has none.
func TestASessionAloneAndALoginWithoutOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, here := w.browser(), w.browser()
	old.signIn(ada().Sub)
	if _, err := w.db.Exec(t.Context(), "update login set sid = null"); err != nil {
		t.Fatal(err)
	}
	here.signIn(ada().Sub)
	session := w.sessionAt()
	if err := w.told(w.logout("", session, func(c map[string]any) { delete(c, "sub") })); err != nil {
		t.Fatal(err)
	}
	here.mustBe("", "the session that was named")
	old.mustBe("Ada Äcker", "a login of which nobody knows the session")
	if err := w.told(w.logout(ada().Sub, "another", nil)); err != nil {
		t.Fatal(err)
	}
	old.mustBe("", "the subject was named, too")
}

func TestALogoutTokenCountsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	token := w.logout(ada().Sub, "", nil)
	const times = 20
	var all sync.WaitGroup
	took := make(chan error, times)
	for range times {
		all.Go(func() { took <- w.told(token) })
	}
	all.Wait()
	good := 0
	for range times {
		switch err := <-took; {
		case err == nil:
			good++
		case !errors.Is(err, ErrLogout):
			t.Errorf("got %v, want that it came before", err)
		}
	}
	if good != 1 {
		t.Errorf("the same token was carried out %d times, want once", good)
	}
	b.signIn(ada().Sub)
	if err := w.told(token); !errors.Is(err, ErrLogout) || WhyNoLogout(err) != "it came before" {
		t.Errorf("once more: got %v", err)
	}
	b.mustBe("Ada Äcker", "signed in since")
	w.clock.Advance(2*logoutLife + time.Second)
	if err := w.desk.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.number("select count(*) from logout_token"); got != 0 {
		t.Errorf("got %d logout tokens that are kept for ever", got)
	}
	if err := w.told(token); !errors.Is(err, ErrLogout) {
		t.Errorf("a forgotten one: got %v, want that it is too old", err)
	}
}

// What does not hold ends nobody's session.
func TestALogoutTokenThatDoesNotHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	idToken := w.idToken()
	now := w.clock.Now()
	bent := map[string]struct {
		why    string
		change func(map[string]any)
	}{
		"another issuer":          {"it is from another issuer", func(c map[string]any) { c["iss"] = "https://evil.example" }},
		"another client":          {"it is for another client", func(c map[string]any) { c["aud"] = "another" }},
		"no client":               {"it is for another client", func(c map[string]any) { delete(c, "aud") }},
		"no event":                {"it is no logout token", func(c map[string]any) { delete(c, "events") }},
		"another event":           {"it is no logout token", func(c map[string]any) { c["events"] = map[string]any{"http://x": map[string]any{}} }},
		"an event that is null":   {"it is no logout token", func(c map[string]any) { c["events"] = map[string]any{logoutEvent: nil} }},
		"an event that is a text": {"it is no logout token", func(c map[string]any) { c["events"] = map[string]any{logoutEvent: "yes"} }},
		"events that are a list":  {"it is no logout token", func(c map[string]any) { c["events"] = []string{logoutEvent} }},
		"a nonce":                 {"it has a nonce", func(c map[string]any) { c["nonce"] = "n" }},
		"an empty nonce":          {"it has a nonce", func(c map[string]any) { c["nonce"] = nil }},
		"no time":                 {"it is too old", func(c map[string]any) { delete(c, "iat") }},
		"an odd time":             {"it is too old", func(c map[string]any) { c["iat"] = "now" }},
		"an old one":              {"it is too old", func(c map[string]any) { c["iat"] = now.Add(-logoutLife - time.Second).Unix() }},
		"one from the future":     {"it is from the future", func(c map[string]any) { c["iat"] = now.Add(2 * time.Minute).Unix() }},
		"one that ended":          {"it has ended", func(c map[string]any) { c["exp"] = now.Add(-2 * time.Minute).Unix() }},
		"no id":                   {"it has no id", func(c map[string]any) { delete(c, "jti") }},
		"nobody":                  {"it is about nobody", func(c map[string]any) { delete(c, "sub") }},
		"an empty subject":        {"it is about nobody", func(c map[string]any) { c["sub"] = "" }},
		"a subject and no text":   {"it is about nobody", func(c map[string]any) { c["sub"] = 1001 }},
		"a long session":          {"it is about nobody", func(c map[string]any) { c["sid"] = strings.Repeat("x", 256) }},
	}
	refused := func(what, token, why string) {
		t.Helper()
		if err := w.told(token); !errors.Is(err, ErrLogout) || WhyNoLogout(err) != why {
			t.Errorf("%s: got %v, want %q", what, err, why)
		}
	}
	for what, c := range bent {
		refused(what, w.logout(ada().Sub, "", c.change), c.why)
	}
	refused("an ID token", idToken, "it is no logout token")
	refused("nothing", "", "it is no signed token, or signed as none may be")
	refused("a very long one", strings.Repeat("x", longestLogout+1), "it is too long")
	for lie, why := range map[idp.Misbehaviour]string{
		idp.AlgNone: "it is no signed token, or signed as none may be", idp.AlgHS256: "it is no signed token, or signed as none may be", idp.WrongKey: "its signature does not hold",
	} {
		w.provider.Misbehave(lie)
		refused("signed wrongly", w.logout(ada().Sub, "", nil), why)
	}
	w.provider.Misbehave(idp.Honest)
	good := w.logout(ada().Sub, "", nil)
	head, rest, _ := strings.Cut(good, ".")
	_, signature, _ := strings.Cut(rest, ".")
	other := strings.Split(w.logout(bo().Sub, "", nil), ".")
	refused("claims of another", head+"."+other[1]+"."+signature, "its signature does not hold")
	b.mustBe("Ada Äcker", "after all of them")
	if got := w.number("select count(*) from logout_token"); got != 0 {
		t.Errorf("got %d rows from tokens that do not hold", got)
	}
}

// idToken is the one of the newest login.
func (w *world) idToken() string {
	w.t.Helper()
	var id int64
	var sealed []byte
	if err := w.db.QueryRow(w.t.Context(), "select id, id_token from login order by id desc limit 1").Scan(&id, &sealed); err != nil {
		w.t.Fatal(err)
	}
	return string(trial.Must(w.sealer.Open(sealed, idTokenPurpose(id))))
}

// Anybody may send tokens: the provider does not hear of most of them.
func TestForgedLogoutTokensDoNotFloodTheProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	before := w.asked("/jwks")
	w.provider.Misbehave(idp.WrongKey)
	for range 30 {
		_ = w.told(w.logout(ada().Sub, "", nil))
	}
	w.provider.Misbehave(idp.Honest)
	for range 30 {
		_ = w.told(w.logout(ada().Sub, "", func(c map[string]any) { c["iss"] = "https://evil.example" }))
	}
	if got := w.asked("/jwks") - before; got > 1 {
		t.Errorf("the provider was asked for its keys %d times, want once in ten seconds", got)
	}
	if err := w.told(w.logout(ada().Sub, "", nil)); err != nil {
		t.Errorf("a true one after them: %v", err)
	}
	b.mustBe("", "it counts")
}

func TestNobodySaysWhetherATokenHoldsWhileTheProviderIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ada().Sub)
	token := w.logout(ada().Sub, "", nil)
	w.provider.SetDown(true)
	if err := w.told(token); err == nil || errors.Is(err, ErrLogout) {
		t.Errorf("got %v, want that it cannot be said", err)
	}
	b.mustBe("Ada Äcker", "meanwhile")
	w.provider.SetDown(false)
	w.clock.Advance(rarelyEvery)
	if err := w.told(token); err != nil {
		t.Errorf("sent again: %v", err)
	}
}

// While its keys' address fails, the provider does not hear of forged tokens either.
func TestForgedLogoutTokensDoNotFloodAProviderWhoseKeysFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.browser().signIn(ada().Sub)
	token := w.logout(ada().Sub, "", nil)
	w.before(saying("/jwks", http.StatusBadGateway, ""))
	before := w.asked("/jwks")
	for range 30 {
		if err := w.told(token); err == nil || errors.Is(err, ErrLogout) {
			t.Fatalf("got %v, want that it cannot be said", err)
		}
	}
	if got := w.asked("/jwks") - before; got != 1 {
		t.Errorf("the provider was asked for its keys %d times, want once in ten seconds", got)
	}
}

// A token that comes late ends what had begun when it was made, and nothing since.
func TestALogoutTokenThatComesLateEndsNoLoginBegunSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, since := w.browser(), w.browser()
	before.signIn(ada().Sub)
	token := w.logout(ada().Sub, "", nil)
	w.clock.Advance(2 * time.Minute)
	since.signIn(ada().Sub)
	if err := w.told(token); err != nil {
		t.Fatal(err)
	}
	before.mustBe("", "it had begun")
	since.mustBe("Ada Äcker", "signed in since")
	if err := w.told(w.logout(ada().Sub, w.sessionAt(), func(c map[string]any) { c["iat"] = w.clock.Now().Add(-2 * time.Minute).Unix() })); err != nil {
		t.Fatal(err)
	}
	since.mustBe("", "its own session was named, whatever the clock says")
}

// Sessions end; what programs do goes on until its maker has been away for long.
func TestTokensOutliveSessions(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(w *world, b *agent){
		"back-channel logout": func(w *world, _ *agent) {
			if err := w.told(w.logout(ada().Sub, "", nil)); err != nil {
				w.t.Fatal(err)
			}
		},
		"a refresh that is refused": func(w *world, b *agent) {
			w.provider.RemovePerson(ada().Sub)
			w.clock.Advance(10 * time.Minute)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			b.signIn(ada().Sub)
			secret := w.token(b)
			end(w, b)
			b.mustBe("", "the session")
			if _, _, err := w.people.ByToken(t.Context(), secret, netip.Addr{}); err != nil {
				t.Errorf("its maker's token: got %v, want that it lets in", err)
			}
			w.clock.Advance(31 * 24 * time.Hour)
			if _, _, err := w.people.ByToken(t.Context(), secret, netip.Addr{}); !errors.Is(err, person.ErrAsleep) {
				t.Errorf("a month later: got %v, want that it sleeps", err)
			}
		})
	}
}

// token makes an API token of whoever is signed in in b, and returns its secret.
func (w *world) token(b *agent) (secret string) {
	w.t.Helper()
	by, _ := b.me()
	err := w.db.Tx(w.t.Context(), func(tx pgx.Tx) (err error) {
		secret, _, err = w.people.MakeToken(w.t.Context(), tx, by, person.TokenInput{
			Form: rand.Text(), Name: "Abgleich", Domains: []int64{1}, Verbs: []person.Verb{person.ReadAddresses}, Ends: w.clock.Now().AddDate(0, 6, 0),
		})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

// The hash of an id is what is kept: an id may be as long as a provider likes.
func TestLongIDsOfTokensAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := strings.Repeat("j", 5000)
	if err := w.told(w.logout(ada().Sub, "", func(c map[string]any) { c["jti"] = id })); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(id))
	if got := w.number("select count(*) from logout_token where jti = $1", sum[:]); got != 1 {
		t.Errorf("got %d rows of it, want 1", got)
	}
}

func TestTheProviderSaysThatItTellsOfSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var said map[string]any
	if err := json.Unmarshal([]byte(w.browser().get(w.idp.URL+"/.well-known/openid-configuration").text), &said); err != nil || said["backchannel_logout_session_supported"] != true {
		t.Errorf("got %v and %v", said, err)
	}
}
