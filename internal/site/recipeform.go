package site

import (
	"context"
	"strconv"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
	"petschaft/web/view/recipeview"
)

// recipeInput is what the forms of a recipe hold before anybody typed.
func recipeInput(st recipe.State) recipe.Input {
	in := recipe.Input{Name: st.Row.Name, Aliases: append(addresses(st.Row.Aliases), "", "")[:2], Reason: pki.AffiliationChanged, Version: st.Row.Version}
	switch st.Kind {
	case recipe.Reuse:
		in.Name = ""
	case recipe.RenameNew:
		in.Name, in.Aliases = "", []string{"", ""}
	}
	return in
}

func (s *Site) recipeModel(ctx context.Context, by person.Actor, st recipe.State, in recipe.Input, failed error) (recipeview.Model, error) {
	current := st.Current()
	m := recipeview.Model{Head: view.HeadModel{
		Title: t(ctx, recipeWords[st.Kind].title), Lead: t(ctx, recipeWords[st.Kind].lead, "name", st.Name, "address", string(st.Row.Primary)),
	}, Join: join(ctx, st.Row.Standing, st.Row.DomainName)}
	for _, x := range st.Standings() {
		m.Steps = append(m.Steps, view.Step{Label: t(ctx, stepWords[x.Step].label), Done: x.Done, Current: x.Step == current})
	}
	if _, whole := wrong(ctx, failed); whole != "" {
		m.Fails = append(m.Fails, view.Fail{Text: whole})
	}
	m.Over = recipeOver(ctx, st)
	if recipe.MayCancel(st) != nil {
		return m, nil
	}
	if current == "" {
		m.Over.Actions = append(m.Over.Actions, view.ButtonModel{Label: t(ctx, "recipe.close"), Action: paths.Recipe(st.ID) + "/cancel", Kind: view.Primary})
		return m, nil
	}
	m.Cancel = &view.ButtonModel{Label: t(ctx, "recipe.cancel"), Action: paths.Recipe(st.ID) + "/cancel"}
	next, err := s.recipeNext(ctx, by, st, current, in, failed)
	m.Next = &next
	m.Fails = append(m.Fails, view.Fails(next.Fields...)...)
	if next.Other != nil {
		m.Fails = append(m.Fails, view.Fails(next.Other.Field)...)
	}
	return m, err
}

func (s *Site) recipeNext(ctx context.Context, by person.Actor, st recipe.State, step recipe.Step, in recipe.Input, failed error) (recipeview.NextModel, error) {
	words := stepWords[step]
	action := paths.Recipe(st.ID) + "/steps/" + string(step)
	m := recipeview.NextModel{
		Title: t(ctx, "recipe.next", "step", t(ctx, words.label)), What: []string{stepWhat(ctx, st.Kind, step)},
		Form: view.FormModel{Action: action, Submit: view.ButtonModel{Label: t(ctx, words.verb)}},
	}
	bad, _ := wrong(ctx, failed)
	field := func(name, label, value string) view.FieldModel {
		return view.FieldModel{Name: name, Label: label, Value: value, Error: bad[name], Autocomplete: "off"}
	}
	if len(bad) == 0 { // told that somebody else changed the row, the person goes on from what it is now
		in.Version = st.Row.Version
	}
	version := []view.Hidden{{Name: "version", Value: strconv.FormatInt(in.Version, 10)}}
	switch step {
	case recipe.Revoke:
		s.revokeStep(ctx, st, in, field, &m)
	case recipe.Name:
		m.Form.Hidden = version
		m.Fields = append([]view.FieldModel{nameField(ctx, field, in)}, aliasFields(ctx, field, in)...)
		m.Warnings = nameWarnings(ctx, st)
	case recipe.NewRow:
		newRowStep(ctx, st, action, in, field, &m)
	case recipe.NewApplicant:
		m.Form.Hidden = version
		f := addressField(field("applicant", t(ctx, "recipe.applicant_new"), in.Applicant))
		f.Hint = t(ctx, "recipe.applicant_hint", "applicant", applicantWords(ctx, st.Row))
		m.Fields = []view.FieldModel{f}
	case recipe.Challenge:
		m.What = append(m.What, t(ctx, "recipe.challenge_to", "addresses", challenged(st)))
	case recipe.Hand:
		return m, s.handStep(ctx, by, st, &m)
	}
	return m, nil
}

type newField func(name, label, value string) view.FieldModel

func nameField(ctx context.Context, field newField, in recipe.Input) view.FieldModel {
	f := field("name", t(ctx, "recipe.name_new"), in.Name)
	f.Hint = t(ctx, "form.name_hint")
	return f
}

func aliasFields(ctx context.Context, field newField, in recipe.Input) []view.FieldModel {
	fs := []view.FieldModel{
		addressField(field("alias1", t(ctx, "form.alias1"), in.Aliases[0])),
		addressField(field("alias2", t(ctx, "form.alias2"), in.Aliases[1])),
	}
	for i := range fs {
		fs[i].Optional = true
	}
	return fs
}

func nameWarnings(ctx context.Context, st recipe.State) []view.NoticeModel {
	if st.Kind == recipe.Reuse {
		return []view.NoticeModel{{Kind: view.Info, Text: t(ctx, "recipe.name_other_aliases")}}
	}
	return []view.NoticeModel{{Kind: view.Info, Text: t(ctx, "recipe.cn")}, {Kind: view.Info, Text: t(ctx, "recipe.name_same_aliases")}}
}

func (s *Site) revokeStep(ctx context.Context, st recipe.State, in recipe.Input, field newField, m *recipeview.NextModel) {
	m.What = append(m.What, t(ctx, "recipe.revoke_count", "n", st.Valid), t(ctx, "cert.revoke_final"))
	m.Warnings = []view.NoticeModel{{Kind: view.Warn, Text: t(ctx, "recipe.revoke_signs")}}
	m.Form.Submit.Kind = view.Danger
	if st.Kind == recipe.Left {
		m.What = append(m.What, t(ctx, "recipe.revoke_left"))
		return
	}
	f := field("reason", t(ctx, "cert.revoke_reason"), strconv.Itoa(int(in.Reason)))
	f.Type = view.Radios
	for _, x := range pki.Reasons(false) {
		f.Choices = append(f.Choices, view.Choice{Value: strconv.Itoa(int(x.Reason)), Label: t(ctx, x.ID), Hint: t(ctx, x.Help)})
	}
	m.Fields = []view.FieldModel{f}
	if recipe.MaySkip(st, recipe.Revoke) == nil {
		m.Skip = &view.ButtonModel{Label: t(ctx, "recipe.revoke_skip"), Action: m.Form.Action + "/skip"}
	}
}

func newRowStep(ctx context.Context, st recipe.State, action string, in recipe.Input, field newField, m *recipeview.NextModel) {
	primary := addressField(field("primary", t(ctx, "recipe.row_primary"), in.Primary))
	primary.Hint = t(ctx, "recipe.row_primary_hint")
	aliases := aliasFields(ctx, field, in)
	aliases[0].Hint = t(ctx, "recipe.row_alias_hint", "address", string(st.Row.Primary))
	comment := field("comment", t(ctx, "row.comment"), in.Comment)
	comment.Optional, comment.MaxLength = true, "1024"
	m.Fields = append([]view.FieldModel{nameField(ctx, field, in), primary}, append(aliases, comment)...)
	m.Warnings = []view.NoticeModel{{Kind: view.Info, Text: t(ctx, "recipe.cn")}}
	existing := addressField(field("existing", t(ctx, "recipe.existing"), in.Existing))
	m.Other = &recipeview.OtherModel{
		Summary: t(ctx, "recipe.existing_summary"), Open: in.Existing != "", Field: existing,
		Form: view.FormModel{Action: action, Submit: view.ButtonModel{Label: t(ctx, "recipe.existing_verb")}},
	}
}

// challenged are the addresses that the next challenges go to.
func challenged(st recipe.State) string {
	r := st.Row
	if st.New != nil {
		r = *st.New
	}
	if r.Kind == mailbox.Functional {
		return string(r.Applicant)
	}
	out := ""
	for i, a := range r.Addresses() {
		if i > 0 {
			out += ", "
		}
		out += string(a)
	}
	return out
}

// handShown bounds the functional rows that are listed.
const handShown = 100

// handStep lists the functional rows of who left, each with its own recipe.
func (s *Site) handStep(ctx context.Context, by person.Actor, st recipe.State, m *recipeview.NextModel) error {
	rows, err := s.Mailbox.AppliesFor(ctx, by, st.Row, st.Account, handShown+1)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		m.What = []string{t(ctx, "recipe.hand_none")}
		return nil
	}
	m.Rows = &recipeview.RowsModel{Table: view.TableModel{Caption: t(ctx, "recipe.hand_caption"), Columns: []view.Column{
		{Label: t(ctx, "rows.name")},
		{Label: t(ctx, "row.primary")},
		{Label: t(ctx, "row.applicant")},
		{Label: t(ctx, "row.actions"), Quiet: true, Tight: true},
	}}}
	if len(rows) > handShown {
		rows, m.Rows.More = rows[:handShown], t(ctx, "recipe.hand_more", "n", handShown)
	}
	for _, r := range rows {
		l := recipeview.RowLine{Name: r.Name, Href: rowPath(r), Address: string(r.Primary), Applicant: string(r.Applicant)}
		if recipe.MayStart(recipe.Applicant, r) == nil {
			l.Actions = []view.ButtonModel{{
				Label: t(ctx, "recipe.applicant_button"), About: r.Name, Href: paths.StartRecipe(r.DomainName, r.ID, recipe.Applicant),
			}}
		}
		m.Rows.Lines = append(m.Rows.Lines, l)
	}
	return nil
}

// recipeOver says how a recipe ended and what is waited for; nil while there are
// steps to do.
func recipeOver(ctx context.Context, st recipe.State) *mailboxview.RecipeOverModel {
	m := &mailboxview.RecipeOverModel{Notice: view.NoticeModel{Kind: view.Good, Title: t(ctx, "recipe.over")}}
	r := st.Row
	if st.New != nil {
		r = *st.New
	}
	m.Actions = []view.ButtonModel{{Label: t(ctx, "recipe.to_row", "name", r.Name), Href: rowPath(r)}}
	switch {
	case st.Outcome == recipe.Cancelled:
		m.Notice = view.NoticeModel{Kind: view.Info, Title: t(ctx, "recipe.cancelled_title"), Text: t(ctx, "recipe.cancelled_text")}
	case st.Current() != "":
		return nil
	case st.Kind == recipe.Left:
		m.Notice.Text = t(ctx, "recipe.over_left")
	case r.Status == mailbox.Open:
		m.Notice.Text = t(ctx, "recipe.over_open")
	case r.Status == mailbox.Undeliverable:
		m.Notice.Kind, m.Notice.Text = view.Warn, t(ctx, "recipe.over_undeliverable")
	case r.Status == mailbox.Confirmed:
		m.Notice.Text = t(ctx, "recipe.over_confirmed", "name", *r.LinkedName)
	default:
		m.Notice.Text = t(ctx, "recipe.over_plain")
	}
	return m
}
