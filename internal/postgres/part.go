package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// part is a statement of Write, read once: its text in pieces, and between them
// the arguments and the names that are its own.
type part struct {
	pieces []piece
	args   []string
	ctes   bool // it consists of named ones

	writes, changes, reads []string // tables; changes are those of writes where it does more than insert
}

// piece is text, followed by the argument of that number (from 1), or by a name.
type piece struct {
	text string
	arg  int
	name string
}

// mustFollow tells whether p has to see what the part before wrote, or could
// meet it at a row or a key.
func (p part) mustFollow(before part) bool {
	return meet(p.reads, before.writes) || meet(p.changes, before.writes) || meet(p.writes, before.changes)
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// name says for errors what p is about.
func (p part) name() string { return "write " + strings.Join(p.writes, " and ") }

// values are the arguments in the order of their numbers.
func (p part) values(args pgx.NamedArgs) ([]any, error) {
	all := make([]any, len(p.args))
	for i, name := range p.args {
		v, ok := args[name]
		if !ok {
			return nil, fmt.Errorf("%s: no argument @%s", p.name(), name)
		}
		all[i] = v
	}
	return all, nil
}

// write appends p, the part number i of n, whose arguments come after so many.
func (p part) write(sql *strings.Builder, i, n, after int) {
	bare := n == 1 && !p.ctes
	own := "w" + strconv.Itoa(i)
	switch {
	case bare:
	case i == 0:
		sql.WriteString("with ")
	default:
		sql.WriteString(", ")
	}
	if !bare && !p.ctes {
		sql.WriteString(own + " as (")
	}
	for _, c := range p.pieces {
		sql.WriteString(c.text)
		if c.arg > 0 {
			sql.WriteString("$" + strconv.Itoa(after+c.arg))
		}
		if c.name != "" {
			sql.WriteString(own + c.name)
		}
	}
	if !bare && !p.ctes {
		sql.WriteString(")")
	}
	if !bare && i == n-1 {
		sql.WriteString(" select")
	}
}

// parse reads the text of Write.
func parse(sql string) (part, error) {
	r := reader{sql: strings.TrimSpace(sql)}
	r.ctes = strings.HasPrefix(r.sql, "#")
	for r.at < len(r.sql) && r.wrong == "" {
		r.step()
	}
	r.pieces = append(r.pieces, piece{text: r.sql[r.done:]})
	if r.wrong == "" && len(r.writes) == 0 {
		r.wrong = "what neither inserts, updates nor deletes"
	}
	if r.wrong != "" {
		return part{}, fmt.Errorf("a statement that is kept cannot hold %s: %q", r.wrong, r.sql)
	}
	return r.part, nil
}

// reader goes through a statement once.
type reader struct {
	part
	sql   string
	at    int    // what comes next
	done  int    // so far the pieces go
	last  string // the word or sign before
	want  []*[]string
	into  bool   // the columns of an insert may come
	skip  int    // parentheses that are open in a list of columns
	from  bool   // what follows a comma may be a table
	outer []bool // from, outside of each open parenthesis
	wrong string // what it cannot hold
}

// step takes one word or sign.
func (r *reader) step() {
	c := r.sql[r.at]
	switch {
	case c == ' ' || c == '\n' || c == '\t':
		r.at++
		return
	case c == '\'' || c == '"':
		r.quoted(c)
	case (c == '@' || c == '#') && r.at+1 < len(r.sql) && letter(r.sql[r.at+1]):
		r.own(c)
	case letter(c):
		r.word(strings.ToLower(r.sql[r.at:r.end(r.at)]))
	default:
		r.sign(c)
	}
}

// end is where the word ends that begins at from.
func (r *reader) end(from int) int {
	for from < len(r.sql) && (letter(r.sql[from]) || r.sql[from] >= '0' && r.sql[from] <= '9') {
		from++
	}
	return from
}

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func (r *reader) quoted(by byte) {
	end := strings.IndexByte(r.sql[r.at+1:], by)
	switch {
	case end < 0:
		r.wrong = "an open quotation"
	case by == '\'' && r.last == "e" && r.sql[r.at-1] != ' ':
		r.wrong = "E'…'"
	}
	r.at += end + 2
	r.last, r.want, r.into = "''", nil, false
}

// own takes an argument or a name of the part's own.
func (r *reader) own(c byte) {
	end := r.end(r.at + 1)
	p := piece{text: r.sql[r.done:r.at]}
	word := r.sql[r.at+1 : end]
	if c == '#' {
		p.name = word
	} else {
		if !slices.Contains(r.args, word) {
			r.args = append(r.args, word)
		}
		p.arg = slices.Index(r.args, word) + 1
	}
	r.pieces = append(r.pieces, p)
	r.at, r.done, r.last, r.want, r.into = end, end, string(c), nil, false
}

func (r *reader) sign(c byte) {
	next := byte(0)
	if r.at+1 < len(r.sql) {
		next = r.sql[r.at+1]
	}
	switch {
	case c == ';':
		r.wrong = "a semicolon"
	case c == '$':
		r.wrong = "$"
	case c == '-' && next == '-', c == '/' && next == '*':
		r.wrong = "a comment"
	case c == '(' && (r.skip > 0 || r.into):
		r.skip++
	case c == ')' && r.skip > 0:
		r.skip--
	case c == '(':
		r.outer = append(r.outer, r.from)
	case c == ')' && len(r.outer) > 0:
		r.from, r.outer, r.want = r.outer[len(r.outer)-1], r.outer[:len(r.outer)-1], nil
	case c == ',' && r.skip == 0 && r.from:
		r.want = []*[]string{&r.reads}
	case c != '(':
		r.want = nil
	}
	r.into = false
	r.at, r.last = r.at+1, string(c)
}

// verbs stand together: the middle one alone would look to tables_test.go like a
// statement whose table is put in.
var verbs = strings.Fields("insert update delete")

// word takes a word that is not in quotes; after those that a table follows it
// is noted as one, and rather one too many: that costs a statement at most.
func (r *reader) word(w string) {
	before := r.last
	r.at, r.last, r.into = r.at+len(w), w, false
	switch w {
	case "with":
		if before != ")" { // "with ordinality"
			r.wrong = "with"
		}
	case "merge":
		r.wrong = w
	case "into":
		r.want = []*[]string{&r.writes}
	case verbs[1]:
		switch before {
		case "for", "key": // a lock
		case "do": // an upsert
			if n := len(r.writes); n > 0 {
				r.changes = append(r.changes, r.writes[n-1])
			}
		default:
			r.want = []*[]string{&r.writes, &r.changes}
		}
	case "from":
		r.from, r.want = true, []*[]string{&r.reads}
		if before == verbs[2] {
			r.want = []*[]string{&r.writes, &r.changes}
		}
	case "join", "using":
		r.from, r.want = true, []*[]string{&r.reads}
	case "select", "set", "where", "group", "order", "values", "returning":
		r.from, r.want = false, nil
	case "only", "lateral":
	default:
		r.table(w, before)
	}
}

func (r *reader) table(w, before string) {
	for _, list := range r.want {
		*list = append(*list, w)
	}
	r.into, r.want = before == "into" && r.want != nil, nil
}
