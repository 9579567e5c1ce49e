package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// ask is a good request, changed by edit.
func (r *rig) ask(edit func(url.Values)) string {
	r.t.Helper()
	u, err := url.Parse(r.oauth.AuthCodeURL("st", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	if err != nil {
		r.t.Fatal(err)
	}
	q := u.Query()
	edit(q)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestARequestThatNobodyMayAnswerIsNotRedirected(t *testing.T) {
	t.Parallel()
	r := start(t)
	cases := map[string]func(url.Values){
		"an unknown client":          func(q url.Values) { q.Set("client_id", "x") },
		"a longer redirect_uri":      func(q url.Values) { q.Set("redirect_uri", callback+"/") },
		"a redirect_uri with query":  func(q url.Values) { q.Set("redirect_uri", callback+"?a=b") },
		"a missing redirect_uri":     func(q url.Values) { q.Del("redirect_uri") },
		"a foreign redirect_uri":     func(q url.Values) { q.Set("redirect_uri", "https://evil.example/") },
		"a redirect_uri, other case": func(q url.Values) { q.Set("redirect_uri", strings.ToUpper(callback)) },
	}
	for name, edit := range cases {
		ask := r.ask(edit)
		for _, res := range []*http.Response{
			r.do(r.browser.Get(ask)),
			r.do(r.browser.PostForm(strings.Replace(ask, "/authorize", "/login", 1), url.Values{"person": {"1001"}})),
		} {
			if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" {
				t.Errorf("%s: got %d to %q, want 400 and no redirect", name, res.StatusCode, res.Header.Get("Location"))
			}
		}
	}
}

func TestARefusedRequestTellsTheClientWhy(t *testing.T) {
	t.Parallel()
	r := start(t)
	cases := map[string]struct {
		edit func(url.Values)
		want string
	}{
		"no PKCE":             {func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") }, "invalid_request"},
		"plain PKCE":          {func(q url.Values) { q.Set("code_challenge_method", "plain") }, "invalid_request"},
		"a short challenge":   {func(q url.Values) { q.Set("code_challenge", "short") }, "invalid_request"},
		"implicit flow":       {func(q url.Values) { q.Set("response_type", "id_token") }, "unsupported_response_type"},
		"no openid":           {func(q url.Values) { q.Set("scope", "email") }, "invalid_scope"},
		"a parameter twice":   {func(q url.Values) { q.Add("nonce", "a"); q.Add("nonce", "b") }, "invalid_request"},
		"a request object":    {func(q url.Values) { q.Set("request", "x") }, "request_not_supported"},
		"silent, not known":   {func(q url.Values) { q.Set("prompt", "none") }, "login_required"},
		"another answer mode": {func(q url.Values) { q.Set("response_mode", "fragment") }, "invalid_request"},
	}
	for name, c := range cases {
		q := r.answer(r.do(r.browser.Get(r.ask(c.edit))))
		if q.Get("error") != c.want || q.Get("state") != "st" || q.Get("iss") != r.issuer || q.Has("code") {
			t.Errorf("%s: got %v, want error %s with state and iss", name, q, c.want)
		}
	}
}

func TestTheAccountsAreShownEveryTime(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.signIn("1001")
	res := r.do(r.browser.Get(r.ask(func(q url.Values) { q.Set("login_hint", "bo") })))
	page := text(res)
	for _, want := range []string{"Ada Äcker", "ada@uni.example", "Registriert.", `name="person" value="1002" class="hinted"`, "zuletzt angemeldet"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if got := res.Header.Get("Content-Security-Policy"); !strings.Contains(got, "form-action 'self' http://127.0.0.1:8080") {
		t.Errorf("policy: got %q, want the way back allowed", got)
	}
	english := text(r.do(r.browser.Get(r.ask(func(q url.Values) { q.Set("ui_locales", "en-GB de") }))))
	if !strings.Contains(english, "Registers.") || !strings.Contains(english, `<html lang="en">`) {
		t.Errorf("ui_locales=en: got\n%s", english)
	}
}

func TestTheFormOfThePageCarriesTheWholeRequest(t *testing.T) {
	t.Parallel()
	r := start(t)
	page := text(r.do(r.browser.Get(r.ask(func(q url.Values) { q.Set("state", `a&b="<+ü%`) }))))
	_, action, _ := strings.Cut(page, `action="`)
	action, _, _ = strings.Cut(action, `"`)
	res := r.do(r.browser.PostForm(r.issuer+html.UnescapeString(action), url.Values{"person": {"1002"}}))
	if got, want := r.answer(res).Get("state"), `a&b="<+ü%`; got != want {
		t.Errorf("state: got %q, want %q", got, want)
	}
}

func TestSilentSignInUsesTheCookie(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.signIn("1002")
	q := r.answer(r.do(r.browser.Get(r.ask(func(q url.Values) { q.Set("prompt", "none") }))))
	if q.Get("code") == "" {
		t.Errorf("got %v, want a code", q)
	}
}

func TestSomebodyMayDecline(t *testing.T) {
	t.Parallel()
	r := start(t)
	to := strings.Replace(r.ask(func(url.Values) {}), "/authorize", "/login", 1)
	if got := r.answer(r.do(r.browser.PostForm(to, url.Values{"refuse": {"1"}}))).Get("error"); got != "access_denied" {
		t.Errorf("got %q, want access_denied", got)
	}
}
