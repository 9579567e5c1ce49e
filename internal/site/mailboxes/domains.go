package mailboxes

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// Domains is the overview of "Meine E-Mail-Domains".
func (s *Section) Domains(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	all, err := s.Org.Domains(ctx, by)
	if err != nil {
		return err
	}
	if len(all) == 0 && !by.Officer {
		return fault.New(fault.Denied, "mailbox.section_closed")
	}
	ids := make([]org.ID, len(all))
	for i, d := range all {
		ids[i] = d.ID
	}
	counts, err := s.Mailbox.Tallies(ctx, ids...)
	if err != nil {
		return err
	}
	shown := columns(counts)
	m := mailboxview.EmailDomainsModel{Table: domainsTable(ctx, shown)}
	if m.Digest, err = s.digestModel(ctx, by, all); err != nil {
		return err
	}
	for _, d := range all {
		m.Domains = append(m.Domains, s.domainLine(ctx, d, shown, counts[d.ID].Of))
	}
	if len(all) == 0 {
		m.Empty = &view.EmptyModel{
			Title: page.T(ctx, "domains.none"), Text: page.T(ctx, "domains.none_text"),
			Action: &view.ButtonModel{Label: page.T(ctx, "domains.none_button"), Href: paths.NewEmailDomain, Kind: view.Primary},
		}
	}
	return s.Show(w, r, http.StatusOK, mailboxview.EmailDomains(s.Frame(r, page.T(ctx, "nav.email_domains")), m))
}

// rare are the statuses that a filter or a column is for only where there is
// such a row.
var rare = []mailbox.Status{mailbox.RowDeclined, mailbox.RowExpired, mailbox.RowConflict}

// columns are the statuses that the overview counts.
func columns(counts map[org.ID]mailbox.Tally) (shown []mailbox.Status) {
	for _, st := range mailbox.Statuses {
		there := !slices.Contains(rare, st)
		for _, of := range counts {
			there = there || of.Of[st] > 0
		}
		if there {
			shown = append(shown, st)
		}
	}
	return shown
}

func domainsTable(ctx context.Context, shown []mailbox.Status) view.TableModel {
	m := view.TableModel{Caption: page.T(ctx, "nav.email_domains"), Columns: []view.Column{{Label: page.T(ctx, "domains.domain")}, {Label: page.T(ctx, "domains.group")}}}
	for _, st := range shown {
		m.Columns = append(m.Columns, view.Column{Label: page.T(ctx, chipIDs[st]), Right: true})
	}
	m.Columns = append(m.Columns, view.Column{Label: page.T(ctx, "rows.all"), Right: true})
	return m
}

func (s *Section) domainLine(ctx context.Context, d org.EmailDomain, shown []mailbox.Status, counts map[mailbox.Status]int64) mailboxview.DomainLine {
	l := mailboxview.DomainLine{Name: d.Name.Unicode(), Href: paths.EmailDomain(d.Name), Group: d.GroupName}
	if d.Validation == org.ByDomain && !d.Proven(s.Now()) {
		l.State = &view.StateModel{Kind: view.Warn, Word: page.T(ctx, "domains.lapsed")}
	}
	var sum int64
	for _, st := range shown {
		n := counts[st]
		sum += n
		l.Counts = append(l.Counts, countLink(ctx, n, statusState(ctx, st).Word, rowHref(l.Href, mailbox.View{Status: st})))
	}
	l.Counts = append(l.Counts, countLink(ctx, sum, page.T(ctx, "rows.all"), l.Href))
	return l
}

func countLink(ctx context.Context, n int64, word, href string) view.CountModel {
	c := view.CountModel{State: view.StateModel{Word: word}, Count: locale.From(ctx).Number(n)}
	if n > 0 {
		c.Href = href
	}
	return c
}

// chipIDs are the statuses as filters are called, statusIDs as a row is.
var (
	chipIDs = map[mailbox.Status]string{
		mailbox.None: "rows.none", mailbox.Open: "rows.open", mailbox.Confirmed: "rows.confirmed",
		mailbox.Undeliverable: "rows.undeliverable", mailbox.Inactive: "rows.inactive",
		mailbox.RowDeclined: "rows.declined", mailbox.RowExpired: "rows.expired", mailbox.RowConflict: "rows.conflict",
	}
	statusIDs = map[mailbox.Status]string{
		mailbox.None: "row.status_none", mailbox.Open: "row.status_open", mailbox.Confirmed: "row.status_confirmed",
		mailbox.Undeliverable: "row.status_undeliverable", mailbox.Inactive: "row.status_inactive",
		mailbox.RowDeclined: "row.status_declined", mailbox.RowExpired: "row.status_expired", mailbox.RowConflict: "row.status_conflict",
	}
	statusKinds = map[mailbox.Status]view.Kind{
		mailbox.None: view.Paused, mailbox.Open: view.Open, mailbox.Confirmed: view.Good,
		mailbox.Undeliverable: view.Bad, mailbox.Inactive: view.Ended,
		mailbox.RowDeclined: view.Bad, mailbox.RowExpired: view.Warn, mailbox.RowConflict: view.Warn,
	}
)

// statusState is where a row stands.
func statusState(ctx context.Context, st mailbox.Status) view.StateModel {
	return view.StateModel{Kind: statusKinds[st], Word: page.T(ctx, statusIDs[st])}
}

// Join makes an officer a contact of the domain.
func (s *Section) Join(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	d, err := s.Org.Domain(ctx, by, chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	if err := s.Org.AddMember(ctx, by, d.Group, by.Account); err != nil {
		return err
	}
	return s.Done(w, r, paths.EmailDomain(d.Name), "domains.joined", "group", d.GroupName)
}

// OfferJoin offers an officer who only reads the domain to become its contact.
func OfferJoin(ctx context.Context, st org.Standing, name org.Domain) *mailboxview.JoinModel {
	if st.Contact || !st.Officer {
		return nil
	}
	return &mailboxview.JoinModel{Text: page.T(ctx, "domains.reads"), Action: paths.EmailDomain(name) + "/join"}
}
