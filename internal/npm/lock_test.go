package npm

import (
	"slices"
	"strings"
	"testing"
)

const lock = `{"lockfileVersion": 3, "packages": {
	"": {"name": "own", "dependencies": {"b": "1.0.0"}},
	"node_modules/b": {"version": "1.0.0", "integrity": "sha512-B"},
	"node_modules/@a/b": {"version": "2.0.0", "integrity": "sha512-A"},
	"node_modules/b/node_modules/@a/b": {"version": "1.5.0", "integrity": "sha512-C"}}}`

func TestALockNamesEachPackageWithItsPlace(t *testing.T) {
	t.Parallel()
	got, err := Locked([]byte(lock))
	want := []Package{
		{Name: "@a/b", Version: "2.0.0", Integrity: "A"},
		{Name: "b", Version: "1.0.0", Integrity: "B"},
		{Name: "@a/b", Version: "1.5.0", Integrity: "C", Below: "node_modules/b"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v and %v, want %+v", got, err, want)
	}
}

func TestALockThatPinsNothingIsRefused(t *testing.T) {
	t.Parallel()
	for what, change := range map[string][2]string{
		"SHA-1":           {"sha512-C", "sha1-C"},
		"no hash":         {`"integrity": "sha512-C"`, `"resolved": "https://registry.npmjs.org"`},
		"a place outside": {"node_modules/b/node_modules", "../node_modules/b/node_modules"},
		"a link":          {"node_modules/@a/b", "packages/b"},
		"no JSON":         {"{", "["},
	} {
		if got, err := Locked([]byte(strings.Replace(lock, change[0], change[1], 1))); err == nil {
			t.Errorf("%s: got %+v, want an error", what, got)
		}
	}
}
