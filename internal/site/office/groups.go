package office

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

func (s *Section) Groups(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	groups, err := s.Org.Groups(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	m := officeview.GroupsModel{}
	for _, g := range groups {
		m.Groups = append(m.Groups, officeview.GroupRow{
			Name: g.Name, Href: paths.OfficeGroup(g.ID), Notify: g.Notify, Claims: g.Claims,
			Members: locale.From(ctx).Number(int64(g.Members)), Domains: locale.From(ctx).Number(int64(g.Domains)),
			Nobody: g.Members == 0 && len(g.Claims) == 0,
		})
	}
	return s.Show(w, r, http.StatusOK, officeview.Groups(s.OfficeFrame(r, page.T(ctx, "office.groups")), m))
}

// typedGroup is the form as it was sent.
func typedGroup(r *http.Request) officeview.GroupForm {
	return officeview.GroupForm{Name: r.PostFormValue("name"), Notify: r.PostFormValue("notify"), Claims: r.PostFormValue("claims")}
}

func groupInput(m officeview.GroupForm) org.GroupInput {
	return org.GroupInput{Name: m.Name, Notify: m.Notify, Claims: strings.Split(m.Claims, "\n")}
}

func (s *Section) NewGroup(w http.ResponseWriter, r *http.Request) error {
	return s.newGroupPage(w, r, http.StatusOK, s.newGroupFrame(r), officeview.GroupForm{})
}

func (s *Section) newGroupFrame(r *http.Request) view.Frame {
	ctx := r.Context()
	return s.OfficeFrame(r, page.T(ctx, "office.group_new"), groupsCrumb(ctx))
}

func groupsCrumb(ctx context.Context) view.Link {
	return view.Link{Label: page.T(ctx, "office.groups"), Href: paths.OfficeGroups}
}

func (s *Section) newGroupPage(w http.ResponseWriter, r *http.Request, status int, f view.Frame, m officeview.GroupForm) error {
	m.New, m.Action, m.Cancel = true, paths.OfficeGroups, paths.OfficeGroups
	return s.Show(w, r, status, officeview.NewGroup(f, m))
}

func (s *Section) AddGroup(w http.ResponseWriter, r *http.Request) error {
	ctx, m := r.Context(), typedGroup(r)
	group, err := s.Org.AddGroup(ctx, s.Actor(r), groupInput(m))
	if err == nil {
		return s.Done(w, r, paths.OfficeGroup(group), "office.group_added")
	}
	if !page.Answerable(err) {
		return err
	}
	m.Errors, m.Whole = page.WrongAt(ctx, err, org.ErrGroupName, "name")
	f, status := s.Refused(w, s.newGroupFrame(r), err)
	return s.newGroupPage(w, r, status, f, m)
}

// groupAsked is a contact group with what the page needs to show it.
type groupAsked struct {
	org.Group
	members []org.Member
}

func (s *Section) askedGroup(r *http.Request) (groupAsked, error) {
	n, err := page.Number[org.GroupID](r, "id")
	if err != nil {
		return groupAsked{}, err
	}
	g, members, err := s.Org.Group(r.Context(), s.Actor(r), n)
	return groupAsked{g, members}, err
}

func (g groupAsked) path() string { return paths.OfficeGroup(g.ID) }

func (g groupAsked) form() officeview.GroupForm {
	return officeview.GroupForm{Name: g.Name, Notify: g.Notify, Claims: strings.Join(g.Claims, "\n")}
}

func (s *Section) Group(w http.ResponseWriter, r *http.Request) error {
	g, err := s.askedGroup(r)
	if err != nil {
		return err
	}
	return s.groupPage(w, r, g, g.form(), officeview.AddMemberForm{}, nil)
}

// groupPage shows g with its two forms; refused is why one came back.
func (s *Section) groupPage(w http.ResponseWriter, r *http.Request, g groupAsked, edit officeview.GroupForm, add officeview.AddMemberForm, refused error) error {
	ctx := r.Context()
	f, status := s.OfficeFrame(r, g.Name, groupsCrumb(ctx)), http.StatusOK
	if refused != nil {
		f, status = s.Refused(w, f, refused)
	}
	edit.Action, add.Action = g.path(), g.path()+"/members"
	m := officeview.GroupModel{Edit: edit, Add: add, Members: s.memberRows(ctx, g)}
	domains, err := s.Org.Domains(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	for _, d := range domains {
		if d.Group == g.ID {
			m.Domains = append(m.Domains, view.Link{Label: d.Name.Unicode(), Href: paths.OfficeDomain(d.ID)})
		}
	}
	if m.History, err = s.history(ctx, s.Actor(r), g.ID.Thing()); err != nil {
		return err
	}
	return s.Show(w, r, status, officeview.Group(f, m))
}

func (s *Section) memberRows(ctx context.Context, g groupAsked) []officeview.MemberRow {
	var rows []officeview.MemberRow
	for _, m := range g.members {
		rows = append(rows, officeview.MemberRow{
			Name: m.Label, Href: paths.OfficePerson(m.Account), Email: m.Email, Added: view.Day(ctx, m.Added, s.Now()),
			Remove: g.path() + "/members/" + page.ID(m.Account) + "/remove",
		})
	}
	return rows
}

func (s *Section) SaveGroup(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	g, err := s.askedGroup(r)
	if err != nil {
		return err
	}
	m := typedGroup(r)
	err = s.Org.EditGroup(ctx, s.Actor(r), g.ID, groupInput(m))
	if err == nil {
		return s.Done(w, r, g.path(), "office.saved")
	}
	if !page.Answerable(err) {
		return err
	}
	m.Errors, m.Whole = page.WrongAt(ctx, err, org.ErrGroupName, "name")
	return s.groupPage(w, r, g, m, officeview.AddMemberForm{}, err)
}

// AddMember looks for whom the officer means and adds them; of several it asks
// which.
func (s *Section) AddMember(w http.ResponseWriter, r *http.Request) error {
	g, err := s.askedGroup(r)
	if err != nil {
		return err
	}
	found, add, refused, err := s.Organisations.PersonMeant(r)
	if err != nil {
		return err
	}
	if refused != nil {
		return s.groupPage(w, r, g, g.form(), add, refused)
	}
	if err := s.Org.AddMember(r.Context(), s.Actor(r), g.ID, found.ID); errors.Is(err, postgres.ErrShown) {
		return s.groupPage(w, r, g, g.form(), add, err)
	} else if err != nil {
		return err
	}
	return s.Done(w, r, g.path(), "office.member_added", "name", found.Label)
}

// memberAsked is the member that the path names.
func (s *Section) memberAsked(r *http.Request) (groupAsked, org.Member, error) {
	g, err := s.askedGroup(r)
	if err != nil {
		return g, org.Member{}, err
	}
	account, err := page.Number[person.ID](r, "account")
	if err != nil {
		return g, org.Member{}, err
	}
	for _, m := range g.members {
		if m.Account == account {
			return g, m, nil
		}
	}
	a, err := s.People.One(r.Context(), s.Actor(r), account)
	return g, org.Member{Account: a.ID, Label: a.Label}, err
}

func (s *Section) AskRemoveMember(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	g, m, err := s.memberAsked(r)
	if err != nil {
		return err
	}
	if m.Added.IsZero() { // already gone
		return s.Done(w, r, g.path(), "office.member_removed", "name", m.Label)
	}
	title := page.T(ctx, "office.member_remove_title", "name", m.Label)
	d := view.DialogModel{
		Title: title, Verb: page.T(ctx, "office.member_remove_verb"), Danger: true, Cancel: g.path(), Action: r.URL.Path,
		What: []string{page.T(ctx, "office.member_remove_what", "name", m.Label, "group", g.Name), page.T(ctx, "office.member_remove_kept")},
	}
	if len(g.Claims) > 0 {
		d.What = append(d.What, page.T(ctx, "office.member_remove_claims"))
	}
	f := s.OfficeFrame(r, title, groupsCrumb(ctx), view.Link{Label: g.Name, Href: g.path()})
	return s.Show(w, r, http.StatusOK, view.AskPage(f, d))
}

func (s *Section) RemoveMember(w http.ResponseWriter, r *http.Request) error {
	g, m, err := s.memberAsked(r)
	if err != nil {
		return err
	}
	if err := s.Org.RemoveMember(r.Context(), s.Actor(r), g.ID, m.Account); err != nil {
		return err
	}
	return s.Done(w, r, g.path(), "office.member_removed", "name", m.Label)
}
