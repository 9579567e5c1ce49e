package site

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

// tokens lists the person's own.
func (s *Site) tokens(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.actor(r)
	own, err := s.kept(ctx, by)
	if err != nil {
		return err
	}
	all, err := s.People.Tokens(ctx, by)
	if err != nil {
		return err
	}
	f := s.frame(r, t(ctx, "token.title"))
	begin := view.ButtonModel{Label: t(ctx, "token.new"), Href: paths.NewToken, Kind: view.Primary, Icon: view.IconPlus}
	m := portalview.TokensModel{Head: view.HeadModel{Title: f.Title, Lead: t(ctx, "token.lead"), Actions: []view.ButtonModel{{Label: t(ctx, "token.to_api"), Href: paths.API}}}}
	switch {
	case len(all) > 0 && own.some():
		m.Head.Actions = append([]view.ButtonModel{begin}, m.Head.Actions...)
	case len(all) == 0 && own.some():
		m.Empty = &view.EmptyModel{Title: t(ctx, "token.none"), Text: t(ctx, "token.none_text"), Action: &begin}
	case len(all) == 0:
		m.Empty = &view.EmptyModel{Title: t(ctx, "token.none"), Text: t(ctx, "token.nothing_kept")}
	}
	for _, x := range all {
		l := s.tokenLine(ctx, x)
		domains, organisations := own.names(ctx, x)
		l.Reach = strings.Join(append(domains, organisations...), ", ")
		m.Lines = append(m.Lines, l)
	}
	return s.show(w, r, http.StatusOK, portalview.Tokens(f, m))
}

func (s *Site) tokenLine(ctx context.Context, x person.Token) portalview.TokenLine {
	l := portalview.TokenLine{Name: x.Name, Href: paths.Token(x.ID), State: s.tokenState(ctx, x), Ends: view.Day(ctx, x.Ends, s.Now())}
	if x.LastUsed != nil {
		l.Used = view.Ago(ctx, *x.LastUsed, s.Now())
	}
	return l
}

// endingSoon is how long before its end a token is marked.
const endingSoon = 14 * 24 * time.Hour

func (s *Site) tokenState(ctx context.Context, x person.Token) view.StateModel {
	now := s.Now()
	switch {
	case x.Withdrawn != nil:
		return view.StateModel{Kind: view.Ended, Word: t(ctx, "token.state_withdrawn")}
	case !x.Live(now):
		return view.StateModel{Kind: view.Ended, Word: t(ctx, "token.state_ended")}
	case s.People.Sleeps(x):
		return view.StateModel{Kind: view.Paused, Word: t(ctx, "token.state_sleeping")}
	case x.Ends.Sub(now) <= endingSoon:
		return view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: t(ctx, "token.state_ending")}
	}
	return view.StateModel{Kind: view.Good, Word: t(ctx, "token.state_live")}
}

// kept is what somebody looks after and may therefore put into a token.
type kept struct {
	domains       []org.EmailDomain
	organisations []org.Organisation
}

func (s *Site) kept(ctx context.Context, by person.Actor) (k kept, err error) {
	if k.domains, err = s.Org.Domains(ctx, by); err != nil {
		return k, err
	}
	if k.organisations, err = s.Org.Organisations(ctx, by); err != nil {
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
		domains = append(domains, t(ctx, "token.lost_domains", "n", n))
	}
	if n := len(x.Organisations) - len(organisations); n > 0 {
		organisations = append(organisations, t(ctx, "token.lost_organisations", "n", n))
	}
	return domains, organisations
}

// tokenAsked is the token that the path names.
func (s *Site) tokenAsked(r *http.Request) (person.Token, error) {
	n, err := number[person.TokenID](r, "number")
	if err != nil {
		return person.Token{}, err
	}
	return s.People.Token(r.Context(), s.actor(r), n)
}

// tokenFrame leads back to where x was found: among one's own, or everybody's.
func (s *Site) tokenFrame(r *http.Request, x person.Token, title string, crumbs ...view.Link) view.Frame {
	ctx := r.Context()
	if s.actor(r).Account == x.Account {
		return s.frame(r, title, append([]view.Link{{Label: t(ctx, "token.title"), Href: paths.Tokens}}, crumbs...)...)
	}
	return standing(s.officeFrame(r, title, append([]view.Link{{Label: t(ctx, "token.title"), Href: paths.OfficeTokens}}, crumbs...)...))
}

func (s *Site) token(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.actor(r)
	x, err := s.tokenAsked(r)
	if err != nil {
		return err
	}
	m, err := s.tokenModel(ctx, by, x)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, portalview.TokenPage(s.tokenFrame(r, x, x.Name), m))
}

func (s *Site) tokenModel(ctx context.Context, by person.Actor, x person.Token) (m portalview.TokenModel, err error) {
	now, state := s.Now(), s.tokenState(ctx, x)
	state.Pill = true
	m = portalview.TokenModel{
		Head: view.HeadModel{Title: x.Name, State: &state}, Verbs: verbNames(ctx, x.Verbs),
		Created: view.At(ctx, x.Created, now), Ends: view.At(ctx, x.Ends, now),
	}
	if person.MayWithdraw(by, x, now) == nil && x.Withdrawn == nil {
		m.Head.Actions = []view.ButtonModel{{Label: t(ctx, "token.withdraw"), Href: paths.Token(x.ID) + "/withdraw", Kind: view.Danger}}
	}
	if x.Live(now) && s.People.Sleeps(x) {
		m.Notice = &view.NoticeModel{Kind: view.Info, Title: t(ctx, "token.sleeps_title"), Text: t(ctx, "token.sleeps", "name", x.Maker)}
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
			m.UsedFrom = t(ctx, "token.used_from", "address", x.LastFrom.String())
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
	told, err := s.history(ctx, x.ID.Thing(), 0)
	m.History = told.events
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
	names, err := s.People.Names(ctx, []person.ID{*x.WithdrawnBy})
	m.WithdrawnBy = t(ctx, "token.withdrawn_by", "name", names[*x.WithdrawnBy])
	return err
}

// reachOf is what by can name of what x reaches: its maker what they look after,
// an officer everything.
func (s *Site) reachOf(ctx context.Context, by person.Actor, x person.Token) (k kept, err error) {
	if by.Account == x.Account {
		return s.kept(ctx, by)
	}
	if k.domains, err = s.Org.Domains(ctx, by); err != nil {
		return k, err
	}
	k.organisations, err = s.Org.Organisations(ctx, by)
	return k, err
}

func (s *Site) newToken(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	in := person.TokenInput{Form: rand.Text(), Ends: s.Now().AddDate(0, 6, 0)}
	own, err := s.kept(ctx, s.actor(r))
	if err != nil {
		return err
	}
	if len(own.domains)+len(own.organisations) == 1 { // nothing to choose
		for _, d := range own.domains {
			in.Domains = []int64{int64(d.ID)}
		}
		for _, o := range own.organisations {
			in.Organisations = []int64{int64(o.ID)}
		}
	}
	return s.newTokenPage(w, r, own, in, nil)
}

// newTokenPage asks for a token; err is why the form came back.
func (s *Site) newTokenPage(w http.ResponseWriter, r *http.Request, own kept, in person.TokenInput, err error) error {
	ctx, now := r.Context(), s.Now()
	if !own.some() {
		return fault.New(fault.Denied, "token.nothing_kept")
	}
	m := portalview.TokenForm{
		Form: view.FormModel{
			Action: paths.Tokens, Cancel: paths.Tokens, Submit: view.ButtonModel{Label: t(ctx, "token.make")}, Hidden: []view.Hidden{{Name: "form", Value: in.Form}},
		},
		Name: in.Name, Networks: strings.Join(in.Networks, "\n"), Latest: view.Day(ctx, person.LatestEnd(now), now).Text,
	}
	if !in.Ends.IsZero() {
		m.Ends = locale.From(ctx).ISODate(in.Ends)
	}
	own.choices(ctx, in, &m)
	f, status := s.frame(r, t(ctx, "token.new"), view.Link{Label: t(ctx, "token.title"), Href: paths.Tokens}), http.StatusOK
	if err != nil {
		m.Errors, m.Whole = wrong(ctx, err)
		first := "domain_verbs"
		if len(own.domains) == 0 {
			first = "organisation_verbs"
		}
		if text := m.Errors["verbs"]; text != "" {
			m.Errors[first] = text
		}
		f, status = s.refused(w, f, err)
	}
	return s.show(w, r, status, portalview.NewToken(f, m))
}

// choices fills the form with what can be ticked.
func (k kept) choices(ctx context.Context, in person.TokenInput, m *portalview.TokenForm) {
	for _, d := range k.domains {
		m.Domains = append(m.Domains, view.Choice{Value: id(d.ID), Label: d.Name.Unicode(), Ticked: slices.Contains(in.Domains, int64(d.ID))})
	}
	for _, o := range k.organisations {
		m.Organisations = append(m.Organisations, view.Choice{Value: id(o.ID), Label: o.Name, Ticked: slices.Contains(in.Organisations, int64(o.ID))})
	}
	verbs := func(all []person.Verb) (cs []view.Choice) {
		for _, v := range all {
			cs = append(cs, view.Choice{Value: string(v), Label: verbName(ctx, v), Ticked: slices.Contains(in.Verbs, v)})
		}
		return cs
	}
	if len(k.domains) > 0 {
		m.DomainVerbs = verbs(person.DomainVerbs())
	}
	if len(k.organisations) > 0 {
		m.OrganisationVerbs = verbs(person.OrganisationVerbs())
	}
}

// makeToken answers with the secret itself: nothing keeps it until another
// request.
func (s *Site) makeToken(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.actor(r)
	own, err := s.kept(ctx, by)
	if err != nil {
		return err
	}
	in := s.typedToken(r)
	secret, made, err := s.Org.MakeToken(ctx, by, in)
	if errors.Is(err, person.ErrTokenForm) {
		return s.done(w, r, paths.Tokens, "token.made_already")
	}
	if err != nil && answerable(err) {
		return s.newTokenPage(w, r, own, in, err)
	}
	if err != nil {
		return err
	}
	f := s.frame(r, t(ctx, "token.made"), view.Link{Label: t(ctx, "token.title"), Href: paths.Tokens})
	m := portalview.TokenMadeModel{Name: strings.TrimSpace(in.Name), Secret: secret, Token: paths.Token(made), Try: `curl -H "Authorization: Bearer $TOKEN" ` + s.Base.Scheme + "://" + s.Base.Host + s.API.Path + "/" + firstTry(in)}
	return s.show(w, r, http.StatusOK, portalview.TokenMade(f, m))
}

// firstTry is something of the API that the token may read.
func firstTry(in person.TokenInput) string {
	for _, x := range []struct {
		verb person.Verb
		list string
	}{{person.ReadAddresses, "email-domains"}, {person.ReadOrders, "orders"}, {person.ReadCertificates, "certificates"}} {
		if slices.Contains(in.Verbs, x.verb) {
			return x.list
		}
	}
	return "email-domains"
}

// lateOn is when a token ends on its last day: so late that it is still that
// day in the portal's zone, summer and winter.
const lateOn = 22*time.Hour - time.Second

// typedToken reads the form. The last possible day ends a year after now.
func (s *Site) typedToken(r *http.Request) person.TokenInput {
	in := person.TokenInput{
		Form: r.PostFormValue("form"), Name: r.PostFormValue("name"), Networks: strings.Fields(strings.ReplaceAll(r.PostFormValue("networks"), ",", " ")),
		Domains: ticked(r, "domains"), Organisations: ticked(r, "organisations"),
	}
	for _, v := range append(r.PostForm["domain_verbs"], r.PostForm["organisation_verbs"]...) {
		in.Verbs = append(in.Verbs, person.Verb(v))
	}
	if day := typedDay(r.PostFormValue("ends")); !day.IsZero() {
		in.Ends = day.Add(lateOn)
		if latest := person.LatestEnd(s.Now()); in.Ends.After(latest) && in.Ends.Sub(latest) < 24*time.Hour {
			in.Ends = latest
		}
	}
	return in
}

func ticked(r *http.Request, name string) (ids []int64) {
	for _, s := range r.PostForm[name] {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	return ids
}
