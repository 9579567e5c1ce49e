package issuance

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"petschaft/internal/fault"
)

// What happened on the way to an authority, as message ids, where no fault says it.
const (
	troubleAway = "issuance.trouble.away" // it could not be reached, or nobody could read what it answered
	troubleSlow = "issuance.trouble.slow" // no answer came in time
)

// errNothing is an answer that says nothing.
var errNothing = fault.New(fault.Unavailable, "issuance.trouble.nothing")

// trouble names why an authority was not heard, as a message id. The cause goes to the
// log: it may hold what no page shows.
func (b *Book) trouble(ctx context.Context, authority string, about slog.Attr, why error) string {
	if b.Log != nil {
		b.Log.LogAttrs(ctx, slog.LevelWarn, "an authority was not heard", slog.String("authority", authority), about, slog.Any("error", why))
	}
	late, ok := errors.AsType[net.Error](why)
	switch f := fault.Of(why); {
	case errors.Is(why, context.DeadlineExceeded), ok && late.Timeout():
		return troubleSlow
	case f.ID != "":
		return f.ID
	}
	return troubleAway
}

// heard is what an authority said last. The version before kept the text of an error
// there while calls went in vain.
func heard(said string, attempts int, trouble string) string {
	if trouble == "" && attempts > 0 {
		return ""
	}
	return said
}
