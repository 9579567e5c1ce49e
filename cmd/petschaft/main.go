// Command petschaft is the portal in production: `serve` answers requests and
// works jobs, `migrate` brings the schema up to date, `ca` looks after the
// portal's own authority, `lint` checks a certificate, `config` prints the
// effective settings. It holds no sample data and no way past the sign-in.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"petschaft/internal/portal"
	"petschaft/internal/postgres"
)

// version is set by the build.
var version = "dev"

type commands struct {
	Settings portal.Config    `embed:""`
	Serve    serve            `cmd:"" help:"Answer requests and work jobs until told to stop."`
	Migrate  migrate          `cmd:"" help:"Bring the database schema up to date."`
	CA       authority        `cmd:"" name:"ca" help:"Look after the portal's own certificate authority."`
	Lint     lintFile         `cmd:"" name:"lint" help:"Check a certificate against the rules by which this portal issues."`
	Config   config           `cmd:"" name:"config" help:"Print the effective settings without secrets."`
	Version  kong.VersionFlag `help:"Print the version."`
}

func main() {
	var c commands
	line := kong.Parse(&c, kong.Name("petschaft"), kong.Description("A portal in which people look after their certificates."), kong.Vars{"version": version, "profiles": profileNames()})
	c.Settings.Version = version
	if err := line.Run(c.Settings); err != nil {
		for text := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(os.Stderr, "petschaft:", text)
		}
		status := 1
		if s, ok := errors.AsType[exitStatus](err); ok {
			status = s.status
		}
		os.Exit(status)
	}
}

// exitStatus is an error that ends the program with a status of its own.
type exitStatus struct {
	error
	status int
}

type serve struct {
	Migrate bool `help:"Bring the database schema up to date first."`
}

func (s serve) Run(c portal.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := c.Check(); err != nil {
		return err
	}
	var p *portal.Portal
	err := portal.Await(ctx, log, portal.Awaited, func(ctx context.Context) (err error) {
		if s.Migrate {
			if err := (migrate{}).run(ctx, c); err != nil {
				return err
			}
		}
		p, err = portal.Open(ctx, c, log, func() time.Time { return time.Now().UTC() })
		return err
	})
	if err != nil {
		return err
	}
	defer p.Close()
	if len(p.Defaults) > 0 {
		log.Warn("footer pages still hold the default text: set PETSCHAFT_PAGES", "pages", p.Defaults)
	}
	if c.RAGroup == "" {
		log.Warn("nobody is a registration officer: set PETSCHAFT_RA_GROUP")
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return p.Serve(ctx, l, func() { log.Info("ready", "listen", l.Addr().String(), "address", c.BaseURL, "version", version) })
}

type migrate struct{}

func (m migrate) Run(c portal.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return m.run(ctx, c)
}

func (migrate) run(ctx context.Context, c portal.Config) error {
	if c.DatabaseURL == "" {
		return fmt.Errorf("DATABASE_URL is missing")
	}
	db, err := postgres.Open(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	return postgres.Migrate(ctx, db)
}

type config struct{}

func (config) Run(c portal.Config) error {
	for _, line := range c.Lines() {
		fmt.Println(line)
	}
	return c.Check()
}
