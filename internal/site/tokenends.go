package site

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/person"
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
	if err := person.MayWithdraw(s.actor(r), x, s.Now()); err != nil {
		return err
	}
	title, path := t(ctx, "token.withdraw_title", "name", x.Name), paths.Token(x.ID)
	f := s.tokenFrame(r, x, title, view.Link{Label: x.Name, Href: path})
	d := view.DialogModel{
		Title: title, What: []string{t(ctx, "token.withdraw_what")}, Final: t(ctx, "token.withdraw_final"),
		Action: path + "/withdraw", Verb: t(ctx, "token.withdraw"), Danger: true, Cancel: path,
	}
	return s.show(w, r, http.StatusOK, view.AskPage(f, d))
}

func (s *Site) withdrawToken(w http.ResponseWriter, r *http.Request) error {
	x, err := s.tokenAsked(r)
	if err != nil {
		return err
	}
	if err := s.People.WithdrawToken(r.Context(), s.actor(r), x.ID); err != nil {
		return err
	}
	return s.done(w, r, paths.Token(x.ID), "token.withdrawn_done", "name", x.Name)
}

// officeTokens lists everybody's.
func (s *Site) officeTokens(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	text := strings.TrimSpace(q.Get("q"))
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	all, next, err := s.People.AllTokens(ctx, s.actor(r), text, person.TokenID(max(0, before)))
	if err != nil {
		return err
	}
	f := s.officeFrame(r, t(ctx, "token.title"))
	m := portalview.TokensModel{
		Head:   view.HeadModel{Title: f.Title, Lead: t(ctx, "token.office_lead")},
		Search: &view.SearchModel{Label: t(ctx, "token.office_search"), Action: paths.OfficeTokens, Name: "q", Value: text},
	}
	for _, x := range all {
		l := s.tokenLine(ctx, x)
		l.Maker, l.MakerHref = x.Maker, paths.OfficePerson(x.Account)
		m.Lines = append(m.Lines, l)
	}
	if len(all) == 0 {
		m.Empty = &view.EmptyModel{Title: t(ctx, "token.office_none"), Text: t(ctx, "token.office_none_text")}
	}
	if next > 0 || before > 0 {
		m.Pager = &view.PagerModel{Shown: t(ctx, "token.office_shown", "n", len(all))}
		if before > 0 {
			m.Pager.First = tokensPath(text, 0)
		}
		if next > 0 {
			m.Pager.Next = tokensPath(text, next)
		}
	}
	return s.show(w, r, http.StatusOK, portalview.Tokens(f, m))
}

func tokensPath(text string, before person.TokenID) string {
	v := url.Values{"q": {text}}
	if before > 0 {
		v.Set("before", id(before))
	}
	return paths.OfficeTokens + "?" + v.Encode()
}

func verbNames(ctx context.Context, verbs []person.Verb) (names []string) {
	for _, v := range person.Verbs() { // in the order of the form
		if slices.Contains(verbs, v) {
			names = append(names, verbName(ctx, v))
		}
	}
	return names
}

// verbName words what a token may do.
func verbName(ctx context.Context, v person.Verb) string {
	switch v {
	case person.ReadAddresses:
		return t(ctx, "token.verb_addresses_read")
	case person.WriteAddresses:
		return t(ctx, "token.verb_addresses_write")
	case person.SendChallenges:
		return t(ctx, "token.verb_challenges_send")
	case person.WriteImports:
		return t(ctx, "token.verb_imports_write")
	case person.ReadClientCertificates:
		return t(ctx, "token.verb_client_certificates_read")
	case person.RevokeClientCertificates:
		return t(ctx, "token.verb_client_certificates_revoke")
	case person.ReadOrders:
		return t(ctx, "token.verb_orders_read")
	case person.WriteOrders:
		return t(ctx, "token.verb_orders_write")
	case person.ReadCertificates:
		return t(ctx, "token.verb_certificates_read")
	case person.RevokeCertificates:
		return t(ctx, "token.verb_certificates_revoke")
	}
	return string(v)
}
