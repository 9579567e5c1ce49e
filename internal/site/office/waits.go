package office

import (
	"context"
	"net/http"

	"petschaft/internal/issuance"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// Waits lists what an authority takes long for, applications and orders together.
func (s *Section) Waits(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := s.Order.LongWaits(ctx, s.Actor(r), page.MostFailures)
	if err != nil {
		return err
	}
	var rows []officeview.LongWait
	for _, x := range all {
		row := officeview.LongWait{
			Reference: x.Reference, Href: paths.Application(x.Number), For: x.For, Names: page.Spelled(x.Names),
			Authority: page.AuthorityName(ctx, x.With), Since: page.Moment(ctx, x.Asked, s.Now()), Said: x.Said,
		}
		if x.Kind == issuance.ServerOrder {
			row.Href = paths.OfficeOrder(x.Reference)
		}
		switch {
		case x.Unset():
			row.Said, row.Now = "", page.T(ctx, "waits.unset")
		case x.Tries > 0:
			row.Now = page.T(ctx, "waits.away", "n", x.Tries)
		case x.Person:
			row.Now = page.T(ctx, "waits.person")
		}
		rows = append(rows, row)
	}
	return s.Show(w, r, http.StatusOK, officeview.LongWaits(s.OfficeFrame(r, page.T(ctx, "waits.title")), rows))
}

// longWaits is the task of officers to ask an authority that takes long.
func (s *Section) longWaits(ctx context.Context, by person.Actor) ([]view.Task, error) {
	all, err := s.Order.LongWaits(ctx, by, page.MostFailures)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return []view.Task{{
		Kind: view.Warn, Text: page.T(ctx, "waits.task", "n", len(all)), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeWaits},
	}}, nil
}
