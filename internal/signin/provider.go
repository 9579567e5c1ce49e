package signin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"petschaft/internal/fault"
	"petschaft/web/paths"
)

// provider is the identity provider as its discovery document describes it
// (OpenID Connect Discovery 1.0, 3).
type provider struct {
	*oidc.Provider
	metadata
	oauth oauth2.Config
	keys  *oidc.RemoteKeySet
	asked time.Time
	// logoutKeys are the same, asked for now and then only: anybody may send logout
	// tokens with keys that nobody has.
	logoutKeys *oidc.RemoteKeySet
}

type metadata struct {
	Authorize     string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Info          string   `json:"userinfo_endpoint"`
	EndSession    string   `json:"end_session_endpoint"`
	Scopes        []string `json:"scopes_supported"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	AnswersIssuer bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207, 3
}

// ask puts the question for the discovery document; whoever asks meanwhile
// shares the answer.
func (d *Desk) ask() <-chan singleflight.Result {
	return d.asking.DoChan("", func() (any, error) {
		p, err := d.discover(d.outward(context.Background()))
		if err == nil {
			d.known.Store(p)
		}
		return p, err
	})
}

// reach asks the provider for its document, which also tells whether it is
// there: a browser sent to one that is not would see no page of ours.
func (d *Desk) reach(ctx context.Context) (*provider, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case a := <-d.ask():
		if a.Err != nil {
			return nil, providerDown(a.Err)
		}
		return a.Val.(*provider), nil
	}
}

// heard is how long the provider's document is believed to show that it is there.
const heard = 30 * time.Second

// lately returns what the provider said not long ago, else asks: however many
// people sign in, it hears of them by their browsers only.
func (d *Desk) lately(ctx context.Context, now time.Time) (*provider, error) {
	if p := d.known.Load(); p != nil && now.Sub(p.asked) < heard {
		return p, nil
	}
	return d.reach(ctx)
}

// provider returns what is known, else asks.
func (d *Desk) provider(ctx context.Context) (*provider, error) {
	if p := d.known.Load(); p != nil {
		return p, nil
	}
	return d.reach(ctx)
}

func providerDown(err error) error {
	return fault.New(fault.Unavailable, "signin.provider_down").Because(err)
}

func (d *Desk) discover(ctx context.Context) (*provider, error) {
	strict := *d.client
	strict.Transport = documents{strict.Transport}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, &strict), d.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the provider: %w", err)
	}
	f := &provider{Provider: p, asked: d.now()}
	if err := p.Claims(&f.metadata); err != nil {
		return nil, fmt.Errorf("discover the provider: %w", err)
	}
	if err := f.metadata.check(d.cfg.Issuer); err != nil {
		return nil, fmt.Errorf("discover the provider: %w", err)
	}
	if old := d.known.Load(); old != nil && old.Keys == f.Keys {
		f.keys, f.logoutKeys = old.keys, old.logoutKeys // hold keys already
	} else {
		f.keys = oidc.NewRemoteKeySet(ctx, f.Keys)
		seldom := *d.client
		seldom.Transport = &rarely{next: seldom.Transport, now: d.now}
		f.logoutKeys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, &seldom), f.Keys)
	}
	f.oauth = oauth2.Config{
		ClientID: d.cfg.ClientID, ClientSecret: d.cfg.ClientSecret, RedirectURL: d.cfg.here(paths.SignedIn),
		Scopes:   f.scopes(),
		Endpoint: oauth2.Endpoint{AuthURL: f.Authorize, TokenURL: f.Token, AuthStyle: f.authStyle(d.cfg.ClientSecret)},
	}
	return f, nil
}

// check holds the endpoints to the issuer's security: an https issuer whose
// document names http would get secrets and people sent in clear.
func (m metadata) check(issuer string) error {
	for name, text := range map[string]string{
		"authorization_endpoint": m.Authorize, "token_endpoint": m.Token, "jwks_uri": m.Keys,
		"userinfo_endpoint": m.Info, "end_session_endpoint": m.EndSession,
	} {
		optional := name == "userinfo_endpoint" || name == "end_session_endpoint"
		if text == "" && optional {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || strings.HasPrefix(issuer, "https:")) {
			return fmt.Errorf("%s %q is no address for an issuer like %q", name, text, issuer)
		}
	}
	return nil
}

// scopes asks for what the provider lists beyond the three that all know.
func (m metadata) scopes() []string {
	s := []string{oidc.ScopeOpenID, "profile", "email"}
	for _, more := range []string{"groups", oidc.ScopeOfflineAccess} {
		if slices.Contains(m.Scopes, more) {
			s = append(s, more)
		}
	}
	return s
}

// authStyle is never left to oauth2's trying: a second try with the same code
// makes a strict provider end the session (RFC 6749, 4.1.2).
func (m metadata) authStyle(secret string) oauth2.AuthStyle {
	basic := len(m.AuthMethods) == 0 || slices.Contains(m.AuthMethods, "client_secret_basic")
	if secret == "" || !basic {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// EndSessionOrigin is where a sign-out's form is redirected to, for the page's
// form-action: the origin of the provider's end-session endpoint, "" when it
// has none. Before the first answer of the provider it is the issuer's own, and
// the question is asked behind the caller's back.
func (d *Desk) EndSessionOrigin() string {
	p := d.known.Load()
	if p == nil {
		d.ask()
		return origin(d.cfg.Issuer)
	}
	return origin(p.EndSession)
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Limits of a talk with the provider.
const (
	talkTime       = 10 * time.Second
	talkBytes      = 1 << 20
	talkErrorBytes = 2 << 10
)

// outward makes go-oidc and oauth2 use the desk's client.
func (d *Desk) outward(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, d.client)
}

// newClient follows no redirects: the endpoints are written down, and a
// redirect would carry the client's secret elsewhere.
func newClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 3 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 5 * time.Second
	return &http.Client{
		Timeout:       talkTime,
		Transport:     bounded{t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts answers that are too long, and pages that errors would quote:
// go-oidc reads whatever comes.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		said, err := io.ReadAll(io.LimitReader(answer.Body, talkErrorBytes))
		answer.Body.Close()
		if err != nil || strings.HasPrefix(http.DetectContentType(said), "text/html") {
			said = nil
		}
		answer.Body = io.NopCloser(bytes.NewReader(said))
		return answer, nil
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, talkBytes)
	return answer, nil
}

// rarelyEvery is how often an address is really asked.
const rarelyEvery = 10 * time.Second

// rarely asks one address, and gives the same answer for a while, be it good or not.
type rarely struct {
	next http.RoundTripper
	now  func() time.Time

	mu     sync.Mutex
	asked  time.Time
	said   []byte
	failed error
}

func (c *rarely) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.asked) >= rarelyEvery {
		c.asked = now // before the call: one that fails is not made at once again
		c.said, c.failed = c.ask(r)
	}
	if c.failed != nil {
		return nil, c.failed
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(c.said)), Body: io.NopCloser(bytes.NewReader(c.said)),
	}, nil
}

func (c *rarely) ask(r *http.Request) ([]byte, error) {
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, &statusError{r.URL.String(), answer.Status}
	}
	return io.ReadAll(answer.Body)
}

// away tells from an error of the token endpoint whether the provider is to
// blame for it rather than the code or token it was given.
func away(err error) bool {
	said, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return true
	}
	code := said.Response.StatusCode
	return code >= 500 || code == http.StatusTooManyRequests || clientRefused(err)
}

func refusedGrant(err error) bool {
	said, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && said.ErrorCode == "invalid_grant"
}
