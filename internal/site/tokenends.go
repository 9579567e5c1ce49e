package site

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

func (s *Site) askWithdrawToken(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	x, err := s.tokenAsked(r)
	if err != nil {
		return err
	}
	if err := person.MayWithdraw(s.Actor(r), x, s.Now()); err != nil {
		return err
	}
	title, path := page.T(ctx, "token.withdraw_title", "name", x.Name), paths.Token(x.ID)
	f := s.tokenFrame(r, x, title, view.Link{Label: x.Name, Href: path})
	d := view.DialogModel{
		Title: title, What: []string{page.T(ctx, "token.withdraw_what")}, Final: page.T(ctx, "token.withdraw_final"),
		Action: path + "/withdraw", Verb: page.T(ctx, "token.withdraw"), Danger: true, Cancel: path,
	}
	return s.Show(w, r, http.StatusOK, view.AskPage(f, d))
}

func (s *Site) withdrawToken(w http.ResponseWriter, r *http.Request) error {
	x, err := s.tokenAsked(r)
	if err != nil {
		return err
	}
	if err := s.parts.People.WithdrawToken(r.Context(), s.Actor(r), x.ID); err != nil {
		return err
	}
	return s.Done(w, r, paths.Token(x.ID), "token.withdrawn_done", "name", x.Name)
}

// officeTokens lists everybody's.
func (s *Site) officeTokens(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	text := strings.TrimSpace(q.Get("q"))
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	all, next, err := s.parts.People.AllTokens(ctx, s.Actor(r), text, person.TokenID(max(0, before)))
	if err != nil {
		return err
	}
	f := s.OfficeFrame(r, page.T(ctx, "token.title"))
	m := portalview.TokensModel{
		Head:   view.HeadModel{Title: f.Title, Lead: page.T(ctx, "token.office_lead")},
		Search: &view.SearchModel{Label: page.T(ctx, "token.office_search"), Action: paths.OfficeTokens, Name: "q", Value: text},
	}
	for _, x := range all {
		l := s.tokenLine(ctx, x)
		l.Maker, l.MakerHref = x.Maker, paths.OfficePerson(x.Account)
		m.Lines = append(m.Lines, l)
	}
	if len(all) == 0 {
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "token.office_none"), Text: page.T(ctx, "token.office_none_text")}
	}
	if next > 0 || before > 0 {
		m.Pager = &view.PagerModel{Shown: page.T(ctx, "token.office_shown", "n", len(all))}
		if before > 0 {
			m.Pager.First = tokensPath(text, 0)
		}
		if next > 0 {
			m.Pager.Next = tokensPath(text, next)
		}
	}
	return s.Show(w, r, http.StatusOK, portalview.Tokens(f, m))
}

func tokensPath(text string, before person.TokenID) string {
	v := url.Values{"q": {text}}
	if before > 0 {
		v.Set("before", page.ID(before))
	}
	return paths.OfficeTokens + "?" + v.Encode()
}

func verbNames(ctx context.Context, verbs []person.Verb) (names []string) {
	for _, v := range person.Verbs() { // in the order of the form
		if slices.Contains(verbs, v) {
			names = append(names, page.TokenVerb(ctx, v))
		}
	}
	return names
}
