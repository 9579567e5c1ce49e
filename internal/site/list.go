package site

import (
	"strconv"

	"petschaft/web/view"
)

// list is a list as its address tells it: View is what of it is shown, Href the
// address of a view. Turn takes a view to the page at a cursor, to the first one
// at the zero cursor; what is chosen or sorted anew begins there.
type list[V any, C comparable] struct {
	View V
	Href func(V) string
	Turn func(*V, C)
}

// to is the address of the view that change makes of this one, on its first page.
func (l list[V, C]) to(change func(*V)) string {
	var first C
	v := l.View
	l.Turn(&v, first)
	change(&v)
	return l.Href(v)
}

// chip is a choice of what is shown.
func (l list[V, C]) chip(label string, current bool, choose func(*V)) view.Chip {
	return view.Chip{Label: label, Href: l.to(choose), Current: current}
}

// column sorts the list: upwards at first, and downwards where it is sorted
// upwards by this column already.
func (l list[V, C]) column(label string, current, desc bool, by func(v *V, desc bool)) view.Column {
	order := ""
	if current {
		order = "ascending"
		if desc {
			order = "descending"
		}
	}
	href := l.to(func(v *V) { by(v, current && !desc) })
	return view.Column{Label: label, Sort: &view.SortModel{Href: href, Order: order}}
}

// pager leads to the pages before and behind this one, where there are any, and
// to the first one from any other.
func (l list[V, C]) pager(shown string, other bool, prev, next C) view.PagerModel {
	var none C
	m := view.PagerModel{Shown: shown}
	at := func(c C) string { return l.to(func(v *V) { l.Turn(v, c) }) }
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

// sizes lets choose how many rows a page has.
func (l list[V, C]) sizes(now int, take func(v *V, size int)) (links []view.Link) {
	for _, n := range pageSizes {
		links = append(links, view.Link{Label: strconv.Itoa(n), Href: l.to(func(v *V) { take(v, n) }), Current: n == now})
	}
	return links
}
