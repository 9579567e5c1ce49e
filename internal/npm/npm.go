// Package npm brings programs of the npm registry to tests: each one pinned to a
// version and to the hash of its tarball, as npm's package-lock.json would name
// it, and kept in the cache of this machine's user. It never runs what a package
// would like to run when it is installed.
package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	limit    = 20 << 20        // of a tarball, and of each file of it
	patience = 2 * time.Minute // with the registry
)

// Package is a version of a package and the SHA-512 of its tarball, in base64.
type Package struct {
	Name      string
	Version   string
	Integrity string
	Below     string // the package whose own it is, as a path; empty: everybody's
}

// file is what npm pack calls the tarball.
func (p Package) file() string {
	return strings.NewReplacer("@", "", "/", "-").Replace(p.Name) + "-" + p.Version + ".tgz"
}

// File returns one file of the package.
func (p Package) File(ctx context.Context, name string) ([]byte, error) {
	var content []byte
	err := p.each(ctx, func(file string, r io.Reader) (err error) {
		if file == name {
			content, err = io.ReadAll(io.LimitReader(r, limit))
		}
		return err
	})
	if err == nil && content == nil {
		err = fmt.Errorf("%s %s has no file %s", p.Name, p.Version, name)
	}
	return content, err
}

// Install unpacks packages below folder/node_modules, where programs in folder
// find them.
func Install(ctx context.Context, folder string, packages ...Package) error {
	if err := fetchAll(ctx, packages); err != nil {
		return err
	}
	for _, p := range packages {
		below := filepath.Join(folder, filepath.FromSlash(p.Below), "node_modules", filepath.FromSlash(p.Name))
		err := p.each(ctx, func(file string, r io.Reader) error { return write(filepath.Join(below, filepath.FromSlash(file)), r) })
		if err != nil {
			return err
		}
	}
	return nil
}

func write(file string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	w, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, io.LimitReader(r, limit))
	return errors.Join(err, w.Close())
}

// each calls f with every file of the package.
func (p Package) each(ctx context.Context, f func(name string, r io.Reader) error) error {
	tarball, err := p.tarball(ctx)
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		return err
	}
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", p.Name, err)
		}
		_, name, _ := strings.Cut(path.Clean("/" + h.Name)[1:], "/") // all files stand in one folder
		if h.Typeflag != tar.TypeReg || name == "" {
			continue
		}
		if err := f(name, files); err != nil {
			return err
		}
	}
}

// tarball takes the package from the cache, else from the registry.
func (p Package) tarball(ctx context.Context) ([]byte, error) {
	file, err := p.place()
	if err != nil {
		return nil, err
	}
	tarball, err := os.ReadFile(file)
	if err == nil && p.whole(tarball) {
		return tarball, nil
	}
	if tarball, err = p.fetch(ctx); err != nil {
		return nil, err
	}
	return tarball, p.keep(tarball)
}

// place is where the cache has the package.
func (p Package) place() (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "petschaft", p.file()), err
}

// cached reports whether the package need not be fetched.
func (p Package) cached() bool {
	file, err := p.place()
	if err != nil {
		return false
	}
	tarball, err := os.ReadFile(file)
	return err == nil && p.whole(tarball)
}

func (p Package) whole(tarball []byte) bool {
	sum := sha512.Sum512(tarball)
	return base64.StdEncoding.EncodeToString(sum[:]) == p.Integrity
}

// keep puts what the registry gave into the cache, if it is what was pinned, so
// that another process never reads half a file.
func (p Package) keep(tarball []byte) error {
	if !p.whole(tarball) {
		return fmt.Errorf("%s %s from the registry is not the pinned one", p.Name, p.Version)
	}
	file, err := p.place()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".npm-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	_, err = part.Write(tarball)
	if err := errors.Join(err, part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}

// fetch asks npm, which knows the registry and the way there; without npm it
// asks the registry itself.
func (p Package) fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	npm, err := exec.LookPath("npm")
	if err != nil {
		return p.download(ctx)
	}
	folder, err := pack(ctx, npm, p)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	return os.ReadFile(filepath.Join(folder, p.file()))
}

// pack has npm put the tarballs of packages into a folder, which is the caller's.
func pack(ctx context.Context, npm string, packages ...Package) (folder string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if folder, err = os.MkdirTemp("", "petschaft-npm-*"); err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, npm, "pack", "--ignore-scripts", "--pack-destination", folder)
	for _, p := range packages {
		c.Args = append(c.Args, p.Name+"@"+p.Version)
	}
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("npm pack: %w\n%s", err, out), os.RemoveAll(folder))
	}
	return folder, nil
}

func (p Package) download(ctx context.Context) ([]byte, error) {
	registry := "https://registry.npmjs.org"
	for _, name := range []string{"npm_config_registry", "NPM_CONFIG_REGISTRY"} {
		if set := os.Getenv(name); set != "" {
			registry = strings.TrimRight(set, "/")
		}
	}
	address := registry + "/" + p.Name + "/-/" + path.Base(p.Name) + "-" + p.Version + ".tgz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", req.URL, res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, limit))
}
