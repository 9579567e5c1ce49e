package office

import (
	"context"
	"net/http"

	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// Waits lists what authorities take long for: applications and orders together, and
// revocations.
func (s *Section) Waits(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	issuing, revoking, err := s.lasting(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	var m officeview.WaitsModel
	for _, x := range issuing {
		m.Issuing = append(m.Issuing, s.waitLine(ctx, x))
	}
	for _, x := range revoking {
		m.Revoking = append(m.Revoking, s.revokingLine(ctx, x))
	}
	return s.Show(w, r, http.StatusOK, officeview.LongWaits(s.OfficeFrame(r, page.T(ctx, "waits.title")), m))
}

func (s *Section) lasting(ctx context.Context, by person.Actor) ([]order.LongWait, []issuance.BeingRevoked, error) {
	issuing, err := s.Order.LongWaits(ctx, by, page.MostFailures)
	if err != nil {
		return nil, nil, err
	}
	revoking, err := s.Order.Issuance.LongRevocations(ctx, by, page.MostFailures)
	return issuing, revoking, err
}

func (s *Section) waitLine(ctx context.Context, x order.LongWait) officeview.LongWait {
	row := officeview.LongWait{
		Reference: x.Reference, Href: paths.Application(x.Number), For: x.For, Names: page.Spelled(x.Names),
		Authority: page.AuthorityName(ctx, x.With), Since: page.Moment(ctx, x.Asked, s.Now()), Said: x.Said,
	}
	if x.Kind == issuance.ServerOrder {
		row.Href = paths.OfficeOrder(x.Reference)
	}
	if x.Withdrawn {
		row.Now = append(row.Now, page.T(ctx, "waits.withdrawn"))
	}
	switch {
	case x.Unset():
		row.Said, row.Now = "", append(row.Now, page.T(ctx, "waits.unset"))
	case x.Tries > 0:
		row.Now = append(row.Now, inVain(ctx, x.Tries, x.Trouble)...)
	case x.Person:
		row.Now = append(row.Now, page.T(ctx, "waits.person"))
	}
	return row
}

func (s *Section) revokingLine(ctx context.Context, x issuance.BeingRevoked) officeview.LongWait {
	row := officeview.LongWait{
		Reference: x.Reference, Href: unrevokedHref(x.Unrevoked), For: x.For, Names: page.Spelled(x.Names),
		Authority: page.AuthorityName(ctx, x.Authority), Since: view.Ago(ctx, x.At, s.Now()), Said: x.Said,
	}
	if x.Nobodys {
		row.Href = paths.Unexpected
	}
	switch {
	case x.Trouble == issuance.ErrNoAuthority.ID:
		row.Now = append(row.Now, page.T(ctx, "waits.unset"))
	case x.Tries > 0:
		row.Now = append(row.Now, inVain(ctx, x.Tries, x.Trouble)...)
	}
	return row
}

// inVain say how often an authority was not heard, and what happened to the last call.
func inVain(ctx context.Context, tries int, trouble string) []string {
	words := []string{page.T(ctx, "waits.away", "n", tries)}
	if last := page.TroubleWords(ctx, trouble); last != "" {
		words = append(words, last)
	}
	return words
}

// longWaits are the tasks of officers to ask an authority that takes long.
func (s *Section) longWaits(ctx context.Context, by person.Actor) (tasks []view.Task, err error) {
	issuing, revoking, err := s.lasting(ctx, by)
	if err != nil {
		return nil, err
	}
	add := func(k view.Kind, words string, n int) {
		if n > 0 {
			tasks = append(tasks, view.Task{Kind: k, Text: page.T(ctx, words, "n", n), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeWaits}})
		}
	}
	add(view.Bad, "waits.revoking_task", len(revoking))
	add(view.Warn, "waits.task", len(issuing))
	return tasks, nil
}
