package arch

import (
	"go/ast"
	"strings"
	"testing"
)

// An operation has one value of time: what it writes, its audit line and its
// letters say the same. Pages are no operations.
func TestNoFunctionReadsTheClockTwice(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.path, "internal/") || strings.HasPrefix(s.path, "internal/site/") {
			continue
		}
		for _, d := range s.ast.Decls {
			n := clockReads(d)
			if seen += n; n > 1 {
				t.Errorf("%s: %s reads the clock %d times: read it once and hand the time on", s.set.Position(d.Pos()), d.(*ast.FuncDecl).Name.Name, n)
			}
		}
	}
	if seen < 50 {
		t.Errorf("found %d readings in the whole tree: the test cannot see them any more", seen)
	}
}

// clockReads is how often a function asks x.Now() or x.now(), whatever x is but the package
// time.
func clockReads(d ast.Decl) (n int) {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return 0
	}
	ast.Inspect(f, func(x ast.Node) bool {
		if c, ok := x.(*ast.CallExpr); ok && len(c.Args) == 0 {
			if s, ok := c.Fun.(*ast.SelectorExpr); ok && strings.EqualFold(s.Sel.Name, "now") && typeName(s.X) != "time" {
				n++
			}
		}
		return true
	})
	return n
}
