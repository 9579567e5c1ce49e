package site

import (
	"context"

	"petschaft/internal/mailbox"
	"petschaft/internal/recipe"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
	"petschaft/web/view/recipeview"
)

// recipeWords are the message ids of each recipe.
var recipeWords = map[recipe.Kind]struct{ button, title, lead, warning string }{
	recipe.Reuse:      {"recipe.reuse_button", "recipe.reuse_title", "recipe.reuse_lead", "recipe.reuse_warning"},
	recipe.RenameNew:  {"recipe.rename-new_button", "recipe.rename-new_title", "recipe.rename-new_lead", ""},
	recipe.RenameSame: {"recipe.rename-same_button", "recipe.rename-same_title", "recipe.rename-same_lead", ""},
	recipe.Applicant:  {"recipe.applicant_button", "recipe.applicant_title", "recipe.applicant_lead", ""},
	recipe.Left:       {"recipe.left_button", "recipe.left_title", "recipe.left_lead", ""},
}

// recipeNotes say what somebody should know before a recipe begins.
var recipeNotes = map[recipe.Kind][]string{
	recipe.Reuse:      {"recipe.reuse_link"},
	recipe.RenameNew:  {"recipe.rename-new_link", "recipe.cn"},
	recipe.RenameSame: {"recipe.rename-same_link", "recipe.cn"},
	recipe.Applicant:  {"recipe.applicant_before"},
	recipe.Left:       {"recipe.left_functional"},
}

// stepWords are the message ids of each step: its name, what it does, the button
// that does it, and what is said when it is done.
var stepWords = map[recipe.Step]struct{ label, what, verb, done string }{
	recipe.Deactivate:   {"recipe.deactivate", "recipe.deactivate_what", "step.deactivate_verb", "step.deactivate_done"},
	recipe.Revoke:       {"recipe.revoke", "recipe.revoke_what", "recipe.revoke_verb", "recipe.revoke_done"},
	recipe.Name:         {"recipe.name", "recipe.name_same_what", "recipe.name_verb", "recipe.name_done"},
	recipe.NewRow:       {"recipe.row", "recipe.row_what", "recipe.row_verb", "recipe.row_done"},
	recipe.NewApplicant: {"recipe.applicant", "recipe.applicant_what", "recipe.applicant_verb", "recipe.applicant_done"},
	recipe.Activate:     {"recipe.activate", "recipe.activate_what", "step.activate_verb", "step.activate_done"},
	recipe.Challenge:    {"recipe.challenge", "recipe.challenge_what", "step.challenges_verb", "step.challenges_done"},
	recipe.Hand:         {"recipe.hand", "recipe.hand_what", "recipe.hand_verb", "recipe.hand_done"},
}

// stepWhat says what a step of the recipe will do.
func stepWhat(ctx context.Context, k recipe.Kind, step recipe.Step) string {
	switch {
	case step == recipe.Name && k == recipe.Reuse:
		return t(ctx, "recipe.name_other_what")
	case step == recipe.Challenge && k == recipe.RenameSame:
		return t(ctx, "recipe.challenge_aliases_what")
	case step == recipe.Challenge && k == recipe.RenameNew:
		return t(ctx, "recipe.challenge_new_what")
	case step == recipe.Challenge && k == recipe.Applicant:
		return t(ctx, "recipe.challenge_applicant_what")
	}
	return t(ctx, stepWords[step].what)
}

func recipeStartModel(ctx context.Context, k recipe.Kind, row mailbox.Row) recipeview.StartModel {
	words := recipeWords[k]
	m := recipeview.StartModel{Head: view.HeadModel{Title: t(ctx, words.title), Lead: t(ctx, words.lead, "name", row.Name, "address", string(row.Primary))}}
	m.Form = view.FormModel{
		Action: paths.StartRecipe(row.DomainName, row.ID, k), Submit: view.ButtonModel{Label: t(ctx, "recipe.start")}, Cancel: rowPath(row),
	}
	if words.warning != "" {
		m.Warning = &view.NoticeModel{Kind: view.Warn, Title: t(ctx, "recipe.advised_against"), Text: t(ctx, words.warning)}
		m.Form.Submit = view.ButtonModel{Label: t(ctx, "recipe.start_anyway"), Kind: view.Danger}
	}
	for _, note := range recipeNotes[k] {
		m.Notes = append(m.Notes, t(ctx, note))
	}
	for _, step := range k.Steps() {
		m.Steps = append(m.Steps, recipeview.Step{Label: t(ctx, stepWords[step].label), What: stepWhat(ctx, k, step)})
	}
	return m
}

// assistants are the recipes that fit a row.
func assistants(ctx context.Context, row mailbox.Row) (bs []view.ButtonModel) {
	for _, k := range recipe.Kinds {
		if recipe.MayStart(k, row) == nil {
			bs = append(bs, view.ButtonModel{Label: t(ctx, recipeWords[k].button), Href: paths.StartRecipe(row.DomainName, row.ID, k)})
		}
	}
	return bs
}

// recipeNotice leads to the recipe that is open for a row.
func recipeNotice(ctx context.Context, st recipe.State) *mailboxview.RecipeOverModel {
	m := &mailboxview.RecipeOverModel{
		Notice:  view.NoticeModel{Kind: view.Info, Title: t(ctx, recipeWords[st.Kind].title), Text: t(ctx, "recipe.open_done")},
		Actions: []view.ButtonModel{{Label: t(ctx, "recipe.go_on"), Href: paths.Recipe(st.ID), Icon: view.IconNext}},
	}
	if step := st.Current(); step != "" {
		m.Notice.Text = t(ctx, "recipe.open", "by", st.StartedByName, "step", t(ctx, stepWords[step].label))
	}
	return m
}
