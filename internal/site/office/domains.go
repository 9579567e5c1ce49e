package office

import (
	"context"
	"net/http"
	"time"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

func (s *Section) Domains(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	domains, err := s.Org.Domains(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	ids := make([]org.ID, len(domains))
	for i, d := range domains {
		ids[i] = d.ID
	}
	counts, err := s.Mailbox.Tallies(ctx, ids...)
	if err != nil {
		return err
	}
	m := officeview.DomainsModel{}
	for _, d := range domains {
		state, until := validationState(ctx, d, s.Now())
		m.Domains = append(m.Domains, officeview.DomainRow{
			Name: d.Name.Unicode(), Href: paths.OfficeDomain(d.ID), Group: d.GroupName, GroupHref: paths.OfficeGroup(d.Group),
			Validation: state, Until: until, Rows: locale.From(ctx).Number(counts[d.ID].Sum()),
		})
	}
	return s.Show(w, r, http.StatusOK, officeview.Domains(s.OfficeFrame(r, page.T(ctx, "office.domains")), m))
}

// validationState words how d is validated and whether that counts at now;
// until when is the second answer.
func validationState(ctx context.Context, d org.EmailDomain, now time.Time) (st view.StateModel, until string) {
	if d.Validation == org.ByMailbox {
		return view.StateModel{Kind: view.Info, Icon: view.IconMail, Word: page.T(ctx, "office.each_mailbox")}, ""
	}
	until = page.T(ctx, "office.until", "day", view.Day(ctx, *d.ProofUntil, now).Text)
	switch {
	case now.Before(*d.ProofFrom):
		return view.StateModel{Kind: view.Paused, Word: page.T(ctx, "office.proven_later")}, page.T(ctx, "office.from", "day", view.Day(ctx, *d.ProofFrom, now).Text)
	case !d.Proven(now):
		return view.StateModel{Kind: view.Bad, Word: page.T(ctx, "office.proven_no_more")}, until
	case d.ProofUntil.Sub(now) <= page.ProofSoon:
		return view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: page.T(ctx, "office.proven_soon")}, until
	}
	return view.StateModel{Kind: view.Good, Word: page.T(ctx, "office.proven")}, until
}

// typedDomain is the form as it was sent.
func typedDomain(r *http.Request) officeview.DomainForm {
	v := r.PostFormValue
	return officeview.DomainForm{
		Name: v("name"), Group: v("group"), Validation: v("validation"),
		Method: v("proof_method"), By: v("proof_by"), From: v("proof_from"), Until: v("proof_until"), Vouching: v("vouching"), Authority: v("authority"),
	}
}

// choices are what the form of a domain offers.
type choices struct {
	groups        []org.Group
	organisations []org.Organisation
	authorities   []string
	authority     string // that is chosen now
}

func (s *Section) domainChoices(ctx context.Context, by person.Actor, authority string) (c choices, err error) {
	c.authorities, c.authority = s.Org.Authorities, authority
	if c.groups, err = s.Org.Groups(ctx, by); err != nil {
		return c, err
	}
	c.organisations, err = s.Org.Organisations(ctx, by)
	return c, err
}

// offer puts them into the form.
func (c choices) offer(ctx context.Context, m *officeview.DomainForm) {
	m.Groups, m.Authorities = groupChoices(c.groups), authorityChoices(ctx, c.authorities, c.authority)
	for _, o := range c.organisations {
		sponsor := pki.Sponsor{Organisation: o.Name, Identifier: o.Identifier, Country: o.Country}
		label := o.Name
		if !sponsor.Usable() {
			label = page.T(ctx, "office.vouching_unusable", "name", o.Name)
		}
		m.Organisations = append(m.Organisations, view.Choice{Value: page.ID(o.ID), Label: label})
	}
}

// domainInput reads the form. A group or an organisation that is none counts as
// not chosen.
func domainInput(m officeview.DomainForm, c choices) org.DomainInput {
	in := org.DomainInput{
		Name: m.Name, Validation: org.Validation(m.Validation), Authority: m.Authority,
		Proof: org.Proof{Method: m.Method, By: m.By, From: page.TypedDay(m.From), Until: page.TypedDay(m.Until)},
	}
	for _, g := range c.groups {
		if page.ID(g.ID) == m.Group {
			in.Group = g.ID
		}
	}
	for _, o := range c.organisations {
		if page.ID(o.ID) == m.Vouching {
			in.Vouching = o.ID
		}
	}
	return in
}

func (s *Section) NewDomain(w http.ResponseWriter, r *http.Request) error {
	offered, err := s.domainChoices(r.Context(), s.Actor(r), "")
	if err != nil {
		return err
	}
	return s.newDomainPage(w, r, http.StatusOK, s.newDomainFrame(r), officeview.DomainForm{}, offered)
}

func (s *Section) newDomainFrame(r *http.Request) view.Frame {
	ctx := r.Context()
	return s.OfficeFrame(r, page.T(ctx, "office.domain_new"), view.Link{Label: page.T(ctx, "office.domains"), Href: paths.OfficeDomains})
}

func (s *Section) newDomainPage(w http.ResponseWriter, r *http.Request, status int, f view.Frame, m officeview.DomainForm, c choices) error {
	m.New, m.Action, m.Cancel = true, paths.OfficeDomains, paths.OfficeDomains
	c.offer(r.Context(), &m)
	return s.Show(w, r, status, officeview.NewDomain(f, m))
}

func groupChoices(groups []org.Group) []view.Choice {
	var cs []view.Choice
	for _, g := range groups {
		cs = append(cs, view.Choice{Value: page.ID(g.ID), Label: g.Name})
	}
	return cs
}

func (s *Section) AddDomain(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	offered, err := s.domainChoices(ctx, by, "")
	if err != nil {
		return err
	}
	m := typedDomain(r)
	name, err := s.Org.AddDomain(ctx, by, domainInput(m, offered))
	if err == nil {
		return s.Done(w, r, paths.OfficeDomains, "office.domain_added", "domain", name.Unicode())
	}
	if !page.Answerable(err) {
		return err
	}
	m.Errors, m.Whole = page.WrongAt(ctx, err, org.ErrDomainName, "name")
	f, status := s.Refused(w, s.newDomainFrame(r), err)
	return s.newDomainPage(w, r, status, f, m, offered)
}

// domainAsked is the domain that the path names.
func (s *Section) domainAsked(r *http.Request) (org.EmailDomain, error) {
	n, err := page.Number[org.ID](r, "id")
	if err != nil {
		return org.EmailDomain{}, err
	}
	return s.Org.DomainByID(r.Context(), s.Actor(r), n)
}

func (s *Section) Domain(w http.ResponseWriter, r *http.Request) error {
	d, err := s.domainAsked(r)
	if err != nil {
		return err
	}
	return s.domainPage(w, r, d, storedDomain(d), nil)
}

func storedDomain(d org.EmailDomain) officeview.DomainForm {
	m := officeview.DomainForm{Group: page.ID(d.Group), Validation: string(d.Validation), Method: d.ProofMethod, By: d.ProofBy, Authority: d.Authority}
	if d.Vouching != nil {
		m.Vouching = page.ID(*d.Vouching)
	}
	if d.ProofFrom != nil {
		m.From, m.Until = d.ProofFrom.UTC().Format(time.DateOnly), d.ProofUntil.UTC().Format(time.DateOnly)
	}
	return m
}

// domainPage shows d with the form m; err is why the form came back.
func (s *Section) domainPage(w http.ResponseWriter, r *http.Request, d org.EmailDomain, form officeview.DomainForm, err error) error {
	ctx, by := r.Context(), s.Actor(r)
	f, status := s.OfficeFrame(r, d.Name.Unicode(), view.Link{Label: page.T(ctx, "office.domains"), Href: paths.OfficeDomains}), http.StatusOK
	if err != nil {
		form.Errors, form.Whole = page.Wrong(ctx, err)
		f, status = s.Refused(w, f, err)
	}
	m, err := s.domainModel(ctx, by, d)
	if err != nil {
		return err
	}
	offered, err := s.domainChoices(ctx, by, d.Authority)
	if err != nil {
		return err
	}
	form.Action = paths.OfficeDomain(d.ID)
	offered.offer(ctx, &form)
	m.Form = form
	return s.Show(w, r, status, officeview.Domain(f, m))
}

func (s *Section) domainModel(ctx context.Context, by person.Actor, d org.EmailDomain) (officeview.DomainModel, error) {
	n, err := s.Mailbox.Tally(ctx, d.ID)
	if err != nil {
		return officeview.DomainModel{}, err
	}
	state, until := validationState(ctx, d, s.Now())
	state.Pill = true
	m := officeview.DomainModel{
		State: state, Until: until, Group: d.GroupName, GroupHref: paths.OfficeGroup(d.Group), Life: life(ctx, d.Validation),
		Rows: page.T(ctx, "office.rows_count", "n", n.Sum()), RowsHref: paths.EmailDomain(d.Name),
	}
	m.History, err = s.history(ctx, by, d.ID.Thing())
	return m, err
}

// life words how long a challenge may be answered.
func life(ctx context.Context, v org.Validation) string {
	hours := int(v.ChallengeLife().Hours())
	if hours%24 == 0 && hours > 24 {
		return page.T(ctx, "office.life_days", "n", hours/24)
	}
	return page.T(ctx, "office.life_hours", "n", hours)
}

func (s *Section) SaveDomain(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	d, err := s.domainAsked(r)
	if err != nil {
		return err
	}
	offered, err := s.domainChoices(ctx, by, d.Authority)
	if err != nil {
		return err
	}
	m := typedDomain(r)
	err = s.Org.EditDomain(ctx, by, d.ID, domainInput(m, offered))
	if err == nil {
		return s.Done(w, r, paths.OfficeDomain(d.ID), "office.saved")
	}
	if !page.Answerable(err) {
		return err
	}
	return s.domainPage(w, r, d, m, err)
}
