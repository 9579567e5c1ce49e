package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Home is where the kept cluster of the clone at project lies. A server that
// root starts runs under another uid, which could not reach a clone in /root,
// so root's lies outside.
func Home(project string) (string, error) {
	abs, err := filepath.Abs(project)
	if err != nil {
		return "", fmt.Errorf("find home of the cluster: %w", err)
	}
	if os.Getuid() != 0 {
		return filepath.Join(abs, ".demo", "postgres"), nil
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join("/var/lib/petschaft-demo", hex.EncodeToString(sum[:6])), nil
}

// Idle is ErrRunning while somebody runs the kept cluster at home.
func Idle(home string) error {
	if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	hold, err := claim(home)
	if err != nil {
		return err
	}
	return hold.Close()
}

// SetAside moves the kept cluster at home out of the way and returns where it is
// now. It fails with ErrRunning, and moves nothing, while that one runs.
func SetAside(home string) (string, error) {
	hold, err := claim(home)
	if err != nil {
		return "", err
	}
	defer hold.Close()
	aside := home + "-" + time.Now().UTC().Format("20060102T150405.000")
	if err := os.Rename(home, aside); err != nil {
		return "", fmt.Errorf("set the cluster aside: %w", err)
	}
	return aside, nil
}

// Forget removes the kept cluster at home and those set aside from there. It
// fails with ErrRunning, and removes nothing, while that one runs.
func Forget(home string) error {
	if _, err := os.Stat(home); err == nil {
		hold, err := claim(home)
		if err != nil {
			return err
		}
		defer hold.Close()
	}
	aside, _ := filepath.Glob(home + "-*T*")
	for _, dir := range append(aside, home) {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("forget cluster: %w", err)
		}
	}
	return nil
}

// claim takes the directory for this process, until the file is closed.
func claim(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "owner"), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("claim %s: %w", dir, ErrRunning)
	}
	return f, nil
}

// serverUser is under whom the server runs: nil means as we are. Postgres
// refuses root.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody", "daemon"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("the server does not run as root, and this machine has no user postgres, nobody or daemon")
}

// roomNeeded is what a test run may fill at most, with a wide margin.
const roomNeeded = 2 << 30

// throwAway makes the directory of a cluster that nobody keeps: in memory
// unless it shall be as durable, and as slow, as a real one.
func throwAway(as *syscall.Credential, fsync bool) (string, error) {
	bases := []string{os.TempDir(), "/var/tmp", "/tmp"}
	var shm syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &shm); err == nil && !fsync && shm.Bavail*uint64(shm.Bsize) >= roomNeeded {
		bases = append([]string{"/dev/shm"}, bases...)
	}
	for _, base := range bases {
		if !reachable(base, as) {
			continue
		}
		sweep(base)
		if dir, err := os.MkdirTemp(base, prefix); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no directory for a test cluster: none of %v can be written and reached by the server's user", bases)
}

// reachable reports whether the server's user can get to dir.
func reachable(dir string, as *syscall.Credential) bool {
	for as != nil {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		own := info.Sys().(*syscall.Stat_t).Uid == as.Uid && info.Mode()&0o100 != 0
		if !own && info.Mode()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
	return true
}

const prefix = "petschaft-test-"

// sweep removes what killed runs left in base. A young directory may not be
// claimed yet.
func sweep(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, prefix+"*"))
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if hold, err := claim(dir); err == nil {
			os.RemoveAll(dir)
			hold.Close()
		}
	}
}
