package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const superuser = "postgres"

// patience is how long the server may take to start or to stop.
const patience = 30 * time.Second

// poll is how often we ask for what only asking tells.
const poll = 10 * time.Millisecond

// URL is the address of a database on the cluster for its superuser.
func (c *Cluster) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: url.Values{"host": {c.sockets}}.Encode()}
	return u.String()
}

// Dead is closed when the server has ended, asked or not.
func (c *Cluster) Dead() <-chan struct{} { return c.dead }

// Log is the file the server writes its log to.
func (c *Cluster) Log() string { return filepath.Join(c.dir, "log") }

// Database makes the database called name unless it is there, and returns its
// address.
func (c *Cluster) Database(ctx context.Context, name string) (string, error) {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", fmt.Errorf("make database %s: %w", name, err)
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there); err != nil {
		return "", fmt.Errorf("make database %s: %w", name, err)
	}
	if !there {
		if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()); err != nil {
			return "", fmt.Errorf("make database %s: %w", name, err)
		}
	}
	return c.URL(name), nil
}

// launch starts the server. The kernel ties Pdeathsig to the thread that
// forked, so that thread stays with the server for its life.
func (c *Cluster) launch(p programs, o Options) error {
	log, err := os.OpenFile(c.Log(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	defer log.Close()
	args := []string{"-D", c.data()}
	for _, s := range c.settings(o) {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(p.dir, "postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	c.dress(cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the log says why
			close(c.dead)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	c.server = cmd
	return nil
}

// answering waits until the server takes connections.
func (c *Cluster) answering(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.dead:
			return fmt.Errorf("the server ended at once: %s", c.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w; its log: %s", err, c.lastWords())
		case <-time.After(poll):
		}
	}
}

func (c *Cluster) lastWords() string {
	log, _ := os.ReadFile(c.Log())
	return strings.TrimSpace(string(log[max(0, len(log)-2000):]))
}

// othersGone waits for the server of an owner that was killed: it is on its
// way out, and may still hold the data.
func (c *Cluster) othersGone(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		file, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
		if err != nil {
			return nil
		}
		first, _, _ := strings.Cut(string(file), "\n")
		pid, err := strconv.Atoi(first)
		if err != nil || !isPostgres(pid) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d still has %s: %w", pid, c.data(), ErrRunning)
		case <-time.After(poll):
		}
	}
}

// isPostgres keeps a pid that was given to somebody else since from counting.
func isPostgres(pid int) bool {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err == nil && strings.HasPrefix(string(name), "postgres")
}

// Stop ends the server, a kept one after it has written everything down, and
// removes what is not kept. Stopping twice does no harm.
func (c *Cluster) Stop() error {
	err := c.halt()
	if !strings.HasPrefix(c.sockets, c.dir) {
		err = errors.Join(err, os.RemoveAll(c.sockets))
	}
	if !c.kept {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	c.owner.Close()
	if err != nil {
		return fmt.Errorf("stop Postgres: %w", err)
	}
	return nil
}

// halt asks politely first where data matters.
func (c *Cluster) halt() error {
	if c.server == nil {
		return nil
	}
	asks := []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL}
	if c.kept {
		asks = []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}
	}
	for _, ask := range asks {
		_ = c.server.Process.Signal(ask) // gone already: dead says so
		select {
		case <-c.dead:
			return nil
		case <-time.After(patience):
		}
	}
	return fmt.Errorf("process %d does not end", c.server.Process.Pid)
}
