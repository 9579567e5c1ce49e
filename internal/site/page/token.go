package page

import (
	"context"
	"time"

	"petschaft/internal/person"
	"petschaft/web/view"
)

// tokenEndsSoon is how long before its end a token is marked.
const tokenEndsSoon = 14 * 24 * time.Hour

// TokenState is how an API token stands.
func (p *Page) TokenState(ctx context.Context, x person.Token) view.StateModel {
	now := p.Now()
	switch {
	case x.Withdrawn != nil:
		return view.StateModel{Kind: view.Ended, Word: T(ctx, "token.state_withdrawn")}
	case !x.Live(now):
		return view.StateModel{Kind: view.Ended, Word: T(ctx, "token.state_ended")}
	case p.people.Sleeps(x):
		return view.StateModel{Kind: view.Paused, Word: T(ctx, "token.state_sleeping")}
	case x.Ends.Sub(now) <= tokenEndsSoon:
		return view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: T(ctx, "token.state_ending")}
	}
	return view.StateModel{Kind: view.Good, Word: T(ctx, "token.state_live")}
}
