package signin

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/idp"
	"petschaft/internal/lane"
	"petschaft/internal/npm"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// What npm's oidc-provider says, which other people wrote and certified: it is
// pinned by the lock beside its settings.
var (
	//go:embed testdata/oidc-provider/package-lock.json
	foreignLock []byte
	//go:embed testdata/oidc-provider/serve.mjs
	foreignScript []byte
)

// foreign is a world whose provider is that one. It lives on the machine's clock.
type foreign struct {
	*world
	issuer string

	mu     sync.Mutex
	deaf   bool     // the portal does not hear of sessions that end
	logout []string // what became of each logout token: "" or why it did not hold
}

// newForeign starts one; change adjusts the desk's configuration. inIDToken is that
// the ID token holds all claims, else userinfo does.
func newForeign(t *testing.T, inIDToken bool, change ...func(*Config)) *foreign {
	t.Helper()
	lane.Peer(t, "node")
	f := &foreign{}
	hears := httptest.NewServer(http.HandlerFunc(f.hear))
	t.Cleanup(hears.Close)
	f.world = newWorld(t, append([]func(*Config){func(cfg *Config) {
		f.issuer = serveForeign(t, map[string]any{
			"conform": !inIDToken, "people": map[string]any{ada().Sub: claimsOf(ada()), bo().Sub: claimsOf(bo())},
			"clients": []map[string]any{
				{
					"client_id": cfg.ClientID, "client_secret": cfg.ClientSecret, "redirect_uris": []string{cfg.here(paths.SignedIn)},
					"post_logout_redirect_uris": []string{cfg.here(paths.SignedOut)}, "backchannel_logout_uri": hears.URL,
				},
				{"client_id": "another", "client_secret": "another secret", "redirect_uris": []string{cfg.here(paths.SignedIn)}, "backchannel_logout_uri": hears.URL},
			},
		})
		cfg.Issuer = f.issuer
	}}, change...)...)
	f.clock.Set(trial.Machine())
	return f
}

func claimsOf(p idp.Person) map[string]any {
	return map[string]any{
		"sub": p.Sub, "preferred_username": p.Username, "name": p.Name, "given_name": p.GivenName, "family_name": p.FamilyName,
		"email": p.Email, "email_verified": p.EmailVerified, "groups": p.Groups,
	}
}

// serveForeign returns the address at which the provider answers until t ends.
func serveForeign(t *testing.T, settings map[string]any) string {
	t.Helper()
	folder := t.TempDir()
	trial.Must(0, npm.Install(t.Context(), folder, trial.Must(npm.Locked(foreignLock))...))
	trial.Must(0, os.WriteFile(filepath.Join(folder, "serve.mjs"), foreignScript, 0o600))
	c := exec.Command(lane.Find("node"), "serve.mjs", string(trial.Must(json.Marshal(settings))))
	c.Dir, c.Stderr = folder, t.Output()
	in := trial.Must(c.StdinPipe())
	out := trial.Must(c.StdoutPipe())
	trial.Must(0, c.Start())
	t.Cleanup(func() {
		in.Close()
		_ = c.Wait()
	})
	issuer, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider did not start: %v", err)
	}
	return strings.TrimSpace(issuer)
}

// hear takes what the provider says of sessions that ended.
func (f *foreign) hear(out http.ResponseWriter, r *http.Request) {
	token := r.PostFormValue("logout_token")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf {
		out.WriteHeader(http.StatusBadGateway)
		return
	}
	why := ""
	if err := f.desk.EndByProvider(r.Context(), audit.Who{From: netip.MustParseAddr("127.0.0.1")}, token); err != nil {
		why = WhyNoLogout(err)
		out.WriteHeader(http.StatusBadRequest)
	}
	f.logout = append(f.logout, why)
}

func (f *foreign) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.logout...)
}

// answered goes from at to where the provider sends the browser back to, signing in
// as said where the provider asks who it is.
func (f *foreign) answered(b *agent, at *url.URL, as url.Values) *url.URL {
	f.t.Helper()
	for range 10 {
		if strings.HasPrefix(at.String(), f.app.URL) {
			return at
		}
		if strings.HasPrefix(at.Path, "/interaction/") {
			at.RawQuery = as.Encode()
		}
		at = b.get(at.String()).to(f.t)
	}
	f.t.Fatalf("the provider sends in a circle, last to %s", at)
	return nil
}

// enter signs in as sub and returns the portal's last answer.
func (f *foreign) enter(b *agent, sub string) got {
	f.t.Helper()
	return b.get(f.answered(b, b.begin("/"), url.Values{"as": {sub}}).String())
}

// bent is at with another value for one thing that is asked.
func bent(at *url.URL, name, value string) *url.URL {
	q := at.Query()
	q.Set(name, value)
	at.RawQuery = q.Encode()
	return at
}

var hidden = regexp.MustCompile(`name="xsrf" value="([^"]+)"`)

// leave says yes at the provider's page about signing out, and returns where it
// leads.
func (f *foreign) leave(b *agent, at string) got {
	f.t.Helper()
	page := b.get(at)
	m := hidden.FindStringSubmatch(page.text)
	if page.StatusCode != http.StatusOK || m == nil {
		f.t.Fatalf("got status %d and %q, want the page about signing out", page.StatusCode, page.text)
	}
	return b.read(b.PostForm(f.issuer+"/session/end/confirm", url.Values{"xsrf": {m[1]}, "logout": {"yes"}}))
}

func TestPeerOIDCProviderSignsPeopleIn(t *testing.T) {
	t.Parallel()
	for what, inIDToken := range map[string]bool{"claims in the ID token": true, "claims by userinfo": false} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newForeign(t, inIDToken)
			b := f.browser()
			if to := f.enter(b, ada().Sub).to(t).Path; to != "/" {
				t.Errorf("got sent to %q, want where the sign-in began", to)
			}
			a, _ := b.me()
			if a.Name != ada().Name || !a.Officer || a.Email == "" || strings.Join(a.Groups, " ") != "ra staff" {
				t.Errorf("got %+v, want Ada, an officer with her address and her groups", a)
			}
			if f.sessionAt() == "" {
				t.Error("the provider's name for the session is not known")
			}
			other := f.browser()
			f.enter(other, bo().Sub)
			if a, _ := other.me(); a.Name != bo().Name || a.Officer || a.Email != "" {
				t.Errorf("got %+v, want Bo, no officer, without an address that somebody verified", a)
			}
			f.clock.Advance(10 * time.Minute)
			b.mustBe(ada().Name, "after a refresh")
			if got := f.number("select count(*) from login where refreshed >= $1", f.clock.Now()); got != 1 {
				t.Errorf("got %d refreshed logins, want 1", got)
			}
		})
	}
}

func TestPeerOIDCProviderRefusesAndIsRefused(t *testing.T) {
	t.Parallel()
	f := newForeign(t, true)
	if err := f.desk.Try(t.Context()); err != nil {
		t.Errorf("with the right secret: got %v", err)
	}
	b := f.browser()
	wantFault(t, b.get(f.answered(b, b.begin("/"), nil).String()), "denied signin.refused") // the person went back

	for what, c := range map[string]struct{ name, value, want string }{
		"a code for another client": {"client_id", "another", "conflict signin.stale"},
		"another verifier":          {"code_challenge", strings.Repeat("A", 43), "conflict signin.stale"},
		"another nonce":             {"nonce", "planted", "denied signin.refused"},
	} {
		at := bent(b.begin("/"), c.name, c.value)
		if f := b.get(f.answered(b, at, url.Values{"as": {ada().Sub}}).String()).Header.Get("Fault"); f != c.want {
			t.Errorf("%s: got fault %q, want %q", what, f, c.want)
		}
	}
	b.mustBe("", "after all of them")
	callback := f.answered(b, b.begin("/"), url.Values{"as": {ada().Sub}})
	b.get(callback.String())
	b.mustBe(ada().Name, "honestly")
	wantFault(t, b.get(callback.String()), "conflict signin.stale") // once more
}

func TestPeerOIDCProviderDoesNotTakeAnotherSecret(t *testing.T) {
	t.Parallel()
	f := newForeign(t, true)
	f.desk.cfg.ClientSecret = "wrong"
	if err := f.desk.Try(t.Context()); WhyNot(err) != ClientRefused {
		t.Errorf("got %v, want that it does not take the client", err)
	}
}

func TestPeerOIDCProviderIsToldOfASignOut(t *testing.T) {
	t.Parallel()
	f := newForeign(t, false)
	b := f.browser()
	f.enter(b, ada().Sub)
	to := b.read(b.Post(f.app.URL+"/signout", "", nil)).to(t)
	if !strings.HasPrefix(to.String(), f.issuer) {
		t.Fatalf("got sent to %s, want the provider", to)
	}
	b.mustBe("", "signed out here")
	if got := f.leave(b, to.String()).to(t); got.Path != paths.SignedOut || !strings.HasPrefix(got.String(), f.app.URL) {
		t.Errorf("got sent to %s, want our own page", got)
	}
	if at := b.get(b.begin("/").String()).to(t); !strings.HasPrefix(at.Path, "/interaction/") {
		t.Errorf("got sent to %s, want that the provider asks who it is", at)
	}
}

func TestPeerOIDCProviderEndsASession(t *testing.T) {
	t.Parallel()
	f := newForeign(t, false)
	here, elsewhere, other := f.browser(), f.browser(), f.browser()
	f.enter(here, ada().Sub)
	f.enter(elsewhere, ada().Sub)
	f.enter(other, bo().Sub)
	f.answered(here, bent(here.begin("/"), "client_id", "another"), url.Values{"as": {ada().Sub}}) // she is at another service, too
	f.leave(here, f.issuer+"/session/end")
	trial.Until(t, "both services hear of it", func() bool { return len(f.heard()) == 2 })
	if got := strings.Join(f.heard(), "|"); got != "|it is for another client" && got != "it is for another client|" {
		t.Errorf("got %q, want that one counts, and one is for another client", got)
	}
	here.mustBe("", "its session at the provider has ended")
	elsewhere.mustBe(ada().Name, "another session of hers")
	other.mustBe(bo().Name, "somebody else")
}

// Refresh tokens without offline_access die with the session, and with the account.
func TestPeerOIDCProviderRefusesARefresh(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(f *foreign, b *agent){
		"the session has ended": func(f *foreign, b *agent) {
			f.mu.Lock()
			f.deaf = true
			f.mu.Unlock()
			f.leave(b, f.issuer+"/session/end")
		},
		"the account is gone": func(f *foreign, b *agent) { b.get(f.issuer + "/test/forget?sub=" + ada().Sub) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newForeign(t, false)
			b := f.browser()
			f.enter(b, ada().Sub)
			secret := f.token(b)
			end(f, b)
			b.mustBe(ada().Name, "nobody has asked yet")
			f.clock.Advance(10 * time.Minute)
			b.mustBe("", "after ten minutes")
			if got := f.lines("signin.refresh_refused"); got != 1 {
				t.Errorf("got %d audit lines, want 1", got)
			}
			if _, _, err := f.people.ByToken(t.Context(), secret, netip.Addr{}); err != nil {
				t.Errorf("a token of hers: got %v, want that it lets in", err)
			}
		})
	}
}
