package clients

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"petschaft/internal/issuance"
	"petschaft/internal/lint"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

func (s *Section) loadApplication(r *http.Request) (order.Application, error) {
	n, err := page.Number[order.ID](r, "application")
	if err != nil {
		return order.Application{}, err
	}
	return s.Order.One(r.Context(), s.Actor(r), n)
}

// Application says what happens to an application; one that was fulfilled leads
// to its certificate.
func (s *Section) Application(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	a, err := s.loadApplication(r)
	if err != nil {
		return err
	}
	if a.Certificate != nil {
		http.Redirect(w, r, paths.ClientCertificate(*a.Certificate), http.StatusSeeOther)
		return nil
	}
	linked, err := s.Mailbox.LinkedTo(ctx, by)
	if err != nil {
		return err
	}
	m, crumbs := s.applicationModel(ctx, by, a, linked), []view.Link{{Label: page.T(ctx, "nav.client_certificates"), Href: paths.ClientCertificates}}
	if a.Account != by.Account {
		m.Applicant = a.Applicant
		crumbs = s.officeCrumbs(ctx, a)
	}
	return s.Show(w, r, http.StatusOK, clientview.Application(page.Standing(s.Frame(r, m.Head.Title, crumbs...)), m))
}

// officeCrumbs lead officers to the list on which a stands, if any.
func (s *Section) officeCrumbs(ctx context.Context, a order.Application) []view.Link {
	crumbs := []view.Link{{Label: page.T(ctx, "nav.office"), Href: paths.Office}}
	switch {
	case a.State == order.Failed:
		crumbs = append(crumbs, view.Link{Label: page.T(ctx, "office.applications"), Href: paths.OfficeApplications})
	case a.Progress.Long(s.Now()):
		crumbs = append(crumbs, view.Link{Label: page.T(ctx, "waits.title"), Href: paths.OfficeWaits})
	}
	return crumbs
}

func (s *Section) applicationModel(ctx context.Context, by person.Actor, a order.Application, linked []mailbox.Linked) clientview.ApplicationModel {
	m := clientview.ApplicationModel{
		Head:     view.HeadModel{Title: page.T(ctx, "order.title", "reference", a.Reference)},
		Progress: s.progress(ctx, by, a), Addresses: AddressesOf(a, linked),
		Key: a.KeyKind, Created: view.At(ctx, a.Created, s.Now()),
	}
	if by.Officer {
		m.Findings = page.Findings(ctx, a.Findings)
	}
	return m
}

// ApplicationProgress is the part that the page refreshes.
func (s *Section) ApplicationProgress(w http.ResponseWriter, r *http.Request) error {
	a, err := s.loadApplication(r)
	if err != nil {
		return err
	}
	seen := r.URL.Query().Get("seen")
	if seen == Seen(a.State, a.Progress) && a.State == order.Pending {
		w.WriteHeader(http.StatusNoContent) // nothing is read out again
		return nil
	}
	m := s.progress(r.Context(), s.Actor(r), a)
	// Rules that were broken stand beside it, and a button that goes.
	m.Over = a.State == order.Refused || a.State == order.Failed || a.State == order.Withdrawn
	return s.Show(w, r, http.StatusOK, clientview.ApplicationProgress(m))
}

// progress says what is next to whoever applied; an officer tries
// again from the list.
func (s *Section) progress(ctx context.Context, by person.Actor, a order.Application) clientview.ApplicationProgressModel {
	say := func(k view.Kind, title, text string) clientview.ApplicationProgressModel {
		return clientview.ApplicationProgressModel{Notice: view.NoticeModel{Kind: k, Title: page.T(ctx, title), Text: text}, Waiting: applicationWaiting(ctx, by, a)}
	}
	next := func(m clientview.ApplicationProgressModel, todo string) clientview.ApplicationProgressModel {
		if a.Account == by.Account {
			m.More, m.Actions = page.T(ctx, todo), []view.ButtonModel{{Label: page.T(ctx, "order.to_addresses"), Href: paths.ClientCertificates}}
		}
		return m
	}
	switch a.State {
	case order.Issued:
		m := say(view.Good, "order.issued_title", page.T(ctx, "order.issued_text"))
		m.Steps = applySteps(ctx, 4)
		m.Actions = []view.ButtonModel{{Label: page.T(ctx, "order.to_certificate"), Href: paths.ClientCertificate(*a.Certificate), Kind: view.Primary}}
		return m
	case order.Refused:
		m := s.late(ctx, a, next(say(view.Warn, "order.refused_title", page.ReasonWords(ctx, a.Reason)), "order.refused_todo"))
		if len(a.Findings) > 0 && a.Findings[0].Whom == lint.ByKey { // the words ask for another key
			m.More = ""
		}
		return m
	case order.Withdrawn:
		return s.late(ctx, a, next(say(view.Info, "order.taken_back_title", ""), "order.taken_back_todo"))
	case order.Failed:
		m := next(say(view.Bad, "order.failed_title", FailedWords(ctx, by, a)), "order.failed_todo")
		if a.Reason == "order.failed.rules_key" || a.Reason == "order.failed.rules_name" { // which say what to do
			m.More = ""
		}
		if by.Officer && by.Account != a.Account {
			m.More = FailedSaid(ctx, a.Progress)
		}
		return m
	}
	m := say(view.Open, "order.queued_title", page.T(ctx, "order.queued_text"))
	if a.State != order.Queued {
		m = say(view.Open, "order.issuing_title", page.T(ctx, "order.issuing_text"))
	}
	if s.Now().Sub(a.Created) > page.Patience {
		m.More = page.T(ctx, "order.slow")
	}
	Waits(ctx, &m, a.State, a.Progress, by.Officer, s.Now())
	m.Refresh, m.Steps = paths.Application(a.ID)+"/progress?seen="+Seen(a.State, a.Progress), applySteps(ctx, 3)
	m.Actions = []view.ButtonModel{{Label: page.T(ctx, "order.again"), Href: paths.Application(a.ID)}}
	if order.MayTakeBack(by, a) == nil {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "order.take_back"), Href: paths.Application(a.ID) + "/withdraw", Icon: view.IconBan})
	}
	return m
}

// late says what becomes of a certificate for a, which ended without one, or became of it.
func (s *Section) late(ctx context.Context, a order.Application, m clientview.ApplicationProgressModel) clientview.ApplicationProgressModel {
	text := LateWords(ctx, a.Progress, a.Late != nil)
	m.Notice.Text = strings.TrimSpace(m.Notice.Text + " " + text)
	if a.Late != nil {
		m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "order.to_late"), Href: paths.ClientCertificate(*a.Late)})
	}
	return m
}

// LateWords say what becomes of a certificate that nobody wants any more: while it may
// come, and when it came.
func LateWords(ctx context.Context, p order.Progress, came bool) string {
	switch {
	case came:
		return page.T(ctx, "order.late_text")
	case AskedFor(p):
		return page.T(ctx, "order.taken_back_text")
	}
	return ""
}

// FailedWords are ReasonWords of a failure; officers read that rules are broken,
// and which, and the applicant what to do.
func FailedWords(ctx context.Context, by person.Actor, a order.Application) string {
	if by.Officer && by.Account != a.Account && len(a.Findings) > 0 {
		return page.T(ctx, "ca.rules")
	}
	return page.ReasonWords(ctx, a.Reason)
}

// AddressesOf are what a was made for: as written in its intent, else
// of the row as it is, else the row by its name.
func AddressesOf(a order.Application, linked []mailbox.Linked) []string {
	if len(a.Emails) > 0 {
		return a.Emails
	}
	if i := slices.IndexFunc(linked, func(l mailbox.Linked) bool { return l.RowID == a.RowID }); i >= 0 {
		return page.Addresses(linked[i].Addresses())
	}
	return []string{string(a.RowAddress)}
}

var (
	applicationWords = map[order.State]string{
		order.Queued: "order.state_queued", order.Issuing: "order.state_issuing", order.Issued: "order.state_issued",
		order.Refused: "order.state_refused", order.Failed: "order.state_failed",
		order.Pending: "order.state_pending", order.Withdrawn: "order.state_withdrawn",
	}
	applicationKinds = map[order.State]view.Kind{
		order.Queued: view.Open, order.Issuing: view.Open, order.Issued: view.Good,
		order.Refused: view.Warn, order.Failed: view.Bad, order.Pending: view.Open, order.Withdrawn: view.Ended,
	}
)

func (s *Section) applicationLines(ctx context.Context, all []order.Application, linked []mailbox.Linked) (lines []clientview.ApplicationLine) {
	for _, a := range all {
		state := a.State
		if a.Stage == issuance.Written { // nobody was asked yet
			state = order.Queued
		}
		l := clientview.ApplicationLine{
			Reference: a.Reference, Href: paths.Application(a.ID), Addresses: AddressesOf(a, linked), Reason: page.ReasonWords(ctx, a.Reason),
			State: view.StateModel{Kind: applicationKinds[state], Word: page.T(ctx, applicationWords[state])}, Created: view.At(ctx, a.Created, s.Now()),
		}
		if a.State == order.Pending {
			l.Reason = WaitsSince(ctx, a.Progress, s.Now())
		}
		lines = append(lines, l)
	}
	return lines
}
