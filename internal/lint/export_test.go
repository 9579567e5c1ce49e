package lint

import (
	"maps"
	"slices"
)

// Overlooked are the rules of zlint that do not count somewhere.
func Overlooked() []string {
	return slices.Concat(slices.Collect(maps.Keys(overlooked.mail)), slices.Collect(maps.Keys(overlooked.servers)), slices.Collect(maps.Keys(overlooked.private)))
}
