package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/trial"
)

// TestMain lets the test binary be the program itself, so that tests see its exit
// status and scripts find it as petschaft.
func TestMain(m *testing.M) {
	if os.Getenv("PETSCHAFT_BE") == "" {
		os.Exit(m.Run())
	}
	main()
}

// office is where an operator sits: a shell in which petschaft is found, and a
// server for databases, with roles of its own.
type office struct {
	t          *testing.T
	dir        string
	owner, run string // the roles; the database is called like the owner
	secret     string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), owner: "petschaft_" + strings.ToLower(rand.Text())}
	o.run = o.owner + "_run"
	trial.Must(0, os.Symlink(trial.Must(filepath.Abs(os.Args[0])), filepath.Join(o.dir, "petschaft")))
	o.secret = strings.TrimSpace(o.must("", "openssl rand -base64 32"))
	return o
}

// paper is a block of docs/operations.md about the roles of this office.
func (o *office) paper(name string) string {
	o.t.Helper()
	text := trial.Paper(o.t, "docs/operations.md", name)
	if strings.HasSuffix(name, ".sql") {
		return strings.ReplaceAll(text, "petschaft", o.owner)
	}
	return strings.ReplaceAll(text, "petschaft_run", o.run)
}

// url is the address of a database for a role.
func (o *office) url(role, database string) string {
	o.t.Helper()
	u := trial.Must(url.Parse(os.Getenv("PETSCHAFT_TEST_DATABASE")))
	if role != "" {
		u.User = url.User(role)
	}
	if database != "" {
		u.Path = "/" + database
	}
	return u.String()
}

// sql runs statements as a role, one by one; the server's owner is "".
func (o *office) sql(role, database, statements string) {
	o.t.Helper()
	ctx := context.Background()
	c := trial.Must(pgx.Connect(ctx, o.url(role, database)))
	defer c.Close(ctx)
	for one := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(statements), ";"), ";\n") {
		if _, err := c.Exec(ctx, one); err != nil {
			o.t.Fatalf("as %s: %s: %v", role, one, err)
		}
	}
}

// command is a line of the shell, with the settings of a portal on the database.
func (o *office) command(database, line string) *exec.Cmd {
	c := exec.Command("sh", "-ec", line)
	c.Dir = o.dir
	c.Env = append(os.Environ(), "PETSCHAFT_BE=1", "PATH="+o.dir+":"+os.Getenv("PATH"), "DATABASE_URL="+database, "PETSCHAFT_LISTEN=127.0.0.1:0",
		"PETSCHAFT_BASE_URL=http://127.0.0.1:1", "PETSCHAFT_OIDC_ISSUER=http://127.0.0.1:1", "PETSCHAFT_OIDC_CLIENT_ID=portal", "PETSCHAFT_RA_GROUP=ra",
		"PETSCHAFT_SMTP_URL=smtp://127.0.0.1:1?tls=none", "PETSCHAFT_MAIL_FROM=portal@uni.example", "PETSCHAFT_MAIL_BOUNCE=bounce@uni.example",
		"PETSCHAFT_SECRET="+o.secret, "PETSCHAFT_PKI_URL=http://pki.uni.example/")
	return c
}

// says is what a line of the shell says, and the status with which it ends.
func (o *office) says(database, line string) (out, errs string, status int) {
	o.t.Helper()
	var said, wrong bytes.Buffer
	c := o.command(database, line)
	c.Stdout, c.Stderr = &said, &wrong
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status = exit.ExitCode()
	} else if err != nil {
		o.t.Fatal(err)
	}
	return said.String(), wrong.String(), status
}

// must is what a line of the shell that succeeds says.
func (o *office) must(database, line string) string {
	o.t.Helper()
	out, errs, status := o.says(database, line)
	if status != 0 {
		o.t.Fatalf("%s: status %d\n%s%s", line, status, out, errs)
	}
	return out
}
