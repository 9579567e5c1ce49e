package postgres

import (
	"slices"
	"testing"
)

// TestAPartKnowsWhichTablesItReads: a name after a comma may be a table only where
// a list of tables stands.
func TestAPartKnowsWhichTablesItReads(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string][]string{
		`insert into a (x, y) values (@x, @y)`:         nil,
		`insert into a (x, y) select b.x, y from b, c`: {"b", "c"},
		`update a set x = (select x from (select x, y from b where z = 1 union all select @x, @y) k order by x, y limit 1)`: {"b"},
		`update a set x = b.x from (select x from b order by x) k, c where c.x = k.x`:                                       {"b", "c"},
		`delete from a using b, c where b.x = c.x`:                                                                          {"b", "c"},
		`insert into a (x) select y from b join (c cross join d) on b.x in (c.x, d.x), e`:                                   {"b", "c", "d", "e"},
	} {
		p, err := parse(sql)
		got := slices.Compact(slices.Sorted(slices.Values(p.reads)))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v; want %q", sql, got, err, want)
		}
	}
}
