package text_test

import (
	"regexp"
	"strings"
	"testing"

	"petschaft/internal/text"
)

const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

func TestAReferenceHasItsShapeAndNoCharacterThatIsMistaken(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{5}$`)
	for range 100_000 {
		r := text.NewReference()
		if !shape.MatchString(r) || strings.ContainsAny(r, "01IO") {
			t.Fatalf("got %q, want XXXX-XXXXX without 0, 1, I and O", r)
		}
		if back, ok := text.ParseReference(r); !ok || back != r {
			t.Fatalf("read back %q: got %q, %v", r, back, ok)
		}
	}
}

func TestAReferenceIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	r := text.NewReference()
	for _, typed := range []string{strings.ToLower(r), strings.ReplaceAll(r, "-", ""), " " + r + " ", strings.ReplaceAll(r, "-", " "), r[:2] + "-" + r[2:]} {
		if got, ok := text.ParseReference(typed); !ok || got != r {
			t.Errorf("%q: got %q, %v; want %q", typed, got, ok, r)
		}
	}
	for _, wrong := range []string{"", "-", r[:9], r + "2", "ÄÖÜ" + r[3:], strings.Repeat("\xff", 9)} {
		if got, ok := text.ParseReference(wrong); ok {
			t.Errorf("%q: got %q, want it refused", wrong, got)
		}
	}
}

func TestOneWrongCharacterIsNoticed(t *testing.T) {
	t.Parallel()
	for range 200 {
		r := strings.ReplaceAll(text.NewReference(), "-", "")
		for i := range r {
			for _, c := range alphabet {
				wrong := r[:i] + string(c) + r[i+1:]
				if _, ok := text.ParseReference(wrong); ok && wrong != r {
					t.Fatalf("%s was read where %s was meant", wrong, r)
				}
			}
		}
	}
}

func TestTwoNeighboursThatChangedPlacesAreNoticed(t *testing.T) {
	t.Parallel()
	for range 2000 {
		r := strings.ReplaceAll(text.NewReference(), "-", "")
		for i := range len(r) - 1 {
			wrong := r[:i] + r[i+1:i+2] + r[i:i+1] + r[i+2:]
			if _, ok := text.ParseReference(wrong); ok && wrong != r {
				t.Fatalf("%s was read where %s was meant", wrong, r)
			}
		}
	}
}
