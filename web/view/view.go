// Package view is the kit that pages are put together from: their frame and its
// components, each a templ file with its view model. The pages themselves stand in
// rooms below, called after their subjects.
// It decides how things look and which markup carries them. It never asks the
// clock, never judges rights, never adds up: models hold words and truths that
// the rim has worked out, and the catalogs hold every fixed word.
//
// No element carries a style, a script or an event attribute; the policy of the
// portal forbids them. Everything works without script.
//
// A page of such a room is put together like this:
//
//	templ Zone(f view.Frame, m ZoneModel) {
//		@view.Page(f) {
//			@view.PageHead(view.HeadModel{Title: f.Title, Lead: m.Lead})
//			@view.Facts() {
//				@view.Fact(locale.T(ctx, "zone.owner")) { { m.Owner } }
//			}
//		}
//	}
package view

import (
	"context"
	"time"

	"petschaft/web/locale"
)

// Kind is what a state, notice or event means; it chooses colour and icon. The
// zero value is Quiet.
type Kind string

const (
	Quiet  Kind = ""       // nothing to say about it
	Open   Kind = "open"   // waits for somebody
	Info   Kind = "info"   // worth knowing
	Good   Kind = "good"   // done, valid
	Warn   Kind = "warn"   // look at it
	Bad    Kind = "bad"    // failed, refused
	Paused Kind = "paused" // not started or put aside
	Ended  Kind = "ended"  // over for good: revoked, inactive
)

// class is the kind's name in the style sheet.
func (k Kind) class() string {
	if k == Quiet {
		return "quiet"
	}
	return string(k)
}

func (k Kind) icon() Icon {
	switch k {
	case Open:
		return IconOpen
	case Info:
		return IconInfo
	case Good:
		return IconCheck
	case Warn:
		return IconWarn
	case Bad:
		return IconCross
	case Paused:
		return IconPause
	case Ended:
		return IconBan
	}
	return IconDot
}

// Link is a name and where it leads.
type Link struct {
	Label, Href string
	Current     bool
}

// Hidden is a value that a form sends along unseen.
type Hidden struct{ Name, Value string }

// Moment is a point in time, worded. The zero value shows nothing.
type Moment struct {
	Text  string // what is read
	Title string // what hovering adds
	ISO   string // for machines
}

// At words t with day, time and zone; hovering tells the distance from now.
func At(ctx context.Context, t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	r := locale.From(ctx)
	return Moment{Text: r.DateTime(t), Title: r.Relative(t, now), ISO: t.UTC().Format(time.RFC3339)}
}

// AtSecond is At with the second, in figures.
func AtSecond(ctx context.Context, t, now time.Time) Moment {
	r := locale.From(ctx)
	return Moment{Text: r.Second(t), Title: r.Relative(t, now), ISO: t.UTC().Format(time.RFC3339)}
}

// Ends words the day on which something ends, as Day does. Where that is the first
// moment of a day in the reader's zone the time stands with it: nobody shall take
// the day for the last one.
func Ends(ctx context.Context, t, now time.Time) Moment {
	m := Day(ctx, t, now)
	if r := locale.From(ctx); !t.IsZero() && r.Midnight(t) {
		m.Text = r.DateTime(t)
	}
	return m
}

// Ago words the distance of t from now; hovering tells day, time and zone.
func Ago(ctx context.Context, t, now time.Time) Moment {
	m := At(ctx, t, now)
	m.Text, m.Title = m.Title, m.Text
	return m
}

// Day words the day of t; hovering tells its distance in days from now.
func Day(ctx context.Context, t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	r := locale.From(ctx)
	return Moment{Text: r.Date(t), Title: r.RelativeDay(t, now), ISO: t.UTC().Format(time.RFC3339)}
}
