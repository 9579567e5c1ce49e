package npm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Locked are the packages that a package-lock.json (of version 3) names, in the
// order of their places. One without a SHA-512 is an error.
func Locked(lock []byte) ([]Package, error) {
	var all struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	if err := json.Unmarshal(lock, &all); err != nil {
		return nil, fmt.Errorf("read package-lock.json: %w", err)
	}
	var packages []Package
	for place, x := range all.Packages {
		if place == "" {
			continue // the lock's own
		}
		cut := strings.LastIndex(place, "node_modules/")
		sum, ok := strings.CutPrefix(x.Integrity, "sha512-")
		if cut < 0 || !ok || !filepath.IsLocal(filepath.FromSlash(place)) {
			return nil, fmt.Errorf("package-lock.json: %s is not pinned by SHA-512", place)
		}
		packages = append(packages, Package{
			Name: place[cut+len("node_modules/"):], Version: x.Version, Integrity: sum, Below: strings.TrimSuffix(place[:cut], "/"),
		})
	}
	slices.SortFunc(packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Below, b.Below), cmp.Compare(a.Name, b.Name))
	})
	return packages, nil
}

// fetching lets the tests of one process fetch once.
var fetching sync.Mutex

// fetchAll brings what the cache lacks, several at a time, and says so where that
// is more than a moment's work.
func fetchAll(ctx context.Context, packages []Package) error {
	fetching.Lock()
	defer fetching.Unlock()
	var lacking []Package
	for _, p := range packages {
		if !p.cached() && !slices.ContainsFunc(lacking, func(l Package) bool { return l.file() == p.file() }) {
			lacking = append(lacking, p)
		}
	}
	if len(lacking) < 2 {
		return nil // each fetches a single one by itself
	}
	fmt.Fprintf(os.Stderr, "petschaft: fetching %d packages of npm, each held against its hash; they are kept\n", len(lacking))
	if npm, err := exec.LookPath("npm"); err == nil {
		return packAll(ctx, npm, lacking)
	}
	failed := make([]error, len(lacking))
	var all sync.WaitGroup
	turn := make(chan struct{}, 8)
	for i, p := range lacking {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			_, failed[i] = p.tarball(ctx)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// packAll lets npm, which takes most of a second to begin, begin once.
func packAll(ctx context.Context, npm string, packages []Package) error {
	folder, err := pack(ctx, npm, packages...)
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for _, p := range packages {
		tarball, err := os.ReadFile(filepath.Join(folder, p.file()))
		if err != nil {
			return err
		}
		if err := p.keep(tarball); err != nil {
			return err
		}
	}
	return nil
}
