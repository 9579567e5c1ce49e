// Package cluster runs a private Postgres server for the demo and for tests:
// it finds or installs the programs, makes the data directory, starts the
// server on a Unix socket that only its own user and root can reach, and stops
// it. It decides where the data lies and under whom the server runs. A server
// never outlives the process that started it. Linux only; never part of the
// production binary, and it knows no table and no migration.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrRunning says that another process runs this cluster.
var ErrRunning = errors.New("this cluster is already running")

// Options of Start. The zero value is a fast cluster for tests.
type Options struct {
	Home  string    // kept between runs, made when missing; empty: thrown away by Stop
	Fsync bool      // a throw-away cluster as durable as a real one (a kept one always is)
	Out   io.Writer // hears about an installation; nil: nobody
}

// Cluster is a running server.
type Cluster struct {
	dir, sockets string
	kept         bool
	as           *syscall.Credential
	owner        *os.File
	server       *exec.Cmd
	dead         chan struct{} // closed when the server has ended
}

// Start starts a server and returns when it answers. ctx bounds the start
// only; Stop ends the server, and so does the death of this process.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if err := Need(ctx, o.Out); err != nil {
		return nil, err
	}
	as, err := serverUser()
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: o.Home, kept: o.Home != "", as: as, dead: make(chan struct{})}
	if err := c.settle(o); err != nil {
		return nil, err
	}
	if err := c.run(ctx, o); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// settle makes the directory and claims it.
func (c *Cluster) settle(o Options) error {
	var err error
	if c.kept {
		err = os.MkdirAll(c.dir, 0o755)
	} else {
		c.dir, err = throwAway(c.as, o.Fsync)
	}
	if err != nil {
		return fmt.Errorf("make directory of the cluster: %w", err)
	}
	if !reachable(filepath.Dir(c.dir), c.as) {
		return fmt.Errorf("the server's user cannot reach %s", c.dir)
	}
	if c.owner, err = claim(c.dir); err != nil {
		return err
	}
	c.sockets = filepath.Join(c.dir, "s")
	if len(c.sockets) > 80 { // the kernel takes 107 bytes with the socket's name
		if c.sockets, err = os.MkdirTemp("/tmp", prefix+"s-"); err != nil {
			return fmt.Errorf("make directory of the socket: %w", err)
		}
	}
	for _, dir := range []string{c.dir, c.sockets} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o700), c.give(dir)); err != nil {
			return fmt.Errorf("hand over %s: %w", dir, err)
		}
	}
	return nil
}

func (c *Cluster) give(path string) error {
	if c.as == nil {
		return nil
	}
	return os.Lchown(path, int(c.as.Uid), int(c.as.Gid))
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// run makes the data directory, unless it is there, and starts the server.
func (c *Cluster) run(ctx context.Context, o Options) error {
	p, err := find()
	if err != nil {
		return err
	}
	if v, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION")); err == nil {
		major, err := strconv.Atoi(strings.TrimSpace(string(v)))
		if err != nil {
			return fmt.Errorf("read version of the data: %w", err)
		}
		if p, err = findMajor(major); err != nil {
			return err
		}
	} else if err := c.initdb(ctx, p, o); err != nil {
		return err
	}
	if err := c.othersGone(ctx); err != nil {
		return err
	}
	if err := c.launch(p, o); err != nil {
		return err
	}
	return c.answering(ctx)
}

// initdb builds in a second directory, so that a run that dies here leaves
// no half made one.
func (c *Cluster) initdb(ctx context.Context, p programs, o Options) error {
	fresh := filepath.Join(c.dir, "fresh")
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	args := []string{
		"-D", fresh, "-U", superuser, "-E", "UTF8", "--locale=C.UTF-8",
		"--auth-local=trust", "--auth-host=reject",
	}
	if !c.durable(o) {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, "initdb"), args...)
	c.dress(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.Rename(fresh, c.data()); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	return nil
}

func (c *Cluster) durable(o Options) bool { return c.kept || o.Fsync }

// dress gives cmd the server's user and surroundings that do not depend on ours.
func (c *Cluster) dress(cmd *exec.Cmd) {
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + c.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: c.as,
		Setpgid:    true,            // a Ctrl-C at the terminal is ours to handle
		Pdeathsig:  syscall.SIGQUIT, // immediate shutdown when we die; the kernel drops it at a change of uid, Go sets it after
	}
}

func (c *Cluster) settings(o Options) []string {
	s := []string{
		"listen_addresses=", "unix_socket_directories=" + c.sockets, "unix_socket_permissions=0700",
		"max_connections=200", "timezone=UTC", "log_timezone=UTC",
	}
	if c.durable(o) {
		return append(s, "shared_buffers=256MB", "max_wal_size=2GB")
	}
	// Autovacuum would sit in a template just when it is cloned.
	return append(s, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
		"wal_level=minimal", "max_wal_senders=0", "checkpoint_timeout=1h", "max_wal_size=4GB")
}
