package site

import (
	"context"
	"slices"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// lostFor is how long somebody reads that the provider names no groups of theirs
// any more: it may be meant so.
const lostFor = 14 * 24 * time.Hour

// notices are what the provider does not say of by, and what comes of it: of the
// groups always, of the address where it matters.
func (s *Site) notices(ctx context.Context, by person.Actor, address bool) (all []view.NoticeModel, err error) {
	a, err := s.people.One(ctx, by, by.Account)
	if err != nil {
		return nil, err
	}
	lost := view.NoticeModel{Kind: view.Warn, Title: page.T(ctx, "signin.lost_title")}
	switch {
	case a.Lost == person.GroupsElsewhere:
		lost.Text = page.T(ctx, "signin.lost_elsewhere")
		all = append(all, lost)
	case a.Lost == person.GroupsUnsaid && s.Now().Sub(*a.LostSince) < lostFor:
		lost.Text = page.T(ctx, "signin.lost_unsaid", "day", view.Day(ctx, *a.LostSince, s.Now()).Text)
		all = append(all, lost)
	}
	if !address || a.VerifiedEmail != "" {
		return all, nil
	}
	n := view.NoticeModel{Kind: view.Warn, Title: page.T(ctx, "signin.address_title"), Text: page.T(ctx, "signin.address")}
	if a.Email == "" {
		n.Text = page.T(ctx, "signin.address_none")
	}
	to, err := cert.Reader(ctx, s.DB, by.Account)
	if err != nil {
		return nil, err
	}
	if to.To == "" {
		n.Text += " " + page.T(ctx, "signin.letters_nowhere")
	} else {
		n.Text += " " + page.T(ctx, "signin.letters_to", "address", to.To)
	}
	return append(all, n), nil
}

// keeps tells whether whom f is for looks after something, which letters are
// about.
func keeps(f view.Frame) bool {
	return slices.ContainsFunc(f.Nav, func(n view.NavItem) bool { return n.Href == paths.EmailDomains || n.Href == paths.Organisations })
}
