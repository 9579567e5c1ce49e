package arch

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// maySkip are the files in which a test may be skipped: the lanes, which choose
// elsewhere what they skip, and bombs, which are weighed in lane two alone
// because the race detector would weigh, too.
var maySkip = []string{"internal/lane/lane.go", "internal/lane/lane_test.go", "internal/sheet/unpack_test.go"}

// TestNoTestFallsBetweenTheLanes: only what puts a test in its lane may skip it.
func TestNoTestFallsBetweenTheLanes(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		if slices.Contains(maySkip, s.path) {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if skip := skips(n); skip != "" {
				t.Errorf("%s calls %s: put the test in a lane instead (internal/lane)", s.path, skip)
			}
			return true
		})
	}
}

// skips is the call by which n skips a test, if it does.
func skips(n ast.Node) string {
	c, ok := n.(*ast.CallExpr)
	if !ok {
		return ""
	}
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	of := ""
	switch x := f.X.(type) {
	case *ast.Ident:
		of = x.Name
	case *ast.SelectorExpr:
		of = x.Sel.Name
	}
	call := of + "." + f.Sel.Name
	if call == "testing.Short" || slices.Contains([]string{"t", "tb", "b", "f"}, of) && strings.HasPrefix(f.Sel.Name, "Skip") && f.Sel.Name != "Skipped" {
		return call
	}
	return ""
}
