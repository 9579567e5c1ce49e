package main

import (
	"strings"
	"testing"
)

func TestACommandLineIsAnswered(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for line, want := range map[string]struct {
		status    int
		out, errs string // that it says there, among others; empty: nothing
	}{
		"petschaft version":        {0, "dev\n", ""},
		"petschaft --version":      {0, "dev\n", ""},
		"petschaft help":           {0, "Answer requests and work jobs until told to stop.", ""},
		"petschaft --help":         {0, "$PETSCHAFT_BASE_URL", ""},
		"petschaft help ca":        {0, "renew-root-list", ""},
		"petschaft help ca init":   {0, "--with-root-key", ""},
		"petschaft ca init --help": {0, "--with-root-key", ""},
		"petschaft help lint":      {0, "PEM or DER", ""},
		"petschaft":                {2, "", "Usage: petschaft <command>"},
		"petschaft ca":             {2, "", "`petschaft help` lists the commands"},
		"petschaft migrat":         {2, "", `petschaft: unexpected argument migrat`},
		"petschaft help migrat":    {2, "", `petschaft: unexpected argument migrat`},
		"petschaft serve --port 1": {2, "", "petschaft: unknown flag --port"},
		"petschaft ca init":        {2, "", "petschaft: missing flags: --organisation"},
		"petschaft migrate":        {1, "", "petschaft: DATABASE_URL is missing"},
		"petschaft lint none.pem":  {2, "", "none.pem"},
	} {
		out, errs, status := o.says("", line)
		if status != want.status || !strings.Contains(out, want.out) || !strings.Contains(errs, want.errs) || (want.out == "") != (out == "") || (want.errs == "") != (errs == "") {
			t.Errorf("%s: got status %d, %q and %q; want %d, %q and %q", line, status, out, errs, want.status, want.out, want.errs)
		}
	}
}
