// Package static holds the files a browser fetches besides pages: the style
// sheet, the mark, the small modules of comfort, and those that make keys, which
// never leave the browser. It decides their addresses, which change with their
// content, so that each may be cached for ever. It never holds anything about a
// person, and there is a way without each of its modules.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

// Prefix is where Handler is to be mounted.
const Prefix = "/static/"

//go:embed *.css *.js *.svg
var files embed.FS

type asset struct {
	content []byte
	hash    string
}

var assets = load()

var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func load() map[string]asset {
	all := map[string]asset{}
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		add(all, name)
	}
	return all
}

// imported is how one module names another.
var imported = regexp.MustCompile(`from "\./([a-z0-9]+\.js)"`)

// add loads the file called name. What a module imports is loaded first and
// named by its own address, so that it may be cached for ever, too.
func add(all map[string]asset, name string) asset {
	if a, ok := all[name]; ok {
		return a
	}
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	if path.Ext(name) == ".js" {
		content = imported.ReplaceAllFunc(content, func(from []byte) []byte {
			other := string(imported.FindSubmatch(from)[1])
			return []byte(`from "../` + add(all, other).hash + "/" + other + `"`)
		})
	}
	sum := sha256.Sum256(content)
	all[name] = asset{content, hex.EncodeToString(sum[:8])}
	return all[name]
}

// Path returns the address of the file called name: "/static/<hash>/app.css".
// A name that is not embedded is a mistake in a template and panics.
func Path(name string) string {
	a, ok := assets[name]
	if !ok {
		panic(fmt.Sprintf("static: no file %q", name))
	}
	return Prefix + a.hash + "/" + name
}

// Handler serves the addresses Path returns. An address with an older hash gets
// today's content, uncached: while two versions run side by side, the page of
// one may ask the other for its style.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
		a, ok := assets[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", types[path.Ext(name)])
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		if hash != a.hash {
			h.Set("Cache-Control", "no-cache")
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.content))
	})
}
