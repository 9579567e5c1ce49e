package trial

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Paper is a block that stands in a paper for operators under that name, as in
// ```sql grants.sql, so that tests run what people copy. file is below the top of
// the tree.
func Paper(t testing.TB, file, name string) string {
	t.Helper()
	dir := Must(os.Getwd())
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	text := Must(os.ReadFile(filepath.Join(dir, file)))
	block := regexp.MustCompile("(?ms)^```\\w+ " + regexp.QuoteMeta(name) + "\n(.*?)^```$").FindSubmatch(text)
	if block == nil {
		t.Fatalf("%s has no block called %s", file, name)
	}
	return string(block[1])
}
