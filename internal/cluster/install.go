package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"petschaft/internal/apt"
)

// oldest is the first major version that knows what the schema and the tests
// use.
const oldest = 15

// errNoServer says that no server programs were found.
var errNoServer = fmt.Errorf("no Postgres server is installed, %d or newer", oldest)

// Need makes sure that server programs are there, and installs them where it
// may, together with more packages that somebody misses. It writes what it does
// to out; when nothing is missing it says nothing.
func Need(ctx context.Context, out io.Writer, more ...string) error {
	_, err := find()
	switch {
	case err == nil && len(more) == 0:
		return nil
	case err == nil:
		return apt.Install(ctx, out, more...)
	case !errors.Is(err, errNoServer):
		return err
	}
	if err := installQuietly(ctx, out, more); err != nil {
		return err
	}
	_, err = find()
	return err
}

// notMain keeps Debian from making and starting a main cluster, which nobody
// asked for. It is a drop-in, so the machine's own settings stay as they are.
const notMain = "/etc/postgresql-common/createcluster.d/petschaft.conf"

func installQuietly(ctx context.Context, out io.Writer, more []string) error {
	packages := append([]string{"postgresql"}, more...)
	if err := apt.May(ctx, packages...); err != nil {
		return err
	}
	write := "mkdir -p " + filepath.Dir(notMain) + " && echo 'create_main_cluster = false' > " + notMain
	if err := apt.Root(ctx, write); err != nil {
		return err
	}
	err := apt.Install(ctx, out, packages...)
	return errors.Join(err, apt.Root(ctx, "rm -f "+notMain))
}

// programs is the directory of one version's server programs.
type programs struct {
	dir   string
	major int
}

// find prefers what PATH names, then Debian's newest.
func find() (programs, error) {
	for _, dir := range places() {
		if p, err := look(dir); err == nil {
			return p, nil
		}
	}
	return programs{}, errNoServer
}

// findMajor finds the programs that can open data made by version major.
func findMajor(major int) (programs, error) {
	for _, dir := range places() {
		if p, err := look(dir); err == nil && p.major == major {
			return p, nil
		}
	}
	return programs{}, fmt.Errorf("the data was made by Postgres %d, which is not installed here: install it, or forget the data with `make clean`", major)
}

func places() []string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return number(b) - number(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = slices.Insert(dirs, 0, filepath.Dir(path))
		}
	}
	return dirs
}

// number is N of /usr/lib/postgresql/N/bin.
func number(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

func look(dir string) (programs, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return programs{}, err
	}
	line, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return programs{}, err
	}
	var major int
	if _, err := fmt.Sscanf(string(line), "postgres (PostgreSQL) %d", &major); err != nil || major < oldest {
		return programs{}, fmt.Errorf("%q is no version %d or newer", line, oldest)
	}
	return programs{dir, major}, nil
}
