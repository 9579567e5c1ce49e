package site

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// officersOnly lets registration officers through. Who is not signed in goes on
// to where every page sends them first.
func (s *Site) officersOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if by, ok := s.Desk.Actor(r.Context()); ok {
			if err := person.OfficersOnly(by); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// officeFrame is the frame of a page below the office's first.
func (s *Site) officeFrame(r *http.Request, title string, crumbs ...view.Link) view.Frame {
	top := view.Link{Label: t(r.Context(), "nav.office"), Href: paths.Office}
	return s.frame(r, title, append([]view.Link{top}, crumbs...)...)
}

// refused is the frame and the status of a form that comes back because of err.
func (s *Site) refused(w http.ResponseWriter, f view.Frame, err error) (view.Frame, int) {
	f.Failed = true
	return f, s.status(w, fault.Of(err))
}

// wrongAt is wrong, with a broken constraint said beside the field it is about.
func wrongAt(ctx context.Context, err error, constraint *fault.Fault, field string) (map[string]string, string) {
	fields, whole := wrong(ctx, err)
	if whole != "" && errors.Is(err, constraint) {
		fields[field], whole = whole, ""
	}
	return fields, whole
}

func (s *Site) officeStart(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.actor(r)
	tasks, err := s.officeTasks(ctx, by)
	if err != nil {
		return err
	}
	areas, err := s.officeAreas(ctx, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, officeview.Overview(s.frame(r, t(ctx, "nav.office")), officeview.OverviewModel{Tasks: tasks, Areas: areas}))
}

func (s *Site) officeAreas(ctx context.Context, by person.Actor) ([]officeview.Area, error) {
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
		{Title: t(ctx, "office.domains"), Href: paths.OfficeDomains, Text: t(ctx, "office.domains_area"), Count: t(ctx, "office.domains_count", "n", len(domains))},
		{Title: t(ctx, "office.groups"), Href: paths.OfficeGroups, Text: t(ctx, "office.groups_area"), Count: t(ctx, "office.groups_count", "n", len(groups))},
		{Title: t(ctx, "office.organisations"), Href: paths.OfficeOrganisations, Text: t(ctx, "office.organisations_area"), Count: t(ctx, "office.organisations_count", "n", len(organisations))},
		{Title: t(ctx, "forecast.title"), Href: paths.OfficeForecast, Text: t(ctx, "office.forecast_area")},
		{Title: t(ctx, "office.people"), Href: paths.OfficePeople, Text: t(ctx, "office.people_area")},
		{Title: t(ctx, "token.title"), Href: paths.OfficeTokens, Text: t(ctx, "office.tokens_area")},
		{Title: t(ctx, "office.certificates"), Href: paths.OfficeCertificates, Text: t(ctx, "office.certificates_area")},
		{Title: t(ctx, "office.orders"), Href: paths.OfficeOrders, Text: t(ctx, "office.orders_area")},
		{Title: t(ctx, "office.products"), Href: paths.OfficeProducts, Text: t(ctx, "office.products_area")},
		{Title: t(ctx, "office.server_certificates"), Href: paths.OfficeServers, Text: t(ctx, "office.server_certificates_area")},
		{Title: t(ctx, "earlier.title"), Href: paths.OfficeEarlier, Text: t(ctx, "earlier.area")},
		{Title: t(ctx, "office.applications"), Href: paths.OfficeApplications, Text: t(ctx, "office.applications_area")},
		{Title: t(ctx, "office.mail"), Href: paths.OfficeMail, Text: t(ctx, "office.mail_area")},
		{Title: t(ctx, "office.audit"), Href: paths.OfficeAudit, Text: t(ctx, "office.audit_area")},
		{Title: t(ctx, "nav.email_domains"), Href: paths.EmailDomains, Text: t(ctx, "office.rows_area")},
	}, nil
}

// officeTasks are what registration officers should look at; nobody else has
// any.
func (s *Site) officeTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
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
	look := view.Link{Label: t(ctx, "start.look"), Href: paths.OfficeMail}
	if held != nil {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: t(ctx, "office.held", "since", held.Since), Link: look})
	}
	if n := failed.mails(); n > 0 {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: t(ctx, "office.mails_failed", "n", n), Link: look})
	}
	if n := failed.givenUp(); n > 0 {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: t(ctx, "office.jobs_failed", "n", n), Link: look})
	}
	for _, look := range []func(context.Context, person.Actor) ([]view.Task, error){s.failedApplications, s.reassignTasks, s.waitingOrders, s.nameTasks, s.proofTasks} {
		more, err := look(ctx, by)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, more...)
	}
	return tasks, nil
}

// proofTasks are the domains whose validation has lapsed or soon will.
func (s *Site) proofTasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	domains, err := s.Org.Domains(ctx, by)
	if err != nil {
		return nil, err
	}
	var tasks []view.Task
	for _, d := range domains {
		if d.ProofUntil == nil || d.ProofUntil.Sub(s.Now()) > proofSoon {
			continue
		}
		k := view.Task{
			Kind: view.Warn, Link: view.Link{Label: t(ctx, "office.renew_proof"), Href: paths.OfficeDomain(d.ID)},
			Text: t(ctx, "office.proof_ends", "domain", d.Name.Unicode(), "when", view.Day(ctx, *d.ProofUntil, s.Now()).Text),
		}
		if !s.Now().Before(*d.ProofUntil) {
			k.Kind, k.Text = view.Bad, t(ctx, "office.proof_ended", "domain", d.Name.Unicode(), "when", view.Day(ctx, *d.ProofUntil, s.Now()).Text)
		}
		tasks = append(tasks, k)
	}
	if len(tasks) > startTasks {
		tasks = append(tasks[:startTasks], view.Task{
			Kind: view.Info, Text: t(ctx, "office.more_proofs"),
			Link: view.Link{Label: t(ctx, "start.look"), Href: paths.OfficeDomains},
		})
	}
	return tasks, nil
}

// officeSearch looks for a text among the addresses and the people.
func (s *Site) officeSearch(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.actor(r)
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
	return s.show(w, r, http.StatusOK, officeview.Search(s.officeFrame(r, t(ctx, "office.search")), m))
}

func (s *Site) foundRow(ctx context.Context, row mailbox.Row) officeview.FoundRow {
	f := officeview.FoundRow{
		Name: row.Name, Href: rowPath(row),
		Primary: string(row.Primary), Aliases: addresses(row.Aliases), Domain: row.DomainName.Unicode(), State: s.rowState(ctx, row),
	}
	if row.Linked != nil {
		f.Linked, f.LinkedHref = *row.LinkedName, paths.OfficePerson(*row.Linked)
	}
	return f
}
