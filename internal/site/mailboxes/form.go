package mailboxes

import (
	"context"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// formModel holds what was typed, with what is wrong with it beside each field
// and in the summary.
func formModel(ctx context.Context, in mailbox.Input, failed error) mailboxview.AddressFormModel {
	bad, whole := page.Wrong(ctx, failed)
	field := func(name, label, value string) view.FieldModel {
		return view.FieldModel{Name: name, Label: label, Value: value, Error: bad[name], Autocomplete: "off"}
	}
	m := mailboxview.AddressFormModel{Choosable: true}
	m.Name = field("name", page.T(ctx, "rows.name"), in.Name)
	m.Name.Hint = page.T(ctx, "form.name_hint")
	m.Primary = AddressField(field("primary", page.T(ctx, "row.primary"), in.Primary))
	m.Kind = field("kind", page.T(ctx, "row.kind"), string(in.Kind))
	m.Kind.Type = view.Radios
	m.Kind.Choices = []view.Choice{
		{Value: string(mailbox.Personal), Label: page.T(ctx, "row.personal"), Hint: page.T(ctx, "form.personal_hint")},
		{Value: string(mailbox.Functional), Label: page.T(ctx, "row.functional"), Hint: page.T(ctx, "form.functional_hint")},
	}
	aliases := append(append([]string{}, in.Aliases...), "", "")
	m.Aliases = [2]view.FieldModel{AddressField(field("alias1", page.T(ctx, "form.alias1"), aliases[0])), AddressField(field("alias2", page.T(ctx, "form.alias2"), aliases[1]))}
	m.Aliases[0].Hint = page.T(ctx, "form.alias_hint")
	m.Aliases[0].Optional, m.Aliases[1].Optional = true, true
	applicant := AddressField(field("applicant", page.T(ctx, "row.applicant"), in.Applicant))
	applicant.Hint, applicant.Optional = page.T(ctx, "form.applicant_hint"), true
	m.Applicant = &applicant
	who := field("person", page.T(ctx, "form.person"), string(in.Person))
	who.Type, who.Optional = view.Radios, true
	who.Choices = []view.Choice{
		{Value: string(mailbox.SamePerson), Label: page.T(ctx, "form.person_same"), Hint: page.T(ctx, "form.person_same_hint")},
		{Value: string(mailbox.OtherPerson), Label: page.T(ctx, "form.person_other"), Hint: page.T(ctx, "form.person_other_hint")},
	}
	m.Person = &who
	m.Comment = field("comment", page.T(ctx, "row.comment"), in.Comment)
	m.Comment.Hint, m.Comment.Optional, m.Comment.MaxLength = page.T(ctx, "form.comment_hint"), true, "1024"
	m.Fails = view.Fails(m.Name, who, m.Primary, m.Aliases[0], m.Aliases[1], m.Kind, applicant, m.Comment)
	if whole != "" {
		m.Fails = append(m.Fails, view.Fail{Text: whole})
	}
	return m
}

// AddressField is not of type email: that control would refuse what the server
// can explain.
func AddressField(f view.FieldModel) view.FieldModel {
	f.Mono, f.MaxLength = true, "254"
	return f
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
	add(page.T(ctx, "row.comment"), in.Comment, now.Comment)
	return cs
}
