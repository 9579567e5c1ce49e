package mailboxes

import (
	"context"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/recipe"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// recipes puts onto a row's page the recipe that is open, or those that fit.
func (s *Section) recipes(ctx context.Context, by person.Actor, row mailbox.Row, m *mailboxview.AddressRowModel) error {
	st, open, err := s.Recipe.OpenOf(ctx, by, row)
	if err != nil {
		return err
	}
	if open {
		m.Recipe = recipeNotice(ctx, st)
	}
	if !open || st.Current() == "" {
		m.Recipes = assistants(ctx, row)
	}
	return nil
}

// assistants are the recipes that fit a row.
func assistants(ctx context.Context, row mailbox.Row) (bs []view.ButtonModel) {
	for _, k := range recipe.Kinds {
		if recipe.MayStart(k, row) == nil {
			bs = append(bs, view.ButtonModel{Label: page.T(ctx, page.RecipeWords[k].Button), Href: paths.StartRecipe(row.DomainName, row.ID, k)})
		}
	}
	return bs
}

// recipeNotice leads to the recipe that is open for a row.
func recipeNotice(ctx context.Context, st recipe.State) *mailboxview.RecipeOverModel {
	m := &mailboxview.RecipeOverModel{
		Notice:  view.NoticeModel{Kind: view.Info, Title: page.T(ctx, page.RecipeWords[st.Kind].Title), Text: page.T(ctx, "recipe.open_done")},
		Actions: []view.ButtonModel{{Label: page.T(ctx, "recipe.go_on"), Href: paths.Recipe(st.ID), Icon: view.IconNext}},
	}
	if step := st.Current(); step != "" {
		m.Notice.Text = page.T(ctx, "recipe.open", "by", st.StartedByName, "step", page.T(ctx, page.StepWords[step].Label))
	}
	return m
}
