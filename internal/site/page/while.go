package page

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// whileArg is the argument of a message that names the states in which it is true.
const whileArg = "while"

type (
	whileKey  struct{}
	standsKey struct{}
)

// While is r for Done, with a message that says what goes on: a page that Stands in a
// state of none of these when it is made does not show it.
func While[S ~string](r *http.Request, states ...S) *http.Request {
	var all []string
	for _, s := range states {
		all = append(all, string(s))
	}
	return r.WithContext(context.WithValue(r.Context(), whileKey{}, strings.Join(all, " ")))
}

// Stands is r for Frame, of a page about something in that state.
func Stands[S ~string](r *http.Request, state S) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), standsKey{}, string(state)))
}

// lasting is args for a message that the next page shows, with While's states.
func lasting(ctx context.Context, args []any) []any {
	if states, ok := ctx.Value(whileKey{}).(string); ok {
		return append(slices.Clip(args), whileArg, states)
	}
	return args
}

// past tells whether the page Stands in a state in which the message of args is true
// no longer.
func past(ctx context.Context, args []any) bool {
	state, stands := ctx.Value(standsKey{}).(string)
	i := slices.Index(args, any(whileArg))
	if !stands || i < 0 || i+1 >= len(args) {
		return false
	}
	states, _ := args[i+1].(string)
	return !slices.Contains(strings.Fields(states), state)
}
