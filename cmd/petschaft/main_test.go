package main

import (
	"runtime"
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
		"petschaft version":        {0, "petschaft dev (" + runtime.Version() + ")\n", ""},
		"petschaft --version":      {0, "petschaft dev (" + runtime.Version() + ")\n", ""},
		"petschaft help":           {0, "Answer requests and work jobs until told to stop.", ""},
		"petschaft --help":         {0, "$PETSCHAFT_BASE_URL", ""},
		"petschaft help ca":        {0, "renew-root-list", ""},
		"petschaft help ca init":   {0, "Needed for", ""},
		"petschaft ca init --help": {0, "--with-root-key", ""},
		"petschaft help lint":      {0, "PEM or DER", ""},
		"petschaft":                {2, "", "Usage: petschaft <command>"},
		"petschaft ca":             {2, "", "`petschaft help` lists the commands"},
		"petschaft migrat":         {2, "", `petschaft: unexpected argument migrat`},
		"petschaft help migrat":    {2, "", `petschaft: unexpected argument migrat`},
		"petschaft serve --port 1": {2, "", "petschaft: unknown flag --port"},
		"petschaft ca init":        {2, "", "petschaft: missing flags: --organisation"},
		"PETSCHAFT_PKI_URL= petschaft ca init --organisation Uni":                                          {1, "", "petschaft: PETSCHAFT_PKI_URL is missing"},
		"petschaft serve --secret=AAECAwQ":                                                                 {2, "", "petschaft: --secret is no flag any more, for command lines are read by everybody on the machine: set PETSCHAFT_SECRET, or PETSCHAFT_SECRET_FILE"},
		"petschaft serve --smtp-url smtp:":                                                                 {2, "", "set PETSCHAFT_SMTP_URL, or PETSCHAFT_SMTP_URL_FILE"},
		"DATABASE_URL_FILE=/none petschaft migrate":                                                        {1, "", "petschaft: DATABASE_URL_FILE cannot be read: open /none: no such file"},
		"PETSCHAFT_SECRET_FILE=/none petschaft config >shown":                                              {1, "", "petschaft: PETSCHAFT_SECRET and PETSCHAFT_SECRET_FILE are both set: take one of them away"},
		"DATABASE_URL=postgres://db.uni.example/x petschaft migrate":                                       {1, "", "petschaft: DATABASE_URL leads to db.uni.example without sslmode=verify-full"},
		"DATABASE_URL=postgres://db.uni.example/x petschaft ca renew-root-list --with-root-key " + o.key(): {1, "", "without sslmode=verify-full"},
		"petschaft migrate":       {1, "", "petschaft: DATABASE_URL is missing"},
		"petschaft lint none.pem": {2, "", "none.pem"},
	} {
		out, errs, status := o.says("", line)
		if status != want.status || !strings.Contains(out, want.out) || !strings.Contains(errs, want.errs) || (want.out == "") != (out == "") || (want.errs == "") != (errs == "") {
			t.Errorf("%s: got status %d, %q and %q; want %d, %q and %q", line, status, out, errs, want.status, want.out, want.errs)
		}
	}
}

// TestCommandsStandBeforeFlags: all settings are flags, and they are many.
func TestCommandsStandBeforeFlags(t *testing.T) {
	t.Parallel()
	out := newOffice(t).must("", "petschaft help")
	if commands, flags := strings.Index(out, "\nCommands:"), strings.Index(out, "\nFlags:"); commands < 0 || commands > flags {
		t.Errorf("want the commands, then the flags:\n%s", out)
	}
}

// TestConfigNamesWhatIsNoSetting beside the settings, so that those can be piped.
func TestConfigNamesWhatIsNoSetting(t *testing.T) {
	t.Parallel()
	out, errs, status := newOffice(t).says("postgres://db.uni.example/petschaft?sslmode=verify-full", "PETSCHAFT_OIDC_ISUER=x PETSCHAFT_COLOUR=red petschaft config")
	if status != 0 || strings.Contains(out, "ISUER") || !strings.Contains(errs, "there is no setting PETSCHAFT_OIDC_ISUER; did you mean PETSCHAFT_OIDC_ISSUER?\n") || !strings.Contains(errs, "no setting PETSCHAFT_COLOUR\n") {
		t.Errorf("got status %d, %q and %q", status, out, errs)
	}
}
