package mailboxes

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// FollowLink is where a challenge mail leads. It changes nothing: mail scanners
// open links. It keeps in the session that the link was opened here and leads
// to an address that tells nobody the token.
func (s *Section) FollowLink(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	digest := mailbox.Digest(chi.URLParam(r, "token"))
	r.URL = &url.URL{Path: "/"} // what goes wrong from here on must not show the token
	a, err := s.Mailbox.Look(r.Context(), digest)
	if err != nil {
		return err
	}
	s.Desk.KeepProof(r.Context(), a.ID, digest)
	http.Redirect(w, r, paths.Challenge(a.ID), http.StatusSeeOther)
	return nil
}

// errUnopened is that the link of a challenge was not opened in this browser.
var errUnopened = fault.New(fault.Missing, "link.unopened")

// proven is the challenge that the path names and what its link proves, if it was
// opened in this browser. Nobody else learns whether there is such a challenge.
func (s *Section) proven(r *http.Request) (challenge int64, digest []byte, err error) {
	if challenge, err = page.Number[int64](r, "challenge"); err != nil {
		return 0, nil, err
	}
	if digest = s.Desk.Proof(r.Context(), challenge); digest == nil {
		return 0, nil, errUnopened
	}
	return challenge, digest, nil
}

// Asked asks the one question of a challenge.
func (s *Section) Asked(w http.ResponseWriter, r *http.Request) error {
	_, digest, err := s.proven(r)
	if errors.Is(err, errUnopened) {
		ctx := r.Context()
		s.Problem(w, r, view.ProblemModel{
			Status: http.StatusNotFound, Title: page.T(ctx, "link.unopened_title"), What: page.T(ctx, errUnopened.ID), Todo: page.T(ctx, "link.unopened_todo"),
		})
		return nil
	}
	if err != nil {
		return err
	}
	a, err := s.Mailbox.Look(r.Context(), digest)
	if err != nil {
		return err
	}
	return s.askPage(w, r, http.StatusOK, a, mailbox.MayConfirm(a, s.Actor(r), digest, s.Now()))
}

// Confirm is "Ja, diese Adresse gehört zu mir".
func (s *Section) Confirm(w http.ResponseWriter, r *http.Request) error {
	challenge, digest, err := s.proven(r)
	if err != nil {
		return err
	}
	c, err := s.Mailbox.Confirm(r.Context(), s.Actor(r), digest)
	if errors.Is(err, mailbox.ErrOtherAccount) {
		return s.Done(w, r, paths.Challenge(challenge)+"?told=1", "")
	}
	if fault.Is(err, fault.Conflict) {
		return s.refusedPage(w, r, digest, err)
	}
	if err != nil {
		return err
	}
	if c.Linked && c.Waiting == 0 {
		return s.Done(w, r, paths.ClientCertificates, "link.linked", "address", string(c.Of.Primary))
	}
	round, _, err := s.Mailbox.AskedIn(r.Context(), s.Actor(r), c.Of.Round)
	if err != nil {
		return err
	}
	id := "link.confirmed_waiting"
	if c.Waiting == 0 {
		id = "link.confirmed_incomplete"
	}
	return s.Done(w, r, paths.ClientCertificates, id, "address", string(c.Of.Recipient), "n", len(round.Missing),
		"done", len(round.Confirmed), "of", round.Total, "addresses", strings.Join(page.Addresses(round.Missing), ", "))
}

// Decline is "Das bin ich nicht".
func (s *Section) Decline(w http.ResponseWriter, r *http.Request) error {
	challenge, digest, err := s.proven(r)
	if err != nil {
		return err
	}
	err = s.Mailbox.Decline(r.Context(), s.Actor(r), digest)
	if fault.Is(err, fault.Conflict) {
		return s.refusedPage(w, r, digest, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.Challenge(challenge), "link.declined_done")
}

// refusedPage shows the challenge as it is by now, with why it was not answered.
func (s *Section) refusedPage(w http.ResponseWriter, r *http.Request, digest []byte, refused error) error {
	a, err := s.Mailbox.Look(r.Context(), digest)
	if err != nil {
		return err
	}
	return s.askPage(w, r, http.StatusConflict, a, refused)
}

func (s *Section) askPage(w http.ResponseWriter, r *http.Request, status int, a mailbox.Asked, refused error) error {
	m := s.askedModel(r.Context(), a, s.Actor(r), refused)
	if errors.Is(refused, mailbox.ErrConfirmed) {
		if err := s.confirmedBefore(r.Context(), s.Actor(r), a, &m); err != nil {
			return err
		}
	}
	if r.URL.Query().Has("told") && errors.Is(refused, mailbox.ErrOtherAccount) { // the contacts know by now
		m.Buttons, m.Notice.Text = m.Buttons[1:], page.T(r.Context(), "link.told")
	}
	return s.Show(w, r, status, mailboxview.Asked(s.Frame(r, m.Title), m))
}

func (s *Section) askedModel(ctx context.Context, a mailbox.Asked, by person.Actor, refused error) mailboxview.AskedModel {
	m := mailboxview.AskedModel{
		Title: page.T(ctx, "link.title"), Lead: page.T(ctx, "link.lead", "asks", a.Asks), Label: page.T(ctx, "link.address"),
		Addresses: []string{string(a.Recipient)}, Asks: a.Asks, Group: a.GroupName, Domain: a.DomainName.Unicode(), Account: by.Name,
	}
	if by.Email != "" {
		m.Account += " (" + by.Email + ")"
	}
	if a.Kind == mailbox.Functional {
		m.Title, m.Lead, m.Label = page.T(ctx, "link.title_functional"), page.T(ctx, "link.lead_functional", "asks", a.Asks, "address", string(a.Recipient)), page.T(ctx, "link.functional")
		m.Addresses = append([]string{string(a.Primary)}, page.Addresses(a.Aliases)...)
	}
	if refused != nil {
		return refusedModel(ctx, m, a, refused)
	}
	m.Expires = page.Moment(ctx, a.Expires, s.Now())
	m.SignOut = paths.SignOut
	path := paths.Challenge(a.ID)
	yes := page.T(ctx, "link.yes")
	m.Means = []string{page.T(ctx, "link.means_link"), page.T(ctx, "link.means_all"), page.T(ctx, "link.means_apply")}
	if a.Kind == mailbox.Functional {
		yes = page.T(ctx, "link.yes_functional")
		m.Means = []string{page.T(ctx, "link.means_functional"), page.T(ctx, "link.means_apply")}
	}
	m.Buttons = []view.ButtonModel{{Label: yes, Action: path + "/confirm", Kind: view.Primary}, {Label: page.T(ctx, "link.no"), Action: path + "/decline"}}
	return m
}

// confirmedBefore adds for who confirmed a challenge before what the others of its
// round still wait for.
func (s *Section) confirmedBefore(ctx context.Context, by person.Actor, a mailbox.Asked, m *mailboxview.AskedModel) error {
	round, mine, err := s.Mailbox.AskedIn(ctx, by, a.Round)
	if err != nil || !mine {
		return err
	}
	said := []any{"n", len(round.Missing), "done", len(round.Confirmed), "of", round.Total, "addresses", strings.Join(page.Addresses(round.Missing), ", "), "group", round.GroupName}
	switch {
	case round.Outcome == "complete":
		m.Notice.Text = page.T(ctx, "link.finished")
	case round.Open():
		m.Notice.Kind, m.Notice.Text = view.Open, page.T(ctx, "start.waiting_more", said...)
	default:
		m.Notice.Kind, m.Notice.Text = view.Warn, page.T(ctx, "start.waiting_over", said...)
	}
	return nil
}

// refusedModel says why a challenge cannot be confirmed. A second account in a
// round may decline or tell the contacts: confirming is refused, and tells them.
func refusedModel(ctx context.Context, m mailboxview.AskedModel, a mailbox.Asked, refused error) mailboxview.AskedModel {
	f := fault.Of(refused)
	n := view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, f.ID, f.Args...)}
	m.Lead = ""
	switch {
	case errors.Is(refused, mailbox.ErrConfirmed):
		n.Kind, m.Title = view.Good, page.T(ctx, "link.title_confirmed")
	case errors.Is(refused, mailbox.ErrDeclined):
		n.Kind, m.Title = view.Info, page.T(ctx, "link.title_declined")
	case errors.Is(refused, mailbox.ErrOtherAccount):
		m.Title, m.SignOut = page.T(ctx, "link.title_other"), paths.SignOut
		path := paths.Challenge(a.ID)
		m.Buttons = []view.ButtonModel{{Label: page.T(ctx, "link.tell"), Action: path + "/confirm", Kind: view.Primary}, {Label: page.T(ctx, "link.no"), Action: path + "/decline"}}
	default:
		m.Title = page.T(ctx, "link.title_over")
	}
	m.Notice = &n
	return m
}

// Linked words addresses that belong to an account.
func Linked(ctx context.Context, rows []mailbox.Linked, now time.Time) []mailboxview.LinkedModel {
	var ms []mailboxview.LinkedModel
	for _, l := range rows {
		m := mailboxview.LinkedModel{
			Address: string(l.Primary), Aliases: page.Addresses(l.Aliases), Kind: page.RowKind(ctx, l.Kind), Since: view.Day(ctx, l.Since, now),
			State: view.StateModel{Kind: view.Good, Word: page.T(ctx, "start.linked_good")},
		}
		switch {
		case !l.Active:
			m.State = view.StateModel{Kind: view.Ended, Word: page.T(ctx, "start.linked_inactive")}
		case l.Suspended:
			m.State = view.StateModel{Kind: view.Warn, Word: page.T(ctx, "start.linked_suspended")}
		}
		ms = append(ms, m)
	}
	return ms
}
