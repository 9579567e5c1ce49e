package arch

import (
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestEveryConstraintHasWords(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\bconstraint ([a-z0-9_]+)|\bconstraint = '([a-z0-9_]+)'|\bcreate unique index (?:concurrently )?(?:if not exists )?([a-z0-9_]+) on`)
	dropped := regexp.MustCompile(`\bdrop (?:constraint|index) (?:if exists )?([a-z0-9_]+)`)
	names := map[string]bool{}
	for _, m := range named.FindAllStringSubmatch(schema(t), -1) {
		names[m[1]+m[2]+m[3]] = true
	}
	for _, m := range dropped.FindAllStringSubmatch(schema(t), -1) {
		delete(names, m[1])
	}
	words := catalogs(t)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if in := lacking(words, "schema."+name); in != nil {
			t.Errorf("%v: %q has no words there: say what a person did who broke the constraint", in, "schema."+name)
		}
	}
}

func TestEveryFaultHasWords(t *testing.T) {
	t.Parallel()
	words := catalogs(t)
	told := map[string]bool{}
	for _, s := range sources(t) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			id := faultID(n)
			if in := lacking(words, id); id != "" && in != nil && !told[id] {
				told[id] = true
				t.Errorf("%v: %q has no words there; %s says it", in, id, s.set.Position(n.Pos()))
			}
			return true
		})
	}
}

// lacking are the catalogs without id.
func lacking(words map[string]map[string]bool, id string) []string {
	var in []string
	for _, file := range slices.Sorted(maps.Keys(words)) {
		if !words[file][id] {
			in = append(in, file)
		}
	}
	return in
}

var looksLikeID = regexp.MustCompile(`^[a-z]+(\.[a-z0-9_-]+)+$`)

// faultID is the message id that n gives a fault or a field, if it does.
func faultID(n ast.Node) string {
	id := ""
	switch n := n.(type) {
	case *ast.CallExpr:
		s, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || len(n.Args) < 2 {
			return ""
		}
		x, _ := s.X.(*ast.Ident)
		isNew := s.Sel.Name == "New" && x != nil && x.Name == "fault"
		isAdd := s.Sel.Name == "Add" && text(n.Args[0], nil) != ""
		if isNew || isAdd {
			id = text(n.Args[1], nil)
		}
	case *ast.ValueSpec: // the codes of checks are message ids
		if typeName(n.Type) == "Code" && len(n.Values) == 1 {
			id = text(n.Values[0], nil)
		}
	case *ast.CompositeLit:
		if !slices.Contains([]string{"Fault", "Field"}, typeName(n.Type)) {
			return ""
		}
		for _, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok && typeName(kv.Key) == "ID" {
				id = text(kv.Value, nil)
			}
		}
	}
	if !looksLikeID.MatchString(id) {
		return ""
	}
	return id
}

// typeName is the last name of a name, with or without its package.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// catalogs are the ids of each catalog.
func catalogs(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	for _, file := range []string{"web/locale/de.toml", "web/locale/en.toml"} {
		var tree map[string]any
		if _, err := toml.DecodeFile(file, &tree); err != nil {
			t.Fatal(err)
		}
		all[file] = map[string]bool{}
		collect(all[file], "", tree)
	}
	return all
}

// collect follows dotted keys down to a message: a string, or its plural forms.
func collect(ids map[string]bool, prefix string, tree map[string]any) {
	for key, v := range tree {
		branch, ok := v.(map[string]any)
		if _, plural := branch["other"]; !ok || plural {
			ids[prefix+key] = true
			continue
		}
		collect(ids, prefix+key+".", branch)
	}
}
