package recipes

import (
	"context"

	"petschaft/internal/mailbox"
	"petschaft/internal/recipe"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/recipeview"
)

// notes say what somebody should know before a recipe begins.
var notes = map[recipe.Kind][]string{
	recipe.Reuse:      {"recipe.reuse_link"},
	recipe.RenameNew:  {"recipe.rename-new_link", "recipe.cn"},
	recipe.RenameSame: {"recipe.rename-same_link", "recipe.cn"},
	recipe.Applicant:  {"recipe.applicant_before"},
	recipe.Left:       {"recipe.left_functional"},
}

// stepWhat says what a step of the recipe will do.
func stepWhat(ctx context.Context, k recipe.Kind, step recipe.Step) string {
	switch {
	case step == recipe.Name && k == recipe.Reuse:
		return page.T(ctx, "recipe.name_other_what")
	case step == recipe.Challenge && k == recipe.RenameSame:
		return page.T(ctx, "recipe.challenge_aliases_what")
	case step == recipe.Challenge && k == recipe.RenameNew:
		return page.T(ctx, "recipe.challenge_new_what")
	case step == recipe.Challenge && k == recipe.Applicant:
		return page.T(ctx, "recipe.challenge_applicant_what")
	}
	return page.T(ctx, page.StepWords[step].What)
}

func startModel(ctx context.Context, k recipe.Kind, row mailbox.Row) recipeview.StartModel {
	words := page.RecipeWords[k]
	m := recipeview.StartModel{Head: view.HeadModel{Title: page.T(ctx, words.Title), Lead: page.T(ctx, words.Lead, "name", row.Name, "address", string(row.Primary))}}
	m.Form = view.FormModel{
		Action: paths.StartRecipe(row.DomainName, row.ID, k), Submit: view.ButtonModel{Label: page.T(ctx, "recipe.start")}, Cancel: page.RowPath(row),
	}
	if words.Warning != "" {
		m.Warning = &view.NoticeModel{Kind: view.Warn, Title: page.T(ctx, "recipe.advised_against"), Text: page.T(ctx, words.Warning)}
		m.Form.Submit = view.ButtonModel{Label: page.T(ctx, "recipe.start_anyway"), Kind: view.Danger}
	}
	for _, note := range notes[k] {
		m.Notes = append(m.Notes, page.T(ctx, note))
	}
	for _, step := range k.Steps() {
		m.Steps = append(m.Steps, recipeview.Step{Label: page.T(ctx, page.StepWords[step].Label), What: stepWhat(ctx, k, step)})
	}
	return m
}
