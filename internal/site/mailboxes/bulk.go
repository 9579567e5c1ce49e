package mailboxes

import (
	"context"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// bulkBar is what can be done with several of the rows that v shows; n is how
// many all of them are.
func bulkBar(ctx context.Context, d org.EmailDomain, v mailbox.View, n int64, again ticks) *view.BulkBarModel {
	m := &view.BulkBarModel{
		Action: paths.Bulks(d.Name), Hidden: rowList("", v).Kept(), Page: page.T(ctx, "bulk.tick_page"), Counted: page.T(ctx, "bulk.ticked", "count", "#"),
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
func (s *Section) bulkWork(ctx context.Context, all []bulk.Bulk) (ns []view.LinkNotice) {
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
