// Package signin proves who somebody is: it exchanges a sign-in with an OpenID
// Connect provider (authorization code with PKCE), keeps the session in the
// browser and tells each request who acts. It is the only room that knows
// go-oidc and scs. It keeps no accounts (person does) and decides no rights.
//
// A session holds only the id of a row of login, the transactions of sign-ins
// under way, one notice and the proofs of opened challenge links. The row says
// whether the session counts, so ending it there ends it everywhere, whatever a
// concurrent request writes back into the session.
package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"golang.org/x/sync/singleflight"

	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Config is what a desk needs to know. Issuer, ClientID and BaseURL are
// required. The provider must know paths.SignedIn and paths.SignedOut, below
// BaseURL, as addresses that it may send browsers back to, and may know
// paths.BackChannelLogout as the one where it says whose sessions have ended.
type Config struct {
	Issuer       string // compared byte by byte with what the provider says
	ClientID     string
	ClientSecret string   // empty for a public client
	GroupsClaim  string   // its name, or the path to it; "" means "groups"
	RAGroup      string   // members are registration officers; "" means nobody
	ACR          []string // one of them an officer's sign-in must have reached; none: any will do
	AnyAge       bool     // no sign-in needs to be fresh
	BaseURL      *url.URL // https, or http on loopback; no path

	// KnownGroups returns which of these groups of the provider mean something in
	// the portal: only they are kept. The officers' group always is; nil knows no other.
	KnownGroups func(ctx context.Context, all []string) ([]string, error)
	// Vouches tells whether the operator stands for an address about which the
	// provider says nothing; nil stands for none.
	Vouches func(address string) bool
	// Count hears why a sign-in came to nothing; nil: nobody does.
	Count func(why Why)

	Idle         time.Duration // a login without requests ends after it; 0 means 30 minutes
	Absolute     time.Duration // each login ends after it; 0 means 10 hours
	RefreshEvery time.Duration // claims older than this are asked for again; 0 means 10 minutes

	// PerMinute is how many sign-ins one network address begins in a minute; 0
	// means 600.
	PerMinute int

	// ClientIP tells where a request comes from; nil means its peer.
	ClientIP func(*http.Request) netip.Addr
}

// Desk is where people sign in and out. Its methods may be called from any
// goroutine; those that take a context want one of a request under Load, unless
// they say otherwise.
type Desk struct {
	cfg      Config
	db       *postgres.DB
	people   *person.Book
	sealer   *postgres.Sealer
	now      func() time.Time
	log      *slog.Logger
	sessions *scs.SessionManager
	client   *http.Client
	known    atomic.Pointer[provider]
	asking   singleflight.Group
}

// New makes a desk. It does not talk to the provider, which may be down.
func New(cfg Config, db *postgres.DB, people *person.Book, sealer *postgres.Sealer, now func() time.Time, log *slog.Logger) (*Desk, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("sign-in: %w", err)
	}
	d := &Desk{cfg: cfg.withDefaults(), db: db, people: people, sealer: sealer, now: now, log: log, client: newClient()}
	d.sessions = d.newSessions()
	return d, nil
}

func (c Config) check() error {
	if c.ClientID == "" {
		return errors.New("the client id is missing")
	}
	if c.BaseURL == nil || !safe(c.BaseURL) || c.BaseURL.Path != "" && c.BaseURL.Path != "/" {
		return fmt.Errorf("base URL %v: want https://host, or http on loopback", c.BaseURL)
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if !safe(issuer) {
		return fmt.Errorf("issuer %q: want https://host/path, or http on loopback", c.Issuer)
	}
	return nil
}

// safe tells whether secrets may travel to u.
func safe(u *url.URL) bool {
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (c Config) withDefaults() Config {
	c.GroupsClaim = cmp.Or(c.GroupsClaim, "groups")
	c.Idle = cmp.Or(c.Idle, 30*time.Minute)
	c.Absolute = cmp.Or(c.Absolute, 10*time.Hour)
	c.RefreshEvery = cmp.Or(c.RefreshEvery, 10*time.Minute)
	if c.ClientIP == nil {
		c.ClientIP = peer
	}
	return c
}

// here is an address of this portal.
func (c Config) here(path string) string {
	u := url.URL{Scheme: c.BaseURL.Scheme, Host: c.BaseURL.Host, Path: path}
	return u.String()
}

func peer(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(host)
	return a.Unmap().WithZone("")
}

func (d *Desk) fail(w http.ResponseWriter, r *http.Request, err error) {
	d.log.ErrorContext(r.Context(), "session", "error", err)
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// newSessions never uses scs's idle timeout, which rewrites the session at
// each request; what is over is deleted by Jobs.
func (d *Desk) newSessions() *scs.SessionManager {
	s := scs.New()
	s.Store = store{d.db, d.now}
	s.HashTokenInStore = true
	s.Lifetime = d.cfg.Absolute
	s.ErrorFunc = d.broken
	s.Cookie.Name = "petschaft"
	s.Cookie.Secure = d.cfg.BaseURL.Scheme == "https"
	if s.Cookie.Secure {
		s.Cookie.Name = "__Host-petschaft"
	}
	s.Cookie.HttpOnly = true
	s.Cookie.SameSite = http.SameSiteLaxMode
	s.Cookie.Path = "/"
	s.Cookie.Persist = false
	return s
}
