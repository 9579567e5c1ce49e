package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/template"
	"time"

	"github.com/alecthomas/kong"

	"petschaft/internal/ca"
	"petschaft/internal/cluster"
	"petschaft/internal/idp"
	"petschaft/internal/issuance"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/internal/sink"
	"petschaft/web/paths"
)

// RunCmd is `make run`: the portal with everything around it.
type RunCmd struct {
	Port string `help:"First of four ports; kept for later runs. 8080 at the first."`
}

// Run returns when told to stop, after everything it started has ended.
func (c RunCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	home, err := cluster.Home(".")
	if err != nil {
		return err
	}
	if err := cluster.Idle(home); err != nil {
		return running(err)
	}
	s, err := readSettings(c.Port)
	if err != nil {
		return err
	}
	w := &world{settings: s, tell: newTeller(os.Stderr, patience)}
	defer w.tell.stop()
	if w.ports, err = s.occupy(); err != nil {
		return err
	}
	defer w.close()
	if err := s.keep(); err != nil {
		return err
	}
	if err := w.around(); err != nil {
		return err
	}
	err = w.live(ctx, home)
	if !errors.Is(err, postgres.ErrWrongSecret) {
		return running(err)
	}
	aside, err := cluster.SetAside(home)
	if err = errors.Join(err, w.mails.Clear()); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "demo: the data of a clone that was here before is set aside in %s (make clean removes it)\n", aside)
	return w.live(ctx, home)
}

// running says in words that another process has the demo of this folder.
func running(err error) error {
	if errors.Is(err, cluster.ErrRunning) {
		return errors.New("the demo of this folder is running already; stop it with Ctrl-C in its terminal first")
	}
	return err
}

// world is what stands around the portal.
type world struct {
	settings
	ports   ports
	tell    *teller
	mails   *sink.Sink
	servers []*http.Server

	registry issuance.Registry // authorities beside the portal's own
}

// live runs the cluster and the portal on it until ctx ends.
func (w *world) live(ctx context.Context, home string) (err error) {
	w.tell.say("starting a private Postgres")
	server, err := cluster.Start(ctx, cluster.Options{Home: home, Out: w.tell})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	database, err := server.Database(ctx, "petschaft")
	if err != nil {
		return err
	}
	return w.portal(ctx, database)
}

// around starts the provider, the mail server and its reader, and an authority outside.
func (w *world) around() error {
	var err error
	w.mails, err = sink.New(sink.Config{Dir: filepath.Join(folder, "mails"), Location: berlin(), Moved: w.moved()})
	if err != nil {
		return err
	}
	for address, answer := range refusals {
		w.mails.Reject(address, 550, answer)
	}
	if err := w.mails.Serve(w.ports.smtp); err != nil {
		return err
	}
	provider, err := idp.New(idp.Config{
		Issuer: w.issuer(), People: people, Quick: true,
		KeyFile: filepath.Join(folder, "provider.pem"), StateFile: filepath.Join(folder, "provider.json"),
		Clients: []idp.Client{{
			ID: "petschaft", Secret: w.Client,
			RedirectURIs:           []string{local("127.0.0.1", w.Portal) + paths.SignedIn},
			PostLogoutRedirectURIs: []string{local("127.0.0.1", w.Portal) + paths.SignedOut},
			BackChannelLogoutURI:   local("127.0.0.1", w.Portal) + paths.BackChannelLogout,
		}},
	})
	if err != nil {
		return err
	}
	w.serve(w.ports.provider, provider.Handler())
	w.serve(w.ports.reader, w.mails.Handler())
	return w.outside()
}

// issuer is what the provider calls itself.
func (s settings) issuer() string { return local("localhost", s.Provider) }

func (w *world) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, server)
	go server.Serve(l)
}

func (w *world) close() {
	for _, s := range w.servers {
		s.Close()
	}
	if w.mails != nil {
		w.mails.Close()
	}
	w.ports.close()
}

// config is what an operator would set, and nothing else.
func (w *world) config(database string) (portal.Config, error) {
	for name, value := range map[string]string{
		"DATABASE_URL":                 database,
		"PETSCHAFT_LISTEN":             fmt.Sprint("127.0.0.1:", w.Portal),
		"PETSCHAFT_BASE_URL":           local("127.0.0.1", w.Portal),
		"PETSCHAFT_OIDC_ISSUER":        w.issuer(),
		"PETSCHAFT_OIDC_CLIENT_ID":     "petschaft",
		"PETSCHAFT_OIDC_CLIENT_SECRET": w.Client,
		"PETSCHAFT_RA_GROUP":           officers,
		"PETSCHAFT_SMTP_URL":           fmt.Sprintf("smtp://127.0.0.1:%d?tls=none", w.SMTP),
		"PETSCHAFT_MAIL_FROM":          "Zertifikatsportal <portal@petschaft.example>",
		"PETSCHAFT_MAIL_BOUNCE":        "ra@petschaft.example",
		"PETSCHAFT_SECRET":             w.Secret,
		"PETSCHAFT_PKI_URL":            local("127.0.0.1", w.Portal),
	} {
		if err := os.Setenv(name, value); err != nil {
			return portal.Config{}, fmt.Errorf("set %s: %w", name, err)
		}
	}
	var c portal.Config
	k, err := kong.New(&c)
	if err == nil {
		_, err = k.Parse(nil)
	}
	c = c.WithSecrets(os.Getenv)
	c.Version, c.Registry = "demo", w.registry
	return c, err
}

// portal runs the portal until ctx ends.
func (w *world) portal(ctx context.Context, database string) error {
	db, err := postgres.Open(ctx, database)
	if err != nil {
		return err
	}
	w.tell.say("bringing the schema up to date")
	if _, err = postgres.Migrate(ctx, db); err == nil {
		err = move(ctx, db, w.issuer())
	}
	db.Close()
	if err != nil {
		return err
	}
	w.tell.say("starting the portal")
	c, err := w.config(database)
	if err != nil {
		return err
	}
	if err := authorities(ctx, c); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	p, err := portal.Open(ctx, c, log, func() time.Time { return time.Now().UTC() })
	if err != nil {
		return err
	}
	defer p.Close()
	return w.open(ctx, p, w.ports.portal)
}

// authorities makes what `petschaft ca init` makes, once.
func authorities(ctx context.Context, c portal.Config) error {
	u, err := url.Parse(c.PKIURL)
	if err != nil {
		return err
	}
	db, sealer, err := c.Database(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	err = ca.Init(ctx, db, sealer, ca.Options{Organisation: "Petschaft Demo", Country: "DE", Now: time.Now().UTC(), PKIURL: u})
	if errors.Is(err, ca.ErrExists) {
		return nil
	}
	return err
}

// open serves, fills an empty portal with samples, and tells where things are.
func (w *world) open(ctx context.Context, p *portal.Portal, l net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := p.Serve(ctx, l, func() {
		go func() {
			w.tell.say("loading the samples")
			if err := w.fill(ctx, p); err != nil {
				cancel(fmt.Errorf("load the samples: %w", err))
				return
			}
			w.hello()
		}()
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

//go:embed hello.txt
var helloText string

func (w *world) hello() {
	w.tell.begin("")
	page := template.Must(template.New("hello").Parse(helloText))
	page.Execute(os.Stdout, map[string]any{"Portal": local("127.0.0.1", w.Portal), "Mails": local("localhost", w.Reader), "People": people})
}

func berlin() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.UTC
	}
	return l
}
