package page

import (
	"net/http"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/web/view"
)

// lately is how many lines of a history say why something cannot be done.
const lately = 3

// Meanwhile answers a step that the state of about does not allow, any more: it
// says who did what to it lately, and leads there; typed is what else was typed. Any other err goes on.
func (p *Page) Meanwhile(w http.ResponseWriter, r *http.Request, err error, about audit.Thing, look view.Link, typed ...view.TypedModel) error {
	ctx := r.Context()
	if !fault.Is(err, fault.Conflict) || onlyShown(err) {
		return err
	}
	h, wrong := p.History(ctx, about, 0)
	if wrong != nil {
		return wrong
	}
	f := fault.Of(err)
	p.Problem(w, r, view.ProblemModel{
		Status: p.Status(w, f), What: T(ctx, f.ID, Dated(ctx, p.Now(), f.Args)...), Todo: T(ctx, "problem.meanwhile-todo"), Lately: h.Events[:min(len(h.Events), lately)],
		Typed:   typed,
		Actions: []view.ButtonModel{{Label: look.Label, Href: look.Href, Kind: view.Primary}, {Label: T(ctx, "problem.home"), Href: "/"}},
	})
	return nil
}
