package recipes

import (
	"context"
	"strconv"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
	"petschaft/web/view/recipeview"
)

// inputOf is what the forms of a recipe hold before anybody typed.
func inputOf(st recipe.State) recipe.Input {
	in := recipe.Input{Name: st.Row.Name, Aliases: append(page.Addresses(st.Row.Aliases), "", "")[:2], Reason: pki.AffiliationChanged, Version: st.Row.Version}
	switch st.Kind {
	case recipe.Reuse:
		in.Name = ""
	case recipe.RenameNew:
		in.Name, in.Aliases = "", []string{"", ""}
	}
	return in
}

func (s *Section) model(ctx context.Context, by person.Actor, st recipe.State, in recipe.Input, failed error) (recipeview.Model, error) {
	current := st.Current()
	m := recipeview.Model{Head: view.HeadModel{
		Title: page.T(ctx, page.RecipeWords[st.Kind].Title), Lead: page.T(ctx, page.RecipeWords[st.Kind].Lead, "name", st.Name, "address", string(st.Row.Primary)),
	}, Join: mailboxes.OfferJoin(ctx, st.Row.Standing, st.Row.DomainName)}
	for _, x := range st.Standings() {
		m.Steps = append(m.Steps, view.Step{Label: page.T(ctx, page.StepWords[x.Step].Label), Done: x.Done, LeftOut: x.LeftOut, Current: x.Step == current})
	}
	_, m.Whole = page.Wrong(ctx, failed)
	m.Taken = page.InTheWay(ctx, failed)
	m.Over = overModel(ctx, st)
	kept, err := s.Recipe.Kept(ctx, by, st)
	if err != nil {
		return m, err
	}
	for _, c := range kept {
		m.Kept = append(m.Kept, view.LinkNotice{
			Notice: view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "recipe.kept", "reference", c.Reference, "name", c.Holder, "day", view.Day(ctx, c.NotAfter, s.Now()).Text)},
			Link:   view.Link{Label: page.T(ctx, "recipe.kept_look"), Href: paths.ClientCertificate(c.ID)},
		})
	}
	if recipe.MayCancel(st) != nil {
		return m, nil
	}
	if current == "" {
		m.Over.Actions = append(m.Over.Actions, view.ButtonModel{Label: page.T(ctx, "recipe.close"), Action: paths.Recipe(st.ID) + "/cancel", Kind: view.Primary})
		return m, nil
	}
	m.Cancel = &view.ButtonModel{Label: page.T(ctx, "recipe.cancel"), Action: paths.Recipe(st.ID) + "/cancel"}
	next, err := s.next(ctx, by, st, current, in, failed)
	m.Next = &next
	return m, err
}

func (s *Section) next(ctx context.Context, by person.Actor, st recipe.State, step recipe.Step, in recipe.Input, failed error) (recipeview.NextModel, error) {
	words := page.StepWords[step]
	action := paths.Recipe(st.ID) + "/steps/" + string(step)
	bad, _ := page.Wrong(ctx, failed)
	m := recipeview.NextModel{
		Title: page.T(ctx, "recipe.next", "step", page.T(ctx, words.Label)), What: []string{stepWhat(ctx, st.Kind, step)},
		Form: view.FormModel{Action: action, Submit: view.ButtonModel{Label: page.T(ctx, words.Verb)}},
		Name: in.Name, Primary: in.Primary, Comment: in.Comment, Applicant: in.Applicant, Reason: page.ReasonModel(ctx, pki.Reasons(false), in.Reason, failed), Errors: bad,
	}
	copy(m.Aliases[:], in.Aliases)
	if len(bad) == 0 { // told that somebody else changed the row, the person goes on from what it is now
		in.Version = st.Row.Version
	}
	version := []view.Hidden{{Name: "version", Value: strconv.FormatInt(in.Version, 10)}}
	switch step {
	case recipe.Revoke:
		revokeStep(ctx, st, &m)
	case recipe.Name:
		m.Form.Hidden, m.Asks = version, recipeview.NameAsked
		m.Warnings = nameWarnings(ctx, st)
	case recipe.NewRow:
		m.Asks, m.Address = recipeview.RowAsked, string(st.Row.Primary)
		m.Warnings = []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "recipe.cn")}}
		m.Other = &recipeview.OtherModel{
			Form:     view.FormModel{Action: action, Submit: view.ButtonModel{Label: page.T(ctx, "recipe.existing_verb")}},
			Existing: in.Existing, Error: bad["existing"],
		}
	case recipe.NewApplicant:
		m.Form.Hidden, m.Asks = version, recipeview.ApplicantAsked
		m.Before = mailboxes.ApplicantWords(ctx, st.Row)
	case recipe.Challenge:
		m.What = append(m.What, page.T(ctx, "recipe.challenge_to", "addresses", challenged(st)))
	case recipe.Hand:
		return m, s.handStep(ctx, by, st, &m)
	}
	return m, nil
}

func nameWarnings(ctx context.Context, st recipe.State) []view.NoticeModel {
	if st.Kind == recipe.Reuse {
		return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "recipe.name_other_aliases")}}
	}
	return []view.NoticeModel{{Kind: view.Info, Text: page.T(ctx, "recipe.cn")}, {Kind: view.Info, Text: page.T(ctx, "recipe.name_same_aliases")}}
}

func revokeStep(ctx context.Context, st recipe.State, m *recipeview.NextModel) {
	m.What = append(m.What, page.T(ctx, "recipe.revoke_count", "n", st.Valid), page.T(ctx, "cert.revoke_final"))
	m.Warnings = []view.NoticeModel{{Kind: view.Warn, Text: page.T(ctx, "recipe.revoke_signs")}}
	m.Form.Submit.Kind = view.Danger
	if st.Kind == recipe.Left {
		m.What = append(m.What, page.T(ctx, "recipe.revoke_left"))
		return
	}
	m.Asks = recipeview.ReasonAsked
	if recipe.MaySkip(st, recipe.Revoke) == nil {
		m.Skip = &view.ButtonModel{Label: page.T(ctx, "recipe.revoke_skip"), Action: m.Form.Action + "/skip"}
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
func (s *Section) handStep(ctx context.Context, by person.Actor, st recipe.State, m *recipeview.NextModel) error {
	rows, err := s.Mailbox.AppliesFor(ctx, by, st.Row, st.Account, handShown+1)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		m.What = []string{page.T(ctx, "recipe.hand_none")}
		return nil
	}
	m.Rows = &recipeview.RowsModel{Table: view.TableModel{Caption: page.T(ctx, "recipe.hand_caption"), Columns: []view.Column{
		{Label: page.T(ctx, "rows.name")},
		{Label: page.T(ctx, "row.primary")},
		{Label: page.T(ctx, "row.applicant")},
		{Label: page.T(ctx, "row.actions"), Quiet: true, Tight: true},
	}}}
	if len(rows) > handShown {
		rows, m.Rows.More = rows[:handShown], page.T(ctx, "recipe.hand_more", "most", handShown)
	}
	for _, r := range rows {
		l := recipeview.RowLine{Name: r.Name, Href: page.RowPath(r), Address: string(r.Primary), Applicant: string(r.Applicant)}
		if recipe.MayStart(recipe.Applicant, r) == nil {
			l.Actions = []view.ButtonModel{{
				Label: page.T(ctx, "recipe.applicant_button"), About: mailboxes.Called(r), Href: paths.StartRecipe(r.DomainName, r.ID, recipe.Applicant),
			}}
		}
		m.Rows.Lines = append(m.Rows.Lines, l)
	}
	return nil
}

// overModel says how a recipe ended and what is waited for; nil while there are
// steps to do.
func overModel(ctx context.Context, st recipe.State) *mailboxview.RecipeOverModel {
	m := &mailboxview.RecipeOverModel{Notice: view.NoticeModel{Kind: view.Good, Title: page.T(ctx, "recipe.over")}}
	r := st.Row
	if st.New != nil {
		r = *st.New
	}
	m.Actions = []view.ButtonModel{{Label: page.T(ctx, "recipe.to_row", "name", r.Name), Href: page.RowPath(r)}}
	switch {
	case st.Outcome == recipe.Cancelled:
		m.Notice = view.NoticeModel{Kind: view.Info, Title: page.T(ctx, "recipe.cancelled_title"), Text: page.T(ctx, "recipe.cancelled_text")}
	case st.Current() != "":
		return nil
	case st.Kind == recipe.Left:
		m.Notice.Text = page.T(ctx, "recipe.over_left")
	case r.Status == mailbox.Open:
		m.Notice.Text = page.T(ctx, "recipe.over_open")
	case r.Status == mailbox.Undeliverable:
		m.Notice.Kind, m.Notice.Text = view.Warn, page.T(ctx, "recipe.over_undeliverable")
	case r.Status == mailbox.Confirmed:
		m.Notice.Text = page.T(ctx, "recipe.over_confirmed", "name", *r.LinkedName)
	default:
		m.Notice.Text = page.T(ctx, "recipe.over_plain")
	}
	return m
}
