package pages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryPageHasWordsWithoutAnOperator(t *testing.T) {
	t.Parallel()
	p, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names {
		for _, lang := range languages {
			if html := p.HTML(name, lang); !strings.HasPrefix(html, "<h1>") || p.Title(name, lang) == "" {
				t.Errorf("%s %s: got %.40q, want a page with a title", name, lang, html)
			}
		}
		if p.HTML(name, "de") == p.HTML(name, "en") {
			t.Errorf("%s says the same in both languages", name)
		}
		if p.HTML(name, "fr") != p.HTML(name, "de") {
			t.Errorf("%s in an unknown language: want the German page", name)
		}
	}
	if got, want := len(p.Missing()), len(Names)*len(languages); got != want {
		t.Errorf("got %d pages missing, want all %d", got, want)
	}
	if p.HTML("other", "de") != "" {
		t.Error("an unknown page: want nothing")
	}
}

func TestTheOperatorsFilesComeFirst(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"imprint.de.md": "\xef\xbb\xbf# Impressum der *Uni*\n\nRektorat <script>alert(1)</script> [x](javascript:alert(1))\n\n<b>fett</b>\n",
		"README.md":     "ours",
	})
	p, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Title("imprint", "de"), "Impressum der Uni"; got != want {
		t.Errorf("title: got %q, want %q", got, want)
	}
	html := p.HTML("imprint", "de")
	for _, raw := range []string{"<script", "<b>", "javascript:"} {
		if strings.Contains(html, raw) {
			t.Errorf("the page holds %q of the file: %s", raw, html)
		}
	}
	if got := strings.Join(p.Missing(), " "); strings.Contains(got, "imprint.de.md") || !strings.Contains(got, "imprint.en.md") {
		t.Errorf("missing: got %q, want imprint.en.md and not imprint.de.md", got)
	}
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"imprint.de.md": "no heading",
		"imprint.en.md": "# One\n\n# Two\n",
		"help.de.md":    "# Long\n" + strings.Repeat("x", limit),
	})
	_, err := Load(dir)
	if err == nil {
		t.Fatal("got no error, want three")
	}
	for _, want := range []string{"page imprint.de.md: ", "page imprint.en.md: ", "page help.de.md: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want a line with %q", err, want)
		}
	}
	if _, err := Load(filepath.Join(dir, "gone")); err == nil {
		t.Error("a directory that does not exist: got no error")
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
