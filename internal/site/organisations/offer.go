package organisations

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/organisationview"
)

// handing is what a form says that hands organisations over. The page of one
// organisation and the list of several send the same form; at is the page's.
type handing struct {
	organisations []org.OrganisationID
	at            org.OrganisationID // 0: the list
	email         string
	successor     person.ID // whom the review showed, 0 before it
	form          string
}

func readHanding(r *http.Request) handing {
	at, _ := strconv.ParseInt(r.PostFormValue("at"), 10, 64)
	successor, _ := strconv.ParseInt(r.PostFormValue("successor"), 10, 64)
	in := handing{at: org.OrganisationID(at), email: strings.TrimSpace(r.PostFormValue("email")), successor: person.ID(successor), form: r.PostFormValue("form")}
	for _, v := range r.PostForm["row"] {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			in.organisations = append(in.organisations, org.OrganisationID(n))
		}
	}
	return in
}

// hidden sends on what was chosen.
func (in handing) hidden() []view.Hidden {
	hs := []view.Hidden{{Name: "at", Value: page.ID(in.at)}}
	for _, o := range in.organisations {
		hs = append(hs, view.Hidden{Name: "row", Value: page.ID(o)})
	}
	return hs
}

// back is where the form stands.
func (in handing) back() string {
	if in.at == 0 {
		return paths.Organisations
	}
	return paths.Organisation(in.at) + "#contact"
}

// handoverForm is the form of o's own page.
func handoverForm(o org.Organisation) *organisationview.HandoverForm {
	if handover.MayOffer(o) != nil {
		return nil
	}
	in := handing{organisations: []org.OrganisationID{o.ID}, at: o.ID}
	return &organisationview.HandoverForm{Action: paths.Handovers, Hidden: in.hidden(), Email: o.ContactEmail}
}

// ToList leads from the address of the steps, which are all posted, to
// where they begin.
func (s *Section) ToList(w http.ResponseWriter, r *http.Request) error {
	return s.Done(w, r, paths.Organisations, "")
}

// HandOver takes what a step sends: first who is meant, then that it shall be.
func (s *Section) HandOver(w http.ResponseWriter, r *http.Request) error {
	in := readHanding(r)
	if page.Unsent(r.Context()) { // nobody is looked up for it
		return s.handingAgain(w, r, in, postgres.ErrShown)
	}
	if r.PostFormValue("step") == "offer" {
		return s.offer(w, r, in)
	}
	return s.review(w, r, in)
}

func (s *Section) review(w http.ResponseWriter, r *http.Request, in handing) error {
	to, err := s.Handover.Find(r.Context(), s.Actor(r), in.organisations, in.email)
	if err != nil {
		return s.handingAgain(w, r, in, err)
	}
	return s.reviewPage(w, r, in, to)
}

// handingAgain shows the page that the form stands on, with why it came back.
func (s *Section) handingAgain(w http.ResponseWriter, r *http.Request, in handing, refused error) error {
	if !page.Answerable(refused) && !errors.Is(refused, handover.ErrBusy) {
		return refused
	}
	m := organisationview.HandoverForm{Email: in.email}
	var fields map[string]string
	fields, m.Whole = page.Wrong(r.Context(), refused)
	m.Error = fields["email"]
	if in.at == 0 {
		return s.listPage(w, r, in.organisations, m, refused)
	}
	o, err := s.Org.Organisation(r.Context(), s.Actor(r), in.at)
	if err != nil {
		return err
	}
	forms := storedForms(o)
	if forms.handover == nil {
		return refused
	}
	m.Action, m.Hidden = forms.handover.Action, forms.handover.Hidden
	forms.handover = &m
	return s.onePage(w, r, o, forms, refused)
}

// chosen are the organisations that in names, as by sees them.
func (s *Section) chosen(ctx context.Context, by person.Actor, in handing) (some []org.Organisation, err error) {
	all, err := s.Org.Organisations(ctx, by)
	for _, o := range all {
		if slices.Contains(in.organisations, o.ID) {
			some = append(some, o)
		}
	}
	return some, err
}

// reviewPage says who it is, what goes over and how, before anything happens.
func (s *Section) reviewPage(w http.ResponseWriter, r *http.Request, in handing, to handover.Successor) error {
	ctx, by := r.Context(), s.Actor(r)
	all, err := s.chosen(ctx, by, in)
	if err != nil {
		return err
	}
	n := len(all)
	m := organisationview.HandoverReviewModel{Title: page.T(ctx, "handover.title_several", "n", n), Lead: page.T(ctx, "handover.lead"), Successor: to.Name, Email: to.Email}
	if n == 1 {
		m.Title = page.T(ctx, "handover.title", "organisation", all[0].Name)
	}
	if m.Moves, err = s.movesOf(ctx, by, all); err != nil {
		return err
	}
	if m.Replaces, err = s.replaces(ctx, by, in); err != nil {
		return err
	}
	m.Procedure = []string{
		page.T(ctx, "handover.step_password", "n", n), page.T(ctx, "handover.step_mail", "name", to.Name),
		page.T(ctx, "handover.step_pass", "name", to.Name), page.T(ctx, "handover.step_done", "name", to.Name),
	}
	m.After = []string{page.T(ctx, "handover.until_then"), page.T(ctx, "handover.others_stay")}
	m.Final = page.T(ctx, "handover.final", "n", n, "name", to.Name)
	m.Form = view.FormModel{
		Action: paths.Handovers, Cancel: in.back(), Submit: view.ButtonModel{Label: page.T(ctx, "handover.begin"), Name: "step", Value: "offer"},
		Hidden: append(in.hidden(), view.Hidden{Name: "email", Value: in.email}, view.Hidden{Name: "successor", Value: page.ID(to.Account)}, view.Hidden{Name: "form", Value: rand.Text()}),
	}
	return s.Show(w, r, http.StatusOK, organisationview.HandoverReview(s.handingFrame(r, m.Title, all), m))
}

// handingFrame leads back to the organisation, where it is one.
func (s *Section) handingFrame(r *http.Request, title string, all []org.Organisation) view.Frame {
	crumbs := []view.Link{{Label: page.T(r.Context(), "nav.organisations"), Href: paths.Organisations}}
	if len(all) == 1 {
		crumbs = append(crumbs, view.Link{Label: all[0].Name, Href: paths.Organisation(all[0].ID)})
	}
	return s.Frame(r, title, crumbs...)
}

// replaces says which open handovers end when this one begins.
func (s *Section) replaces(ctx context.Context, by person.Actor, in handing) (words []string, err error) {
	open, err := s.Handover.Mine(ctx, by)
	for _, o := range open {
		if o.Gives && slices.Contains(in.organisations, o.Organisation) {
			words = append(words, page.T(ctx, "handover.replaces", "name", o.SuccessorName, "organisation", o.OrganisationName))
		}
	}
	return words, err
}

// movesOf counts what goes over, and leads the present contact to it.
func (s *Section) movesOf(ctx context.Context, by person.Actor, all []org.Organisation) (ms []organisationview.MovesModel, err error) {
	ids := make([]org.OrganisationID, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	counts, err := s.Handover.Moves(ctx, by, ids...)
	for _, o := range all {
		m := movesModel(ctx, o.Name, counts[o.ID])
		m.Moves = append(m.Moves, move(ctx, page.T(ctx, "handover.tokens"), counts[o.ID].Tokens))
		for i, href := range []string{paths.CertificatesOf(o.ID), paths.OrdersOf(o.ID), paths.Organisation(o.ID) + "#names", paths.Tokens} {
			if m.Moves[i].Count != "0" {
				m.Moves[i].Href = href
			}
		}
		ms = append(ms, m)
	}
	return ms, err
}

// movesModel is what goes over to the successor.
func movesModel(ctx context.Context, organisation string, n handover.Moves) organisationview.MovesModel {
	return organisationview.MovesModel{Organisation: organisation, Moves: []organisationview.MoveModel{
		move(ctx, page.T(ctx, "handover.certificates"), n.Certificates), move(ctx, page.T(ctx, "handover.orders"), n.Orders), move(ctx, page.T(ctx, "organisation.names"), n.Names),
	}}
}

func move(ctx context.Context, label string, n int) organisationview.MoveModel {
	return organisationview.MoveModel{Label: label, Count: locale.From(ctx).Number(int64(n))}
}

// offer begins the handovers and shows their session passwords, this once: the
// same form sent again, by a reload or by going back, shows none.
func (s *Section) offer(w http.ResponseWriter, r *http.Request, in handing) error {
	made, err := s.Handover.Offer(r.Context(), s.Actor(r), handover.Wish{
		Organisations: in.organisations, Email: in.email, Successor: in.successor, Form: in.form,
	})
	if errors.Is(err, handover.ErrFormUsed) {
		return s.shownOnce(w, r, in)
	}
	if errors.Is(err, postgres.ErrShown) {
		return s.review(w, r, in)
	}
	if err != nil {
		return s.handingAgain(w, r, in, err)
	}
	return s.passwordsPage(w, r, in, made)
}

func (s *Section) shownOnce(w http.ResponseWriter, r *http.Request, in handing) error {
	ctx := r.Context()
	s.Problem(w, r, view.ProblemModel{
		Status: http.StatusConflict, Title: page.T(ctx, "handover.shown_title"), What: page.T(ctx, "handover.shown"), Todo: page.T(ctx, "handover.shown_todo"),
		Actions: []view.ButtonModel{{Label: page.T(ctx, "handover.shown_back"), Href: in.back(), Kind: view.Primary}},
	})
	return nil
}

func (s *Section) passwordsPage(w http.ResponseWriter, r *http.Request, in handing, made []handover.WithPassword) error {
	ctx := r.Context()
	m := organisationview.SessionPasswordsModel{Title: page.T(ctx, "handover.passwords_title", "n", len(made)), Once: page.T(ctx, "handover.once", "n", len(made))}
	var name string
	for _, p := range made {
		name = p.SuccessorName
		m.Passwords = append(m.Passwords, organisationview.SessionPassword{
			ID: "password-" + page.ID(p.ID), Organisation: p.OrganisationName, Password: p.Password, Successor: name, Until: view.At(ctx, p.Ends, s.Now()),
		})
	}
	m.Pass = []string{
		page.T(ctx, "handover.pass_how", "name", name), page.T(ctx, "handover.pass_later", "name", name),
		page.T(ctx, "handover.pass_never"), page.T(ctx, "handover.pass_lost"),
	}
	m.Back = view.ButtonModel{Label: page.T(ctx, "handover.passed"), Href: in.back(), Kind: view.Primary}
	crumb := view.Link{Label: page.T(ctx, "nav.organisations"), Href: paths.Organisations}
	return s.Show(w, r, http.StatusOK, organisationview.SessionPasswords(s.Frame(r, m.Title, crumb), m))
}
