// Package idp is a small but real OpenID Connect provider for the demo and for
// tests: discovery, authorization code flow with PKCE, signed ID tokens,
// refresh, userinfo, RP-initiated sign-out and back-channel logout. It decides who somebody says to
// be, and its sign-in page lets anybody be anybody: there is no password. So it
// is never part of the production binary, never listens by itself and never
// sees a table of the portal.
package idp

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	codeLife    = 5 * time.Minute
	tokenLife   = 10 * time.Minute
	sessionLife = 30 * 24 * time.Hour
)

// Config is what a provider needs to know. The zero value of everything but
// Issuer is usable.
type Config struct {
	Issuer    string // as clients know it: http or https, no slash at the end
	Clients   []Client
	People    []Person
	Key       Signer           // signs ID tokens; wins over KeyFile
	KeyFile   string           // PEM, PKCS#8; written when it does not exist; "": a new key each time
	StateFile string           // keeps sessions and refresh tokens over a restart; "": memory only
	Now       func() time.Time // nil: the machine's clock
	// Quick: whoever has signed in in a browser and is to do so again (max_age) is
	// believed to be still who they were, without a click.
	Quick bool
}

// Client is a relying party that may ask for sign-ins.
type Client struct {
	ID, Secret             string
	RedirectURIs           []string // compared byte by byte
	PostLogoutRedirectURIs []string // compared byte by byte
	BackChannelLogoutURI   string   // hears of sessions that end; "": it does not
}

// Person is an account of the provider. Role says in one sentence per language
// ("de", "en") what this sample person is for; it is shown, never sent.
type Person struct {
	Sub, Username, Name, GivenName, FamilyName, Email string

	EmailVerified bool
	Groups        []string
	Reaches       []string       // acr_values that a sign-in of theirs can reach
	Without       []string       // claims that the provider leaves out of what it says
	Also          map[string]any // further claims; they win
	Role          map[string]string
}

// Provider is a running identity provider. All methods may be called at any
// time from any goroutine.
type Provider struct {
	issuer    string
	prefix    string // path of the issuer, in front of every route
	stateFile string
	key       signingKey
	now       func() time.Time
	down      atomic.Bool
	quick     bool

	mu       sync.Mutex
	clients  map[string]Client
	people   []Person
	codes    map[string]*grant
	sessions map[string]session
	lie      Misbehaviour
}

// New makes a provider. It fails on an issuer that no client could compare and
// on a key or state file that cannot be read or written.
func New(cfg Config) (*Provider, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.Path, "/") {
		return nil, fmt.Errorf("issuer %q: want http(s)://host[/path] without a slash at the end", cfg.Issuer)
	}
	key, err := openKey(cfg)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		issuer: cfg.Issuer, prefix: u.Path, stateFile: cfg.StateFile, key: key, now: cfg.Now, quick: cfg.Quick,
		clients: map[string]Client{}, codes: map[string]*grant{}, sessions: map[string]session{},
	}
	if p.now == nil {
		p.now = time.Now
	}
	for _, c := range cfg.Clients {
		p.SetClient(c)
	}
	for _, x := range cfg.People {
		if x.Sub == "" {
			return nil, errors.New("a person without sub")
		}
		p.SetPerson(x)
	}
	if err := p.readState(); err != nil {
		return nil, err
	}
	return p, nil
}

// SetClient adds c or replaces the client with its ID.
func (p *Provider) SetClient(c Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients[c.ID] = c
}

// SetPerson adds x or replaces the person with its Sub. Tokens made from now
// on, refreshed ones too, carry the new claims.
func (p *Provider) SetPerson(x Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.Groups = slices.Clone(x.Groups)
	if i := p.index(x.Sub); i >= 0 {
		p.people[i] = x
		return
	}
	p.people = append(p.people, x)
}

// RemovePerson forgets the account; its refresh tokens stop working.
func (p *Provider) RemovePerson(sub string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.index(sub); i >= 0 {
		p.people = slices.Delete(p.people, i, i+1)
	}
}

// SetDown makes every answer a 503 until it is called with false.
func (p *Provider) SetDown(down bool) { p.down.Store(down) }

func (p *Provider) index(sub string) int {
	return slices.IndexFunc(p.people, func(x Person) bool { return x.Sub == sub })
}

func (p *Provider) person(sub string) (Person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.index(sub)
	if i < 0 {
		return Person{}, false
	}
	return p.people[i], true
}

func (p *Provider) everybody() []Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.people)
}

func (p *Provider) client(id string) (Client, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.clients[id]
	return c, ok
}

// RoleIn is the sentence on the person's role in lang, else in German.
func (x Person) RoleIn(lang string) string { return cmp.Or(x.Role[lang], x.Role["de"]) }

// Initials are the first letters of given and family name, for the badge.
func (x Person) Initials() string {
	var s string
	for _, name := range []string{x.GivenName, x.FamilyName} {
		for _, letter := range name {
			s += string(letter)
			break
		}
	}
	return strings.ToUpper(s)
}
