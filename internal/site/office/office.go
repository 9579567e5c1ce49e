package office

import (
	"context"
	"net/http"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

func (s *Section) Start(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	tasks, err := s.Tasks(ctx, by)
	if err != nil {
		return err
	}
	areas, err := s.areas(ctx, by)
	if err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, officeview.Overview(s.Frame(r, page.T(ctx, "nav.office")), officeview.OverviewModel{Tasks: tasks, Areas: areas}))
}

func (s *Section) areas(ctx context.Context, by person.Actor) ([]officeview.Area, error) {
	domains, err := s.Org.Domains(ctx, by)
	if err != nil {
		return nil, err
	}
	groups, err := s.Org.Groups(ctx, by)
	if err != nil {
		return nil, err
	}
	organisations, err := s.Org.Organisations(ctx, by)
	if err != nil {
		return nil, err
	}
	return []officeview.Area{
		{Title: page.T(ctx, "office.domains"), Href: paths.OfficeDomains, Text: page.T(ctx, "office.domains_area"), Count: page.T(ctx, "office.domains_count", "n", len(domains))},
		{Title: page.T(ctx, "office.groups"), Href: paths.OfficeGroups, Text: page.T(ctx, "office.groups_area"), Count: page.T(ctx, "office.groups_count", "n", len(groups))},
		{Title: page.T(ctx, "office.organisations"), Href: paths.OfficeOrganisations, Text: page.T(ctx, "office.organisations_area"), Count: page.T(ctx, "office.organisations_count", "n", len(organisations))},
		{Title: page.T(ctx, "forecast.title"), Href: paths.OfficeForecast, Text: page.T(ctx, "office.forecast_area")},
		{Title: page.T(ctx, "office.people"), Href: paths.OfficePeople, Text: page.T(ctx, "office.people_area")},
		{Title: page.T(ctx, "absent.title"), Href: paths.OfficeAbsent, Text: page.T(ctx, "absent.area")},
		{Title: page.T(ctx, "token.title"), Href: paths.OfficeTokens, Text: page.T(ctx, "office.tokens_area")},
		{Title: page.T(ctx, "office.certificates"), Href: paths.OfficeCertificates, Text: page.T(ctx, "office.certificates_area")},
		{Title: page.T(ctx, "reports.title"), Href: paths.OfficeReports, Text: page.T(ctx, "reports.area")},
		{Title: page.T(ctx, "keys.title"), Href: paths.OfficeKeys, Text: page.T(ctx, "keys.area")},
		{Title: page.T(ctx, "office.orders"), Href: paths.OfficeOrders, Text: page.T(ctx, "office.orders_area")},
		{Title: page.T(ctx, "office.products"), Href: paths.OfficeProducts, Text: page.T(ctx, "office.products_area")},
		{Title: page.T(ctx, "office.server_certificates"), Href: paths.OfficeServers, Text: page.T(ctx, "office.server_certificates_area")},
		{Title: page.T(ctx, "earlier.title"), Href: paths.OfficeEarlier, Text: page.T(ctx, "earlier.area")},
		{Title: page.T(ctx, "office.applications"), Href: paths.OfficeApplications, Text: page.T(ctx, "office.applications_area")},
		{Title: page.T(ctx, "waits.title"), Href: paths.OfficeWaits, Text: page.T(ctx, "waits.area")},
		{Title: page.T(ctx, "office.mail"), Href: paths.OfficeMail, Text: page.T(ctx, "office.mail_area")},
		{Title: page.T(ctx, "office.audit"), Href: paths.OfficeAudit, Text: page.T(ctx, "office.audit_area")},
		{Title: page.T(ctx, "nav.email_domains"), Href: paths.EmailDomains, Text: page.T(ctx, "office.rows_area")},
	}, nil
}

// Tasks are what registration officers should look at; nobody else has
// any.
func (s *Section) Tasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	if !by.Officer {
		return nil, nil
	}
	failed, err := s.failures(ctx, by)
	if err != nil {
		return nil, err
	}
	held, err := s.Outbox.Holding(ctx)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	look := view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeMail}
	if held != nil {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: page.T(ctx, "office.held", "since", held.Since), Link: look})
	}
	if n := failed.mails(); n > 0 {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: page.T(ctx, "office.mails_failed", "n", n), Link: look})
	}
	if n := failed.givenUp(); n > 0 {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: page.T(ctx, "office.jobs_failed", "n", n), Link: look})
	}
	for _, look := range []func(context.Context, person.Actor) ([]view.Task, error){s.auditTasks, s.Keys.Tasks, s.failedApplications, s.longWaits, s.unexpectedTasks, s.Organisations.ReassignTasks, s.waitingOrders, s.nameTasks, s.proofTasks} {
		more, err := look(ctx, by)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, more...)
	}
	return tasks, nil
}

// proofTasks are the domains whose validation has lapsed or soon will.
func (s *Section) proofTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	domains, err := s.Org.Domains(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, d := range domains {
		if d.ProofUntil == nil || d.ProofUntil.Sub(s.Now()) > page.ProofSoon {
			continue
		}
		k := view.Task{
			Kind: view.Warn, By: *d.ProofUntil, Link: view.Link{Label: page.T(ctx, "office.renew_proof"), Href: paths.OfficeDomain(d.ID)},
			Text: page.T(ctx, "office.proof_ends", "domain", d.Name.Unicode(), "when", view.Day(ctx, *d.ProofUntil, s.Now()).Text),
		}
		if !s.Now().Before(*d.ProofUntil) {
			k.Kind, k.Text = view.Bad, page.T(ctx, "office.proof_ended", "domain", d.Name.Unicode(), "when", view.Day(ctx, *d.ProofUntil, s.Now()).Text)
		}
		tasks = append(tasks, k)
	}
	return page.Most(tasks, func(int) view.Task {
		return view.Task{Kind: view.Info, Text: page.T(ctx, "office.more_proofs"), Link: view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeDomains}}
	}), nil
}

// Search looks for a text among the addresses and the people.
func (s *Section) Search(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	m := officeview.SearchModel{Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	if m.Query != "" {
		rows, more, err := s.Mailbox.Search(ctx, by, m.Query)
		if err != nil {
			return err
		}
		m.RowsMore = more
		for _, row := range rows {
			m.Rows = append(m.Rows, s.foundRow(ctx, row))
		}
		people, more, err := s.People.Search(ctx, by, m.Query)
		if err != nil {
			return err
		}
		m.People, m.PeopleMore = s.personRows(ctx, people), more
	}
	return s.Show(w, r, http.StatusOK, officeview.Search(s.OfficeFrame(r, page.T(ctx, "office.search")), m))
}

func (s *Section) foundRow(ctx context.Context, row mailbox.Row) officeview.FoundRow {
	f := officeview.FoundRow{
		Name: row.Name, Href: page.RowPath(row),
		Primary: string(row.Primary), Aliases: page.Addresses(row.Aliases), Domain: row.DomainName.Unicode(), State: mailboxes.RowState(ctx, row),
	}
	if row.Linked != nil {
		f.Linked, f.LinkedHref = *row.LinkedName, paths.OfficePerson(*row.Linked)
	}
	return f
}
