package page

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/web/view"
)

// TestAListLeadsToItsOtherViews: what is chosen or sorted anew begins on the
// first page, and only the pager turns.
func TestAListLeadsToItsOtherViews(t *testing.T) {
	t.Parallel()
	type shown struct {
		which, sort string
		desc        bool
		size, page  int
	}
	l := List[shown, int]{
		View: shown{which: "open", sort: "name", size: 50, page: 3},
		Href: func(s shown) string { return fmt.Sprintf("%s %s %v %d %d", s.which, s.sort, s.desc, s.size, s.page) },
		Turn: func(s *shown, page int) { s.page = page },
	}
	by := func(name string) func(*shown, bool) {
		return func(s *shown, desc bool) { s.sort, s.desc = name, desc }
	}
	chip := l.Chip("Ended", false, func(s *shown) { s.which = "ended" })
	if d := cmp.Diff(view.Chip{Label: "Ended", Href: "ended name false 50 0"}, chip); d != "" {
		t.Errorf("chip (-want +got)\n%s", d)
	}
	for _, c := range []struct {
		name          string
		current, desc bool
		want          view.SortModel
	}{
		{"another column sorts upwards", false, true, view.SortModel{Href: "open end false 50 0"}},
		{"sorted upwards it turns", true, false, view.SortModel{Href: "open end true 50 0", Order: "ascending"}},
		{"sorted downwards it turns back", true, true, view.SortModel{Href: "open end false 50 0", Order: "descending"}},
	} {
		if d := cmp.Diff(&c.want, l.Column("End", c.current, c.desc, by("end")).Sort); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
	want := view.PagerModel{Shown: "51–100", First: "open name false 50 0", Prev: "open name false 50 2", Next: "open name false 50 4"}
	if d := cmp.Diff(want, l.Pager("51–100", true, 2, 4)); d != "" {
		t.Errorf("a page in the middle (-want +got)\n%s", d)
	}
	if d := cmp.Diff(view.PagerModel{Shown: "1–2"}, l.Pager("1–2", false, 0, 0)); d != "" {
		t.Errorf("the only page (-want +got)\n%s", d)
	}
	sizes := l.Sizes(50, func(s *shown, size int) { s.size = size })
	if len(sizes) != len(Sizes) || !sizes[0].Current || sizes[1] != (view.Link{Label: "100", Href: "open name false 100 0"}) {
		t.Errorf("got the sizes %+v, want each of %v, the first current, on the first page", sizes, Sizes)
	}
	if l.View.page != 3 {
		t.Errorf("got page %d of the list itself, want it left where it is", l.View.page)
	}
}
