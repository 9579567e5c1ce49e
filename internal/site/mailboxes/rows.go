package mailboxes

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// readRow reads what was typed into the form of a row.
func readRow(r *http.Request) mailbox.Input {
	v := r.PostFormValue
	return mailbox.Input{
		Kind: mailbox.Kind(v("kind")), Name: v("name"), Primary: v("primary"), Aliases: []string{v("alias1"), v("alias2")},
		Applicant: v("applicant"), Comment: v("comment"), Person: mailbox.Person(v("person")),
	}
}

func (s *Section) NewRow(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Org.Domain(r.Context(), s.Actor(r), chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	if err := mailbox.MayEditRows(d.Standing); err != nil {
		return err
	}
	return s.newPage(w, r, d, mailbox.Input{Kind: mailbox.Personal}, nil)
}

func (s *Section) AddRow(w http.ResponseWriter, r *http.Request) error {
	domain, in := chi.URLParam(r, "domain"), readRow(r)
	row, err := s.Mailbox.Add(r.Context(), s.Doing(r), domain, in)
	if err != nil && page.Answerable(err) {
		if d, err2 := s.Org.Domain(r.Context(), s.Actor(r), domain); err2 == nil { // as it is now
			return s.newPage(w, r, d, in, err)
		}
	}
	if err != nil {
		return err
	}
	added := "rows.added"
	if mailbox.MayChallenge(row) != nil { // the page says what comes first
		added = "rows.added_incomplete"
	}
	return s.Done(w, r, page.RowPath(row), added)
}

func (s *Section) newPage(w http.ResponseWriter, r *http.Request, d org.EmailDomain, in mailbox.Input, failed error) error {
	ctx, base := r.Context(), paths.EmailDomain(d.Name)
	f := s.Frame(r, page.T(ctx, "rows.add"), view.Link{Label: page.T(ctx, "nav.email_domains"), Href: paths.EmailDomains},
		view.Link{Label: d.Name.Unicode(), Href: base})
	m := formModel(ctx, in, failed)
	m.Head = view.HeadModel{Title: f.Title, Lead: page.T(ctx, "form.new_lead")}
	m.Form = view.FormModel{Action: base + "/rows", Hidden: []view.Hidden{page.FormField()}, Submit: view.ButtonModel{Label: page.T(ctx, "form.add")}, Cancel: base}
	m.Domain = d.Name.Unicode()
	if d.Validation == org.ByMailbox {
		fixKind(&m, mailbox.Personal, page.T(ctx, "mailbox.kind.mailbox_domain"))
	}
	return s.showForm(w, r, f, m, failed)
}

// showForm shows a form, again when failed is not nil.
func (s *Section) showForm(w http.ResponseWriter, r *http.Request, f view.Frame, m mailboxview.AddressFormModel, failed error) error {
	status := http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, mailboxview.AddressForm(f, m))
}

func (s *Section) EditRow(w http.ResponseWriter, r *http.Request) error {
	row, err := s.LoadRow(r)
	if err != nil {
		return err
	}
	if err := mailbox.MayEditRows(row.Standing); err != nil {
		return err
	}
	return s.editPage(w, r, row, inputOf(row), nil)
}

// inputOf is what a form holds that changes nothing of r.
func inputOf(r mailbox.Row) mailbox.Input {
	in := mailbox.Input{
		Kind: r.Kind, Name: r.Name, Primary: string(r.Primary), Aliases: append(page.Addresses(r.Aliases), "", "")[:2],
		Applicant: string(r.Applicant), Comment: r.Comment,
	}
	return in
}

func (s *Section) SaveRow(w http.ResponseWriter, r *http.Request) error {
	row, err := s.LoadRow(r)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	in := readRow(r)
	err = s.Mailbox.Edit(r.Context(), s.Actor(r), string(row.DomainName), row.ID, version, in)
	if err != nil && page.Answerable(err) {
		if row, err2 := s.LoadRow(r); err2 == nil { // as it is now
			return s.editPage(w, r, row, in, err)
		}
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, page.RowPath(row), "rows.saved")
}

func (s *Section) editPage(w http.ResponseWriter, r *http.Request, row mailbox.Row, in mailbox.Input, failed error) error {
	ctx := r.Context()
	rounds, err := s.Mailbox.Rounds(ctx, row, 1)
	if err != nil {
		return err
	}
	f := s.RowFrame(r, row, page.T(ctx, "form.edit_title", "name", row.Name))
	in.Primary = string(row.Primary)
	m := formModel(ctx, in, failed)
	m.Head = view.HeadModel{Title: f.Title}
	m.Form = view.FormModel{
		Action: page.RowPath(row) + "/edit", Submit: view.ButtonModel{Label: page.T(ctx, "form.save")}, Cancel: page.RowPath(row),
		Hidden: []view.Hidden{{Name: "version", Value: strconv.FormatInt(row.Version, 10)}},
	}
	if typed := r.PostFormValue("version"); typed != "" && !errors.Is(failed, mailbox.ErrChanged) { // who typed has not seen what changed since
		m.Form.Hidden[0].Value = typed
	}
	fixWhatIsFixed(ctx, &m, row)
	m.Notices = editNotices(ctx, row, rounds)
	if errors.Is(failed, mailbox.ErrChanged) {
		m.ChangedAt = view.At(ctx, row.Changed, s.Now())
		m.Changes = changes(ctx, row, in)
	}
	return s.showForm(w, r, f, m, failed)
}

// fixWhatIsFixed takes out of the form what the row's state does not let
// anybody change, and says why.
func fixWhatIsFixed(ctx context.Context, m *mailboxview.AddressFormModel, row mailbox.Row) {
	if err := mailbox.MayChangeKind(row); err != nil {
		fixKind(m, row.Kind, page.T(ctx, fault.Of(err).ID))
	} else if row.Validation == org.ByMailbox && row.Kind == mailbox.Personal {
		fixKind(m, row.Kind, page.T(ctx, "mailbox.kind.mailbox_domain"))
	}
	if err := mailbox.MayChangeApplicant(row); err != nil {
		m.ApplicantStays = page.T(ctx, fault.Of(err).ID)
	}
	if mailbox.AsksWho(row) {
		m.LinkedTo = *row.LinkedName
	}
}

// fixKind shows the kind instead of asking for it.
func fixKind(m *mailboxview.AddressFormModel, k mailbox.Kind, why string) {
	m.Kind, m.KindStays = string(k), why
	m.Form.Hidden = append(m.Form.Hidden, view.Hidden{Name: "kind", Value: string(k)})
}

// editNotices say before saving what some changes bring about.
func editNotices(ctx context.Context, row mailbox.Row, rounds []mailbox.Round) (ns []view.NoticeModel) {
	say := func(words string) { ns = append(ns, view.NoticeModel{Kind: view.Info, Text: words}) }
	switch n := pending(rounds); {
	case n > 0 && row.Linked != nil:
		say(page.T(ctx, "form.alias_both", "n", n, "name", *row.LinkedName))
	case n > 0:
		say(page.T(ctx, "form.alias_pending", "n", n))
	case row.Linked != nil:
		say(page.T(ctx, "form.alias_linked", "name", *row.LinkedName))
	}
	if row.Challenged && row.CertificateEnd != nil {
		say(page.T(ctx, "form.alias_certificates"))
	}
	if row.Kind == mailbox.Functional && row.Linked != nil && mailbox.MayChangeApplicant(row) == nil {
		say(page.T(ctx, "form.applicant_linked", "name", *row.LinkedName))
	}
	return ns
}
