package locale

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// composed are the beginnings of ids that the source puts together from a
// stored word, so no literal names them.
var composed = map[string]string{
	"audit.": "an audit line stores its action; the page asks for audit.<action>",
}

func catalog(t *testing.T, file []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := toml.Unmarshal(file, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestBothCatalogsHoldTheSame(t *testing.T) {
	t.Parallel()
	de, en := catalog(t, german), catalog(t, english)
	blank := regexp.MustCompile(`\{\{[^}]*\}\}`)
	blanks := func(v any) string {
		if m, ok := v.(map[string]any); ok {
			v = m["other"]
		}
		s, _ := v.(string)
		found := blank.FindAllString(s, -1)
		slices.Sort(found)
		return strings.Join(slices.Compact(found), " ")
	}
	for id, words := range de {
		if _, ok := en[id]; !ok {
			t.Errorf("en.toml lacks %q", id)
		} else if got, want := blanks(en[id]), blanks(words); got != want {
			t.Errorf("%q: en.toml has the blanks %q, de.toml %q", id, got, want)
		}
	}
	for id := range en {
		if _, ok := de[id]; !ok {
			t.Errorf("de.toml lacks %q", id)
		}
	}
}

func TestEveryMessageIsComplete(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[a-z]+([._][a-z0-9-]+)+$`)
	for name, file := range map[string][]byte{"de.toml": german, "en.toml": english} {
		for id, words := range catalog(t, file) {
			if !shape.MatchString(id) {
				t.Errorf("%s: %q: an id is room.words-of-it, in lower case", name, id)
			}
			switch w := words.(type) {
			case string:
				if strings.TrimSpace(w) == "" {
					t.Errorf("%s: %q is empty", name, id)
				}
				if strings.Contains(w, Missing) {
					t.Errorf("%s: %q holds %s, which says that words are missing", name, id, Missing)
				}
			case map[string]any:
				if len(w) != 2 || w["one"] == nil || w["other"] == nil {
					t.Errorf("%s: %q: want exactly the forms one and other, got %v", name, id, w)
				}
			}
		}
	}
}

// TestWordsWithANumberAreRight: with none, one and two, in both languages, every
// message says words, and none shows its id or a blank.
func TestWordsWithANumberAreRight(t *testing.T) {
	t.Parallel()
	blank := regexp.MustCompile(`\.([a-z_]+)`)
	for lang, file := range map[string][]byte{"de": german, "en": english} {
		for id, words := range catalog(t, file) {
			for _, n := range []int{0, 1, 2} {
				args := []any{"n", n} // callers count for words that do not say the number, too
				for _, m := range blank.FindAllStringSubmatch(strings.Join(regexp.MustCompile(`\{\{[^}]*\}\}`).FindAllString(fmt.Sprint(words), -1), " "), -1) {
					if m[1] != "n" {
						args = append(args, m[1], n)
					}
				}
				if got := For(lang).T(id, args...); strings.Contains(got, Missing) || strings.Contains(got, "{{") || strings.Contains(got, "<no value>") || strings.TrimSpace(got) == "" {
					t.Errorf("%s: %q with %d says %q", lang, id, n, got)
				}
			}
		}
	}
}

// TestTheAnswerIsQuotedAsItsButtonSays, wherever words tell of it.
func TestTheAnswerIsQuotedAsItsButtonSays(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`[“„]([^“”„]*(?:not me|ich nicht))[”“]`)
	for name, file := range map[string][]byte{"de.toml": german, "en.toml": english} {
		button := catalog(t, file)["link.no"]
		seen := quoted.FindAllSubmatch(file, -1)
		for _, m := range seen {
			if string(m[1]) != button {
				t.Errorf("%s quotes %q, and the button says %q", name, m[1], button)
			}
		}
		if len(seen) < 4 {
			t.Errorf("%s: found the answer quoted %d times only", name, len(seen))
		}
	}
}

// TestWhatCountsHasBothForms: the blank n chooses the plural, so whoever shows it
// words one and many. A number that counts nothing (a place, a limit) has another
// name.
func TestWhatCountsHasBothForms(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{"de.toml": german, "en.toml": english} {
		for id, words := range catalog(t, file) {
			if w, ok := words.(string); ok && strings.Contains(w, "{{.n}}") {
				t.Errorf("%s: %q shows {{.n}} and has no form for one", name, id)
			}
		}
	}
}

// source is the module's own text: what the program says, not what tests say.
func source(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	texts := map[string]string{}
	comment := regexp.MustCompile(`(?m)^\s*//.*$`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "out") {
			return filepath.SkipDir
		}
		ext := filepath.Ext(name)
		if d.IsDir() || strings.HasSuffix(name, "_test.go") || ext != ".go" && ext != ".templ" && ext != ".sql" {
			return nil
		}
		text, err := os.ReadFile(path)
		texts[strings.TrimPrefix(filepath.ToSlash(path), "../../")] = comment.ReplaceAllString(string(text), "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestEveryIDInTheSourceHasWords(t *testing.T) {
	t.Parallel()
	de := catalog(t, german)
	asks := regexp.MustCompile(`(?:\bT\(|\b[tT]\(ctx,|\bfault\.New\([^,()]+,|\.Add\([^,()]+,|\bFlash\([^,()]+,|\w*ID:)\s*"([a-z]+(?:\.[a-z0-9-]+)+)"`)
	for path, text := range source(t) {
		for _, m := range asks.FindAllStringSubmatch(text, -1) {
			if _, ok := de[m[1]]; !ok {
				t.Errorf("%s asks for %q; neither catalog has it", path, m[1])
			}
		}
	}
}

func TestNoWordsAreUnused(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	literal := regexp.MustCompile(`["'` + "`" + `]([a-z]+(?:[._][a-z0-9-]+)+)["'` + "`" + `]`)
	word := regexp.MustCompile(`[a-z]+(?:[._][a-z0-9-]+)+`)
	for path, text := range source(t) {
		if strings.HasSuffix(path, ".sql") { // a constraint's name is the id of its message
			for _, id := range word.FindAllString(text, -1) {
				used["schema."+id] = true
			}
			continue
		}
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	}
	for id := range catalog(t, german) {
		covered := func(prefix string) bool { return strings.HasPrefix(id, prefix) }
		isComposed := false
		for prefix := range composed {
			isComposed = isComposed || covered(prefix)
		}
		if !used[id] && !isComposed {
			t.Errorf("nothing says %q: take it out of both catalogs, or say it", id)
		}
	}
}
