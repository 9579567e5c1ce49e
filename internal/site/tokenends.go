package site

import (
	"context"
	"net/http"
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
	if err := s.people.WithdrawToken(r.Context(), s.Actor(r), x.ID); err != nil {
		return err
	}
	return s.Done(w, r, paths.Token(x.ID), "token.withdrawn_done", "name", x.Name)
}

// officeTokens lists everybody's.
func (s *Site) officeTokens(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	v := tokensView{text: strings.TrimSpace(q.Get("q")), before: person.TokenID(max(0, before))}
	all, next, err := s.people.AllTokens(ctx, s.Actor(r), v.text, v.before)
	if err != nil {
		return err
	}
	f, search := s.OfficeFrame(r, page.T(ctx, "token.title")), v.list().Search(page.T(ctx, "token.office_search"), v.text)
	m := portalview.TokensModel{
		Head:   view.HeadModel{Title: f.Title, Lead: page.T(ctx, "token.office_lead")},
		Search: &search,
	}
	for _, x := range all {
		l := s.tokenLine(ctx, x)
		l.Maker, l.MakerHref = x.Maker, paths.OfficePerson(x.Account)
		m.Lines = append(m.Lines, l)
	}
	if len(all) == 0 {
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "token.office_none"), Text: page.T(ctx, "token.office_none_text")}
	}
	if next > 0 || v.before > 0 {
		pager := v.list().Pager(page.T(ctx, "token.office_shown", "n", len(all)), v.before > 0, 0, next)
		m.Pager = &pager
	}
	return s.Show(w, r, http.StatusOK, portalview.Tokens(f, m))
}

// tokensView is what of everybody's tokens is shown.
type tokensView struct {
	text   string
	before person.TokenID // those that follow it, 0 for the newest
}

func (v tokensView) list() page.List[tokensView, person.TokenID] {
	return page.List[tokensView, person.TokenID]{
		View: v, Base: paths.OfficeTokens, Turn: func(v *tokensView, before person.TokenID) { v.before = before },
		Pairs: func(v tokensView, add page.Add) {
			add("q", v.text, v.text != "")
			add("before", page.ID(v.before), v.before > 0)
		},
	}
}

func verbNames(ctx context.Context, verbs []person.Verb) (names []string) {
	for _, v := range person.Verbs() { // in the order of the form
		if slices.Contains(verbs, v) {
			names = append(names, page.TokenVerb(ctx, v))
		}
	}
	return names
}
