package portal_test

import (
	"reflect"
	"slices"
	"testing"

	"petschaft/internal/site/sitetest"
)

// mayBeZero are fields of books that a portal may well leave as they are.
var mayBeZero = []string{"Bulk.Most", "Cert.Reminders", "Issuance.Patience", "Order.Multipurpose"}

// TestEveryBookHasEveryPart: a part that somebody forgot to give to a book is
// not a switched off feature. Without the portal's own certificates, for one,
// certificates from before the portal could be its own.
func TestEveryBookHasEveryPart(t *testing.T) {
	t.Parallel()
	p := reflect.ValueOf(sitetest.New(t).Portal).Elem()
	books := 0
	for i := range p.NumField() {
		field, name := p.Field(i), p.Type().Field(i).Name
		if !p.Type().Field(i).IsExported() || field.Kind() != reflect.Pointer {
			continue
		}
		if field.IsNil() {
			t.Errorf("the portal has no %s", name)
			continue
		}
		book := field.Elem()
		books++
		for j := range book.NumField() {
			part := book.Type().Field(j)
			if part.IsExported() && book.Field(j).IsZero() && !slices.Contains(mayBeZero, name+"."+part.Name) {
				t.Errorf("%s has no %s", name, part.Name)
			}
		}
	}
	if books < 10 {
		t.Errorf("looked at %d books only", books)
	}
}
