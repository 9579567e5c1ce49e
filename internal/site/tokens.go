package site

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

// tokens lists the person's own.
func (s *Site) tokens(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	own, err := s.kept(ctx, by)
	if err != nil {
		return err
	}
	all, err := s.people.Tokens(ctx, by)
	if err != nil {
		return err
	}
	f := s.Frame(r, page.T(ctx, "token.title"))
	begin := view.ButtonModel{Label: page.T(ctx, "token.new"), Href: paths.NewToken, Kind: view.Primary, Icon: view.IconPlus}
	m := portalview.TokensModel{Head: view.HeadModel{Title: f.Title, Lead: page.T(ctx, "token.lead"), Actions: []view.ButtonModel{{Label: page.T(ctx, "token.to_api"), Href: paths.API}}}}
	switch {
	case len(all) > 0 && own.some():
		m.Head.Actions = append([]view.ButtonModel{begin}, m.Head.Actions...)
	case len(all) == 0 && own.some():
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "token.none"), Text: page.T(ctx, "token.none_text"), Action: &begin}
	case len(all) == 0:
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "token.none"), Text: page.T(ctx, "token.nothing_kept")}
	}
	for _, x := range all {
		l := s.tokenLine(ctx, x)
		domains, organisations := own.names(ctx, x)
		l.Reach = strings.Join(append(domains, organisations...), ", ")
		m.Lines = append(m.Lines, l)
	}
	return s.Show(w, r, http.StatusOK, portalview.Tokens(f, m))
}

func (s *Site) tokenLine(ctx context.Context, x person.Token) portalview.TokenLine {
	l := portalview.TokenLine{Name: x.Name, Href: paths.Token(x.ID), State: s.TokenState(ctx, x), Ends: view.Ends(ctx, x.Ends, s.Now())}
	if x.LastUsed != nil {
		l.Used = view.Ago(ctx, *x.LastUsed, s.Now())
	}
	return l
}

// kept is what somebody looks after and may therefore put into a token.
type kept struct {
	domains       []org.EmailDomain
	organisations []org.Organisation
}

func (s *Site) kept(ctx context.Context, by person.Actor) (k kept, err error) {
	if k.domains, err = s.org.Domains(ctx, by); err != nil {
		return k, err
	}
	if k.organisations, err = s.org.Organisations(ctx, by); err != nil {
		return k, err
	}
	k.domains = slices.DeleteFunc(k.domains, func(d org.EmailDomain) bool { return !d.Contact })
	k.organisations = slices.DeleteFunc(k.organisations, func(o org.Organisation) bool { return !o.Contact })
	return k, nil
}

func (k kept) some() bool { return len(k.domains)+len(k.organisations) > 0 }

// names are those of what x reaches; what its maker does not look after any
// more is counted.
func (k kept) names(ctx context.Context, x person.Token) (domains, organisations []string) {
	for _, d := range k.domains {
		if slices.Contains(x.Domains, int64(d.ID)) {
			domains = append(domains, d.Name.Unicode())
		}
	}
	for _, o := range k.organisations {
		if slices.Contains(x.Organisations, int64(o.ID)) {
			organisations = append(organisations, o.Name)
		}
	}
	if n := len(x.Domains) - len(domains); n > 0 {
		domains = append(domains, page.T(ctx, "token.lost_domains", "n", n))
	}
	if n := len(x.Organisations) - len(organisations); n > 0 {
		organisations = append(organisations, page.T(ctx, "token.lost_organisations", "n", n))
	}
	return domains, organisations
}

// tokenAsked is the token that the path names.
func (s *Site) tokenAsked(r *http.Request) (person.Token, error) {
	n, err := page.Number[person.TokenID](r, "number")
	if err != nil {
		return person.Token{}, err
	}
	return s.people.Token(r.Context(), s.Actor(r), n)
}

// tokenFrame leads back to where x was found: among one's own, or everybody's.
func (s *Site) tokenFrame(r *http.Request, x person.Token, title string, crumbs ...view.Link) view.Frame {
	ctx := r.Context()
	if s.Actor(r).Account == x.Account {
		return s.Frame(r, title, append([]view.Link{{Label: page.T(ctx, "token.title"), Href: paths.Tokens}}, crumbs...)...)
	}
	return page.Standing(s.OfficeFrame(r, title, append([]view.Link{{Label: page.T(ctx, "token.title"), Href: paths.OfficeTokens}}, crumbs...)...))
}

func (s *Site) token(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	x, err := s.tokenAsked(r)
	if err != nil {
		return err
	}
	m, err := s.tokenModel(ctx, by, x)
	if err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, portalview.TokenPage(s.tokenFrame(r, x, x.Name), m))
}

func (s *Site) tokenModel(ctx context.Context, by person.Actor, x person.Token) (m portalview.TokenModel, err error) {
	now, state := s.Now(), s.TokenState(ctx, x)
	state.Pill = true
	m = portalview.TokenModel{
		Head: view.HeadModel{Title: x.Name, State: &state}, Verbs: verbNames(ctx, x.Verbs),
		Created: view.At(ctx, x.Created, now), Ends: view.At(ctx, x.Ends, now),
	}
	if person.MayWithdraw(by, x, now) == nil && x.Withdrawn == nil {
		m.Head.Actions = []view.ButtonModel{{Label: page.T(ctx, "token.withdraw"), Href: paths.Token(x.ID) + "/withdraw", Kind: view.Danger}}
	}
	switch sleeps := s.people.SleepsAt(x); {
	case !x.Live(now) || sleeps.After(x.Ends):
	case !s.people.Sleeps(x):
		m.Sleeps = view.At(ctx, sleeps, now)
	default:
		m.Notice = &view.NoticeModel{Kind: view.Info, Title: page.T(ctx, "token.sleeps_title"), Text: page.T(ctx, "token.sleeps", "name", x.Maker)}
	}
	if by.Account != x.Account {
		m.Maker, m.MakerHref = x.Maker, paths.OfficePerson(x.Account)
	}
	for _, n := range x.Networks {
		m.Networks = append(m.Networks, n.String())
	}
	if x.LastUsed != nil {
		m.Used = view.Ago(ctx, *x.LastUsed, now)
		if x.LastFrom != nil {
			m.UsedFrom = page.T(ctx, "token.used_from", "address", x.LastFrom.String())
		}
	}
	if err := s.withdrawal(ctx, x, &m); err != nil {
		return m, err
	}
	reach, err := s.reachOf(ctx, by, x)
	if err != nil {
		return m, err
	}
	m.Domains, m.Organisations = reach.names(ctx, x)
	told, err := s.History(ctx, x.ID.Thing(), 0)
	m.History = told.Events
	return m, err
}

// withdrawal says when x was withdrawn and by whom else than its maker.
func (s *Site) withdrawal(ctx context.Context, x person.Token, m *portalview.TokenModel) error {
	if x.Withdrawn == nil {
		return nil
	}
	m.Withdrawn = view.At(ctx, *x.Withdrawn, s.Now())
	if x.WithdrawnBy == nil || *x.WithdrawnBy == x.Account {
		return nil
	}
	names, err := s.people.Names(ctx, []person.ID{*x.WithdrawnBy})
	m.WithdrawnBy = page.T(ctx, "token.withdrawn_by", "name", names[*x.WithdrawnBy])
	return err
}

// reachOf is what by can name of what x reaches: its maker what they look after,
// an officer everything.
func (s *Site) reachOf(ctx context.Context, by person.Actor, x person.Token) (k kept, err error) {
	if by.Account == x.Account {
		return s.kept(ctx, by)
	}
	if k.domains, err = s.org.Domains(ctx, by); err != nil {
		return k, err
	}
	k.organisations, err = s.org.Organisations(ctx, by)
	return k, err
}
