package static

import (
	"math"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestAFileIsServedForEverUnderItsHash(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{
		"app.css":    "text/css; charset=utf-8",
		"refresh.js": "text/javascript; charset=utf-8",
		"seal.svg":   "image/svg+xml",
	} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest("GET", Path(name), nil))
		if w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: got status %d with %d bytes, want 200 with content", name, w.Code, w.Body.Len())
		}
		for header, want := range map[string]string{
			"Content-Type":           kind,
			"X-Content-Type-Options": "nosniff",
			"Cache-Control":          "public, max-age=31536000, immutable",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestOtherAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path, cache string
		status                    int
	}{
		{"the hash of another version is not kept", "GET", Prefix + "0123456789abcdef/app.css", "no-cache", 200},
		{"an unknown file", "GET", Prefix + "0123456789abcdef/other.css", "", 404},
		{"no file at all", "GET", Prefix, "", 404},
		{"the source beside the files", "GET", Prefix + "x/static.go", "", 404},
		{"a change", "POST", Path("app.css"), "", 405},
	} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if got := w.Header().Get("Cache-Control"); w.Code != c.status || got != c.cache {
			t.Errorf("%s: got %d %q, want %d %q", c.name, w.Code, got, c.status, c.cache)
		}
	}
}

func TestTheStyleSheetIsSmallAndAsksNobody(t *testing.T) {
	t.Parallel()
	css := string(assets["app.css"].content)
	if len(css) >= 28_000 {
		t.Errorf("app.css has %d bytes, want fewer than 28,000", len(css))
	}
	for _, foreign := range []string{"@import", "url(", "http:", "https:"} {
		if strings.Contains(css, foreign) {
			t.Errorf("app.css contains %q; it must fetch nothing", foreign)
		}
	}
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatalf("colour %q: %v", hex, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
			continue
		}
		sum += weight * math.Pow((c+0.055)/1.055, 2.4)
	}
	return sum
}

func TestColoursHaveContrastInBothSchemes(t *testing.T) {
	t.Parallel()
	css := string(assets["app.css"].content)
	light, dark, ok := strings.Cut(css, "@media (prefers-color-scheme: dark)")
	dark, _, ok2 := strings.Cut(dark, "\n}\n")
	if !ok || !ok2 {
		t.Fatal("app.css no longer opens with the tokens of both schemes")
	}
	token := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	tones := []string{"danger", "good", "warn", "info", "quiet"}
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colour := map[string]string{}
		for _, m := range token.FindAllStringSubmatch(text, -1) {
			colour[m[1]] = m[2]
		}
		colour["info"], colour["quiet"] = colour["action"], colour["muted"] // as their classes have it
		holds := func(front, back string, want float64) {
			a, b := luminance(t, colour[front]), luminance(t, colour[back])
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < want {
				t.Errorf("%s scheme: %s on %s: contrast %.2f, want at least %.1f", scheme, front, back, got, want)
			}
		}
		for _, back := range []string{"paper", "surface", "sunken", "hover"} {
			for _, front := range append([]string{"ink", "muted", "action", "action-strong", "wax", "danger-strong"}, tones...) {
				holds(front, back, 4.5)
			}
			holds("control", back, 3)
		}
		for _, tone := range tones {
			holds(tone, tone+"-tint", 4.5)
			holds("ink", tone+"-tint", 4.5)
			holds("action", tone+"-tint", 4.5)
		}
		holds("on-action", "action", 4.5)
		holds("on-action", "action-strong", 4.5)
		holds("muted", "quiet-tint", 4.5)
	}
}

func TestAModuleAsksForOthersByTheirContent(t *testing.T) {
	t.Parallel()
	module := regexp.MustCompile(`from "([^"]+)"`)
	found := 0
	for name, a := range assets {
		for _, m := range module.FindAllStringSubmatch(string(a.content), -1) {
			found++
			if other := m[1][strings.LastIndex(m[1], "/")+1:]; m[1] != strings.Replace(Path(other), Prefix, "../", 1) {
				t.Errorf("%s imports %q, want the address of %s as it is now", name, m[1], other)
			}
		}
	}
	if found < 10 {
		t.Errorf("got %d imports, want those of the modules that make keys", found)
	}
}

func TestWhatWritesKeysIsSmallEnoughToBeRead(t *testing.T) {
	t.Parallel()
	lines := 0
	for _, name := range []string{"der.js", "key.js", "p12.js", "des.js"} {
		lines += strings.Count(string(assets[name].content), "\n")
	}
	if lines >= 350 {
		t.Errorf("der.js, key.js, p12.js and des.js have %d lines, want fewer than 350", lines)
	}
}
