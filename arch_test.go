// Package arch holds the tests of the whole tree: that docs/architecture.md is
// law for imports and tables, that rooms stay small and say what they decide,
// and that whatever can go wrong has words. It decides nothing itself, and no
// code imports it.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "petschaft/"

func TestImportsFollowTheLaw(t *testing.T) {
	t.Parallel()
	law := readLaw(t)
	for _, p := range packages(t) {
		for _, imported := range p.imports {
			if !law.allows(p.path, imported) {
				t.Errorf("%s imports %s, which its row in docs/architecture.md does not allow", p.path, imported)
			}
		}
	}
}

func TestEveryPackageHasItsRow(t *testing.T) {
	t.Parallel()
	law := readLaw(t)
	var there []string
	for _, p := range packages(t) {
		there = append(there, p.path)
		if law.rooms[p.path] == nil {
			t.Errorf("%s has no row in docs/architecture.md: say what lives there and what it may import", p.path)
		}
	}
	for room := range law.rooms {
		if !slices.Contains(there, room) {
			t.Errorf("docs/architecture.md has a row for %s, which is no package", room)
		}
	}
}

func TestEveryPackageSaysWhatItDecides(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.doc, "Package "+p.name+" ") && !strings.HasPrefix(p.doc, "Command ") {
			t.Errorf("%s has no package comment, but %q: say what it decides and what it never does, and generate as make lint does", p.path, p.doc)
		}
	}
}

func TestTheProductionBinaryHoldsNothingOfTheDemo(t *testing.T) {
	t.Parallel()
	law := readLaw(t)
	list := exec.Command("go", "list", "-deps", "./cmd/petschaft")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		name := strings.TrimPrefix(strings.TrimSpace(line), module)
		if r := law.rooms[name]; r != nil && r.forTests {
			t.Errorf("cmd/petschaft contains %s, a room for demo and tests", name)
		}
	}
}

func TestProductionImportsNoTesting(t *testing.T) {
	t.Parallel()
	law := readLaw(t)
	for _, s := range sources(t) {
		if r := law.rooms[s.room()]; r == nil || r.forTests {
			continue
		}
		for _, i := range s.ast.Imports {
			if name := text(i.Path, nil); name == "testing" || strings.HasPrefix(name, "testing/") {
				t.Errorf("%s imports %s: what only tests need stands in a room for demo and tests", s.path, name)
			}
		}
	}
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	t.Parallel()
	const mostLines, mostOfTests, mostOfFunction = 300, 400, 60
	for _, file := range files(t, ".go", ".templ", ".sql", ".js", ".css") {
		most := mostLines
		switch {
		case strings.HasSuffix(file, "_templ.go"):
			continue
		case strings.HasSuffix(file, "_test.go"):
			most = mostOfTests
		}
		if n := linesOf(t, file); n > most {
			t.Errorf("%s has %d lines, want at most %d", file, n, most)
		}
	}
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || strings.HasSuffix(s.path, "_templ.go") {
				continue
			}
			if f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: let whoever starts call it", s.path)
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > mostOfFunction {
				t.Errorf("%s: %s has %d lines, want fewer than 40 and never more than %d", s.path, f.Name.Name, n, mostOfFunction)
			}
		}
	}
}

func TestRoomsStaySmall(t *testing.T) {
	t.Parallel()
	const most, mostUnexplained = 3500, 2500
	law, lines := readLaw(t), map[string]int{}
	for _, file := range files(t, ".go") {
		if !strings.HasSuffix(file, "_test.go") && !strings.HasSuffix(file, "_templ.go") {
			lines[path.Dir(file)] += linesOf(t, file) // a directory's own files: a room inside is another one
		}
	}
	for room, n := range lines {
		switch why := law.large[room]; {
		case n > most:
			t.Errorf("%s has %d lines, want at most %d: which noun of it is a room of its own?", room, n, most)
		case n > mostUnexplained && why == "":
			t.Errorf("%s has %d lines, more than %d: say in docs/architecture.md why it is one room", room, n, mostUnexplained)
		case n <= mostUnexplained && why != "":
			t.Errorf("docs/architecture.md says why %s is large, which has %d lines", room, n)
		}
	}
	for room := range law.large {
		if lines[room] == 0 {
			t.Errorf("docs/architecture.md says why %s is large, which is no room", room)
		}
	}
}

func linesOf(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

// room is a row: a package and what it may import.
type room struct {
	forTests   bool // for demo and tests
	may        []string
	everything bool // or everything but rooms for demo and tests, when it is none itself
}

// law is what docs/architecture.md says.
type law struct {
	rooms  map[string]*room
	tables map[string]string // table to room
	large  map[string]string // room to why it may be large
}

func (l law) allows(from, to string) bool {
	r, s := l.rooms[from], l.rooms[to]
	if r == nil || s == nil {
		return true // the missing row is an error of its own
	}
	return slices.Contains(r.may, to) || r.everything && (r.forTests || !s.forTests)
}

var (
	groupDefined = regexp.MustCompile("(?m)^\\*(\\w+)\\* is ((?:`[^`]+`(?:, )?)+)")
	row          = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.*)\\|$")
	mention      = regexp.MustCompile("`([^`]+)`|\\*(\\w+)\\*")
)

func readLaw(t *testing.T) law {
	t.Helper()
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string][]string{}
	for _, g := range groupDefined.FindAllStringSubmatch(string(text), -1) {
		groups[g[1]] = mentioned(g[2], nil)
	}
	l := law{rooms: map[string]*room{}, tables: map[string]string{}, large: map[string]string{}}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		for _, r := range row.FindAllStringSubmatch(body, -1) {
			cells := strings.Split(r[2], "|")
			last := cells[len(cells)-1]
			switch title {
			case "Rooms", "Rooms for demo and tests":
				l.rooms[r[1]] = &room{
					forTests:   title != "Rooms",
					may:        mentioned(last, groups),
					everything: strings.HasPrefix(strings.TrimSpace(last), "everything"),
				}
			case "Tables":
				l.tables[r[1]] = mentioned(last, nil)[0]
			case "Sizes":
				l.large[r[1]] = strings.TrimSpace(last)
			}
		}
	}
	if len(l.rooms) == 0 || len(l.tables) == 0 {
		t.Fatal("docs/architecture.md holds no rooms or no tables: the test cannot read it any more")
	}
	return l
}

// mentioned is every `package` in s, and every package of each *group*.
func mentioned(s string, groups map[string][]string) []string {
	var names []string
	for _, m := range mention.FindAllStringSubmatch(s, -1) {
		if m[1] != "" {
			names = append(names, m[1])
		}
		names = append(names, groups[m[2]]...)
	}
	return names
}

// pkg is one of our packages, by its path below the module, without its tests.
type pkg struct {
	path, name, doc string
	imports         []string // ours only
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-f", `{{if .GoFiles}}{{.ImportPath}}|{{.Name}}|{{.Doc}}|{{join .Imports " "}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for line := range strings.Lines(string(out)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		p := pkg{path: strings.TrimPrefix(cells[0], module), name: cells[1], doc: cells[2]}
		for _, imported := range strings.Fields(cells[len(cells)-1]) {
			if name, ours := strings.CutPrefix(imported, module); ours {
				p.imports = append(p.imports, name)
			}
		}
		all = append(all, p)
	}
	return all
}

// files are the tree's files with one of the endings, tests included.
func files(t *testing.T, endings ...string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && name != "."
		if d.IsDir() && (hidden || slices.Contains([]string{"bin", "out", "testdata", "tools"}, d.Name())) {
			return filepath.SkipDir
		}
		if !d.IsDir() && slices.Contains(endings, path.Ext(name)) {
			all = append(all, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// source is one parsed Go file.
type source struct {
	path string // below the top of the tree
	set  *token.FileSet
	ast  *ast.File
}

// room is the package the file belongs to.
func (s source) room() string { return path.Dir(s.path) }

// sources are all Go files but tests.
func sources(t *testing.T) []source {
	t.Helper()
	return slices.DeleteFunc(parsed(t), func(s source) bool { return strings.HasSuffix(s.path, "_test.go") })
}

// parsed are all Go files, tests included.
func parsed(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, name := range files(t, ".go") {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{name, set, f})
	}
	return all
}
