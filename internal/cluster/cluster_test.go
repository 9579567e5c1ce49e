package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cluster"
	"petschaft/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m, trial.NewPart("hold", hold)) }

// hold is a process that starts a server and is killed.
func hold(ctx context.Context, _ struct{}) error {
	c, err := cluster.Start(ctx, cluster.Options{})
	if err != nil {
		return err
	}
	fmt.Println(c.URL("postgres"))
	<-c.Dead()
	return nil
}

func TestAKeptClusterKeepsItsRows(t *testing.T) {
	t.Parallel()
	home := home(t)
	for _, step := range []string{"create table kept as select 1 as one", "select one from kept"} {
		c := start(t, cluster.Options{Home: home})
		address, err := c.Database(t.Context(), "world")
		if err != nil {
			t.Fatal(err)
		}
		exec1(t, address, step)
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASecondStartOfTheSameClusterSaysSo(t *testing.T) {
	t.Parallel()
	home := home(t)
	c := start(t, cluster.Options{Home: home})
	if _, err := cluster.Start(t.Context(), cluster.Options{Home: home}); !errors.Is(err, cluster.ErrRunning) {
		t.Errorf("second start: %v, want ErrRunning", err)
	}
	if err := cluster.Forget(home); !errors.Is(err, cluster.ErrRunning) {
		t.Errorf("forget while it runs: %v, want ErrRunning", err)
	}
	exec1(t, c.URL("postgres"), "select 1")
}

func TestForgetRemovesAStoppedCluster(t *testing.T) {
	t.Parallel()
	home := home(t)
	if err := start(t, cluster.Options{Home: home}).Stop(); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Forget(home); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Forget(home); err != nil {
		t.Errorf("forget what is gone: %v, want nil", err)
	}
	if _, err := os.Stat(home); err == nil {
		t.Errorf("%s is still there", home)
	}
}

func TestStoppingTwiceDoesNoHarm(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Options{})
	for range 2 {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Dir(c.Log())); err == nil {
		t.Errorf("%s is still there, want a throw-away cluster removed", filepath.Dir(c.Log()))
	}
}

func TestADurableThrowAwayClusterSyncs(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Options{Fsync: true})
	conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var fsync, place string
	if err := conn.QueryRow(t.Context(), "select current_setting('fsync'), current_setting('data_directory')").Scan(&fsync, &place); err != nil {
		t.Fatal(err)
	}
	if fsync != "on" || strings.HasPrefix(place, "/dev/shm") {
		t.Errorf("fsync %s in %s, want on and on a disk", fsync, place)
	}
}

func TestAServerDiesWithTheProcessThatStartedIt(t *testing.T) {
	t.Parallel()
	holder := trial.NewChild(t, "hold", struct{}{})
	dir, pid := server(t, holder.Says())
	t.Cleanup(func() { os.RemoveAll(dir) })
	holder.Kill()
	trial.Until(t, "the server follows its parent, which was killed", func() bool { return syscall.Kill(pid, 0) != nil })
}

// server is the directory and the pid behind an address.
func server(t *testing.T, address string) (string, int) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(u.Query().Get("host"))
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return dir, pid
}

func start(t *testing.T, o cluster.Options) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func exec1(t *testing.T, address, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// home is a directory that the server's user can reach, which t.TempDir is
// not when root runs the test.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "petschaft-home-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "kept")
}
