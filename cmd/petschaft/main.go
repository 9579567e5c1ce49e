// Command petschaft is the portal in production: `serve` answers requests and
// works jobs, `migrate` brings the schema up to date, `ca` looks after the
// portal's own authority, `audit` verifies and exports the audit record, `secret`
// changes what seals, `lint` checks a certificate, `config` prints the
// effective settings. It holds no sample data and no way past the sign-in. It ends
// with status 0 when all went well, 1 when not, 2 when the command line, or the
// file that is to be checked, cannot be read.
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
)

// version is set by the build.
var version = "dev"

type commands struct {
	Settings portal.Config    `embed:""`
	Serve    serve            `cmd:"" help:"Answer requests and work jobs until told to stop."`
	Migrate  migrate          `cmd:"" help:"Bring the database schema up to date."`
	CA       authority        `cmd:"" name:"ca" help:"Look after the portal's own certificate authority."`
	Audit    record           `cmd:"" name:"audit" help:"Verify the audit record, or export it for somebody who does."`
	Secret   secret           `cmd:"" name:"secret" help:"Change the secret that seals in the database."`
	Lint     lintFile         `cmd:"" name:"lint" help:"Check a certificate against the rules by which this portal issues."`
	Config   config           `cmd:"" name:"config" help:"Print the effective settings without secrets, and name the variables that are none."`
	Tell     versionCmd       `cmd:"" name:"version" help:"Print the version."`
	Help     help             `cmd:"" name:"help" help:"Explain a command, as in: petschaft help ca init."`
	Version  kong.VersionFlag `help:"Print the version."`
}

func main() {
	if err := quiet(); err != nil {
		fmt.Fprintln(os.Stderr, "petschaft: core files are not switched off:", err)
	}
	var c commands
	k := kong.Must(&c, kong.Name("petschaft"), kong.Description("A portal in which people look after their certificates. Secrets are no flags but variables, or files that the same name with _FILE says: "+strings.Join(portal.Secrets(), ", ")+"."), kong.Vars{"version": named(), "profiles": profileNames()},
		kong.ConfigureHelp(kong.HelpOptions{FlagsLast: true}))
	line, err := k.Parse(os.Args[1:])
	c.Settings = c.Settings.WithSecrets(os.Getenv)
	c.Settings.Version = version
	if err != nil {
		err = misread(k, err)
	} else {
		err = line.Run(c.Settings, k)
	}
	if err == nil {
		return
	}
	for text := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(os.Stderr, "petschaft:", text)
	}
	status := 1
	if s, ok := errors.AsType[exitStatus](err); ok {
		status = s.status
	}
	os.Exit(status)
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
			did, err := (migrate{}).run(ctx, c)
			if err != nil {
				return err
			}
			log.Info("migrated", "from", did.From, "to", did.To, "queue_from", did.QueueFrom, "queue_to", did.QueueTo)
		}
		p, err = portal.Open(ctx, c, log, func() time.Time { return time.Now().UTC() })
		return err
	})
	if err != nil {
		return err
	}
	defer p.Close()
	p.Warn(os.Environ())
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return p.Serve(ctx, l, func() { log.Info("ready", "listen", l.Addr().String(), "address", c.BaseURL, "version", version) })
}

type config struct{}

func (config) Run(c portal.Config) error {
	for _, line := range c.Lines() {
		fmt.Println(line)
	}
	for _, s := range portal.Strangers(os.Environ()) {
		meant := ""
		if s.Nearest != "" {
			meant = "; did you mean " + s.Nearest + "?"
		}
		fmt.Fprintf(os.Stderr, "petschaft: there is no setting %s%s\n", s.Name, meant)
	}
	return c.Check()
}
