// Package apt puts missing Debian packages on a developer's or a CI machine.
// It decides whether this process may do that (root, or sudo without asking);
// where it may not, the error is the one line for a person to run. It never
// removes or upgrades anything and knows no package by name.
package apt

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// May is nil when this process may install packages; else it is the one line
// for a person, whole, so that it can be pasted.
func May(ctx context.Context, packages ...string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing here, and there is no apt-get; install what your system calls %s", strings.Join(packages, " "))
	}
	if len(asRoot(ctx)) == 0 {
		return fmt.Errorf("missing here: %s; run this line, then go on:\n\n  %s", strings.Join(packages, " "), line(packages))
	}
	return nil
}

// line is what a person runs who may become root.
func line(packages []string) string {
	both := "apt-get update && " + strings.Join(install, " ") + " " + strings.Join(packages, " ")
	if _, err := exec.LookPath("sudo"); err != nil {
		return "su -c '" + both + "'"
	}
	return "sudo sh -c '" + both + "'"
}

// install begins a line that installs packages without their recommendations.
var install = []string{"apt-get", "install", "-y", "--no-install-recommends"}

// asleep keeps packages from starting the services they bring, which nobody
// asked for, unless the machine has a policy of its own.
const asleep = "/usr/sbin/policy-rc.d"

// Install installs packages without their recommendations, starts nothing and
// writes what apt says to out. Several processes may call it at once: apt's lock
// lines them up.
func Install(ctx context.Context, out io.Writer, packages ...string) error {
	if err := May(ctx, packages...); err != nil {
		return err
	}
	if _, err := os.Stat(asleep); os.IsNotExist(err) {
		if err := Root(ctx, "printf '#!/bin/sh\nexit 101\n' > "+asleep+" && chmod 755 "+asleep); err != nil {
			return err
		}
		defer Root(context.WithoutCancel(ctx), "rm -f "+asleep)
	}
	fmt.Fprintln(out, "installing", strings.Join(packages, " "))
	for _, args := range [][]string{{"apt-get", "update", "-q"}, slices.Concat(install, []string{"-q", "-o", "DPkg::Lock::Timeout=300"}, packages)} {
		line := slices.Concat(asRoot(ctx), []string{"DEBIAN_FRONTEND=noninteractive"}, args)
		c := exec.CommandContext(ctx, line[0], line[1:]...)
		c.Stdout, c.Stderr = out, out
		if err := c.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
		}
	}
	return nil
}

// Root runs a shell script as root, for what a package needs around its
// installation. It wants May to be nil.
func Root(ctx context.Context, script string) error {
	line := append(asRoot(ctx), "sh", "-c", script)
	if out, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, out)
	}
	return nil
}

// asRoot is the beginning of a command line that runs as root, empty where
// that needs a password.
func asRoot(ctx context.Context) []string {
	if os.Getuid() == 0 {
		return []string{"env"}
	}
	if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
		return nil
	}
	return []string{"sudo", "-n", "env"}
}
