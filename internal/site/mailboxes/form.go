package mailboxes

import (
	"context"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/view/mailboxview"
)

// formModel holds what was typed, with what is wrong with it.
func formModel(ctx context.Context, in mailbox.Input, failed error) mailboxview.AddressFormModel {
	m := mailboxview.AddressFormModel{
		Name: in.Name, Person: string(in.Person), Primary: in.Primary, Kind: string(in.Kind), Applicant: in.Applicant, Comment: in.Comment,
	}
	copy(m.Aliases[:], in.Aliases)
	m.Errors, m.Whole = page.Wrong(ctx, failed)
	m.Taken = page.InTheWay(ctx, failed)
	return m
}

// changes are the values typed that differ from those that somebody else saved.
func changes(ctx context.Context, row mailbox.Row, in mailbox.Input) (cs []mailboxview.Change) {
	add := func(label, typed, saved string) {
		if typed, saved = strings.TrimSpace(typed), strings.TrimSpace(saved); typed != saved {
			cs = append(cs, mailboxview.Change{Label: label, Typed: page.OrNothing(ctx, typed), Saved: page.OrNothing(ctx, saved)})
		}
	}
	now := inputOf(row)
	add(page.T(ctx, "rows.name"), in.Name, now.Name)
	add(page.T(ctx, "form.alias1"), in.Aliases[0], now.Aliases[0])
	add(page.T(ctx, "form.alias2"), in.Aliases[1], now.Aliases[1])
	add(page.T(ctx, "row.kind"), page.RowKind(ctx, in.Kind), page.RowKind(ctx, now.Kind))
	add(page.T(ctx, "row.applicant"), in.Applicant, now.Applicant)
	add(page.T(ctx, "row.comment"), text.Lines(in.Comment), now.Comment)
	return cs
}
