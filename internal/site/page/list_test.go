package page

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/web/view"
)

// TestAListLeadsToItsOtherViews: what is chosen or sorted anew begins on the
// first page, and only the pager turns.
func TestAListLeadsToItsOtherViews(t *testing.T) {
	t.Parallel()
	type shown struct {
		which, sort, text string
		desc              bool
		size, page        int
	}
	l := List[shown, int]{
		View: shown{which: "open", sort: "name", size: 50, page: 3},
		Base: "/rows",
		Pairs: func(s shown, add Add) {
			add("which", s.which, s.which != "open")
			add("sort", s.sort, true)
			add("desc", "1", s.desc)
			add("size", strconv.Itoa(s.size), s.size != 50)
			add("q", s.text, s.text != "")
			add("page", strconv.Itoa(s.page), s.page > 0)
		},
		Turn: func(s *shown, page int) { s.page = page },
	}
	by := func(name string) func(*shown, bool) {
		return func(s *shown, desc bool) { s.sort, s.desc = name, desc }
	}
	chip := l.Chip("Ended", false, func(s *shown) { s.which = "ended" })
	if d := cmp.Diff(view.Chip{Label: "Ended", Href: "/rows?sort=name&which=ended"}, chip); d != "" {
		t.Errorf("chip (-want +got)\n%s", d)
	}
	for _, c := range []struct {
		name          string
		current, desc bool
		want          view.SortModel
	}{
		{"another column sorts upwards", false, true, view.SortModel{Href: "/rows?sort=end"}},
		{"sorted upwards it turns", true, false, view.SortModel{Href: "/rows?desc=1&sort=end", Order: "ascending"}},
		{"sorted downwards it turns back", true, true, view.SortModel{Href: "/rows?sort=end", Order: "descending"}},
	} {
		if d := cmp.Diff(&c.want, l.Column("End", c.current, c.desc, by("end")).Sort); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
	want := view.PagerModel{Shown: "51–100", First: "/rows?sort=name", Prev: "/rows?page=2&sort=name", Next: "/rows?page=4&sort=name"}
	if d := cmp.Diff(want, l.Pager("51–100", true, 2, 4)); d != "" {
		t.Errorf("a page in the middle (-want +got)\n%s", d)
	}
	if d := cmp.Diff(view.PagerModel{Shown: "1–2"}, l.Pager("1–2", false, 0, 0)); d != "" {
		t.Errorf("the only page (-want +got)\n%s", d)
	}
	sizes := l.Sizes(50, func(s *shown, size int) { s.size = size })
	if len(sizes) != len(Sizes) || !sizes[0].Current || sizes[1] != (view.Link{Label: "100", Href: "/rows?size=100&sort=name"}) {
		t.Errorf("got the sizes %+v, want each of %v, the first current, on the first page", sizes, Sizes)
	}
	if l.View.page != 3 {
		t.Errorf("got page %d of the list itself, want it left where it is", l.View.page)
	}
}

// TestAListTellsWhatIsShown: an address tells as much as it must, and the place;
// a new search keeps what was chosen, but neither the text nor the page.
func TestAListTellsWhatIsShown(t *testing.T) {
	t.Parallel()
	type shown struct {
		which, text string
		page        int
	}
	l := List[shown, int]{
		View: shown{which: "ended", text: "Muster & Co", page: 3}, Base: "/rows", Turn: func(s *shown, page int) { s.page = page },
		Pairs: func(s shown, add Add) {
			add("which", s.which, s.which != "")
			add("q", s.text, s.text != "")
			add("page", strconv.Itoa(s.page), s.page > 0)
		},
	}
	want := view.SearchModel{Label: "Find", Action: "/rows", Name: "q", Value: "Muster & Co", Hidden: []view.Hidden{{Name: "which", Value: "ended"}}}
	if d := cmp.Diff(want, l.Search("Find", l.View.text)); d != "" {
		t.Errorf("search (-want +got)\n%s", d)
	}
	if got := l.Href(shown{}); got != "/rows" {
		t.Errorf("got %s for all there is, want the bare address", got)
	}
	l.Place = func(shown) string { return "#list" }
	if got := l.Href(l.View); got != "/rows?page=3&q=Muster+%26+Co&which=ended#list" {
		t.Errorf("got %s with a place", got)
	}
}

func TestAPageIsCutWhereTheListGoesOn(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{2: 20, 3: 0, 4: 0} {
		found, next := Cut([]int{1, 2, 3}, size, func(n int) int { return 10 * n })
		if len(found) != min(size, 3) || next != want {
			t.Errorf("a page of %d: got %v and then %d, want then %d", size, found, next, want)
		}
	}
	if found, next := Cut(nil, 2, func(n int) int { return n }); len(found) != 0 || next != 0 {
		t.Errorf("nothing: got %v and then %d", found, next)
	}
}
