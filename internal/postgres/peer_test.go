package postgres_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"petschaft/internal/lane"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// bouncer starts PgBouncer in front of the tests' server, under its user, and returns
// the address of the database through it.
func bouncer(t *testing.T, database, settings string) string {
	t.Helper()
	u := trial.Must(url.Parse(database))
	sockets := u.Query().Get("host")
	l := trial.Must(net.Listen("tcp", "127.0.0.1:0"))
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} { // the server's user reads it
		trial.Must(0, os.Chmod(d, 0o755))
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	trial.Must(0, os.WriteFile(file, fmt.Appendf(nil, "[databases]\n* = host=%s user=postgres\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=%s\nunix_socket_dir=\nauth_type=any\n%s\n", sockets, port, settings), 0o644))
	cmd := exec.Command(lane.Find("pgbouncer"), file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if owner := trial.Must(os.Stat(sockets)).Sys().(*syscall.Stat_t); os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = said
	trial.Must(0, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pgbouncer said: %s", trial.Must(os.ReadFile(said.Name())))
		}
	})
	trial.Until(t, "pgbouncer listens", func() bool {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "postgres://postgres@127.0.0.1:" + port + u.Path + "?sslmode=disable"
}

// TestPeerPgBouncerMayPoolBySessionOnly: by transaction it is refused at the start, in
// words, also with a single connection, and when it takes no settings.
func TestPeerPgBouncerMayPoolBySessionOnly(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "pgbouncer")
	const ignores = "\nignore_startup_parameters=lock_timeout,idle_in_transaction_session_timeout,jit"
	database := pgtest.URL(t)
	for settings, pooler := range map[string]bool{
		"pool_mode=session" + ignores:                           false,
		"pool_mode=session":                                     true,
		"pool_mode=transaction" + ignores:                       true,
		"pool_mode=transaction\ndefault_pool_size=2" + ignores:  true,
		"pool_mode=transaction\nserver_round_robin=1" + ignores: true,
	} {
		db, err := postgres.Open(t.Context(), bouncer(t, database, settings))
		if errors.Is(err, postgres.ErrPooler) != pooler || !pooler && err != nil || postgres.Away(err) {
			t.Errorf("%s: got %v, want it refused %t", settings, err, pooler)
		}
		if err == nil {
			db.Close()
		}
	}
}
