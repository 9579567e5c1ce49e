package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/idp"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

func ada() idp.Person {
	return idp.Person{
		Sub: "1001", Username: "ada", Name: "Ada Äcker", GivenName: "Ada", FamilyName: "Äcker",
		Email: "ada@uni.example", EmailVerified: true, Groups: []string{"ra", "staff"},
	}
}

func bo() idp.Person {
	return idp.Person{Sub: "1002", Username: "bo", Name: "Bo", Email: "bo@uni.example", Groups: []string{}}
}

// knows makes groups mean something in the portal.
func knows(groups ...string) func(context.Context, []string) ([]string, error) {
	return func(_ context.Context, all []string) ([]string, error) {
		return slices.DeleteFunc(slices.Clone(all), func(g string) bool { return !slices.Contains(groups, g) }), nil
	}
}

// world is a provider, a portal of a few routes and a database.
type world struct {
	t        *testing.T
	clock    *trial.Clock // what everybody looks at
	db       *postgres.DB
	people   *person.Book
	sealer   *postgres.Sealer
	desk     *Desk
	provider *idp.Provider
	app, idp *httptest.Server

	mu    sync.Mutex
	front func(next http.Handler) http.Handler // stands before the provider
	do    func(w http.ResponseWriter, r *http.Request)
	calls map[string]int // of the provider, by path
}

// newWorld makes one; change adjusts the desk's configuration.
func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{
		t: t, clock: trial.NewClock(), db: pgtest.New(t), calls: map[string]int{},
		app: httptest.NewUnstartedServer(nil), idp: httptest.NewUnstartedServer(nil),
	}
	base := "http://" + w.app.Listener.Addr().String()
	cfg := Config{
		Issuer: "http://" + w.idp.Listener.Addr().String(), ClientID: "portal", ClientSecret: "a secret: 100 % & more",
		RAGroup: "ra", BaseURL: trial.Must(url.Parse(base)), KnownGroups: knows("staff", "ada"),
	}
	for _, f := range change {
		f(&cfg)
	}
	w.provider = trial.Must(idp.New(idp.Config{
		Issuer: cfg.Issuer, People: []idp.Person{ada(), bo()}, Now: w.clock.Now,
		Clients: []idp.Client{{
			ID: cfg.ClientID, Secret: "a secret: 100 % & more",
			RedirectURIs: []string{base + paths.SignedIn}, PostLogoutRedirectURIs: []string{base + paths.SignedOut},
		}},
	}))
	w.people = &person.Book{DB: w.db, Now: w.clock.Now}
	w.sealer = trial.Must(w.db.Sealer(t.Context(), bytes.Repeat([]byte{7}, 32)))
	w.desk = trial.Must(New(cfg, w.db, w.people, w.sealer, w.clock.Now, slog.New(slog.NewTextHandler(t.Output(), nil))))
	w.app.Config.Handler = w.desk.Load(nil)(w.routes())
	w.idp.Config.Handler = http.HandlerFunc(w.toProvider)
	w.app.Start()
	w.idp.Start()
	t.Cleanup(w.app.Close)
	t.Cleanup(w.idp.Close)
	return w
}

func (w *world) toProvider(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.calls[r.URL.Path]++
	front := w.front
	w.mu.Unlock()
	h := w.provider.Handler()
	if front != nil {
		h = front(h)
	}
	h.ServeHTTP(out, r)
}

func (w *world) before(front func(next http.Handler) http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.front = front
}

func (w *world) asked(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[path]
}

func (w *world) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /signin", func(out http.ResponseWriter, r *http.Request) {
		fail(out, w.desk.Begin(out, r, r.FormValue("next")))
	})
	mux.HandleFunc("GET /again", func(out http.ResponseWriter, r *http.Request) {
		fail(out, w.desk.Again(out, r, r.FormValue("next"), Demand(r.FormValue("why"))))
	})
	mux.HandleFunc("GET "+paths.SignedIn, func(out http.ResponseWriter, r *http.Request) {
		done, err := w.desk.Finish(out, r)
		if err != nil {
			fail(out, err)
			return
		}
		http.Redirect(out, r, done.Next, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /signout", func(out http.ResponseWriter, r *http.Request) {
		to, err := w.desk.SignOut(out, r)
		if err != nil {
			fail(out, err)
			return
		}
		http.Redirect(out, r, to, http.StatusSeeOther)
	})
	mux.HandleFunc("GET /me", func(out http.ResponseWriter, r *http.Request) {
		a, ok := w.desk.Actor(r.Context())
		if !ok {
			out.WriteHeader(http.StatusUnauthorized)
			return
		}
		json.NewEncoder(out).Encode(a)
	})
	mux.HandleFunc("GET /do", func(out http.ResponseWriter, r *http.Request) { w.do(out, r) })
	return mux
}

// fail tells the fault in headers.
func fail(out http.ResponseWriter, err error) {
	if err == nil {
		return
	}
	f := fault.Of(err)
	out.Header().Set("Fault", f.Kind.String()+" "+f.ID)
	out.Header().Set("Cause", strings.ReplaceAll(err.Error(), "\n", " "))
	out.WriteHeader(http.StatusTeapot)
}

// agent keeps cookies and follows no redirect by itself.
type agent struct {
	w *world
	*http.Client
}

func (w *world) browser() *agent {
	return &agent{w, &http.Client{
		Jar:           trial.Must(cookiejar.New(nil)),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// got is an answer, read to its end.
type got struct {
	*http.Response
	text string
}

func (b *agent) read(res *http.Response, err error) got {
	b.w.t.Helper()
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	return got{res, string(trial.Must(io.ReadAll(res.Body)))}
}

// to is the address of the redirect.
func (g got) to(t *testing.T) *url.URL {
	t.Helper()
	u, err := g.Location()
	if err != nil {
		t.Fatalf("got status %d, fault %q (%s), want a redirect", g.StatusCode, g.Header.Get("Fault"), g.Header.Get("Cause"))
	}
	return u
}

func (b *agent) get(path string) got {
	b.w.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.w.app.URL + path
	}
	return b.read(b.Get(path))
}

// begin clicks on "sign in" and returns the provider's address.
func (b *agent) begin(next string) *url.URL {
	b.w.t.Helper()
	return b.get("/signin?next=" + url.QueryEscape(next)).to(b.w.t)
}

// pick chooses an account at the provider and returns the callback's address.
func (b *agent) pick(at *url.URL, sub string) *url.URL {
	b.w.t.Helper()
	to := strings.Replace(at.String(), "/authorize?", "/login?", 1)
	return b.read(b.PostForm(to, url.Values{"person": {sub}})).to(b.w.t)
}

// signIn goes the whole way and returns the portal's last answer.
func (b *agent) signIn(sub string) got {
	b.w.t.Helper()
	return b.get(b.pick(b.begin("/"), sub).String())
}

// me is who the portal takes this browser for.
func (b *agent) me() (person.Actor, bool) {
	b.w.t.Helper()
	g := b.get("/me")
	var a person.Actor
	if g.StatusCode == http.StatusUnauthorized {
		return a, false
	}
	if err := json.Unmarshal([]byte(g.text), &a); err != nil {
		b.w.t.Fatalf("got status %d and %q, want an actor: %v", g.StatusCode, g.text, err)
	}
	return a, true
}

// mustBe fails unless the browser is taken for name, "" for nobody.
func (b *agent) mustBe(name, why string) {
	b.w.t.Helper()
	if a, _ := b.me(); a.Name != name {
		b.w.t.Fatalf("%s: got actor %q, want %q", why, a.Name, name)
	}
}

// within runs f in a request of this browser.
func (b *agent) within(f func(ctx context.Context)) got {
	b.w.t.Helper()
	b.w.do = func(_ http.ResponseWriter, r *http.Request) { f(r.Context()) }
	return b.get("/do")
}

func (b *agent) cookie() string {
	for _, c := range b.Jar.Cookies(trial.Must(url.Parse(b.w.app.URL))) {
		if c.Name == "petschaft" {
			return c.Value
		}
	}
	return ""
}

// thief is a browser that holds only this session cookie.
func (w *world) thief(cookie string) *agent {
	b := w.browser()
	b.Jar.SetCookies(trial.Must(url.Parse(w.app.URL)), []*http.Cookie{{Name: "petschaft", Value: cookie}})
	return b
}

func wantFault(t *testing.T, g got, want string) {
	t.Helper()
	if f := g.Header.Get("Fault"); f != want {
		t.Errorf("got status %d, fault %q (%s), want %q", g.StatusCode, f, g.Header.Get("Cause"), want)
	}
}

func (w *world) number(sql string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.db.QueryRow(w.t.Context(), sql, args...).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func (w *world) lines(action string) int {
	w.t.Helper()
	return w.number("select count(*) from audit_line where action = $1", action)
}
