package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// TestTheFirstDayOfAnOperator goes by docs/operations.md: roles, grants before
// there is a table, migrations, the authority, serving as the lesser role, a
// dump, and the way back.
func TestTheFirstDayOfAnOperator(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.sql("", "", o.paper("roles.sql"))
	t.Cleanup(func() { o.leave(o.owner) })
	owner, run := o.url(o.owner, o.owner), o.url(o.run, o.owner)

	made := regexp.MustCompile(`^schema: made, it is at \d{4}\nqueue: made, it is at \d{4}\n$`)
	if got := o.must(owner, "petschaft migrate"); !made.MatchString(got) {
		t.Errorf("migrate says %q", got)
	}
	nothing := regexp.MustCompile(`^schema: nothing to do, it is at \d{4}\nqueue: nothing to do, it is at \d{4}\n$`)
	if got := o.must(owner, "petschaft migrate"); !nothing.MatchString(got) {
		t.Errorf("migrate, again, says %q", got)
	}
	if _, errs, status := o.says(run, "petschaft serve"); status != 1 || !strings.Contains(errs, "petschaft migrate --grant "+o.run) {
		o.t.Errorf("serve without grants: got status %d and %q", status, errs)
	}
	o.must(owner, o.paper("grants.sh"))
	digest := o.authority(run)
	o.serves(run, "petschaft serve", digest)
	o.sql(o.run, o.owner, "select count(*) from ocsp_answer where due < now() - interval '1 hour';\n"+
		"select number, kind, authority, state, asked, attempts, said from intent where next_look is not null order by asked;\n"+
		"select certificate, authority, state, since, attempts, said from withdrawal where state <> 'done' order by since")
	o.sql(o.owner, o.owner, o.paper("reindex.sql"))
	o.sql("", "", o.paper("session.sql"))

	o.must(owner, o.paper("backup.sh"))
	again := o.owner + "_again"
	o.sql("", "", "create database "+again+" owner "+o.owner+" encoding 'UTF8' template template0")
	t.Cleanup(func() { o.leave(again) })
	o.must(o.url(o.owner, again), o.paper("restore.sh"))
	o.must(o.url(o.owner, again), o.paper("grants.sh"))
	o.serves(o.url(o.run, again), "petschaft serve", digest)
	if got := o.must(o.url(o.owner, again), "petschaft migrate"); !nothing.MatchString(got) {
		t.Errorf("migrate after the way back says %q", got)
	}
}

// leave drops a database, and the roles with the first of them.
func (o *office) leave(database string) {
	drop := "drop database " + database + " with (force)"
	if database == o.owner {
		drop += ";\ndrop role " + o.run + ";\ndrop role " + o.owner
	}
	o.sql("", "", drop)
}

// authority makes one and returns the digest of its root.
func (o *office) authority(database string) string {
	o.t.Helper()
	const line = `petschaft ca init --organisation "Universität Beispiel"`
	said := o.must(database, line)
	digest := regexp.MustCompile(`SHA-256: ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\n`).FindStringSubmatch(said)
	if digest == nil || !strings.Contains(said, "CN=Universität Beispiel Root CA") || !strings.Contains(said, "curl -s http://pki.uni.example/pki/root.pem | openssl x509") || !strings.Contains(said, "Start serve again") {
		o.t.Fatalf("ca init says\n%s", said)
	}
	if _, errs, status := o.says(database, line); status != 1 || !strings.Contains(errs, "nothing was changed") {
		o.t.Errorf("ca init, again: got status %d and %q", status, errs)
	}
	if _, errs, status := o.says(database, "petschaft ca renew-root-list --with-root-key "+o.key()); status != 1 || !strings.Contains(errs, "the key of the root is kept here") {
		o.t.Errorf("renew-root-list of a root that is here: got status %d and %q", status, errs)
	}
	return digest[1]
}

// key is a file with a private key for a root.
func (o *office) key() string {
	o.t.Helper()
	o.must("", "test -f root.key || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out root.key")
	return "root.key"
}

// serves runs the line until the portal answers, holds the root that it gives
// away against the digest, and stops it; it must have had no error to tell.
func (o *office) serves(database, line, digest string) string {
	o.t.Helper()
	c := o.command(database, "exec "+line)
	log := trial.Must(c.StderrPipe())
	trial.Must(0, c.Start())
	kill := time.AfterFunc(portal.Patience, func() { c.Process.Kill() })
	defer kill.Stop()
	var said strings.Builder
	lines, listens := bufio.NewScanner(log), regexp.MustCompile(`"msg":"ready","listen":"([^"]+)"`)
	for lines.Scan() {
		fmt.Fprintln(&said, lines.Text())
		if at := listens.FindStringSubmatch(lines.Text()); at != nil {
			o.answers(at[1], digest)
			_ = c.Process.Signal(syscall.SIGTERM)
		}
	}
	if err := c.Wait(); err != nil || strings.Contains(said.String(), `"level":"ERROR"`) || !strings.Contains(said.String(), `"msg":"ready"`) {
		o.t.Errorf("%s: %v\n%s", line, err, &said)
	}
	return said.String()
}

func (o *office) answers(at, digest string) {
	o.t.Helper()
	for _, path := range []string{"/healthz", "/readyz", "/pki/root.pem"} {
		res := trial.Must(http.Get("http://" + at + path))
		body := trial.Must(io.ReadAll(res.Body))
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			o.t.Errorf("%s: got %s", path, res.Status)
		}
		trial.Must(0, os.WriteFile(filepath.Join(o.dir, "root.pem"), body, 0o600))
	}
	if got := o.must("", "openssl x509 -in root.pem -noout -fingerprint -sha256"); digest != "" && !strings.Contains(got, digest) {
		o.t.Errorf("the root that is served has %q, ca init said %s", got, digest)
	}
}

// TestOneRoleAndARootElsewhere is the short way: one role for both, and a root
// whose key its owner keeps.
func TestOneRoleAndARootElsewhere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.sql("", "", o.paper("roles.sql"))
	t.Cleanup(func() { o.leave(o.owner) })
	database := o.url(o.owner, o.owner)
	o.must(database, "petschaft migrate && petschaft ca init --organisation Uni --with-sign-in --with-root-key "+o.key()+" > said && grep 'renew-root-list --with-root-key .*root.key' said")
	if got, want := o.must(database, "petschaft ca renew-root-list --with-root-key root.key"), "renew it again before "+lasts(time.Now()); !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if log := o.serves(database, "petschaft serve --migrate", ""); !strings.Contains(log, `"msg":"migrated"`) {
		t.Errorf("serve --migrate does not say what it did:\n%s", log)
	}
	shown := o.must(database, o.paper("url.sh")+"petschaft config")
	if !strings.Contains(shown, "sslmode=verify-full") || strings.Contains(shown, "ss%2Fword") {
		t.Errorf("config shows\n%s", shown)
	}
}

func TestWhatMigrateDidIsSaid(t *testing.T) {
	t.Parallel()
	for want, did := range map[string]postgres.Migrated{
		"schema: made, it is at 0030":          {From: 0, To: 30},
		"schema: brought from 0029 to 0030":    {From: 29, To: 30},
		"schema: nothing to do, it is at 0030": {From: 30, To: 30},
	} {
		if got := words("schema", did.From, did.To); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
