package bulk

import (
	"context"

	"petschaft/internal/bulk"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/view"
)

var (
	askIDs = map[bulk.Verb]string{
		bulk.Challenge: "bulk.ask_challenge", bulk.Deactivate: "bulk.ask_deactivate", bulk.Activate: "bulk.ask_activate",
		bulk.Comment: "bulk.ask_comment", bulk.Delete: "bulk.ask_delete",
	}
	stateIDs = map[bulk.State]string{
		bulk.Draft: "bulk.state_draft", bulk.Running: "bulk.state_running", bulk.Done: "bulk.state_done", bulk.Cancelled: "bulk.state_cancelled",
	}
	stateKinds = map[bulk.State]view.Kind{bulk.Draft: view.Paused, bulk.Running: view.Open, bulk.Done: view.Good, bulk.Cancelled: view.Ended}
	// What a brake says needs its time; a group of rows has none.
	brakeIDs = map[string]string{
		"mailbox.brake.gap": "bulk.brake_gap", "mailbox.brake.row": "bulk.brake_row", "mailbox.brake.address": "bulk.brake_address",
	}
)

func askWords(ctx context.Context, x bulk.Bulk) string {
	return page.T(ctx, askIDs[x.Verb], "n", x.Due)
}

func stateOf(ctx context.Context, x bulk.Bulk) view.StateModel {
	return view.StateModel{Kind: stateKinds[x.State], Word: page.T(ctx, stateIDs[x.State])}
}

// outcomeState is what became of a row of x; what was not done yet depends on
// where x stands.
func outcomeState(ctx context.Context, x bulk.Bulk, o bulk.Outcome) view.StateModel {
	switch o {
	case bulk.DoneRow:
		return view.StateModel{Kind: view.Good, Word: page.T(ctx, "bulk.row_done")}
	case bulk.LeftOut:
		return view.StateModel{Kind: view.Paused, Word: page.T(ctx, "bulk.row_left_out")}
	case bulk.Failed:
		return view.StateModel{Kind: view.Bad, Word: page.T(ctx, "bulk.row_failed")}
	}
	switch x.State {
	case bulk.Draft:
		return view.StateModel{Kind: view.Open, Word: page.T(ctx, "bulk.row_due")}
	case bulk.Running:
		return view.StateModel{Kind: view.Open, Word: page.T(ctx, "bulk.row_waits")}
	}
	return view.StateModel{Kind: view.Ended, Word: page.T(ctx, "bulk.row_not_done")}
}

// resultWords counts what became of the rows: "212 erledigt, 3 ausgelassen".
func resultWords(ctx context.Context, x bulk.Bulk) string {
	words, rest := page.T(ctx, "bulk.result_done", "done", x.Done, "n", x.Total), "bulk.result_rest"
	if x.State == bulk.Running {
		rest = "bulk.result_waits"
	}
	for _, part := range []struct {
		id string
		n  int
	}{{"bulk.result_left_out", x.LeftOut}, {"bulk.result_failed", x.Failed}, {rest, x.Count(bulk.Due)}} {
		if part.n > 0 {
			words += ", " + page.T(ctx, part.id, "n", part.n, "count", locale.From(ctx).Number(int64(part.n)))
		}
	}
	return words
}

func commentWords(ctx context.Context, comment string) string {
	if comment == "" {
		return page.T(ctx, "bulk.comment_cleared")
	}
	return page.T(ctx, "bulk.comment_set", "comment", comment)
}

// reasonID words a message id without blanks; one of an older portal shows
// itself.
func reasonID(ctx context.Context, reason string) string {
	if locale.Has(reason) {
		return page.T(ctx, reason)
	}
	return reason
}

func groupWords(ctx context.Context, g bulk.Group) string {
	switch {
	case g.Outcome == bulk.Failed:
		return page.T(ctx, "bulk.unforeseen")
	case brakeIDs[g.Reason] != "":
		return page.T(ctx, brakeIDs[g.Reason])
	}
	return reasonID(ctx, g.Reason)
}

func itemReason(ctx context.Context, i bulk.Item) string {
	switch {
	case i.Outcome == bulk.Failed:
		return page.T(ctx, "bulk.unforeseen")
	case i.Reason == "":
		return ""
	case i.Until != nil && locale.Has(i.Reason):
		return page.T(ctx, i.Reason, "at", *i.Until)
	}
	return reasonID(ctx, i.Reason)
}
