package office

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// AllPeople lists who was found, or who signed in last.
func (s *Section) AllPeople(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m := officeview.PeopleModel{Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	found, more, err := s.People.Search(ctx, s.Actor(r), m.Query)
	if err != nil {
		return err
	}
	m.People, m.More = s.personRows(ctx, found), more
	return s.Show(w, r, http.StatusOK, officeview.People(s.OfficeFrame(r, page.T(ctx, "office.people")), m))
}

func (s *Section) personRows(ctx context.Context, all []person.Account) []officeview.PersonRow {
	var rows []officeview.PersonRow
	for _, a := range all {
		row := officeview.PersonRow{
			Name: a.Label, Href: paths.OfficePerson(a.ID), Username: a.Username, Email: a.Email,
			SignedIn: view.Day(ctx, a.SignedIn, s.Now()),
		}
		if a.Locked != nil {
			st := accountState(ctx, a)
			row.State = &st
		}
		rows = append(rows, row)
	}
	return rows
}

func accountState(ctx context.Context, a person.Account) view.StateModel {
	if a.Locked != nil {
		return view.StateModel{Kind: view.Bad, Icon: view.IconLock, Word: page.T(ctx, "office.locked")}
	}
	return view.StateModel{Kind: view.Good, Word: page.T(ctx, "office.unlocked")}
}

// accountAsked is the account that the path names.
func (s *Section) accountAsked(r *http.Request) (person.Account, error) {
	n, err := page.Number[person.ID](r, "account")
	if err != nil {
		return person.Account{}, err
	}
	return s.People.One(r.Context(), s.Actor(r), n)
}

func (s *Section) Person(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	a, err := s.accountAsked(r)
	if err != nil {
		return err
	}
	m := s.personFacts(ctx, a)
	if m.LettersTo, err = s.lettersTo(ctx, a.ID); err != nil {
		return err
	}
	m.Actions, m.CannotLock = lockActions(ctx, by, a)
	groups, err := s.Org.Memberships(ctx, by, a.ID, a.Groups)
	if err != nil {
		return err
	}
	m.Groups = memberships(ctx, groups)
	if err := s.keeps(ctx, by, a.ID, &m); err != nil {
		return err
	}
	mine, err := s.Mailbox.LinkedOf(ctx, by, a.ID)
	if err != nil {
		return err
	}
	m.Linked = mailboxes.Linked(ctx, mine, s.Now())
	if m.History, err = s.history(ctx, by, a.ID.Thing()); err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, officeview.PersonPage(s.OfficeFrame(r, a.Label, peopleCrumb(ctx)), m))
}

// keeps adds what has to be handed on or ended when the person leaves: the
// organisations, the tokens that live, the sessions.
func (s *Section) keeps(ctx context.Context, by person.Actor, of person.ID, m *officeview.PersonModel) error {
	now := s.Now()
	organisations, err := s.Org.OrganisationsOf(ctx, by, of)
	if err != nil {
		return err
	}
	for _, o := range organisations {
		m.Organisations = append(m.Organisations, view.Link{Label: o.Name, Href: paths.OfficeOrganisation(o.ID)})
	}
	tokens, err := s.People.TokensOf(ctx, by, of)
	if err != nil {
		return err
	}
	for _, x := range tokens {
		if x.Withdrawn == nil && x.Live(now) {
			m.Tokens = append(m.Tokens, officeview.PersonToken{Name: x.Name, Href: paths.Token(x.ID), State: s.TokenState(ctx, x), Ends: view.Ends(ctx, x.Ends, now)})
		}
	}
	logins, err := s.Desk.LoginsOf(ctx, by, of)
	if err != nil {
		return err
	}
	for _, l := range logins {
		p := officeview.PersonSession{Device: l.Browser, Started: view.At(ctx, l.Started, now), Seen: view.Ago(ctx, l.Seen, now)}
		if p.Device == "" {
			p.Device = page.T(ctx, "session.unknown")
		}
		if l.Origin.IsValid() {
			p.From = l.Origin.String()
		}
		m.Sessions = append(m.Sessions, p)
	}
	return nil
}

func peopleCrumb(ctx context.Context) view.Link {
	return view.Link{Label: page.T(ctx, "office.people"), Href: paths.OfficePeople}
}

func (s *Section) personFacts(ctx context.Context, a person.Account) officeview.PersonModel {
	m := officeview.PersonModel{
		State: accountState(ctx, a), Username: a.Username, GivenName: a.GivenName, FamilyName: a.FamilyName, Email: a.Email,
		Issuer: a.Issuer, Subject: a.Subject, ProviderGroups: a.Groups, LockedWhy: a.LockedWhy,
		Created: view.At(ctx, a.Created, s.Now()), SignedIn: view.At(ctx, a.SignedIn, s.Now()),
		EmailState: view.StateModel{Kind: view.Good, Word: page.T(ctx, "office.email_verified")},
	}
	m.State.Pill = true
	if !a.EmailVerified {
		m.EmailState = view.StateModel{Kind: view.Warn, Word: page.T(ctx, "office.email_unverified")}
		m.Notices = append(m.Notices, view.NoticeModel{Kind: view.Warn, Title: page.T(ctx, "office.address_title"), Text: page.T(ctx, "office.address_text")})
	}
	switch a.Lost {
	case person.GroupsElsewhere:
		m.Notices = append(m.Notices, view.NoticeModel{Kind: view.Warn, Title: page.T(ctx, "office.lost_title"), Text: page.T(ctx, "office.lost_elsewhere")})
	case person.GroupsUnsaid:
		m.Notices = append(m.Notices, view.NoticeModel{Kind: view.Warn, Title: page.T(ctx, "office.lost_title"), Text: page.T(ctx, "office.lost_unsaid", "day", view.Day(ctx, *a.LostSince, s.Now()).Text)})
	}
	if a.Locked != nil {
		m.Locked = view.At(ctx, *a.Locked, s.Now())
	}
	return m
}

// lettersTo is the address that letters to an account go to, "" for none.
func (s *Section) lettersTo(ctx context.Context, id person.ID) (string, error) {
	r, err := cert.Reader(ctx, s.DB, id)
	return r.To, err
}

// lockActions are the buttons of the rule that guards both operations, or the
// words of why there are none.
func lockActions(ctx context.Context, by person.Actor, a person.Account) (actions []view.ButtonModel, why string) {
	path := paths.OfficePerson(a.ID)
	if err := person.MayLock(by, a.ID); err != nil {
		return nil, page.T(ctx, fault.Of(err).ID)
	}
	if a.Locked != nil {
		return []view.ButtonModel{{Label: page.T(ctx, "office.unlock"), Action: path + "/unlock", Kind: view.Primary}}, ""
	}
	return []view.ButtonModel{{Label: page.T(ctx, "office.lock"), Href: path + "/lock", Kind: view.Danger, Icon: view.IconLock}}, ""
}

func memberships(ctx context.Context, groups []org.Membership) []officeview.MembershipModel {
	var ms []officeview.MembershipModel
	for _, g := range groups {
		m := officeview.MembershipModel{Name: g.Name, Href: paths.OfficeGroup(g.Group), How: page.T(ctx, "office.by_account")}
		switch {
		case g.Account && g.Claim:
			m.How = page.T(ctx, "office.by_both")
		case g.Claim:
			m.How = page.T(ctx, "office.by_claim")
		}
		ms = append(ms, m)
	}
	return ms
}

func (s *Section) AskLock(w http.ResponseWriter, r *http.Request) error {
	a, err := s.accountAsked(r)
	if err != nil {
		return err
	}
	if err := person.MayLock(s.Actor(r), a.ID); err != nil {
		return err
	}
	return s.lockPage(w, r, a, nil)
}

// lockPage asks why a is to be locked; refused is why the form came back.
func (s *Section) lockPage(w http.ResponseWriter, r *http.Request, a person.Account, refused error) error {
	ctx, path := r.Context(), paths.OfficePerson(a.ID)
	title := page.T(ctx, "office.lock_title", "name", a.Label)
	f, status := s.OfficeFrame(r, title, peopleCrumb(ctx), view.Link{Label: a.Label, Href: path}), http.StatusOK
	m := officeview.LockModel{Why: r.PostFormValue("why"), Dialog: view.DialogModel{
		Title: title, Verb: page.T(ctx, "office.lock"), Danger: true, Action: path + "/lock", Cancel: path,
		What: []string{page.T(ctx, "office.lock_what"), page.T(ctx, "office.lock_kept")}, Final: page.T(ctx, "office.lock_final"),
	}}
	if refused != nil {
		fields, whole := page.Wrong(ctx, refused)
		m.Error, m.Whole = fields["why"], whole
		f, status = s.Refused(w, f, refused)
	}
	return s.Show(w, r, status, officeview.Lock(f, m))
}

func (s *Section) Lock(w http.ResponseWriter, r *http.Request) error {
	a, err := s.accountAsked(r)
	if err != nil {
		return err
	}
	err = s.People.Lock(r.Context(), s.Actor(r), a.ID, r.PostFormValue("why"))
	if fault.Is(err, fault.Invalid) || errors.Is(err, postgres.ErrShown) {
		return s.lockPage(w, r, a, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficePerson(a.ID), "office.locked_now", "name", a.Label)
}

func (s *Section) Unlock(w http.ResponseWriter, r *http.Request) error {
	a, err := s.accountAsked(r)
	if err != nil {
		return err
	}
	if err := s.People.Unlock(r.Context(), s.Actor(r), a.ID); err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficePerson(a.ID), "office.unlocked_now", "name", a.Label)
}
