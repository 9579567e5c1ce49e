package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestFaultsAreComparedAsValues(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.room() == "internal/fault" {
			continue
		}
		for _, n := range steered(s.ast) {
			t.Errorf("%s: a fault's id decides here: give the fault a variable and ask errors.Is", s.set.Position(n.Pos()))
		}
	}
}

// The law is no use if it does not see.
func TestTheLawOfFaultsSeesWhatBreaksIt(t *testing.T) {
	t.Parallel()
	for body, breaks := range map[string]bool{
		`if fault.Of(err).ID == other { }`:                                            true,
		`if f := fault.Of(err); f != nil && f.ID == other { }`:                        true,
		`if f := postgres.Told(err); "a.b" != f.ID { }`:                               true,
		`if check.ID == "a.b" { }`:                                                    true,
		`switch f := fault.Of(err); f.ID { case other: }`:                             true,
		`switch { case given.ID == other: }`:                                          true,
		`for _, x := range given.Fields { if x.ID == other { } }`:                     true,
		`slices.ContainsFunc(all, func(x fault.Field) bool { return x.ID == other })`: true,
		`f := fault.Of(err); _ = strings.HasPrefix(f.ID, prefix)`:                     true,
		`f := fault.Of(err); _ = words[f.ID]`:                                         true,
		`_ = slices.Contains([]string{"a.b"}, fault.Of(err).ID)`:                      true,
		`if strings.Contains(err.Error(), "SQLSTATE 22") { }`:                         true,
		`if f := fault.Of(err); f.ID != "" { say(f.ID, f.Args...) }`:                  false,
		`if errors.Is(err, mailbox.ErrChanged) { }`:                                   false,
		`if row.ID == other.ID || seen[row.ID] { }`:                                   false,
		`bad.Add("csr", fault.Of(err).ID)`:                                            false,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p; func f(err error, given *fault.Fault) { "+body+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got := len(steered(f)) > 0; got != breaks {
			t.Errorf("%s: got %v, want %v", body, got, breaks)
		}
	}
}

// steered are the places of a file where the id of a fault, or the text of a
// state of SQL, decides what happens.
func steered(f *ast.File) (found []ast.Node) {
	for _, d := range f.Decls {
		known := faultNames(d)
		id := func(e ast.Expr) bool { return isFaultID(e, known) }
		ast.Inspect(d, func(n ast.Node) bool {
			bad := false
			switch n := n.(type) {
			case *ast.BinaryExpr:
				x, y := text(n.X, nil), text(n.Y, nil)
				bad = (n.Op == token.EQL || n.Op == token.NEQ) && (id(n.X) && !empty(n.Y) || id(n.Y) && !empty(n.X) || isID(n.X) && y != "" || isID(n.Y) && x != "")
			case *ast.SwitchStmt:
				bad = n.Tag != nil && id(n.Tag)
			case *ast.IndexExpr:
				bad = id(n.Index)
			case *ast.CallExpr:
				s, ok := n.Fun.(*ast.SelectorExpr)
				bad = ok && slices.Contains([]string{"strings", "slices"}, typeName(s.X)) && slices.ContainsFunc(n.Args, id)
			case *ast.BasicLit:
				bad = n.Kind == token.STRING && strings.Contains(n.Value, "SQLSTATE")
			}
			if bad {
				found = append(found, n)
			}
			return true
		})
	}
	return found
}

// isID tells whether e is the ID of something.
func isID(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "ID"
}

// isFaultID tells whether e is the ID of a fault, or of a field of one.
func isFaultID(e ast.Expr, known map[string]bool) bool {
	return isID(e) && (makesFault(e.(*ast.SelectorExpr).X) || known[typeName(e.(*ast.SelectorExpr).X)])
}

func empty(e ast.Expr) bool {
	l, ok := e.(*ast.BasicLit)
	return ok && l.Value == `""`
}

// makesFault tells whether e is fault.Of(…) or postgres.Told(…).
func makesFault(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	s, ok := c.Fun.(*ast.SelectorExpr)
	return ok && (typeName(s.X) == "fault" && s.Sel.Name == "Of" || typeName(s.X) == "postgres" && s.Sel.Name == "Told")
}

// faultNames are the names that faults and their fields have within n.
func faultNames(n ast.Node) map[string]bool {
	known := map[string]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, e := range n.Rhs {
				known[typeName(n.Lhs[i])] = known[typeName(n.Lhs[i])] || makesFault(e)
			}
		case *ast.RangeStmt:
			s, ok := n.X.(*ast.SelectorExpr)
			known[typeName(n.Value)] = known[typeName(n.Value)] || ok && s.Sel.Name == "Fields"
		case *ast.Field:
			kind := n.Type
			if p, ok := kind.(*ast.StarExpr); ok {
				kind = p.X
			}
			s, ok := kind.(*ast.SelectorExpr)
			for _, name := range n.Names {
				known[name.Name] = known[name.Name] || ok && typeName(s.X) == "fault"
			}
		}
		return true
	})
	delete(known, "")
	return known
}
