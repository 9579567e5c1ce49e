// Command demo is a whole small world on one machine, for people who try the
// portal and for its tests. It starts the portal's real parts and decides
// nothing about them; it is never part of production.
package main

import (
	"errors"
	"os"

	"github.com/alecthomas/kong"
)

type commands struct {
	Run      RunCmd      `cmd:"" help:"Run the portal with all that stands around it."`
	Postgres PostgresCmd `cmd:"" help:"Run a command beside a throw-away Postgres cluster."`
	Need     NeedCmd     `cmd:"" help:"Install what the demo and the tests need: a Postgres server, Chromium and what tests ask."`
	Forget   ForgetCmd   `cmd:"" help:"Forget the demo's data, ports and settings."`
}

func main() {
	line := kong.Parse(&commands{}, kong.Name("demo"))
	err := line.Run()
	if code, ok := errors.AsType[exitCode](err); ok {
		os.Exit(int(code))
	}
	line.FatalIfErrorf(err)
}
