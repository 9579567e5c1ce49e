package office

import (
	"context"
	"net/http"
	"strconv"

	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// absences are the days without a sign-in that one may ask for; usualAbsence is
// shown first.
var absences = [...]int{30, 90, 180, 365}

const usualAbsence = 90

// Absent lists the contacts who have not signed in for so many days, and what rests
// on them.
func (s *Section) Absent(w http.ResponseWriter, r *http.Request) error {
	ctx, days := r.Context(), usualAbsence
	m := officeview.AbsentModel{}
	for _, n := range absences {
		if r.URL.Query().Get("days") == strconv.Itoa(n) {
			days = n
		}
	}
	for _, n := range absences {
		m.Since = append(m.Since, view.Chip{Label: page.T(ctx, "absent.days", "n", n), Href: paths.OfficeAbsent + "?days=" + strconv.Itoa(n), Current: n == days})
	}
	all, more, err := s.Org.Absents(ctx, s.Actor(r), s.Now().AddDate(0, 0, -days))
	if err != nil {
		return err
	}
	m.Lead, m.More = page.T(ctx, "absent.lead", "n", days), more
	for _, a := range all {
		m.Lines = append(m.Lines, s.absentLine(ctx, a))
	}
	return s.Show(w, r, http.StatusOK, officeview.Absent(s.OfficeFrame(r, page.T(ctx, "absent.title")), m))
}

func (s *Section) absentLine(ctx context.Context, a org.Absent) officeview.AbsentLine {
	l := officeview.AbsentLine{Name: a.Label, Href: paths.OfficePerson(a.Account), SignedIn: view.Day(ctx, a.SignedIn, s.Now())}
	if a.Locked {
		l.State = &view.StateModel{Kind: view.Bad, Icon: view.IconLock, Word: page.T(ctx, "office.locked")}
	}
	if a.Tokens > 0 {
		l.Tokens = page.T(ctx, "absent.tokens", "n", a.Tokens)
	}
	for _, o := range a.Organisations {
		l.Keeps = append(l.Keeps, officeview.AbsentKeeps{
			What: page.T(ctx, "absent.organisation"), Link: view.Link{Label: o.Name, Href: paths.OfficeOrganisation(org.OrganisationID(o.ID))},
		})
	}
	for _, g := range a.Groups {
		k := officeview.AbsentKeeps{What: page.T(ctx, "absent.group"), Link: view.Link{Label: g.Name, Href: paths.OfficeGroup(org.GroupID(g.ID))}}
		if g.Only {
			k.Note = page.T(ctx, "absent.only")
		}
		l.Keeps = append(l.Keeps, k)
	}
	return l
}
