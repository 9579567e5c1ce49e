package mailboxes

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

var (
	stateIDs = map[mailbox.State]string{
		mailbox.Queued: "challenge.queued", mailbox.Deferred: "challenge.deferred", mailbox.Sent: "challenge.sent",
		mailbox.Failed: "challenge.failed", mailbox.Affirmed: "challenge.confirmed", mailbox.Declined: "challenge.declined",
		mailbox.Replaced: "challenge.replaced", mailbox.Invalidated: "challenge.invalidated", mailbox.Expired: "challenge.expired",
	}
	stateKinds = map[mailbox.State]view.Kind{
		mailbox.Queued: view.Open, mailbox.Deferred: view.Warn, mailbox.Sent: view.Open,
		mailbox.Failed: view.Bad, mailbox.Affirmed: view.Good, mailbox.Declined: view.Bad,
		mailbox.Replaced: view.Ended, mailbox.Invalidated: view.Ended, mailbox.Expired: view.Ended,
	}
	stateIcons = map[mailbox.State]view.Icon{mailbox.Queued: view.IconClock, mailbox.Deferred: view.IconClock, mailbox.Sent: view.IconMail}
	outcomeIDs = map[string]string{
		"open": "round.open", "complete": "round.complete", "declined": "round.declined", "replaced": "round.replaced",
		"invalidated": "round.invalidated", "expired": "round.expired", "undeliverable": "round.undeliverable", "unsent": "round.unsent",
	}
	outcomeKinds = map[string]view.Kind{"open": view.Open, "complete": view.Good, "declined": view.Bad, "undeliverable": view.Bad, "unsent": view.Warn}
)

// Delivery is the newest round alone, for the page that refreshes it; with another
// status of the row than the page has seen, or when no mail is under way any more,
// all of that page is new.
func (s *Section) Delivery(w http.ResponseWriter, r *http.Request) error {
	row, err := s.LoadRow(r)
	if err != nil {
		return err
	}
	rounds, err := s.Mailbox.Rounds(r.Context(), row, 1)
	if err != nil {
		return err
	}
	m := s.deliveryModel(r.Context(), row, rounds)
	if m.Held, err = s.heldNotice(r.Context(), rounds); err != nil {
		return err
	}
	m.Over = m.Refresh == "" || r.URL.Query().Get("seen") != string(row.Status)
	return s.Show(w, r, http.StatusOK, mailboxview.Delivery(m))
}

// heldNotice tells who waits for a mail of the newest round that none leave at
// the moment, or that this one was not taken so far; nil if nothing is in its way.
func (s *Section) heldNotice(ctx context.Context, rounds []mailbox.Round) (*view.NoticeModel, error) {
	if len(rounds) == 0 || !underWay(rounds[0]) {
		return nil, nil
	}
	h, err := s.Outbox.Holding(ctx)
	switch {
	case err != nil:
		return nil, err
	case h != nil:
		return &view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "row.notice.held", "since", h.Since)}, nil
	case slices.ContainsFunc(rounds[0].Challenges, func(c mailbox.Challenge) bool { return c.State == mailbox.Deferred }):
		return &view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "row.notice.deferred")}, nil
	}
	return nil, nil
}

func (s *Section) deliveryModel(ctx context.Context, r mailbox.Row, rounds []mailbox.Round) mailboxview.DeliveryModel {
	if len(rounds) == 0 {
		return mailboxview.DeliveryModel{Empty: &view.EmptyModel{Title: page.T(ctx, "row.no_round"), Text: page.T(ctx, "row.no_round_text")}}
	}
	n := rounds[0]
	m := mailboxview.DeliveryModel{
		Text: roundWords(ctx, n),
		Table: view.TableModel{Caption: page.T(ctx, "row.challenges"), Columns: []view.Column{
			{Label: page.T(ctx, "challenge.address")},
			{Label: page.T(ctx, "rows.status")},
			{Label: page.T(ctx, "challenge.sent_at")},
			{Label: page.T(ctx, "challenge.expires")},
			{Label: page.T(ctx, "challenge.answer")},
		}},
	}
	marks := false
	for _, c := range n.Challenges {
		l := s.challengeLine(ctx, r, c)
		marks = marks || len(l.Actions) > 0
		m.Challenges = append(m.Challenges, l)
	}
	if marks {
		m.Table.Columns = append(m.Table.Columns, view.Column{Label: page.T(ctx, "row.actions"), Quiet: true, Tight: true})
	}
	if underWay(n) {
		m.Refresh = page.RowPath(r) + "/delivery?seen=" + string(r.Status)
	}
	return m
}

// roundWords say how a round stands. Nothing waits for an answer before the
// first of its mails was taken.
func roundWords(ctx context.Context, n mailbox.Round) string {
	head, outcome := "round.head", outcomeIDs[n.Outcome]
	sent := slices.ContainsFunc(n.Challenges, func(c mailbox.Challenge) bool { return c.Sent != nil })
	switch {
	case n.Outcome == "unsent":
		head = "round.head_unsent"
	case !sent && underWay(n):
		head, outcome = "round.head_unsent", "round.under_way"
	}
	return page.T(ctx, head, "at", n.Started, "by", n.StartedBy, "outcome", page.T(ctx, outcome))
}

func (s *Section) challengeLine(ctx context.Context, r mailbox.Row, c mailbox.Challenge) mailboxview.ChallengeLine {
	now := s.Now()
	l := mailboxview.ChallengeLine{
		Recipient: string(c.Recipient), State: s.challengeState(ctx, c), Sent: page.Moment(ctx, c.Sent, now),
		When: page.Moment(ctx, c.Ended, now), Answer: c.Answer,
	}
	if r.Kind == mailbox.Functional {
		l.Covers = page.T(ctx, "challenge.covers", "addresses", strings.Join(c.Covers, ", "))
	}
	if c.State == mailbox.Sent {
		l.Expires = page.Moment(ctx, c.Expires, now)
	}
	if c.AnsweredBy != nil {
		l.By = *c.AnsweredBy
	}
	if c.ConflictWith != nil {
		l.Conflict = page.T(ctx, "challenge.conflict", "name", *c.ConflictWith)
	}
	if mailbox.MayMarkUndeliverable(r, c) == nil {
		l.Actions = []view.ButtonModel{{
			Label: page.T(ctx, "challenge.came_back"), About: string(c.Recipient), Kind: view.Ghost,
			Href: paths.Undeliverable(r.DomainName, r.ID, c.ID),
		}}
	}
	return l
}

func (s *Section) challengeState(ctx context.Context, c mailbox.Challenge) view.StateModel {
	m := view.StateModel{Kind: stateKinds[c.State], Word: stateWord(ctx, c), Icon: stateIcons[c.State]}
	if c.Unsent {
		m.Kind = view.Warn
	}
	since := c.Queued
	for _, at := range []view.Moment{page.Moment(ctx, c.Ended, s.Now()), page.Moment(ctx, c.Sent, s.Now()), view.At(ctx, since, s.Now())} {
		if at.ISO != "" {
			m.Since = at.Text
			break
		}
	}
	return m
}

// stateWord says how a challenge stands. What nobody took is not undeliverable.
func stateWord(ctx context.Context, c mailbox.Challenge) string {
	if c.Unsent {
		return page.T(ctx, "challenge.unsent")
	}
	return page.T(ctx, stateIDs[c.State])
}

// earlier are the rounds before the newest.
func (s *Section) earlier(ctx context.Context, rounds []mailbox.Round) (events []view.Event) {
	for _, n := range rounds[min(1, len(rounds)):] {
		e := view.Event{
			Kind: outcomeKinds[n.Outcome], Title: page.T(ctx, "round.title", "outcome", page.T(ctx, outcomeIDs[n.Outcome])),
			When: view.At(ctx, n.Started, s.Now()), Who: n.StartedBy,
		}
		for _, c := range n.Challenges {
			note := page.T(ctx, "round.challenge", "address", string(c.Recipient), "state", stateWord(ctx, c))
			if c.AnsweredBy != nil {
				note += " (" + *c.AnsweredBy + ")"
			}
			e.Notes = append(e.Notes, note)
		}
		events = append(events, e)
	}
	return events
}
