package arch

import (
	"cmp"
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestEveryTableHasItsRoom(t *testing.T) {
	t.Parallel()
	law := readLaw(t)
	made := regexp.MustCompile(`(?m)^\s*create (?:unlogged )?table (?:if not exists )?([a-z0-9_]+)`)
	var tables []string
	for _, m := range made.FindAllStringSubmatch(schema(t), -1) {
		tables = append(tables, m[1])
		if law.tables[m[1]] == "" {
			t.Errorf("table %s has no row in docs/architecture.md: say which room it belongs to", m[1])
		}
	}
	for table, room := range law.tables {
		if !slices.Contains(tables, table) {
			t.Errorf("docs/architecture.md has a row for %s, which no migration makes", table)
		}
		if r := law.rooms[room]; r == nil || r.forTests {
			t.Errorf("docs/architecture.md gives %s to %s, which is no room of the portal", table, room)
		}
	}
}

func TestTablesAreUsedWhereTheyMayBe(t *testing.T) {
	t.Parallel()
	law := readLaw(t)
	all := sources(t)
	known := constants(all)
	for _, s := range all {
		if r := law.rooms[s.room()]; r == nil || r.forTests {
			continue
		}
		for _, l := range literals(s.ast, known[s.room()]) {
			at := s.set.Position(l.pos)
			u := scan(l.text)
			if l.table {
				u = use{writes: []string{l.text}}
			}
			for _, table := range u.writes {
				if home := law.home(table); home != "" && home != s.room() {
					t.Errorf("%s writes %s: only %s may", at, table, home)
				}
			}
			for _, table := range u.reads {
				if home := law.home(table); home != "" && home != s.room() && !law.allows(s.room(), home) {
					t.Errorf("%s reads %s of %s, a room it may not import", at, table, home)
				}
			}
			if u.blind {
				t.Errorf("%s puts a table's name together: spell it out, so that this test sees it", at)
			}
		}
	}
}

// home is the room of a table, empty for what is none (a function, an alias).
func (l law) home(table string) string {
	if strings.HasPrefix(table, "river_") {
		return "internal/queue"
	}
	return l.tables[table]
}

func TestTheScannerOfSQL(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, sql string
		want      use
	}{
		{"a select reads what it names", "select 1 from account a where a.id = 1", use{reads: []string{"account"}}},
		{"joins and lists are read", "select 1\n\tfrom link l, account as a left join lateral org_of(l) o on true join login using (id)", use{reads: []string{"link", "account", "org_of", "login", "id"}}},
		{"a subquery is read", "select exists (select from letter) and x is distinct from y", use{reads: []string{"letter"}}},
		{"an insert writes", "insert into letter (a) select b from account", use{writes: []string{"letter"}, reads: []string{"account"}}},
		{"an update writes", "with x as (update address_row r set a = 1 from link returning 1) select from x", use{writes: []string{"address_row"}, reads: []string{"link", "x"}}},
		{"an upsert writes once", "insert into login (a) values (1) on conflict (a) do update set a = 2", use{writes: []string{"login"}}},
		{"a delete writes", "delete from only link using account where true", use{writes: []string{"link"}, reads: []string{"account"}}},
		{"truncate, merge and copy write", "truncate table a; merge into b using c on true; copy d from stdin", use{writes: []string{"a", "b", "d"}, reads: []string{"c", "stdin"}}},
		{"a lock is no write", "select 1 from account for no key update of account", use{reads: []string{"account"}}},
		{"a name that is put in is blind", "select count(*) from %s", use{blind: true}},
		{"a name that is put on is blind", "delete from ", use{blind: true}},
		{"a lock at the end is not blind", "select from letter for update", use{reads: []string{"letter"}}},
		{"prose is nothing", "mail from ", use{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if d := gocmp.Diff(c.want, scan(c.sql), gocmp.AllowUnexported(use{})); d != "" {
				t.Errorf("%s\n(-want +got)\n%s", c.sql, d)
			}
		})
	}
}

// use is what a statement, or a piece of one, does to which names.
type use struct {
	writes, reads []string
	blind         bool // a table's name is not in the literal
}

var (
	writing = regexp.MustCompile(`\b(?:insert into|delete from(?: only)?|truncate(?: table)?(?: only)?|merge into|copy|update(?: only)?) ([a-z0-9_]+)( (?:as )?[a-z0-9_]+)?( set\b)?`)
	reading = regexp.MustCompile(`\b(delete |distinct )?(?:from|join|using) \(?(?:lateral |only )?`)
	listEnd = regexp.MustCompile(`\b(?:where|group|order|limit|on|join|left|right|inner|cross|full|natural|union|except|intersect|for|returning|set|having|window|offset|using|select|values)\b|[();]`)
	verb    = regexp.MustCompile(`\b(?:select|insert|update|delete|truncate|merge|with)\b`)
	blind   = regexp.MustCompile(`\b(?:from|join|into|^update)(?: %[a-z]| $)`)
)

func scan(sql string) use {
	var u use
	sql = strings.Join(strings.Fields(strings.ToLower(sql)+" ."), " ")
	sql = strings.TrimSuffix(sql, ".")
	for _, m := range writing.FindAllStringSubmatch(sql, -1) {
		update := strings.HasPrefix(m[0], "update")
		if update && m[3] == "" && strings.TrimSpace(m[2]) != "set" {
			continue // "for update of", "do update set"
		}
		u.writes = append(u.writes, m[1])
	}
	for _, at := range reading.FindAllStringSubmatchIndex(sql, -1) {
		if at[2] >= 0 {
			continue
		}
		list := sql[at[1]:]
		if end := listEnd.FindStringIndex(list); end != nil {
			list = list[:end[0]]
		}
		for item := range strings.SplitSeq(list, ",") {
			if words := strings.Fields(item); len(words) > 0 && !strings.Contains(words[0], "%") {
				u.reads = append(u.reads, words[0])
			}
		}
	}
	u.blind = verb.MatchString(sql) && blind.MatchString(sql)
	return u
}

// literal is a string in the source, pieces that are added up taken together.
type literal struct {
	text  string
	pos   token.Pos
	table bool // the name of a table that is copied into
}

// literals are the strings of a file that may be SQL: not tags, not what is
// said in an error or in a log.
func literals(f *ast.File, known map[string]ast.Expr) []literal {
	var all []literal
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil
		case *ast.CallExpr:
			said := []string{"Errorf", "New", "Error", "Warn", "Info", "Debug"}
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(said, s.Sel.Name) {
				return false
			}
		case *ast.CompositeLit:
			if typeName(n.Type) == "Identifier" && len(n.Elts) > 0 {
				all = append(all, literal{text: text(n.Elts[len(n.Elts)-1], known), pos: n.Pos(), table: true})
				return false
			}
		case *ast.BinaryExpr, *ast.BasicLit:
			if s := text(n.(ast.Expr), known); s != "" {
				all = append(all, literal{text: s, pos: n.Pos()})
				return false
			}
		}
		return true
	})
	return all
}

// text is the value of a string expression as far as it is spelled out, here
// or in one of the known constants; the rest of a sum counts as %s.
func text(e ast.Expr, known map[string]ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, _ := strconv.Unquote(e.Value)
			return s
		}
	case *ast.Ident:
		if value := known[e.Name]; value != nil {
			return text(value, known)
		}
	case *ast.BinaryExpr:
		x, y := text(e.X, known), text(e.Y, known)
		if e.Op == token.ADD && x+y != "" {
			return cmp.Or(x, "%s") + cmp.Or(y, "%s")
		}
	}
	return ""
}

// constants are the constants of each room, by name.
func constants(all []source) map[string]map[string]ast.Expr {
	known := map[string]map[string]ast.Expr{}
	for _, s := range all {
		if known[s.room()] == nil {
			known[s.room()] = map[string]ast.Expr{}
		}
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, value := range v.Values {
					known[s.room()][v.Names[i].Name] = value
				}
			}
		}
	}
	return known
}

// schema is the text of all migrations without its comments.
func schema(t *testing.T) string {
	t.Helper()
	comment := regexp.MustCompile(`(?m)--.*$`)
	var all strings.Builder
	for _, name := range files(t, ".sql") {
		step, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(comment.ReplaceAll(step, nil))
	}
	return all.String()
}

// TestNobodyWorksOutALabel: the schema does, once (account.label and
// account.verified_email), so that every page and mail calls a person the same.
func TestNobodyWorksOutALabel(t *testing.T) {
	t.Parallel()
	again := regexp.MustCompile(`(?i)nullif\((?:\w+\.)?username\b|\bcase when (?:\w+\.)?email_verified\b`)
	all := sources(t)
	known := constants(all)
	seen := 0
	for _, s := range all {
		for _, l := range literals(s.ast, known[s.room()]) {
			if strings.Contains(l.text, ".label") {
				seen++
			}
			if found := again.FindString(l.text); found != "" {
				t.Errorf("%s works out how a person is called or written to (%s): read account.label or account.verified_email", s.set.Position(l.pos), found)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d queries read a label; this test looks at the wrong literals", seen)
	}
}
