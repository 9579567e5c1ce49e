package clients

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

const (
	onPage            = 50 // certificates on one page of one's own
	applicationsShown = 50 // applications that are told of
)

// List shows the addresses somebody may have certificates for,
// what is missing until then, what was applied for, and the certificates.
func (s *Section) List(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	linked, err := s.Mailbox.LinkedTo(ctx, by)
	if err != nil {
		return err
	}
	waiting, err := s.Mailbox.WaitingFor(ctx, by)
	if err != nil {
		return err
	}
	applied, err := s.Order.Mine(ctx, by, applicationsShown)
	if err != nil {
		return err
	}
	m := clientview.CertificatesModel{Account: page.ID(by.Account), Applications: s.applicationLines(ctx, applied, linked)}
	for _, a := range waiting {
		m.Waiting = append(m.Waiting, waitingCard(ctx, a))
	}
	for _, l := range linked {
		m.Linked = append(m.Linked, s.linkedCard(ctx, l, applied))
	}
	onlyPrimary(m.Linked)
	if err := s.own(ctx, by, r.URL.Query(), &m); err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, clientview.Certificates(s.Frame(r, page.T(ctx, "nav.client_certificates")), m))
}

// waitingCard says what a round asks of the person, and how far they are with it.
func waitingCard(ctx context.Context, a mailbox.Asking) clientview.AddressCard {
	missing, done := strings.Join(page.Addresses(a.Missing), ", "), len(a.Confirmed)
	c := clientview.AddressCard{Title: missing, State: view.StateModel{Kind: view.Open, Word: page.T(ctx, "mine.state_waiting")}}
	if done > 0 {
		c.Title, c.State.Word = string(a.Primary), page.T(ctx, "mine.state_partly", "done", done, "of", a.Total)
		c.Missing = page.T(ctx, "start.waiting_more", "n", len(a.Missing), "done", done, "of", a.Total, "addresses", missing)
	}
	switch {
	case !a.Open():
		c.State.Kind = view.Warn
		c.Missing = page.T(ctx, "start.waiting_over", "done", done, "of", a.Total, "addresses", missing, "group", a.GroupName)
	case done > 0:
	case a.Kind == mailbox.Functional:
		c.Title, c.Aliases, c.Kind = string(a.Primary), page.Addresses(a.Aliases), page.RowKind(ctx, a.Kind)
		c.Missing = page.T(ctx, "mine.missing_functional", "asks", a.Asks, "sent", *a.Sent, "address", missing, "until", *a.Expires)
	default:
		c.Missing = page.T(ctx, "mine.missing_answer", "asks", a.Asks, "sent", *a.Sent, "until", *a.Expires)
		if a.Total > 1 {
			c.Missing += " " + page.T(ctx, "mine.missing_one_of", "of", a.Total)
		}
	}
	return c
}

// linkedCard says what one can do for a linked row, or what is missing until
// one can.
func (s *Section) linkedCard(ctx context.Context, l mailbox.Linked, applied []order.Application) clientview.AddressCard {
	now := s.Now()
	c := clientview.AddressCard{
		Title: string(l.Primary), Aliases: page.Addresses(l.Aliases), Kind: page.RowKind(ctx, l.Kind), Since: view.Day(ctx, l.Since, now),
		State: linkedState(ctx, l),
	}
	if l.Ends != nil && l.Revoked == nil && now.Before(*l.Ends) {
		c.Ends = view.Ends(ctx, *l.Ends, now)
	}
	switch err := s.mayApply(l); {
	case err != nil:
		f := fault.Of(err)
		c.Missing = page.T(ctx, f.ID, f.Args...)
		if errors.Is(err, mailbox.ErrHave) { // which says until when
			c.Ends = view.Moment{}
		}
	case openFor(applied, l.RowID) != nil:
		a := openFor(applied, l.RowID)
		c.Missing = page.T(ctx, "mine.under_way")
		if a.State == order.Pending {
			c.Missing += " " + WaitsSince(ctx, a.Progress, now)
		}
		c.Actions = []view.ButtonModel{{Label: page.T(ctx, "mine.look"), About: string(l.Primary), Href: paths.Application(a.ID)}}
	default:
		c.Actions = []view.ButtonModel{{Label: page.T(ctx, "mine.apply"), About: string(l.Primary), Href: paths.Apply(l.RowID)}}
	}
	return c
}

// onlyPrimary gives its weight to the step that is the only one.
func onlyPrimary(cards []clientview.AddressCard) {
	var only *view.ButtonModel
	for i := range cards {
		for j := range cards[i].Actions {
			if only != nil {
				return
			}
			only = &cards[i].Actions[j]
		}
	}
	if only != nil {
		only.Kind = view.Primary
	}
}

// mayApply is the rule of the mailbox room, and whether anybody could issue.
func (s *Section) mayApply(l mailbox.Linked) error {
	if err := s.Order.Ready(); err != nil {
		return err
	}
	return mailbox.MayApply(l, s.Now())
}

// openFor is the application for a row that is under way, nil for none.
func openFor(applied []order.Application, row mailbox.ID) *order.Application {
	i := slices.IndexFunc(applied, func(a order.Application) bool { return a.RowID == row && a.Ended == nil })
	if i < 0 {
		return nil
	}
	return &applied[i]
}

// linkedState is how a linked row stands for its owner.
func linkedState(ctx context.Context, l mailbox.Linked) view.StateModel {
	switch {
	case !l.Active:
		return view.StateModel{Kind: view.Ended, Word: page.T(ctx, "row.status_inactive")}
	case l.Suspended:
		return view.StateModel{Kind: view.Paused, Word: page.T(ctx, "mine.state_suspended")}
	}
	return view.StateModel{Kind: view.Good, Word: page.T(ctx, "row.status_confirmed")}
}

// own puts a page of by's own certificates into m.
func (s *Section) own(ctx context.Context, by person.Actor, q url.Values, m *clientview.CertificatesModel) error {
	v := ownViewOf(q)
	found, err := s.Cert.Mine(ctx, by, v.which, v.before, onPage+1)
	if err != nil {
		return err
	}
	found, next := page.Cut(found, onPage, func(c cert.Certificate) cert.ID { return c.ID })
	m.Certificates = view.CertificatesModel{Caption: page.T(ctx, "mine.certificates")}
	for _, c := range found {
		m.Certificates.Lines = append(m.Certificates.Lines, s.CertificateLine(ctx, c))
	}
	l := v.list()
	for _, w := range ownFilters {
		m.Chips = append(m.Chips, l.Chip(page.T(ctx, ownWords[w]), w == v.which, func(v *ownView) { v.which = w }))
	}
	if len(found) == 0 {
		m.Empty = &view.EmptyModel{Title: page.T(ctx, ownNone[v.which]), Text: page.T(ctx, "mine.no_certificate_text")}
	}
	m.Pager = l.Pager(page.T(ctx, "mine.shown", "n", len(found)), v.before > 0, 0, next)
	return nil
}

var (
	ownFilters = [...]cert.Which{cert.Valid, cert.Over, cert.All}
	ownWords   = map[cert.Which]string{cert.Valid: "mine.which_valid", cert.Over: "mine.which_over", cert.All: "mine.which_all"}
	ownNone    = map[cert.Which]string{cert.Valid: "mine.none_valid", cert.Over: "mine.none_over", cert.All: "mine.none_at_all"}
)

// ownView is what of one's own certificates is shown.
type ownView struct {
	which  cert.Which
	before cert.ID // those that follow it, 0 for the newest
}

func ownViewOf(q url.Values) ownView {
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	v := ownView{which: cert.Which(q.Get("which")), before: cert.ID(max(0, before))}
	if v.which != cert.Over && v.which != cert.All {
		v.which = cert.Valid
	}
	return v
}

func (v ownView) list() page.List[ownView, cert.ID] {
	return page.List[ownView, cert.ID]{
		View: v, Base: paths.ClientCertificates, Turn: func(v *ownView, before cert.ID) { v.before = before },
		Pairs: func(v ownView, add page.Add) {
			add("which", string(v.which), v.which != cert.Valid)
			add("before", page.ID(v.before), v.before > 0)
		},
		Place: func(ownView) string { return "#certificates" },
	}
}
