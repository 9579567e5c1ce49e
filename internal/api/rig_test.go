package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
	"petschaft/web/locale/localetest"
)

// rig is a portal over HTTP. nora looks after uni.example, labor.example
// (validated by mailbox) and the organisation Universität, sven after
// institut.example and another organisation; rita is a registration officer,
// ada somebody with certificates. Jobs rest until work is called.
type rig struct {
	t *testing.T
	*portal.Portal
	db            *postgres.DB // for the test's own statements
	clock         *trial.Clock
	base          string
	cfg           portal.Config
	contract      *contract
	actors        map[string]person.Actor
	signsIn       map[string]func()
	domains       map[string]org.ID
	organisations map[string]org.OrganisationID // by their contact
	logged        record
	working       sync.Once
}

// record is what the portal logged.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

const issuer = "http://localhost:1"

func newRig(t *testing.T, change ...func(*portal.Config)) *rig {
	t.Helper()
	app := httptest.NewUnstartedServer(nil)
	r := &rig{
		t: t, clock: trial.NewClock(), base: "http://" + app.Listener.Addr().String(),
		actors: map[string]person.Actor{}, signsIn: map[string]func(){}, domains: map[string]org.ID{}, organisations: map[string]org.OrganisationID{},
	}
	at := pgtest.URL(t)
	r.db = pgtest.Open(t, at)
	cfg := portal.Config{
		DatabaseURL: at, BaseURL: r.base, Listen: "127.0.0.1:0", OIDCIssuer: issuer, OIDCClientID: "portal", OIDCGroupsClaim: "groups",
		RAGroup: "ra", SMTPURL: "smtp://127.0.0.1:1?tls=none", MailFrom: "portal@uni.example", MailBounce: "bounce@uni.example",
		Secret: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", PKIURL: "http://pki.example",
		RowGap: time.Minute, RowDay: 10, ActorHour: 500, AddressHour: 30, BulkMails: 60, HandoverDay: 10, LookUpHour: 20, SignInPerMinute: 600, TokenSleep: 30, APIPerMinute: 1200,
	}
	for _, f := range change {
		f(&cfg)
	}
	r.cfg = cfg
	r.found(cfg)
	r.Portal = trial.Must(portal.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), &r.logged), nil)), r.clock.Now, func(c *pgxpool.Config) {
		c.MaxConns = 12
		c.ConnConfig.RuntimeParams["lock_timeout"] = "300ms"
		c.ConnConfig.Tracer = r.db.Config().ConnConfig.Tracer // so that pgtest.Queries counts the portal's
	}))
	t.Cleanup(r.Close)
	app.Config.Handler = localetest.Watch(t, r.Handler)
	app.Start()
	t.Cleanup(app.Close)
	r.fill()
	r.contract = readContract(t, r.call("GET", "/openapi.json", "", nil).body)
	return r
}

func (r *rig) found(cfg portal.Config) {
	db, sealer, err := cfg.Database(r.t.Context())
	trial.Must(db, err)
	defer db.Close()
	trial.Must(0, ca.Init(r.t.Context(), db, sealer, ca.Options{
		Organisation: "Universität Beispiel", Country: "DE", Now: r.clock.Now().Add(-100 * 24 * time.Hour), PKIURL: trial.Must(url.Parse(cfg.PKIURL)),
	}))
}

func (r *rig) fill() {
	f := campus.Founder{T: r.t, DB: r.DB, People: r.People, Org: r.Org}
	claims := func(name string) person.Claims {
		return person.Claims{Issuer: issuer, Subject: name, Name: name, Email: name + "@uni.example", EmailVerified: true}
	}
	r.actors["rita"] = f.SignInOfficer(claims("rita"))
	for _, name := range []string{"nora", "sven", "ada"} {
		r.signsIn[name] = func() { f.SignIn(claims(name)) }
		r.actors[name] = f.SignIn(claims(name))
	}
	for _, x := range []struct{ contact, organisation, domain string }{{"nora", "Universität", "uni.example"}, {"sven", "Institut", "institut.example"}} {
		contact := r.actors[x.contact]
		group := f.Group(org.GroupInput{Name: "Netz " + x.organisation}, contact)
		r.domains[x.domain] = f.Domain(x.domain, group, org.ByDomain)
		if x.contact == "nora" {
			r.domains["labor.example"] = f.Domain("labor.example", group, org.ByMailbox)
		}
		r.organisations[x.contact] = f.Organisation(x.organisation, contact)
		f.ServerName(r.organisations[x.contact], x.domain, true)
	}
}

// tokenOf is the secret of a token of somebody for all that is theirs, with
// these verbs (none: all).
func (r *rig) tokenOf(who string, verbs ...person.Verb) string {
	r.t.Helper()
	in := person.TokenInput{Form: rand(), Name: "test", Verbs: verbs, Ends: r.clock.Now().Add(100 * 24 * time.Hour)}
	if len(verbs) == 0 {
		in.Verbs = person.Verbs()
	}
	has := func(some []person.Verb) bool {
		for _, v := range in.Verbs {
			for _, s := range some {
				if v == s {
					return true
				}
			}
		}
		return false
	}
	theirs := map[string][]string{"nora": {"uni.example", "labor.example"}, "sven": {"institut.example"}}[who]
	for _, d := range theirs {
		if has(person.DomainVerbs()) {
			in.Domains = append(in.Domains, int64(r.domains[d]))
		}
	}
	if has(person.OrganisationVerbs()) {
		in.Organisations = []int64{int64(r.organisations[who])}
	}
	return r.tokenWith(who, in)
}

func (r *rig) tokenWith(who string, in person.TokenInput) string {
	r.t.Helper()
	secret, _, err := r.Org.MakeToken(r.t.Context(), r.actors[who], in)
	if err != nil {
		r.t.Fatalf("make token: %v", err)
	}
	return secret
}

var counted atomic.Int64

// rand is a text that no other call returns.
func rand() string { return fmt.Sprintf("n%d", counted.Add(1)) }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// to reads the body into v.
func (a answer) to(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("read %s: %v", a.body, err)
	}
}

// code is that of a problem, empty for none.
func (a answer) code() string {
	var p struct {
		Code   string
		Errors []struct{ Code string }
	}
	_ = json.Unmarshal(a.body, &p)
	if len(p.Errors) > 0 {
		return p.Errors[0].Code
	}
	return p.Code
}

// call asks the API and holds the answer against its description. body is JSON
// made of anything, or a string as it is; headers are pairs.
func (r *rig) call(method, path, token string, body any, headers ...string) answer {
	r.t.Helper()
	a := r.ask(method, "/api/v1"+path, token, body, headers...)
	if r.contract != nil {
		r.contract.holds(r.t, method, path, a)
	}
	return a
}

func (r *rig) ask(method, path, token string, body any, headers ...string) answer {
	r.t.Helper()
	return trial.Must(r.askAt(r.base, method, path, token, body, headers...))
}

func (r *rig) askAt(base, method, path, token string, body any, headers ...string) (answer, error) {
	r.t.Helper()
	var content io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	default:
		content, kind = bytes.NewReader(trial.Must(json.Marshal(b))), "application/json"
	}
	req := trial.Must(http.NewRequestWithContext(r.t.Context(), method, base+path, content))
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, text}, err
}

// row makes one in uni.example.
func (r *rig) row(local string, aliases ...string) mailbox.ID {
	r.t.Helper()
	return trial.Must(r.Mailbox.Add(r.t.Context(), r.actors["nora"], "uni.example",
		mailbox.Input{Kind: mailbox.Personal, Name: "Name of " + local, Primary: local + "@uni.example", Aliases: aliases})).ID
}

func wants(t *testing.T, a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Errorf("got %d, want %d: %s", a.status, status, a.body)
	}
}

func (r *rig) scalar(sql string, args ...any) (n int) {
	r.t.Helper()
	trial.Must(0, r.db.QueryRow(r.t.Context(), sql, args...).Scan(&n))
	return n
}

// work runs the portal's jobs until the test ends.
func (r *rig) work() {
	r.t.Helper()
	r.working.Do(func() {
		trial.Must(0, r.Work(r.t.Context()))
		r.t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			_ = r.Queue.Stop(ctx)
		})
	})
}
