package site

import (
	"context"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

var (
	askIDs = map[bulk.Verb]string{
		bulk.Challenge: "bulk.ask_challenge", bulk.Deactivate: "bulk.ask_deactivate", bulk.Activate: "bulk.ask_activate",
		bulk.Comment: "bulk.ask_comment", bulk.Delete: "bulk.ask_delete",
	}
	bulkStateIDs = map[bulk.State]string{
		bulk.Draft: "bulk.state_draft", bulk.Running: "bulk.state_running", bulk.Done: "bulk.state_done", bulk.Cancelled: "bulk.state_cancelled",
	}
	bulkStateKinds = map[bulk.State]view.Kind{bulk.Draft: view.Paused, bulk.Running: view.Open, bulk.Done: view.Good, bulk.Cancelled: view.Ended}
	// What a brake says needs its time; a group of rows has none.
	brakeIDs = map[string]string{
		"mailbox.brake.gap": "bulk.brake_gap", "mailbox.brake.row": "bulk.brake_row", "mailbox.brake.address": "bulk.brake_address",
	}
)

func askWords(ctx context.Context, x bulk.Bulk) string {
	return page.T(ctx, askIDs[x.Verb], "n", x.Due)
}

func bulkState(ctx context.Context, x bulk.Bulk) view.StateModel {
	return view.StateModel{Kind: bulkStateKinds[x.State], Word: page.T(ctx, bulkStateIDs[x.State])}
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
	words := page.T(ctx, "bulk.result_done", "done", x.Done, "n", x.Total)
	for _, part := range []struct {
		id string
		n  int
	}{{"bulk.result_left_out", x.LeftOut}, {"bulk.result_failed", x.Failed}, {"bulk.result_rest", x.Count(bulk.Due)}} {
		if part.n > 0 {
			words += ", " + page.T(ctx, part.id, "count", locale.From(ctx).Number(int64(part.n)))
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

// bulkBar is what can be done with several of the rows that v shows; n is how
// many all of them are.
func bulkBar(ctx context.Context, d org.EmailDomain, v mailbox.View, n int64, again ticks) *view.BulkBarModel {
	m := &view.BulkBarModel{
		Action: paths.Bulks(d.Name), Hidden: viewFields(v), Page: page.T(ctx, "bulk.tick_page"), Counted: page.T(ctx, "bulk.ticked", "count", "#"),
		All: page.T(ctx, "bulk.all", "n", n), AllOn: again.all, Verb: again.verb, Export: paths.EmailDomain(d.Name) + "/export.csv",
	}
	if v.Text != "" || v.Status != "" {
		m.All = page.T(ctx, "bulk.all_hits", "n", n)
	}
	if v.Text != "" {
		m.Hidden = append(m.Hidden, view.Hidden{Name: "q", Value: v.Text})
	}
	if v.Cursor != "" {
		m.Hidden = append(m.Hidden, view.Hidden{Name: "at", Value: v.Cursor})
	}
	for _, verb := range bulk.Verbs {
		m.Verbs = append(m.Verbs, view.Choice{Value: string(verb), Label: page.BulkVerb(ctx, verb)})
	}
	return m
}

// bulkFails says why nothing could be prepared; which rows were meant is asked
// at the first box.
func bulkFails(ctx context.Context, failed error, boxes bool) []view.Fail {
	fields, whole := page.Wrong(ctx, failed)
	var fs []view.Fail
	if whole != "" {
		fs = append(fs, view.Fail{Text: whole})
	}
	for _, name := range []string{"row", "verb"} {
		if words := fields[name]; words != "" && boxes {
			fs = append(fs, view.Fail{Field: name, Text: words})
		} else if words != "" {
			fs = append(fs, view.Fail{Text: words})
		}
	}
	return fs
}

// bulkWork tells of what is under way for many rows of a domain.
func (s *Site) bulkWork(ctx context.Context, all []bulk.Bulk) (ns []view.LinkNotice) {
	for _, x := range all {
		ns = append(ns, view.LinkNotice{
			Notice: view.NoticeModel{
				Kind: view.Info, Title: page.T(ctx, "bulk.under_way", "what", page.BulkVerb(ctx, x.Verb)),
				Text: page.T(ctx, "bulk.progress", "done", x.Worked(), "n", x.Due),
			},
			Link: view.Link{Label: page.T(ctx, "bulk.look"), Href: page.BulkPath(x)},
		})
	}
	return ns
}
