package page

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"petschaft/web/view"
)

// List is a list as its address tells it: View is what of it is shown, Base the
// address without a choice, Pairs what an address adds to it for a view. Turn
// takes a view to the page at a cursor, to the first one at the zero cursor; what
// is chosen or sorted anew begins there.
type List[V any, C comparable] struct {
	View  V
	Base  string
	Pairs func(v V, add Add)
	Turn  func(*V, C)
	Place func(V) string // the place on the page that a view is looked at; nil: its beginning
}

// Add puts a name and its value into an address, when they are to be told.
type Add func(name, value string, when bool)

// searched is the name of what was typed into a list's search.
const searched = "q"

// Href is the address of v, as short as it can be.
func (l List[V, C]) Href(v V) string {
	q, href := url.Values{}, l.Base
	for _, h := range l.pairs(v) {
		q.Set(h.Name, h.Value)
	}
	if len(q) > 0 {
		href += "?" + q.Encode()
	}
	if l.Place != nil {
		href += l.Place(v)
	}
	return href
}

// Search asks for a text, and keeps what else was chosen.
func (l List[V, C]) Search(label, text string) view.SearchModel {
	return view.SearchModel{Label: label, Action: l.Base, Name: searched, Value: text, Hidden: l.Kept()}
}

// Kept is what of this view a new search keeps: all but the text and the page.
func (l List[V, C]) Kept() []view.Hidden {
	var first C
	v := l.View
	l.Turn(&v, first)
	return slices.DeleteFunc(l.pairs(v), func(h view.Hidden) bool { return h.Name == searched })
}

func (l List[V, C]) pairs(v V) (all []view.Hidden) {
	l.Pairs(v, func(name, value string, when bool) {
		if when {
			all = append(all, view.Hidden{Name: name, Value: value})
		}
	})
	return all
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

// Cut makes one page of found, which holds one more than size where the list goes
// on; next is where the last one on the page stands then, else zero.
func Cut[T any, C comparable](found []T, size int, mark func(T) C) (page []T, next C) {
	if len(found) > size {
		next = mark(found[size-1])
	}
	return found[:min(len(found), size)], next
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

// Most are the first of tasks, and a sentence about how many there are besides.
// Of what ends, what ends first is in front.
func Most(tasks []view.Task, more func(n int) view.Task) []view.Task {
	if len(tasks) <= MostTasks {
		return tasks
	}
	rest := more(len(tasks) - MostTasks)
	rest.By = tasks[MostTasks].By
	return append(slices.Clone(tasks[:MostTasks]), rest)
}

// Sizes are on offer, the first by default.
var Sizes = [...]int{50, 100, 200}
