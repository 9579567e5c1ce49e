package clients

import (
	"context"
	"strconv"
	"strings"
	"time"

	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

// PeopleEvery is how many seconds a page waits before it asks anew what people, or an
// authority that takes its time, did.
const PeopleEvery = "20"

// Waits says in m on whom an application or an order in state s waits that an
// authority has in hand, since when, and what happens next; officers read what the
// authority said, too.
func Waits(ctx context.Context, m *clientview.ApplicationProgressModel, s order.State, p order.Progress, officer bool, now time.Time) {
	away, unset := p.Tries > 0, p.Unset()
	switch {
	case s != order.Pending && !away && !unset:
		return
	case unset && officer:
		m.Notice.Text = page.T(ctx, "order.pending_unset_office")
	case unset:
		m.Notice.Text = page.T(ctx, "order.pending_unset")
	case away:
		m.Notice.Text = page.T(ctx, "order.pending_away")
	case p.Person:
		m.Notice.Text = page.T(ctx, "order.pending_person")
	case p.Stage == issuance.Pending:
		m.Notice.Text = page.T(ctx, "order.pending_text")
	default: // it was not heard yet
		m.Notice.Text = page.T(ctx, "order.pending_asking")
	}
	if s == order.Pending {
		m.Notice.Title, m.Every = page.T(ctx, "order.pending_title", "authority", page.AuthorityName(ctx, p.With)), PeopleEvery
	}
	switch long := p.Long(now) && !unset; {
	case long && officer:
		m.More = page.T(ctx, "order.pending_long_office")
	case long:
		m.More = page.T(ctx, "order.pending_long")
	case officer: // whom no mail comes
		m.More = ""
	default:
		m.More = page.T(ctx, "order.pending_leave")
	}
	m.Waits = &clientview.WaitsModel{Authority: page.AuthorityName(ctx, p.With), Since: page.Moment(ctx, p.Asked, now), Next: page.Moment(ctx, p.NextLook, now)}
	if p.NextLook != nil && !now.Before(*p.NextLook) {
		m.Waits.Next = view.Moment{}
	}
	if officer && !unset {
		m.Waits.Said = p.Said
		if away {
			m.Waits.Tries, m.Waits.Trouble = locale.From(ctx).Number(int64(p.Tries)), page.TroubleWords(ctx, p.Trouble)
		}
	}
}

// FailedSaid are, for officers, the words of an authority of which no certificate came,
// and why it was not heard.
func FailedSaid(ctx context.Context, p order.Progress) string {
	words := page.TroubleWords(ctx, p.Trouble)
	if p.Said != "" {
		words = strings.TrimSpace(page.T(ctx, "order.said", "text", p.Said) + " " + words)
	}
	return words
}

// Seen names what a page shows of a state, so that it is told only of what is new.
func Seen(s order.State, p order.Progress) string {
	parts := []string{string(s)}
	if p.Stage == issuance.Pending || p.Tries > 0 || p.Unset() {
		parts = append(parts, strconv.Itoa(p.Tries), strconv.FormatBool(p.Person))
		if p.NextLook != nil {
			parts = append(parts, strconv.FormatInt(p.NextLook.Unix(), 10))
		}
	}
	return strings.Join(parts, ".")
}

// SeenState is the state in what Seen named.
func SeenState(seen string) order.State {
	s, _, _ := strings.Cut(seen, ".")
	return order.State(s)
}

// WaitsSince words on whom something waits that is pending, for a list.
func WaitsSince(ctx context.Context, p order.Progress, now time.Time) string {
	if p.Asked == nil {
		return page.T(ctx, "order.pending_title", "authority", page.AuthorityName(ctx, p.With))
	}
	return page.T(ctx, "order.pending_since", "authority", page.AuthorityName(ctx, p.With), "day", view.Day(ctx, *p.Asked, now).Text)
}
