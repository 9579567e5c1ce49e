package arch

import (
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAddressesOfPagesStandInOnePlace: in web/paths. The patterns of routes, and
// what is matched like one, stand where requests are told apart; the API's own
// addresses only look the same.
func TestAddressesOfPagesStandInOnePlace(t *testing.T) {
	t.Parallel()
	law := readLaw(t)
	all := sources(t)
	begins := beginnings(all)
	if len(begins) < 10 {
		t.Fatalf("web/paths holds the addresses %v: the test cannot read it any more", begins)
	}
	for _, s := range all {
		r := law.rooms[s.room()]
		if r == nil || r.forTests || s.room() == "web/paths" || strings.HasSuffix(s.path, "_templ.go") {
			continue
		}
		names := begins
		if s.room() == "internal/api" {
			names = []string{"api/problems"}
		}
		for _, l := range addresses(s.ast) {
			if namesPage(l.text, names) {
				t.Errorf("%s spells the address of a page, %q: ask web/paths for it", s.set.Position(l.pos), l.text)
			}
		}
	}
	for _, file := range files(t, ".templ") {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(page), "\n") {
			if !strings.HasPrefix(strings.TrimSpace(line), "//") && namesPage(line, begins) {
				t.Errorf("%s:%d spells the address of a page: ask web/paths for it", file, n+1)
			}
		}
	}
}

func TestWhatTheAddressOfAPageIs(t *testing.T) {
	t.Parallel()
	begins := []string{"orders", "c"}
	for text, want := range map[string]bool{
		"/orders": true, "/orders/": true, "/orders?which=open": true, "%s/orders/%s": true, `<a href="/orders/new">`: true, "/c/": true,
		"/ordersheet": false, "/edit": false, "orders": false, "/office/orders": false, "/{orders}": false, "https://ca.example/orders": false,
	} {
		if got := namesPage(text, begins); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// namesPage tells whether an address in text begins with one of names.
func namesPage(text string, names []string) bool {
	page := regexp.MustCompile(`(?:^|%s|")/(?:` + strings.Join(names, "|") + `)(?:$|[/?#"])`)
	return page.MatchString(text)
}

// beginnings are the first parts of the addresses in web/paths.
func beginnings(all []source) []string {
	first := regexp.MustCompile(`^/([a-z-]+)`)
	var names []string
	for _, s := range all {
		if s.room() != "web/paths" {
			continue
		}
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			ast.Inspect(g, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					if m := first.FindStringSubmatch(text(e, nil)); m != nil {
						names = append(names, m[1])
					}
				}
				return true
			})
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// addresses are the strings of a file that may be one: no imports, no routes,
// and no patterns of them.
func addresses(f *ast.File) []literal {
	var all []literal
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.CallExpr:
			s, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			on, _ := s.X.(*ast.Ident)
			return on == nil || on.Name != "r" || !slices.Contains([]string{"Get", "Post", "Route"}, s.Sel.Name)
		case *ast.BasicLit:
			if l := text(n, nil); !strings.ContainsAny(l, "*{") {
				all = append(all, literal{text: l, pos: n.Pos()})
			}
		}
		return true
	})
	return all
}
