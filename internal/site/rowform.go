package site

import (
	"context"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// rowForm holds what was typed, with what is wrong with it beside each field
// and in the summary.
func rowForm(ctx context.Context, in mailbox.Input, failed error) mailboxview.AddressFormModel {
	bad, whole := wrong(ctx, failed)
	field := func(name, label, value string) view.FieldModel {
		return view.FieldModel{Name: name, Label: label, Value: value, Error: bad[name], Autocomplete: "off"}
	}
	m := mailboxview.AddressFormModel{Choosable: true}
	m.Name = field("name", t(ctx, "rows.name"), in.Name)
	m.Name.Hint = t(ctx, "form.name_hint")
	m.Primary = addressField(field("primary", t(ctx, "row.primary"), in.Primary))
	m.Kind = field("kind", t(ctx, "row.kind"), string(in.Kind))
	m.Kind.Type = view.Radios
	m.Kind.Choices = []view.Choice{
		{Value: string(mailbox.Personal), Label: t(ctx, "row.personal"), Hint: t(ctx, "form.personal_hint")},
		{Value: string(mailbox.Functional), Label: t(ctx, "row.functional"), Hint: t(ctx, "form.functional_hint")},
	}
	aliases := append(append([]string{}, in.Aliases...), "", "")
	m.Aliases = [2]view.FieldModel{addressField(field("alias1", t(ctx, "form.alias1"), aliases[0])), addressField(field("alias2", t(ctx, "form.alias2"), aliases[1]))}
	m.Aliases[0].Hint = t(ctx, "form.alias_hint")
	m.Aliases[0].Optional, m.Aliases[1].Optional = true, true
	applicant := addressField(field("applicant", t(ctx, "row.applicant"), in.Applicant))
	applicant.Hint, applicant.Optional = t(ctx, "form.applicant_hint"), true
	m.Applicant = &applicant
	who := field("person", t(ctx, "form.person"), string(in.Person))
	who.Type, who.Optional = view.Radios, true
	who.Choices = []view.Choice{
		{Value: string(mailbox.SamePerson), Label: t(ctx, "form.person_same"), Hint: t(ctx, "form.person_same_hint")},
		{Value: string(mailbox.OtherPerson), Label: t(ctx, "form.person_other"), Hint: t(ctx, "form.person_other_hint")},
	}
	m.Person = &who
	m.Comment = field("comment", t(ctx, "row.comment"), in.Comment)
	m.Comment.Hint, m.Comment.Optional, m.Comment.MaxLength = t(ctx, "form.comment_hint"), true, "1024"
	m.Fails = view.Fails(m.Name, who, m.Primary, m.Aliases[0], m.Aliases[1], m.Kind, applicant, m.Comment)
	if whole != "" {
		m.Fails = append(m.Fails, view.Fail{Text: whole})
	}
	return m
}

// addressField is not of type email: that control would refuse what the server
// can explain.
func addressField(f view.FieldModel) view.FieldModel {
	f.Mono, f.MaxLength = true, "254"
	return f
}

// changes are the values typed that differ from those that somebody else saved.
func changes(ctx context.Context, row mailbox.Row, in mailbox.Input) (cs []mailboxview.Change) {
	add := func(label, typed, saved string) {
		if typed, saved = strings.TrimSpace(typed), strings.TrimSpace(saved); typed != saved {
			cs = append(cs, mailboxview.Change{Label: label, Typed: orNothing(ctx, typed), Saved: orNothing(ctx, saved)})
		}
	}
	now := inputOf(row)
	add(t(ctx, "rows.name"), in.Name, now.Name)
	add(t(ctx, "form.alias1"), in.Aliases[0], now.Aliases[0])
	add(t(ctx, "form.alias2"), in.Aliases[1], now.Aliases[1])
	add(t(ctx, "row.kind"), kindWords(ctx, in.Kind), kindWords(ctx, now.Kind))
	add(t(ctx, "row.applicant"), in.Applicant, now.Applicant)
	add(t(ctx, "row.comment"), in.Comment, now.Comment)
	return cs
}
