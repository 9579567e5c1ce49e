package issuance_test

import (
	"regexp"
	"slices"
	"testing"

	"petschaft/internal/issuance"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
)

// TestTheOwnAuthorityIsAskedInOneWay: the registry has it under the names that
// pki.OwnAuthority knows, and the schema, which cannot ask, under the same.
func TestTheOwnAuthorityIsAskedInOneWay(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range issuance.Own(nil) {
		names = append(names, name)
		if !pki.OwnAuthority(name) {
			t.Errorf("the portal's own authority is registered as %q, which no profile has", name)
		}
	}
	for _, name := range []string{"", "root", "outside", "Mail"} {
		if pki.OwnAuthority(name) {
			t.Errorf("%q is taken for the portal's own", name)
		}
	}
	var text string
	ok(t, pgtest.New(t).QueryRow(t.Context(), `select pg_get_functiondef('asked_outside'::regproc)`).Scan(&text))
	list := regexp.MustCompile(`authority not in \(([^)]*)\)`).FindStringSubmatch(text)
	if list == nil {
		t.Fatalf("the schema names no own authority:\n%s", text)
	}
	var said []string
	for _, quoted := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(list[1], -1) {
		said = append(said, quoted[1])
	}
	slices.Sort(names)
	slices.Sort(said)
	if !slices.Equal(said, names) {
		t.Errorf("the schema has %v for the portal's own, the registry %v", said, names)
	}
}
