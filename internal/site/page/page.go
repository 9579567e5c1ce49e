// Package page is what all pages share: how a request is opened and answered,
// the frame around a page and its navigation, a form that comes back, and the
// words, files and lists that several subjects show. It turns faults into status
// codes and words. It knows no page, and decides no rule.
package page

import (
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"time"

	"petschaft/internal/draft"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/signin"
)

// Parts are what pages are made with; all of them are needed.
type Parts struct {
	Desk    *signin.Desk
	People  *person.Book // names who did something
	Org     *org.Book    // tells which sections somebody has
	Order   *order.Book  // counts the open orders beside them
	Drafts  *draft.Book  // keeps forms that came back
	DB      *postgres.DB
	Base    *url.URL // the portal's own address
	Now     func() time.Time
	Log     *slog.Logger
	Version string
}

// Page opens requests and answers them. The sections of the site embed it.
type Page struct {
	Desk   *signin.Desk
	Drafts *draft.Book
	DB     *postgres.DB
	Base   *url.URL
	Now    func() time.Time
	Log    *slog.Logger

	people  *person.Book
	org     *org.Book
	order   *order.Book
	version string

	downloads downloads
}

// New makes pages. It panics where a part is missing.
func New(parts Parts) *Page {
	Complete(&parts)
	return &Page{
		Desk: parts.Desk, Drafts: parts.Drafts, DB: parts.DB, Base: parts.Base, Now: parts.Now, Log: parts.Log,
		people: parts.People, org: parts.Org, order: parts.Order, version: parts.Version,
	}
}

// Complete returns s, a struct of parts, and panics with the name of a part that
// is missing: a portal that is put together wrongly says so when it starts, not
// on the page that would have needed it.
func Complete[S any](s *S) *S {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Pointer, reflect.Func, reflect.Interface:
			if f.IsNil() {
				panic(fmt.Sprintf("%v lacks its part %s", v.Type(), v.Type().Field(i).Name))
			}
		}
	}
	return s
}
