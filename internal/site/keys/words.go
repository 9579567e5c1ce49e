package keys

import (
	"context"
	"slices"
	"strings"

	"petschaft/internal/compromise"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/view"
)

// RaiseModel asks nothing more where the only reason left is keyCompromise.
func RaiseModel(ctx context.Context, failed error) view.ReasonModel {
	all := slices.DeleteFunc(pki.Reasons(false), func(f pki.ReasonFacts) bool { return f.Reason != pki.KeyCompromise })
	return page.ReasonModel(ctx, all, pki.KeyCompromise, failed)
}

// OthersWords say what becomes of the other certificates of a key when one is revoked
// because it fell into other hands.
func OthersWords(ctx context.Context, o compromise.Others) (words []string) {
	if len(o.Falling) > 0 {
		all := make([]string, len(o.Falling))
		for i, c := range o.Falling {
			all[i] = c.Reference
		}
		words = append(words, page.T(ctx, "cert.others_fall", "n", len(all), "references", strings.Join(all, ", ")))
	}
	if o.Waiting > 0 {
		words = append(words, page.T(ctx, "cert.others_wait"))
	}
	return words
}
