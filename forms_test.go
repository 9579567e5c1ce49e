package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestLabelsOfFieldsStandBesideTheirPage: a form's model holds what was typed and
// what is wrong with it; who answers requests makes no field with a label.
func TestLabelsOfFieldsStandBesideTheirPage(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.path, "internal/site/") {
			continue
		}
		for _, pos := range labelledFields(s.ast) {
			t.Errorf("%s labels a field of a form: let a method beside the page make it", s.set.Position(pos))
		}
	}
}

func TestTheLawOfFormsSeesWhatBreaksIt(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		`view.FieldModel{Name: "a", Label: "A"}`:                                      1,
		`&view.FieldModel{Label: l}`:                                                  1,
		`[]view.FieldModel{{Name: "a", Label: "A"}, {Name: "b", Label: "B"}}`:         2,
		`map[string]view.FieldModel{"a": {Label: "A"}}`:                               1,
		`[]view.FieldModel{{Choices: []view.Choice{{Label: "one"}}}}`:                 0,
		`view.FieldModel{Name: "a", Choices: []view.Choice{{Label: "one"}}}`:          0,
		`view.Column{Label: "A"}`:                                                     0,
		`serverview.KeyModel{Fields: []view.FieldModel{{Label: "A"}}, Label: "page"}`: 1,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package x\nvar a = "+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := labelledFields(f); len(got) != want {
			t.Errorf("%s: got %d labelled fields, want %d", code, len(got), want)
		}
	}
}

// TestOneFunctionRefusesAForm: page.Refused alone sets the frame and the status of
// a form that comes back.
func TestOneFunctionRefusesAForm(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.path, "internal/site/") || strings.HasPrefix(s.path, "internal/site/page/") {
			continue
		}
		for _, pos := range failedFrames(s.ast) {
			t.Errorf("%s says that a form failed: page.Refused does, with the status", s.set.Position(pos))
		}
	}
}

func TestTheLawOfRefusalSeesWhatBreaksIt(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		`f.Failed = true`:                     1,
		`f.Failed, status = failed != nil, 1`: 1,
		`frame := view.Frame{Failed: true}`:   1,
		`f, status = s.Refused(w, f, failed)`: 0,
		`_, m.Failed = page.Wrong(ctx, err)`:  0,
		`n := x.Failed`:                       0,
		`m := view.Model{Failed: "words"}`:    0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package x\nfunc a() {\n"+code+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := failedFrames(f); len(got) != want {
			t.Errorf("%s: got %d frames of a failed form, want %d", code, len(got), want)
		}
	}
}

// failedFrames are where f sets Failed of a frame; a page's model, which is called
// m, may hold why in words.
func failedFrames(f *ast.File) (found []token.Pos) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, to := range n.Lhs {
				if s, ok := to.(*ast.SelectorExpr); ok && s.Sel.Name == "Failed" && !called(s.X, "m") {
					found = append(found, to.Pos())
				}
			}
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); !ok || s.Sel.Name != "Frame" {
				return true
			}
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok && called(kv.Key, "Failed") {
					found = append(found, kv.Pos())
				}
			}
		}
		return true
	})
	return found
}

// called tells whether x is the name itself.
func called(x ast.Expr, name string) bool {
	i, ok := x.(*ast.Ident)
	return ok && i.Name == name
}

// labelledFields are where f makes a field of a form and gives it a label.
func labelledFields(f *ast.File) (found []token.Pos) {
	var see func(l *ast.CompositeLit)
	see = func(l *ast.CompositeLit) {
		for _, e := range l.Elts {
			kv, keyed := e.(*ast.KeyValueExpr)
			if keyed {
				if k, ok := kv.Key.(*ast.Ident); ok && k.Name == "Label" {
					found = append(found, l.Pos())
				}
				e = kv.Value
			}
			if inner, ok := e.(*ast.CompositeLit); ok && inner.Type == nil {
				see(inner)
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.CompositeLit); ok && l.Type != nil && ofFields(l.Type) {
			see(l)
		}
		return true
	})
	return found
}

// ofFields tells whether t is the type of a field, or of several.
func ofFields(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.ArrayType:
		return ofFields(t.Elt)
	case *ast.MapType:
		return ofFields(t.Value)
	case *ast.StarExpr:
		return ofFields(t.X)
	case *ast.SelectorExpr:
		on, _ := t.X.(*ast.Ident)
		return on != nil && on.Name == "view" && t.Sel.Name == "FieldModel"
	}
	return false
}
