package browser

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
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe-core, as the npm registry holds it: the version, and the hash of its
// tarball as npm's package-lock.json would name it.
const (
	axeVersion   = "4.14.1"
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
	axeLimit     = 20 << 20
)

// axeRun asks for every rule of WCAG 2.2 AA and the good practices beyond it.
const axeRun = `axe.run(document, {resultTypes: ["violations"], preload: false,
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]})
	.then((r) => r.violations.map((v) => v.id + " (" + v.impact + "): " + v.help + v.nodes.map((n) =>
	"\n\t" + n.target.join(" ") + "\n\t\t" + n.failureSummary.replaceAll("\n", "\n\t\t")).join("")))`

// axe fails the test for everything that axe-core finds on the page.
func (p *Page) axe(where string) {
	p.t.Helper()
	if !p.script {
		return // axe-core is a script; the same page is looked at with scripts
	}
	var there bool
	p.do("look for axe-core", chromedp.Evaluate(`typeof axe === "object"`, &there))
	if !there {
		script, err := axeScript()
		if err != nil {
			p.fatalf("get axe-core: %v", err)
		}
		// Chromium's protocol may run a script that the page's policy forbids.
		p.do("load axe-core", chromedp.Evaluate(script+"\n;true", nil))
	}
	var found []string
	p.do("run axe-core", chromedp.Evaluate(axeRun, &found, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	for _, f := range found {
		p.t.Errorf("axe-core on %s (%s): %s", where, p.URL(), f)
	}
}

// axeScript is axe-core, unpacked once: every page wants it.
var axeScript = sync.OnceValues(func() (string, error) { return findAxe(context.Background()) })

// findAxe takes axe-core from the cache of this machine's user, else from the
// npm registry.
func findAxe(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	file := filepath.Join(cache, "petschaft", "axe-core-"+axeVersion+".tgz")
	tarball, err := os.ReadFile(file)
	if err == nil && whole(tarball) {
		return unpack(tarball)
	}
	if tarball, err = fetch(ctx); err != nil {
		return "", err
	}
	if !whole(tarball) {
		return "", fmt.Errorf("axe-core %s from the registry is not the pinned one", axeVersion)
	}
	if err := keep(file, tarball); err != nil {
		return "", err
	}
	return unpack(tarball)
}

func whole(tarball []byte) bool {
	sum := sha512.Sum512(tarball)
	return base64.StdEncoding.EncodeToString(sum[:]) == axeIntegrity
}

// keep writes so that another process never reads half a file.
func keep(file string, tarball []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".axe-*")
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
func fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	npm, err := exec.LookPath("npm")
	if err != nil {
		return download(ctx)
	}
	folder, err := os.MkdirTemp("", "petschaft-axe-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	pack := exec.CommandContext(ctx, npm, "pack", "axe-core@"+axeVersion, "--ignore-scripts", "--pack-destination", folder)
	pack.Dir = folder
	if out, err := pack.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w\n%s", err, out)
	}
	return os.ReadFile(filepath.Join(folder, "axe-core-"+axeVersion+".tgz"))
}

func download(ctx context.Context) ([]byte, error) {
	registry := "https://registry.npmjs.org"
	for _, name := range []string{"npm_config_registry", "NPM_CONFIG_REGISTRY"} {
		if set := os.Getenv(name); set != "" {
			registry = strings.TrimRight(set, "/")
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, registry+"/axe-core/-/axe-core-"+axeVersion+".tgz", nil)
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
	return io.ReadAll(io.LimitReader(res.Body, axeLimit))
}

func unpack(tarball []byte) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		return "", err
	}
	files := tar.NewReader(z)
	for {
		f, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("find axe.min.js in axe-core's tarball: %w", err)
		}
		if f.Name == "package/axe.min.js" {
			script, err := io.ReadAll(io.LimitReader(files, axeLimit))
			return string(script), err
		}
	}
}
