package page

import (
	"strconv"
	"time"

	"petschaft/web/view"
)

// List is a list as its address tells it: View is what of it is shown, Href the
// address of a view. Turn takes a view to the page at a cursor, to the first one
// at the zero cursor; what is chosen or sorted anew begins there.
type List[V any, C comparable] struct {
	View V
	Href func(V) string
	Turn func(*V, C)
}

// To is the address of the view that change makes of this one, on its first page.
func (l List[V, C]) To(change func(*V)) string {
	var first C
	v := l.View
	l.Turn(&v, first)
	change(&v)
	return l.Href(v)
}

// Chip is a choice of what is shown.
func (l List[V, C]) Chip(label string, current bool, choose func(*V)) view.Chip {
	return view.Chip{Label: label, Href: l.To(choose), Current: current}
}

// Column sorts the list: upwards at first, and downwards where it is sorted
// upwards by this column already.
func (l List[V, C]) Column(label string, current, desc bool, by func(v *V, desc bool)) view.Column {
	order := ""
	if current {
		order = "ascending"
		if desc {
			order = "descending"
		}
	}
	href := l.To(func(v *V) { by(v, current && !desc) })
	return view.Column{Label: label, Sort: &view.SortModel{Href: href, Order: order}}
}

// Pager leads to the pages before and behind this one, where there are any, and
// to the first one from any other.
func (l List[V, C]) Pager(shown string, other bool, prev, next C) view.PagerModel {
	var none C
	m := view.PagerModel{Shown: shown}
	at := func(c C) string { return l.To(func(v *V) { l.Turn(v, c) }) }
	if other {
		m.First = at(none)
	}
	if prev != none {
		m.Prev = at(prev)
	}
	if next != none {
		m.Next = at(next)
	}
	return m
}

// Sizes lets choose how many rows a page has.
func (l List[V, C]) Sizes(now int, take func(v *V, size int)) (links []view.Link) {
	for _, n := range Sizes {
		links = append(links, view.Link{Label: strconv.Itoa(n), Href: l.To(func(v *V) { take(v, n) }), Current: n == now})
	}
	return links
}

// Bounds of what pages tell.
const (
	MostTasks    = 8                   // sentences of one kind on the start page; the rest is behind a link
	ProofSoon    = 30 * 24 * time.Hour // a proof that lapses within this time is told
	MostFailures = 100                 // failures that are listed
)

// Sizes are on offer, the first by default.
var Sizes = [...]int{50, 100, 200}
