package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"petschaft/internal/cluster"
)

// PostgresCmd runs a command beside a throw-away cluster, which ends with it.
type PostgresCmd struct {
	Fsync   bool     `help:"Lie on a disk and be as durable, and as slow, as a real server."`
	Command []string `arg:"" passthrough:"" help:"The command; it finds the cluster's superuser URL in PETSCHAFT_TEST_DATABASE."`
}

// exitCode is the command's own; it has said already what was wrong.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// ExitCode lets kong end with the same code.
func (e exitCode) ExitCode() int { return int(e) }

// Run returns an exitCode when the command fails. It passes signals on to the
// command and its children, and takes the death of its own parent for a
// SIGTERM: `go run` that is killed tells nobody.
func (p *PostgresCmd) Run() error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	go watchParent(os.Getppid(), signals)
	command := p.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return errors.New("say which command, as in: demo postgres -- go test ./internal/org")
	}
	c, err := startUnless(signals, cluster.Options{Fsync: p.Fsync, Out: os.Stderr})
	if err != nil {
		return err
	}
	err = beside(c.URL("postgres"), command, signals)
	return errors.Join(err, c.Stop())
}

// startUnless gives up starting at the first signal.
func startUnless(signals chan os.Signal, o cluster.Options) (*cluster.Cluster, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	heard := make(chan os.Signal, 1)
	go func() {
		select {
		case s := <-signals:
			heard <- s
			cancel()
		case <-done:
		}
	}()
	c, err := cluster.Start(ctx, o)
	close(done)
	select {
	case s := <-heard:
		if err == nil {
			err = c.Stop()
		}
		return nil, errors.Join(exitCode(128+int(s.(syscall.Signal))), err)
	default:
		return c, err
	}
}

// beside runs command with the cluster's address, in a process group of its
// own, so that a signal reaches its children (`go test` leaves them behind).
func beside(url string, command []string, signals chan os.Signal) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "PETSCHAFT_TEST_DATABASE="+url)
	tell := newTeller(os.Stderr, patience)
	defer tell.stop()
	cmd.Stdout, cmd.Stderr = tell.heard(os.Stdout), tell
	cmd.WaitDelay = time.Second // for what a child of the command still has to say
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice == 0 {
		cmd.Stdin = os.Stdin // a terminal would stop the group that reads it
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // Pdeathsig is tied to the thread
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", command[0], err)
	}
	tell.doing = func() string { return working(cmd.Process.Pid) }
	tell.begin("at " + strings.Join(command[:min(len(command), 2)], " "))
	return attend(cmd.Process.Pid, signals, ended)
}

// grace is what a command has to end by itself after the first signal.
const grace = 10 * time.Second

func attend(group int, signals chan os.Signal, ended chan error) error {
	var tooLate <-chan time.Time
	for {
		select {
		case s := <-signals:
			_ = syscall.Kill(-group, s.(syscall.Signal)) // gone already: ended says so
			if tooLate == nil {
				tooLate = time.After(grace)
			}
		case <-tooLate:
			_ = syscall.Kill(-group, syscall.SIGKILL)
		case err := <-ended:
			return code(err)
		}
	}
}

func code(err error) error {
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it ended well
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitCode(128 + int(status.Signal()))
	}
	return exitCode(exit.ExitCode())
}

// watchParent sends SIGTERM once the parent is another one than at the start.
func watchParent(parent int, signals chan<- os.Signal) {
	for range time.Tick(time.Second / 2) {
		if os.Getppid() != parent {
			signals <- syscall.SIGTERM
			return
		}
	}
}
