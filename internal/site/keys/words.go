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

// Raise words a dialog in which the only reason left is keyCompromise, because the
// certificate is revoked for another, or is being, and asks nothing more.
func Raise(ctx context.Context, d *view.DialogModel, revoking bool, failed error) view.ReasonModel {
	d.Title, d.Verb, d.Final, d.What = page.T(ctx, "cert.raise_title"), page.T(ctx, "cert.raise"), page.T(ctx, "cert.raise_final"), []string{page.T(ctx, "cert.raise_what")}
	if revoking {
		d.What = []string{page.T(ctx, "cert.report_what")}
	}
	all := slices.DeleteFunc(pki.Reasons(false), func(f pki.ReasonFacts) bool { return f.Reason != pki.KeyCompromise })
	return page.ReasonModel(ctx, all, pki.KeyCompromise, failed)
}

// mostNamed is how many certificates a sentence names.
const mostNamed = 10

// OthersWords say what becomes of the other certificates of a key when one is revoked
// because it fell into other hands.
func OthersWords(ctx context.Context, o compromise.Others) (words []string) {
	if len(o.Falling) > 0 {
		var all []string
		for _, c := range o.Falling[:min(len(o.Falling), mostNamed)] {
			all = append(all, c.Reference)
		}
		if len(o.Falling) > mostNamed {
			all = append(all, "…")
		}
		words = append(words, page.T(ctx, "cert.others_fall", "n", len(o.Falling), "references", strings.Join(all, ", ")))
	}
	if o.Waiting > 0 {
		words = append(words, page.T(ctx, "cert.others_wait"))
	}
	return words
}
