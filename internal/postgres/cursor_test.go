package postgres_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/postgres"
)

// shelf is a list of numbers that is read as a room reads its table: from a
// cursor on, in its direction, one more than a page takes.
type shelf []int64

func (s shelf) page(t *testing.T, size int, cursor string) (page []int64, prev, next string) {
	t.Helper()
	at, err := postgres.ParseCursor(cursor)
	if err != nil {
		t.Fatalf("cursor %q: %v", cursor, err)
	}
	rows := slices.Clone(s)
	if at != nil && at.Back {
		slices.Reverse(rows)
	}
	if at != nil {
		rows = slices.DeleteFunc(rows, func(n int64) bool { return n == at.ID || (n < at.ID) != at.Back })
	}
	return postgres.Cut(rows[:min(len(rows), size+1)], size, at, func(n int64) postgres.Cursor {
		return postgres.Cursor{Key: "k", ID: n, Part: "p"}
	})
}

func TestPagesAreCutSoThatBothWaysLeadThroughTheWholeList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		of   shelf
		want [][]int64
	}{
		{"nothing is one empty page", nil, [][]int64{nil}},
		{"less than a page", shelf{1, 2}, [][]int64{{1, 2}}},
		{"exactly a page", shelf{1, 2, 3}, [][]int64{{1, 2, 3}}},
		{"one more than a page", shelf{1, 2, 3, 4}, [][]int64{{1, 2, 3}, {4}}},
		{"whole pages", shelf{1, 2, 3, 4, 5, 6}, [][]int64{{1, 2, 3}, {4, 5, 6}}},
		{"pages and a rest", shelf{1, 2, 3, 4, 5, 6, 7}, [][]int64{{1, 2, 3}, {4, 5, 6}, {7}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var forth [][]int64
			var befores []string
			cursor := ""
			for {
				page, prev, next := c.of.page(t, 3, cursor)
				forth, befores = append(forth, slices.Clip(page)), append(befores, prev)
				if cursor = next; cursor == "" {
					break
				}
			}
			if d := cmp.Diff(c.want, forth); d != "" {
				t.Errorf("forwards (-want +got)\n%s", d)
			}
			if befores[0] != "" {
				t.Errorf("the first page leads back to %q", befores[0])
			}
			for i := len(befores) - 1; i > 0; i-- {
				page, prev, next := c.of.page(t, 3, befores[i])
				if d := cmp.Diff(c.want[i-1], page); d != "" {
					t.Errorf("backwards to page %d (-want +got)\n%s", i, d)
				}
				if (prev == "") != (i == 1) || next == "" {
					t.Errorf("page %d reached backwards: got before %q and behind %q, want a way before unless it is the first, and one behind", i, prev, next)
				}
				again, _, _ := c.of.page(t, 3, next)
				if d := cmp.Diff(c.want[i], again); d != "" {
					t.Errorf("forwards again from page %d (-want +got)\n%s", i, d)
				}
			}
		})
	}
}

func TestACursorOfAPageTellsWhereItStandsAndWhichWay(t *testing.T) {
	t.Parallel()
	_, prev, next := shelf{1, 2, 3, 4, 5}.page(t, 2, postgres.Cursor{ID: 1}.String())
	for _, c := range []struct {
		got  string
		want postgres.Cursor
	}{
		{prev, postgres.Cursor{Key: "k", ID: 2, Part: "p", Back: true}},
		{next, postgres.Cursor{Key: "k", ID: 3, Part: "p"}},
	} {
		at, err := postgres.ParseCursor(c.got)
		if err != nil || at == nil || *at != c.want {
			t.Errorf("got %+v, %v, want %+v", at, err, c.want)
		}
	}
}
