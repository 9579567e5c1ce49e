package arch

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/lane"
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

// foreign are the programs of lane three; who installs nothing but what lane one
// needs does not have them.
var foreign = []string{
	"nginx", "postfix", "pgbouncer", "certtool", "gnutls-cli", "ocsptool", "keytool", "java", "node", "certutil", "vfychain", "pk12util", "gpgsm",
}

func TestForeignProgramsAreAskedInTheirLane(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(lane.Two + "|" + lane.Three)
	for _, s := range parsed(t) {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasSuffix(s.path, "_test.go") || !strings.HasPrefix(f.Name.Name, "Test") || elsewhere.MatchString(f.Name.Name) {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				l, ok := n.(*ast.BasicLit)
				if ok && slices.Contains(foreign, strings.Trim(l.Value, `"`+"`")) {
					t.Errorf("%s: %s asks %s: call it %s… and let lane.Peer look for the program", s.path, f.Name.Name, l.Value, lane.Three)
				}
				return true
			})
		}
	}
}
