package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/alecthomas/kong"

	"petschaft/internal/portal"
)

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Println(named())
	return nil
}

// named is the program with its version, and the Go that built it.
func named() string { return fmt.Sprintf("petschaft %s (%s)", version, runtime.Version()) }

type help struct {
	Command []string `arg:"" optional:"" help:"The command; all of them unless said."`
}

func (h help) Run(k *kong.Kong) error {
	of, err := kong.Trace(k, h.Command)
	if err == nil {
		err = of.Error
	}
	if err != nil {
		return misread(k, err)
	}
	return of.PrintUsage(false)
}

// misread is what is wrong with a command line, and where help is. Without a
// command that is the help itself.
func misread(k *kong.Kong, err error) error {
	for _, arg := range os.Args[1:] {
		if name := portal.SecretOfFlag(arg); name != "" {
			flag, _, _ := strings.Cut(arg, "=")
			return exitStatus{fmt.Errorf("%s is no flag any more, for command lines are read by everybody on the machine: set %s, or %s_FILE to a file that holds it", flag, name, name), 2}
		}
	}
	if p, ok := err.(*kong.ParseError); ok && p.Context != nil && len(p.Context.Args) == 0 {
		k.Stdout = k.Stderr
		if err := p.Context.PrintUsage(false); err != nil {
			return err
		}
	}
	return exitStatus{fmt.Errorf("%w\n`petschaft help` lists the commands, `petschaft help COMMAND` explains one", err), 2}
}
